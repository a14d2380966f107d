//! `extractFields`: columns out of the texts of one.

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::error::TransformError;
use crate::names::Naming;
use crate::overrides::{Match, is_match};
use crate::pattern::Pattern;
use crate::scope::Scope;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Extract {
    source: Option<String>,
    format: Option<String>,
    reg_exp: Option<String>,
    replace: bool,
    keep_time: bool,
}

/// Columns of a table; further ones are left out.
const MOST: usize = 200;

/// `extractFields`.
pub fn fields(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Extract = read(options)?;
    let Some(source) = options.source.filter(|source| !source.is_empty()) else {
        return Ok(frames);
    };
    let source = Match::Name(source);
    let pattern = match options.format.as_deref() {
        None | Some("auto" | "json" | "kvp") => None,
        Some("regexp") => Some(Pattern::new(options.reg_exp.as_deref().unwrap_or_default())?),
        Some(other) => return Err(TransformError::Extraction(other.to_owned())),
    };
    let is_json_only = options.format.as_deref() == Some("json");
    let is_pairs_only = options.format.as_deref() == Some("kvp");
    let parse = |text: &str| match &pattern {
        Some(pattern) => pattern.named(text),
        None if is_pairs_only => pairs(text),
        None => json(text).unwrap_or_else(|| if is_json_only { Vec::new() } else { pairs(text) }),
    };
    let naming = Naming::of(&frames);
    for frame in &mut frames {
        let place = frame
            .fields
            .iter()
            .position(|field| is_match(&source, field, &naming.name(field, frame), frame));
        let Some(from) = place.and_then(|place| frame.fields.get(place)) else {
            continue;
        };
        let mut columns: Vec<(String, Vec<Option<String>>)> = Vec::new();
        let rows = from.values.len();
        for row in 0..rows {
            let Cell::Text(text) = from.values.cell(row) else {
                continue;
            };
            for (key, value) in parse(&text) {
                let column = match columns.iter().position(|(known, _)| *known == key) {
                    Some(column) => column,
                    None if columns.len() < MOST => {
                        fits((columns.len() + 1) * rows * size_of::<Option<String>>())?;
                        columns.push((key, vec![None; rows]));
                        columns.len() - 1
                    }
                    None => continue,
                };
                if let Some(cell) = columns.get_mut(column).and_then(|(_, values)| values.get_mut(row)) {
                    *cell = Some(value);
                }
            }
        }
        if options.replace {
            let keep_time = options.keep_time;
            frame.fields.retain(|field| keep_time && field.values.is_times());
        }
        frame
            .fields
            .extend(columns.into_iter().map(|(name, texts)| Field::new(name, typed(texts))));
    }
    Ok(frames)
}

/// Numbers, where all texts are.
fn typed(texts: Vec<Option<String>>) -> Values {
    let number = |text: &String| crate::units::parse(text.trim()).filter(|_| !text.trim().is_empty());
    if texts.iter().flatten().all(|text| number(text).is_some()) {
        return Values::numbers(
            texts
                .iter()
                .map(|text| text.as_ref().and_then(number).unwrap_or(crate::data::NULL)),
        );
    }
    Values::Texts(texts)
}

/// The members of an object; `None`: the text is none.
fn json(text: &str) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return None;
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Some(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// `a=1, b: "two"` and the like.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut key, mut part, mut quote) = (None::<String>, String::new(), None);
    let mut letters = text.chars();
    let mut end = |key: &mut Option<String>, part: &mut String| {
        if let Some(name) = key.take() {
            found.push((name, std::mem::take(part)));
        } else if !part.is_empty() {
            found.push((std::mem::take(part), String::new()));
        }
    };
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => part.extend(letters.next()),
            letter if Some(letter) == quote => quote = None,
            letter if quote.is_some() => part.push(letter),
            '"' | '\'' => quote = Some(letter),
            '=' | ':' if key.is_none() && !part.is_empty() => key = Some(std::mem::take(&mut part)),
            '=' | ':' if part.is_empty() => {}
            ',' | ';' | '&' | '{' | '}' => end(&mut key, &mut part),
            letter if letter.is_whitespace() && part.is_empty() => {}
            letter if letter.is_whitespace() => end(&mut key, &mut part),
            letter => part.push(letter),
        }
    }
    end(&mut key, &mut part);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{table, texts, transform};

    fn of(options: serde_json::Value, values: &[&str]) -> Vec<String> {
        transform("extractFields", options, vec![table("A", &[("t", texts(values))])]).remove(0)
    }

    #[test]
    fn columns_come_out_of_texts() {
        let options = json!({"source": "t", "replace": true});
        assert_eq!(
            of(options.clone(), &["{\"a\": 1, \"b\": \"x\"}", "{\"a\": 2}"]),
            ["a|b", "1|x", "2|"]
        );
        assert_eq!(
            of(options, &["level=info msg=\"all is well\"", "level: bad"]),
            ["level|msg", "info|all is well", "bad|"]
        );
        let options = json!({"source": "t", "format": "regexp", "regExp": "/(?<host>[a-z]+)-(?<n>[0-9]+)/"});
        assert_eq!(
            of(options, &["web-1", "db-22"]),
            ["t|host|n", "web-1|web|1", "db-22|db|22"]
        );
    }
}
