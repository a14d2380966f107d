//! What is read from files and never shown: passwords, tokens and values of headers.

use std::fmt;
use std::path::{Path, PathBuf};

use edgewatch_program::credential::{self, CredentialError};
use thiserror::Error;

/// Bytes that a password, a token or a certificate with its chain never has.
const MAX_BYTES: u64 = 256 << 10;
/// What is written in its place.
const HIDDEN: &str = "[hidden]";

/// A text that shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Why a file of the settings cannot be used.
#[derive(Debug, Error)]
#[error("{key} = {}: {source}", path.display())]
pub struct SecretError {
    /// The key in the settings.
    pub key: String,
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub source: SecretProblem,
}

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum SecretProblem {
    /// It cannot be read.
    #[error("{0}")]
    File(#[from] CredentialError),
    /// The first line has nothing in it.
    #[error("its first line is empty")]
    Empty,
    /// A character that a header cannot have.
    #[error("its first line has a control character or one that is not ASCII")]
    Characters,
    /// No certificate, or no key.
    #[error("no {0} in PEM (-----BEGIN …) in it")]
    NoPem(&'static str),
}

impl Secret {
    /// The first line of the file that `key` names, for a header.
    ///
    /// # Errors
    /// It cannot be read, or its first line is empty or cannot be in a header.
    pub fn read(key: &str, file: &Path) -> Result<Self, SecretError> {
        let path = credential::path(file);
        let text = read(key, file)?;
        credential::warn_if_others_can_read(&path);
        let line = text.lines().next().unwrap_or_default().trim();
        let problem = match line {
            "" => SecretProblem::Empty,
            _ if !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => SecretProblem::Characters,
            _ => return Ok(Self(line.to_owned())),
        };
        Err(SecretError {
            key: key.to_owned(),
            path,
            source: problem,
        })
    }

    /// The text itself, to send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without the secret, which a server may give back in what it answers.
    pub fn hide_in(&self, text: &str) -> String {
        text.replace(&self.0, HIDDEN)
    }
}

/// A secret that is made of others.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The text of the file that `key` names.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read(key: &str, file: &Path) -> Result<String, SecretError> {
    let path = credential::path(file);
    credential::read(&path, MAX_BYTES).map_err(|error| SecretError {
        key: key.to_owned(),
        path,
        source: error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_first_line_and_shows_itself_to_nobody() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2 \nsecond line\n").unwrap();
        let secret = Secret::read("forward.password_file", file.path()).unwrap();
        assert_eq!(secret.reveal(), "hunter2");
        assert_eq!(format!("{secret:?}"), "[hidden]");
        assert_eq!(secret.hide_in("wrong password hunter2!"), "wrong password [hidden]!");
    }

    #[test]
    fn a_file_that_cannot_serve_is_named_and_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (content, said) in [
            ("", "empty"),
            ("\nhunter2", "empty"),
            ("hunter2\u{1}", "control"),
            ("hünter2", "ASCII"),
        ] {
            std::fs::write(file.path(), content).unwrap();
            let error = Secret::read("forward.password_file", file.path())
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("forward.password_file = /") && error.contains(said),
                "{error}"
            );
            assert!(!error.contains("nter2"), "{error}");
        }
        let missing = Secret::read("forward.password_file", Path::new("/nonexistent/x")).unwrap_err();
        assert!(missing.to_string().contains("No such file"), "{missing}");
    }
}
