//! `extractFields`: columns out of the texts of one.

mod parse;

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::error::TransformError;
use crate::names::Naming;
use crate::overrides::{Match, is_match};
use crate::pattern::Pattern;
use crate::scope::Scope;
use parse::{Found, Path};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Extract {
    source: Option<String>,
    format: Option<String>,
    reg_exp: Option<String>,
    delimiter: Option<String>,
    json_paths: Vec<Path>,
    replace: bool,
    keep_time: bool,
}

/// Columns of a table; further ones are left out.
const MOST: usize = 200;

/// Takes names and values out of a text.
type Parser = Box<dyn Fn(&str) -> Found>;

/// `extractFields`.
pub fn fields(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Extract = read(options)?;
    let Some(source) = options.source.clone().filter(|source| !source.is_empty()) else {
        return Ok(frames);
    };
    let source = Match::Name(source);
    let parse = parser(&options)?;
    let naming = Naming::of(&frames);
    for frame in &mut frames {
        let is_source = |field: &&Field| is_match(&source, field, &naming.name(field, frame), frame);
        let Some(from) = frame.fields.iter().find(is_source) else {
            continue;
        };
        let mut extracted = columns(&from.values, &parse)?;
        let time = |name: &str| frame.fields.iter().find(|field| naming.name(field, frame) == name);
        if options.keep_time
            && let Some(time) = time("Time").or_else(|| time("time"))
        {
            extracted.insert(0, time.clone());
        }
        if options.replace {
            frame.fields.clear();
        }
        frame.fields.extend(extracted);
    }
    Ok(frames)
}

/// How texts are taken apart.
fn parser(options: &Extract) -> Result<Parser, TransformError> {
    Ok(match options.format.as_deref() {
        // The first that finds something; pairs always do, if only a name without a value.
        None | Some("auto") => Box::new(|text| parse::json(text).unwrap_or_else(|| parse::pairs(text))),
        Some("json") => {
            let paths: Vec<Path> = options
                .json_paths
                .iter()
                .filter(|path| !path.is_empty())
                .cloned()
                .collect();
            match paths.is_empty() {
                true => Box::new(|text| parse::json(text).unwrap_or_default()),
                false => Box::new(move |text| parse::json_at(&paths, text)),
            }
        }
        Some("kvp") => Box::new(parse::pairs),
        Some("delimiter") => {
            let delimiter = options.delimiter.clone().unwrap_or_else(|| ",".to_owned());
            Box::new(move |text| parse::parts(text, &delimiter))
        }
        Some("regexp") => {
            // Grafana takes an expression for none that does not begin with a slash.
            let written = options.reg_exp.as_deref().filter(|text| text.starts_with('/'));
            let pattern = Pattern::new(written.unwrap_or("/(?<NewField>.*)/"))?;
            Box::new(move |text| {
                let named = pattern.named(text).into_iter();
                named.map(|(name, value)| (name, Cell::Text(value.into()))).collect()
            })
        }
        Some(other) => return Err(TransformError::Extraction(other.to_owned())),
    })
}

/// The columns that the texts of one make, in the order in which their names appear.
fn columns(from: &Values, parse: &Parser) -> Result<Vec<Field>, TransformError> {
    let rows = from.len();
    let mut columns: Vec<(String, Vec<Cell<'static>>)> = Vec::new();
    for row in 0..rows {
        let Cell::Text(text) = from.cell(row) else {
            continue;
        };
        for (name, value) in parse(&text) {
            let column = match columns.iter().position(|(known, _)| *known == name) {
                Some(column) => column,
                None if columns.len() < MOST => {
                    fits((columns.len() + 1) * rows * size_of::<Cell<'_>>())?;
                    columns.push((name, vec![Cell::Null; rows]));
                    columns.len() - 1
                }
                None => continue,
            };
            if let Some(cell) = columns.get_mut(column).and_then(|(_, values)| values.get_mut(row)) {
                *cell = value;
            }
        }
    }
    let columns = columns.into_iter();
    Ok(columns
        .map(|(name, cells)| Field::new(name, Values::of(cells)))
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, table, texts, transform};

    fn of(options: serde_json::Value, values: &[&str]) -> Vec<String> {
        transform("extractFields", options, vec![table("A", &[("t", texts(values))])]).remove(0)
    }

    #[test]
    fn columns_come_out_of_json_or_pairs() {
        let options = json!({"source": "t", "replace": true});
        assert_eq!(
            of(
                options.clone(),
                &[
                    "{\"b\": 1, \"a\": \"x\", \"2\": true}",
                    "{\"b\": 2.5, \"c\": {\"d\": [1]}}",
                    "[7]"
                ]
            ),
            ["2|b|a|c|0", "true|1|x||", "|2.5||{\"d\":[1]}|", "||||7"],
            "in the order of the file, but for numbers, which JavaScript has first"
        );
        assert_eq!(
            of(options, &["level=info msg=\"all is well\"", "level: bad"]),
            ["level|msg", "info|all is well", "bad|"]
        );
    }

    #[test]
    fn a_format_takes_nothing_for_another_one() {
        let json = |values: &[&str]| of(json!({"source": "t", "format": "json"}), values);
        assert_eq!(json(&["a=1", "{\"a\": null}"]), ["t|a", "a=1|", "{\"a\": null}|"]);
        let pairs = of(json!({"source": "t", "format": "kvp"}), &["a=1, b: \"two\\\" \"&c"]);
        assert_eq!(pairs, ["t|a|b|c", "a=1, b: \"two\\\" \"&c|1|two\" |"]);
        let parts = of(json!({"source": "t", "format": "delimiter"}), &[" x , y", "z,x"]);
        assert_eq!(parts, ["t|x|y|z", " x , y|1|1|", "z,x|1||1"]);
        let parts = of(
            json!({"source": "t", "format": "delimiter", "delimiter": "|", "replace": true}),
            &["b|10|9"],
        );
        assert_eq!(parts, ["9|10|b", "1|1|1"]);
    }

    #[test]
    fn a_regular_expression_names_its_columns() {
        let of = |pattern: &str| {
            of(
                json!({"source": "t", "format": "regexp", "regExp": pattern, "replace": true}),
                &["web-1", "db-22"],
            )
        };
        assert_eq!(of("/(?<host>[a-z]+)-(?<n>[0-9]+)/"), ["host|n", "web|1", "db|22"]);
        assert_eq!(of("no slash"), ["NewField", "web-1", "db-22"]);
    }

    #[test]
    fn paths_lead_into_json() {
        let paths =
            json!([{"path": "a.b[1].c", "alias": "deep"}, {"path": "a[\"b\"][0]"}, {"path": "x.y"}, {"path": ""}]);
        let options = json!({"source": "t", "format": "json", "replace": true, "jsonPaths": paths});
        assert_eq!(
            of(
                options,
                &["{\"a\": {\"b\": [5, {\"c\": \"here\"}]}, \"x.y\": 3}", "{}", "no JSON"]
            ),
            [
                "deep|a[\"b\"][0]|x.y",
                "here|5|3",
                "Not Found|Not Found|Not Found",
                "Not Found|Not Found|Not Found"
            ]
        );
    }

    #[test]
    fn times_are_kept_where_the_others_are_replaced() {
        let frame = table("A", &[("Time", numbers(&[1.0])), ("t", texts(&["a=b"]))]);
        let options = json!({"source": "t", "replace": true, "keepTime": true});
        assert_eq!(transform("extractFields", options, vec![frame])[0], ["Time|a", "1|b"]);
    }
}
