//! Regular expressions as dashboards bear them: JavaScript's, `/pattern/flags` or the bare pattern for a whole text.

use std::sync::OnceLock;

use fancy_regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::limits;
use crate::error::PatternError;

/// What an expression and its groups match of a text.
pub type Captures<'t> = fancy_regex::Captures<'t, str>;

/// Bytes of a compiled expression. Nested or repeated ones grow with what they repeat, and a text is held against every part of
/// them: a dashboard from elsewhere must take neither the memory nor the time.
const MAX_SIZE: usize = 64 << 10;
/// Steps that an expression with look-around or back references may go back in a text; beyond them it does not match.
const MAX_STEPS: usize = 10_000;

/// A regular expression.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// With the flag `g`.
    is_global: bool,
}

impl Pattern {
    /// The expression that Grafana makes of `text`: what stands between slashes, or the whole between `^` and `$`, as text: `a|b` is
    /// what begins with a, or ends with b.
    ///
    /// # Errors
    /// It is no expression, or too large a one.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        match text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
            Some((body, flags)) if flags.bytes().all(|flag| b"gimsuy".contains(&flag)) => {
                Self::compiled(text, body, flags)
            }
            _ => Self::compiled(text, &format!("^{text}$"), ""),
        }
    }

    /// The expression that is found anywhere.
    ///
    /// # Errors
    /// See [`Pattern::new`].
    pub fn unanchored(text: &str) -> Result<Self, PatternError> {
        Self::compiled(text, text, "")
    }

    fn compiled(text: &str, body: &str, flags: &str) -> Result<Self, PatternError> {
        let body = unescape(body);
        let known: String = flags.chars().filter(|flag| "ims".contains(*flag)).collect();
        let whole = if known.is_empty() {
            body
        } else {
            format!("(?{known}){body}")
        };
        let regex = RegexBuilder::new(&whole)
            .backtrack_limit(MAX_STEPS)
            .delegate_size_limit(MAX_SIZE)
            .build();
        regex
            .map(|regex| Self {
                regex,
                is_global: flags.contains('g'),
            })
            .map_err(|source| PatternError {
                text: text.to_owned(),
                source: Box::new(source),
            })
    }

    /// Whether it is found in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text).unwrap_or(false)
    }

    /// Where it is found in `text`.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.regex.captures(text).ok().flatten()
    }

    /// What its named groups match in `text`, in their order.
    pub fn named(&self, text: &str) -> Vec<(String, String)> {
        let Some(found) = self.captures(text) else {
            return Vec::new();
        };
        let names = self.regex.capture_names().flatten();
        let named = names.filter_map(|name| Some((name.to_owned(), found.name(name)?.as_str().to_owned())));
        named.collect()
    }

    /// Each place where it is found in `text`: only the first without the flag `g`, and none behind one that is empty.
    pub fn each<'t>(&self, text: &'t str) -> Vec<Captures<'t>> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Ok(Some(captures)) = self.regex.captures_from_pos(text, from) {
            let whole = captures.get(0).map(|whole| whole.range()).unwrap_or_default();
            from = whole.end;
            found.push(captures);
            if !self.is_global || whole.is_empty() {
                break;
            }
        }
        found
    }

    /// `text` with the first place replaced, or each with the flag `g`: `$1` and `$<name>` in `by` are what groups matched, as in
    /// JavaScript.
    pub fn replace(&self, text: &str, by: &str) -> String {
        let mut replaced = String::new();
        let mut behind = 0;
        for found in self
            .regex
            .captures_iter(text)
            .take(if self.is_global { usize::MAX } else { 1 })
        {
            let Some(whole) = found.as_ref().ok().and_then(|found| found.get(0)) else {
                break;
            };
            replaced.push_str(text.get(behind..whole.start()).unwrap_or_default());
            if let Ok(found) = &found {
                expand(by, found, &mut replaced);
            }
            behind = whole.end();
        }
        replaced.push_str(text.get(behind..).unwrap_or_default());
        replaced
    }
}

/// An expression of a dashboard, compiled when it is first needed.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "String")]
pub struct Lazy {
    text: String,
    compiled: OnceLock<Option<Pattern>>,
}

impl Lazy {
    /// The expression; `None` if it is not supported.
    pub fn get(&self) -> Option<&Pattern> {
        self.compiled.get_or_init(|| Pattern::new(&self.text).ok()).as_ref()
    }
}

impl From<String> for Lazy {
    fn from(text: String) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }
}

/// A copy is compiled anew: the model stays for as long as somebody looks at a dashboard, and what is compiled only as long as
/// its panel is worked on.
impl Clone for Lazy {
    fn clone(&self) -> Self {
        self.text.clone().into()
    }
}

