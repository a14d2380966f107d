//! HTML as a series of texts and tags, read as leniently as browsers do.

/// Elements whose inside is no text for people.
const HIDDEN: [&str; 9] = [
    "iframe", "object", "script", "select", "style", "svg", "template", "textarea", "title",
];
/// A part of HTML.
pub enum Part<'h> {
    /// Between tags.
    Text(&'h str),
    /// The begin of an element, or one without an end.
    Start { name: String, attributes: &'h str },
    /// The end of an element.
    End {
        /// In small letters.
        name: String,
    },
}

/// The parts of HTML.
pub struct Parts<'h>(pub &'h str);

impl<'h> Iterator for Parts<'h> {
    type Item = Part<'h>;

    fn next(&mut self) -> Option<Part<'h>> {
        loop {
            let html = self.0;
            if html.is_empty() {
                return None;
            }
            let is_tag =
                |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?' | '/'));
            let begins = |at: &usize| is_tag(&html[at + 1..]);
            match html.match_indices('<').map(|(at, _)| at).find(begins) {
                Some(0) => {}
                found => {
                    let (text, rest) = html.split_at(found.unwrap_or(html.len()));
                    self.0 = rest;
                    return Some(Part::Text(text));
                }
            }
            if let Some(comment) = html.strip_prefix("<!--") {
                self.0 = comment.split_once("-->").map_or("", |(_, after)| after);
                continue;
            }
            // What does not end is no text either.
            let (tag, after) = tag(&html[1..]).unwrap_or((&html[1..], ""));
            self.0 = after;
            let (is_end, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
            let length = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
            let (name, attributes) = tag.split_at(length);
            let name = name.to_ascii_lowercase();
            match (is_end, name.is_empty()) {
                (_, true) => {}
                (true, false) => return Some(Part::End { name }),
                (false, false) => {
                    if HIDDEN.contains(&&*name) {
                        self.0 = from_end_tag(after, &name);
                    }
                    return Some(Part::Start { name, attributes });
                }
            }
        }
    }
}

/// The inside of a tag, and what is behind it. A `>` within quotes does not end it.
fn tag(html: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in html.char_indices() {
        match (quote, c) {
            (None, '>') => return Some((&html[..at], &html[at + 1..])),
            (None, '"' | '\'') if html[..at].trim_end().ends_with('=') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// `html` from the tag on that ends the element `name`; empty if nothing does.
fn from_end_tag<'h>(html: &'h str, name: &str) -> &'h str {
    let ends = |at: &usize| {
        let found = html.get(at + 2..at + 2 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    let mut tags = html.match_indices("</").map(|(at, _)| at);
    tags.find(ends).and_then(|at| html.get(at..)).unwrap_or_default()
}

/// The value of an attribute as it is written.
pub fn attribute<'h>(attributes: &'h str, wanted: &str) -> Option<&'h str> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let length = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/'));
        // A sign of equality without a name before it is one.
        let (name, after) = rest.split_at(length.unwrap_or(rest.len()).max(1).min(rest.len()));
        let after = after.trim_start();
        let Some(value) = after.strip_prefix('=') else {
            rest = after;
            continue;
        };
        let value = value.trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}
