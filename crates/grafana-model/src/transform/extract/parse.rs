//! What `extractFields` finds in a text: by JSON, by pairs of a name and a value, by a delimiter. What texts mean is Grafana's, with
//! its peculiarities: `a,b` is a pair, and of `a:b:c` the last two are.

use std::collections::HashMap;
use std::fmt;
use std::mem::take;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::data::Cell;
use crate::path::keys;

/// Names and values, in the order that JavaScript gives the members of an object.
pub type Found = Vec<(String, Cell<'static>)>;

/// `jsonPaths[]`: where a value lies in JSON.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Path {
    path: String,
    alias: Option<String>,
}

impl Path {
    /// Whether it leads nowhere.
    pub const fn is_empty(&self) -> bool {
        self.path.is_empty()
    }

    /// What the column is called.
    fn name(&self) -> String {
        let alias = self.alias.clone().filter(|alias| !alias.is_empty());
        alias.unwrap_or_else(|| self.path.clone())
    }

    /// What lies there: `a.b[0]["c d"]`, or a member of just that name.
    fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let step = |value: &'v Value, key: &str| match value {
            Value::Object(members) => members.get(key),
            Value::Array(elements) => elements.get(key.parse::<usize>().ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        let at_end = || keys(&self.path).into_iter().try_fold(value, step);
        step(value, &self.path).or_else(at_end).filter(|found| !found.is_null())
    }
}

/// The values at `paths` of a text of JSON.
pub fn json_at(paths: &[Path], text: &str) -> Found {
    let value = serde_json::from_str(text).unwrap_or_default();
    let found = paths.iter().map(|path| {
        let found = path.find(&value).map(|found| cell(found.clone()));
        (path.name(), found.unwrap_or_else(|| Cell::Text("Not Found".into())))
    });
    found.collect()
}

/// The members of an object or a list; none of a single value. `None`: the text is no JSON, or `null`.
pub fn json(text: &str) -> Option<Found> {
    let Members(members) = serde_json::from_str(text).ok()?;
    members.map(in_order)
}

/// The parts between delimiters are names, each of the value 1.
pub fn parts(text: &str, delimiter: &str) -> Found {
    let parts: Vec<&str> = match delimiter {
        "" => vec![text.trim()],
        delimiter => text.trim().split(delimiter).map(str::trim).collect(),
    };
    let parts = parts.into_iter();
    in_order(parts.map(|part| (part.to_owned(), Cell::Number(1.0))).collect())
}

/// `a=1, b: "two"` and the like: names, separators between pairs, quotes around what holds some of them, `\` before one letter.
pub fn pairs(text: &str) -> Found {
    let mut found = Found::new();
    let (mut key, mut part, mut quote) = (String::new(), String::new(), None);
    let mut letters = text.chars().peekable();
    while let Some(mut letter) = letters.next() {
        if Some(letter) == quote {
            quote = None;
            match letters.next() {
                Some(next) => letter = next,
                None => break,
            }
        }
        if letter == '\\' {
            part.extend(letters.next());
            continue;
        }
        if quote.is_some() {
            part.push(letter);
            continue;
        }
        match letter {
            ':' | '=' if part.is_empty() => {}
            ':' | '=' => {
                if !key.is_empty() {
                    found.push((take(&mut key), Cell::Text("".into())));
                }
                key = take(&mut part);
            }
            '"' | '\'' | ' ' | '\t' | '\r' | '\n' | ',' | ';' | '&' | '{' | '}' => {
                let is_separator = matches!(letter, ',' | ';' | '&' | '{' | '}');
                quote = matches!(letter, '"' | '\'').then_some(letter);
                match (part.is_empty(), key.is_empty()) {
                    (true, _) => {}
                    (false, true) if is_separator => key = take(&mut part),
                    (false, true) => found.push((take(&mut part), Cell::Text("".into()))),
                    (false, false) => found.push((take(&mut key), Cell::Text(take(&mut part).into()))),
                }
            }
            letter => {
                part.push(letter);
                if letters.peek().is_none() && key.is_empty() {
                    found.push((take(&mut part), Cell::Text("".into())));
                }
            }
        }
    }
    if !key.is_empty() {
        found.push((key, Cell::Text(part.into())));
    }
    in_order(found)
}

/// Each name once, at its first place with its last value; names that are whole numbers before the others, as numbers.
fn in_order(found: Found) -> Found {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(found.len());
    let mut distinct = Found::new();
    for (name, value) in found {
        match places.get(&name).and_then(|place| distinct.get_mut(*place)) {
            Some((_, known)) => *known = value,
            None => {
                places.insert(name.clone(), distinct.len());
                distinct.push((name, value));
            }
        }
    }
    distinct.sort_by_key(|(name, _)| match name.parse::<u32>() {
        Ok(number) if number.to_string() == *name => (0, number),
        _ => (1, 0),
    });
    distinct
}

/// A value of JSON; what holds others is their text.
fn cell(value: Value) -> Cell<'static> {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(is) => Cell::Boolean(is),
        Value::Number(number) => Cell::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Cell::Text(text.into()),
        value @ (Value::Array(_) | Value::Object(_)) => Cell::Text(value.to_string().into()),
    }
}

/// The members of a value in the order of the text, which a map of this crate's JSON does not keep; `None` of `null`.
struct Members(Option<Found>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfValue)
    }
}

struct OfValue;

impl<'de> Visitor<'de> for OfValue {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Members, E> {
        Ok(Members(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Members, E> {
        Ok(Members(Some(Found::new())))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Members, E> {
        Ok(Members(Some(Found::new())))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Members, E> {
        Ok(Members(Some(Found::new())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Members, E> {
        Ok(Members(Some(Found::new())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Members, E> {
        let letters = text.chars().enumerate();
        let letters = letters.map(|(index, letter)| (index.to_string(), Cell::Text(letter.to_string().into())));
        Ok(Members(Some(letters.collect())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Members, A::Error> {
        let mut found = Found::new();
        while let Some(value) = list.next_element()? {
            found.push((found.len().to_string(), cell(value)));
        }
        Ok(Members(Some(found)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut found = Found::new();
        while let Some((name, value)) = map.next_entry()? {
            found.push((name, cell(value)));
        }
        Ok(Members(Some(found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(found: Found) -> String {
        let pairs: Vec<String> = found.iter().map(|(name, value)| format!("{name}→{value}")).collect();
        pairs.join(" ")
    }

    #[test]
    fn pairs_mean_what_they_mean_in_grafana() {
        for (text, expected) in [
            ("a=1 b=2", "a→1 b→2"),
            ("a,b", "a→b"),
            ("a,b,c", "a→b c→"),
            ("a:b:c", "a→ b→c"),
            ("a b c", "a→ b→ c→"),
            ("a = 1", "1→ a→"),
            ("{\"x\": \"y z\", \"n\": 3}", "x→y z n→3"),
            ("q='it\\'s' r=\\=", "q→it's r→="),
            ("a=1&a=2", "a→2"),
            ("open=\"end", "open→end"),
            ("", ""),
        ] {
            assert_eq!(shown(pairs(text)), expected, "{text}");
        }
    }

    #[test]
    fn json_that_has_no_members_makes_no_columns() {
        assert_eq!(json("5").map(shown).as_deref(), Some(""));
        assert_eq!(json("true").map(shown).as_deref(), Some(""));
        assert_eq!(json("\"ab\"").map(shown).as_deref(), Some("0→a 1→b"));
        assert!(json("null").is_none() && json("{").is_none());
    }
}