impl PartialEq for Lazy {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// JavaScript lets one escape what needs none (`\/`, `\_`, `\:`), and leave alone a bracket within brackets (`[^[]`). Its words and
/// digits are those of ASCII.
fn unescape(body: &str) -> String {
    let mut unescaped = String::with_capacity(body.len());
    let mut characters = body.chars();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let next = characters.next();
                let needs_none = |next: &char| next.is_ascii_punctuation() && !r"\.+*?()|[]{}^$#&-~".contains(*next);
                let ascii = match (next, in_class) {
                    (Some('d'), true) => Some("0-9"),
                    (Some('d'), false) => Some("[0-9]"),
                    (Some('w'), true) => Some("0-9A-Za-z_"),
                    (Some('w'), false) => Some("[0-9A-Za-z_]"),
                    (Some('D'), _) => Some("[^0-9]"),
                    (Some('W'), _) => Some("[^0-9A-Za-z_]"),
                    _ => None,
                };
                if let Some(ascii) = ascii {
                    unescaped.push_str(ascii);
                    continue;
                }
                if next.as_ref().is_none_or(|next| !needs_none(next)) {
                    unescaped.push('\\');
                }
                unescaped.extend(next);
                continue;
            }
            '[' if in_class => unescaped.push('\\'),
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        unescaped.push(character);
    }
    unescaped
}

/// `$1$2` reads as two groups and `$1x` as a group and a letter, which is not so in Rust's own syntax.
fn expand(by: &str, found: &Captures<'_>, into: &mut String) {
    let mut rest = by;
    while let Some(at) = rest.find('$') {
        // Groups that are put in a thousand times each.
        if into.len() > limits::NAME {
            return;
        }
        into.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if let Some(after) = rest.strip_prefix('$') {
            into.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('&') {
            into.push_str(found.get(0).map_or("", |group| group.as_str()));
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            into.push_str(found.name(name).map_or("", |group| group.as_str()));
            rest = after;
        } else if digits > 0 {
            // As many digits as name a group; what names none stands for itself.
            let number = |digits: usize| rest.get(..digits).and_then(|digits| digits.parse::<usize>().ok());
            let is_group = |digits: &usize| number(*digits).is_some_and(|number| (1..found.len()).contains(&number));
            match [digits.min(2), 1].into_iter().find(is_group) {
                Some(digits) => {
                    let group = number(digits).and_then(|number| found.get(number));
                    into.push_str(group.map_or("", |group| group.as_str()));
                    rest = rest.get(digits..).unwrap_or_default();
                }
                None => into.push('$'),
            }
        } else {
            into.push('$');
        }
    }
    into.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_pattern_stands_between_anchors_as_text() {
        let bare = Pattern::new("eth|wlan0").unwrap();
        assert!(bare.is_match("eth0") && bare.is_match("my wlan0") && !bare.is_match("wlan01"));
        let slashed = Pattern::new("/eth|wlan/").unwrap();
        assert!(slashed.is_match("eth0"));
        assert!(Pattern::new("/ETH/i").unwrap().is_match("eth0"));
    }

    #[test]
    fn groups_are_put_in_as_in_javascript() {
        let pattern = Pattern::new("/(\\w+):(?<port>\\d+)/").unwrap();
        assert_eq!(
            pattern.replace("at host:90!", "$2-$1$1x $<port> $& $$ $"),
            "at 90-hosthostx 90 host:90 $ $!"
        );
        assert_eq!(pattern.replace("nothing", "$1"), "nothing");
    }

    #[test]
    fn expressions_that_dashboards_use_are_understood() {
        for (pattern, text, found) in [
            ("/[\\w\\-\\.]+/", "a-b.c d", "a-b.c"),
            ("/^[^\\/]+\\/(.*)$/", "a/b", "a/b"),
            ("/(?<text>[^|]+)\\|(?<value>.+)/", "one|1", "one|1"),
            (
                "/.*instance=\"([^\"]+)\".*/",
                "up{instance=\"a:1\"}",
                "up{instance=\"a:1\"}",
            ),
            ("/\\d{1,3}\\:\\_\\#/", "12:_#", "12:_#"),
            ("/^(?:eth|wlan)\\d*$/i", "ETH0", "ETH0"),
            ("/^[^[]+/", "ab[c", "ab"),
            ("/.*(?:reads?|writes?)/g", "disk reads", "disk reads"),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            assert_eq!(
                pattern.captures(text).unwrap().get(0).unwrap().as_str(),
                found,
                "{pattern:?}"
            );
        }
    }

    #[test]
    fn look_around_and_back_references_work() {
        let pattern = Pattern::new("/^(?!lo|docker).*/").unwrap();
        assert!(pattern.is_match("eth0") && !pattern.is_match("lo"));
        assert!(Pattern::new("/(?<=a)b/").unwrap().is_match("ab"));
        let twice = Pattern::new("/(\\w)\\1/").unwrap();
        assert!(twice.is_match("book") && !twice.is_match("bok"));
    }

    #[test]
    fn an_expression_takes_neither_memory_nor_time() {
        let error = Pattern::new("/(/").unwrap_err().to_string();
        assert!(error.starts_with("the regular expression \"/(/\""), "{error}");
        // Repeated without being written out.
        let nested = Pattern::new("/a{1000}{1000}{1000}/");
        assert!(!nested.is_ok_and(|nested| nested.is_match(&"a".repeat(2000))));
        let endless = Pattern::new("/^(?=(a+)+b)(a+)+\\1$/").unwrap();
        assert!(!endless.is_match(&"a".repeat(1000)));
    }
}
