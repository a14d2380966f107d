//! Where variables stand in a text: `$name`, `${name}`, `${name:format}`, `${name.field:format}`, `[[name]]`, `[[name:format]]`.

use crate::error::TooLong;
use crate::limits;

/// A variable in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'t> {
    /// Its name.
    pub name: &'t str,
    /// What is behind a dot or a bracket: `labels.device` of `${__field.labels.device}`; empty mostly.
    pub path: &'t str,
    /// How its values are written; empty: as is usual at this place.
    pub format: &'t str,
}

/// Bytes of a variable in a text. Without a bound every `${` that nobody closes would be searched for its end up to the end of
/// the text.
const MAX_REFERENCE: usize = 300;

/// `text` with each variable replaced by what `value` says; one that it does not know stays as it is. For what people read: what
/// becomes too long is cut.
pub fn expand(text: &str, value: impl FnMut(Reference<'_>) -> Option<String>) -> String {
    let (expanded, _) = write(text, value);
    limits::cut(expanded, limits::TEXT)
}

/// As [`expand`], for what a program reads, of which half would mean something else.
///
/// # Errors
/// It becomes too long.
pub fn expand_whole(text: &str, value: impl FnMut(Reference<'_>) -> Option<String>) -> Result<String, TooLong> {
    match write(text, value) {
        (expanded, true) => Ok(expanded),
        (_, false) => Err(TooLong),
    }
}

/// The text as far as it is not too long, or just beyond, and whether it is whole. Variables that stand for others twice each
/// would double with every step.
fn write(text: &str, mut value: impl FnMut(Reference<'_>) -> Option<String>) -> (String, bool) {
    let mut expanded = String::with_capacity(text.len().min(limits::TEXT));
    let mut rest = text;
    while let Some(at) = rest.find(['$', '[']) {
        if expanded.len() > limits::TEXT {
            return (expanded, false);
        }
        let (before, here) = rest.split_at(at);
        expanded.push_str(before);
        let found = reference(here);
        // At least the sign itself is behind us.
        let length = found.map_or(1, |(_, length)| length);
        let (whole, after) = here.split_at(length);
        match found.and_then(|(reference, _)| value(reference)) {
            Some(value) => expanded.push_str(&value),
            None => expanded.push_str(whole),
        }
        rest = after;
    }
    expanded.push_str(rest);
    let is_whole = expanded.len() <= limits::TEXT;
    (expanded, is_whole)
}

/// The names of the variables in a text.
pub fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    expand(text, |reference| {
        names.push(reference.name.to_owned());
        None
    });
    names
}

/// The variable at the beginning of `text`, and its length in bytes.
fn reference(text: &str) -> Option<(Reference<'_>, usize)> {
    if let Some(inside) = text.strip_prefix("${") {
        let inside = up_to(inside, "}")?;
        let (front, format) = split_format(inside);
        // A colon has to have something behind it.
        if inside.ends_with(':') && format.is_empty() {
            return None;
        }
        let end = front.find(|c: char| !is_word(c)).unwrap_or(front.len());
        let (name, path) = front.split_at(end);
        let path = match path.strip_prefix('.') {
            Some(path) => path,
            None if path.is_empty() || path.starts_with('[') => path,
            None => return None,
        };
        let reference = Reference { name, path, format };
        return (!name.is_empty()).then_some((reference, inside.len() + "${}".len()));
    }
    if let Some(inside) = text.strip_prefix("[[") {
        let inside = up_to(inside, "]]")?;
        let (name, format) = split_format(inside);
        let valid = !name.is_empty() && name.chars().all(is_word);
        let reference = Reference { name, path: "", format };
        return valid.then_some((reference, inside.len() + "[[]]".len()));
    }
    let name = text.strip_prefix('$')?;
    let name = name
        .split(|c: char| !is_word(c))
        .next()
        .filter(|name| !name.is_empty())?;
    let reference = Reference {
        name,
        path: "",
        format: "",
    };
    Some((reference, name.len() + 1))
}

/// What is before `end`, if that is near.
fn up_to<'t>(text: &'t str, end: &str) -> Option<&'t str> {
    let near = text.get(..limits::floor_char_boundary(text, MAX_REFERENCE))?;
    near.split_once(end).map(|(inside, _)| inside)
}

fn split_format(inside: &str) -> (&str, &str) {
    inside.split_once(':').unwrap_or((inside, ""))
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_found() {
        for (text, name, path, format) in [
            ("$one", "one", "", ""),
            ("${two:regex}", "two", "", "regex"),
            ("[[three]]", "three", "", ""),
            ("[[four:pipe]]", "four", "", "pipe"),
            ("${five.text}", "five", "text", ""),
            ("${__field.labels.x-y:raw}", "__field", "labels.x-y", "raw"),
            ("${__field.labels[\"a b\"]}", "__field", "labels[\"a b\"]", ""),
        ] {
            let mut found = None;
            let expanded = expand(&format!("a {text}."), |reference| {
                found = Some([reference.name, reference.path, reference.format].map(str::to_owned));
                Some("X".to_owned())
            });
            assert_eq!(expanded, "a X.", "{text}");
            assert_eq!(found, Some([name, path, format].map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn what_is_no_variable_stays() {
        for text in [
            "$",
            "$ 5",
            "rate(x[5m])",
            "a[[1]",
            "${}",
            "${a b}",
            "${open",
            "[[open",
            "[[]]",
            "100$",
            "ü$ü",
            "^foo$",
        ] {
            assert_eq!(expand(text, |_| Some("X".to_owned())), text, "{text}");
        }
        assert_eq!(
            expand("$known $unknown ${unknown:csv}", |reference| {
                (reference.name == "known").then(|| "1".to_owned())
            }),
            "1 $unknown ${unknown:csv}"
        );
    }

    #[test]
    fn a_text_does_not_grow_beyond_its_bound() {
        let many = "$v".repeat(10_000);
        let long = |_: Reference<'_>| Some("ä".repeat(5_000));
        assert!((limits::TEXT..limits::TEXT + 5).contains(&expand(&many, long).len()));
        assert!(expand_whole(&many, long).unwrap_err().to_string().contains("64 KiB"));
        assert_eq!(
            expand_whole("$v", |_| Some("x".repeat(limits::TEXT))).unwrap().len(),
            limits::TEXT
        );
        assert!(expand_whole("$v.", |_| Some("x".repeat(limits::TEXT))).is_err());
        let open = "${".repeat(30_000);
        assert_eq!(expand(&open, long), open);
    }

    #[test]
    fn values_are_not_expanded_again() {
        assert_eq!(expand("$a", |_| Some("$a $b".to_owned())), "$a $b");
        assert_eq!(names("$a ${b} [[c]]"), ["a", "b", "c"]);
    }
}
