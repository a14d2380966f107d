//! The users file: lines of `user:bcrypt-hash`, as `htpasswd -nB USER` prints them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use edgewatch_program::credential;

use super::error::{AuthError, LineError, UsersFileError};

/// Far more than any users file has.
const MAX_BYTES: u64 = 1 << 20;
/// Below it bcrypt is not defined; above it a check takes a Raspberry Pi more than ten seconds, and each step doubles that.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// How invalid lines are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadLines {
    /// The file is refused: at a reload a person is there to repair it.
    Refuse,
    /// They are skipped and logged: at the start one bad line must not lock out all users.
    Skip,
}

/// The hash of each user.
#[derive(Debug)]
pub(crate) struct Users {
    hashes: HashMap<String, String>,
    /// The hash with the highest cost.
    most_expensive: String,
}

impl Users {
    /// Reads a file of users.
    ///
    /// # Errors
    /// No regular file of at most 1 MiB, no user in it, or, if those are refused, a line that is not `user:bcrypt-hash` with a cost of 4 to
    /// 14. Lines are named by their number and not shown: there may be a password in them.
    pub(crate) fn load(file: &Path, bad_lines: BadLines) -> Result<Self, AuthError> {
        let path = credential::path(file);
        let failed = |source| AuthError::UsersFile {
            path: path.clone(),
            source,
        };
        let text = credential::read(&path, MAX_BYTES).map_err(|error| failed(error.into()))?;
        credential::warn_if_others_can_read(&path);
        let (users, problems) = Self::parse(&text);
        match problems.into_iter().next() {
            Some(problem) if bad_lines == BadLines::Refuse || users.hashes.is_empty() => Err(failed(problem)),
            None if users.hashes.is_empty() => Err(failed(UsersFileError::Empty)),
            Some(problem) => {
                tracing::error!("auth.users_file = {}: {problem}; its user is left out", path.display());
                Ok(users)
            }
            None => Ok(users),
        }
    }

    /// Those of a web configuration file.
    ///
    /// # Errors
    /// The first user whose hash cannot be used.
    pub(crate) fn from_hashes(hashes: &BTreeMap<String, String>) -> Result<Self, AuthError> {
        let mut users = Self {
            hashes: HashMap::new(),
            most_expensive: String::new(),
        };
        let mut max_cost = 0;
        for (user, hash) in hashes {
            let cost = cost(hash).map_err(|source| AuthError::WebConfigUser {
                user: user.clone(),
                source,
            })?;
            if cost > max_cost {
                (max_cost, users.most_expensive) = (cost, hash.clone());
            }
            users.hashes.insert(user.clone(), hash.clone());
        }
        Ok(users)
    }

    /// The users, and what is wrong with lines.
    fn parse(text: &str) -> (Self, Vec<UsersFileError>) {
        let mut users = Self {
            hashes: HashMap::new(),
            most_expensive: String::new(),
        };
        let (mut max_cost, mut problems) = (0, Vec::new());
        let without_mark = text.strip_prefix('\u{feff}');
        if without_mark.is_some() {
            problems.push(UsersFileError::ByteOrderMark);
        }
        for (index, line) in without_mark.unwrap_or(text).lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let problem = |source| UsersFileError::Line {
                number: index + 1,
                source,
            };
            match entry(line) {
                Ok((user, _, _)) if users.hashes.contains_key(user) => {
                    problems.push(problem(LineError::Duplicate));
                }
                Ok((user, hash, cost)) => {
                    if cost > max_cost {
                        (max_cost, users.most_expensive) = (cost, hash.to_owned());
                    }
                    users.hashes.insert(user.to_owned(), hash.to_owned());
                }
                Err(error) => problems.push(problem(error)),
            }
        }
        (users, problems)
    }

    /// The hash to check for `user`, and whether that user exists. For one that does not it is the most expensive hash, so that the time
    /// discloses nothing.
    pub(crate) fn hash(&self, user: &str) -> (&str, bool) {
        match self.hashes.get(user) {
            Some(hash) => (hash, true),
            None => (&self.most_expensive, false),
        }
    }
}

/// The user of a line, the hash, and its cost.
fn entry(line: &str) -> Result<(&str, &str, u32), LineError> {
    let (user, hash) = line
        .split_once(':')
        .filter(|(user, _)| !user.is_empty())
        .ok_or(LineError::Format)?;
    cost(hash).map(|cost| (user, hash, cost))
}

/// The cost of a hash.
fn cost(hash: &str) -> Result<u32, LineError> {
    if hash.starts_with("$2x$") {
        return Err(LineError::FaultyHash);
    }
    let parts = hash.parse::<bcrypt::HashParts>().map_err(|_| LineError::Format)?;
    let cost = parts.get_cost();
    if !COSTS.contains(&cost) {
        return Err(LineError::Cost { cost, allowed: COSTS });
    }
    Ok(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$05$nqDjfP6Y1cOcqGG/1LJnNe4HDUyBbV8O2TB2MuaeqOHlFAWpuJGTK";

    fn with_cost(cost: &str) -> String {
        HASH.replace("$05$", &format!("${cost}$"))
    }

    #[test]
    fn an_unknown_user_takes_as_long_as_the_most_expensive_known_one() {
        let dear = with_cost("12");
        let (users, problems) = Users::parse(&format!("a:{HASH}\nb:{dear}\nc:{HASH}\n"));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(users.hash("c"), (HASH, true));
        assert_eq!(users.hash("nobody"), (dear.as_str(), false));
    }

    #[test]
    fn an_invalid_line_is_named_and_affects_no_other_user() {
        let many = [
            (format!("b:{}", with_cost("31")), "line 2 has a hash of cost 31"),
            (format!("b:{}", with_cost("15")), "allowed are 4 to 14"),
            (format!("b:{}", with_cost("03")), "line 2"),
            (format!("b:{}", with_cost("99")), "line 2"),
            (
                format!("b:{}", HASH.replace("$2y$", "$2x$")),
                "line 2 has a hash of the kind $2x$",
            ),
            (
                format!("b:{}", HASH.replace("$2y$", "$1$")),
                "line 2 is not user:bcrypt-hash",
            ),
            ("b".to_owned(), "line 2 is not user:bcrypt-hash"),
            (format!("a:{HASH}"), "line 2 is about a user that has a line already"),
        ];
        for (line, said) in many {
            let (users, problems) = Users::parse(&format!("a:{HASH}\n{line}\n"));
            assert!(
                problems.len() == 1 && problems[0].to_string().contains(said),
                "{line}: {problems:?}"
            );
            assert_eq!((users.hash("a"), users.hash("b").1), ((HASH, true), false), "{line}");
        }
        for cost in ["04", "10", "14"] {
            assert!(Users::parse(&format!("a:{}\n", with_cost(cost))).1.is_empty());
        }
    }

    #[test]
    fn a_byte_order_mark_is_said_and_belongs_to_no_name() {
        let (users, problems) = Users::parse(&format!("\u{feff}a:{HASH}\n"));
        assert!(problems[0].to_string().contains("byte order mark"), "{problems:?}");
        assert_eq!(users.hash("a"), (HASH, true));
    }
}
