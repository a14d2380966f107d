//! Columns: chosen, put in order, renamed, turned into another kind.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, read};
use crate::data::{Field, Frame, Values};
use crate::evaluate::Scope;
use crate::pattern::Pattern;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Organize {
    exclude_by_name: BTreeMap<String, bool>,
    include_by_name: BTreeMap<String, bool>,
    index_by_name: BTreeMap<String, i64>,
    rename_by_name: BTreeMap<String, Option<String>>,
    order_by_mode: String,
}

/// `organize`: hides, orders and renames columns.
pub fn organize(options: &Value, scope: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Organize = read(options)?;
    if options.order_by_mode == "auto" {
        return Err("columns cannot be sorted by themselves".to_owned());
    }
    let included = |field: &Field| options.include_by_name.get(&field.name).copied().unwrap_or(false);
    let includes = options.include_by_name.values().any(|included| *included);
    let excluded = |field: &Field| options.exclude_by_name.get(&field.name).copied().unwrap_or(false);
    for frame in &mut frames {
        frame
            .fields
            .retain(|field| !excluded(field) && (!includes || included(field)));
        let index = |field: &Field| options.index_by_name.get(&field.name).copied().unwrap_or(i64::MAX);
        frame.fields.sort_by_key(index);
        for field in &mut frame.fields {
            if let Some(Some(name)) = options.rename_by_name.get(&field.name)
                && !name.is_empty()
            {
                field.name = scope.title(name);
            }
        }
    }
    frames.retain(|frame| !frame.fields.is_empty());
    Ok(frames)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct FilterByName {
    include: Option<Names>,
    exclude: Option<Names>,
    by_variable: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names {
    names: Option<Vec<String>>,
    pattern: Option<String>,
    variable: Option<String>,
}

impl Names {
    /// What it matches; `None`: nothing is said.
    fn matcher(&self, by_variable: bool, scope: &Scope) -> Result<Option<impl Fn(&Field) -> bool + use<>>, String> {
        let mut names = self.names.clone().unwrap_or_default();
        let mut pattern = self.pattern.as_deref().filter(|pattern| !pattern.is_empty());
        if let Some(variable) = self.variable.as_deref().filter(|_| by_variable) {
            let text = crate::variables::template::expand(variable, |reference| {
                scope.value(reference, crate::variables::format::Place::Plain)
            });
            names = text.trim_matches(['{', '}']).split(',').map(str::to_owned).collect();
            pattern = None;
        }
        let pattern = pattern.map(Pattern::new).transpose()?;
        if names.is_empty() && pattern.is_none() {
            return Ok(None);
        }
        Ok(Some(move |field: &Field| {
            let is_named = names.iter().any(|name| *name == field.name || *name == field.source);
            is_named || pattern.as_ref().is_some_and(|pattern| pattern.is_match(&field.name))
        }))
    }
}

/// `filterFieldsByName`: keeps some columns.
pub fn filter_by_name(options: &Value, scope: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: FilterByName = read(options)?;
    let matcher = |names: Option<Names>| names.unwrap_or_default().matcher(options.by_variable, scope);
    let include = matcher(options.include)?;
    let exclude = matcher(options.exclude)?;
    for frame in &mut frames {
        frame.fields.retain(|field| {
            include.as_ref().is_none_or(|include| include(field))
                && !exclude.as_ref().is_some_and(|exclude| exclude(field))
        });
    }
    frames.retain(|frame| !frame.fields.is_empty());
    Ok(frames)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FilterByQuery {
    include: Option<String>,
    exclude: Option<String>,
}

/// `filterByRefId`: keeps the answers to some queries.
pub fn filter_by_query(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: FilterByQuery = read(options)?;
    if let Some(include) = options.include {
        let include = Pattern::new(&include)?;
        frames.retain(|frame| include.is_match(&frame.ref_id));
    }
    if let Some(exclude) = options.exclude {
        let exclude = Pattern::new(&exclude)?;
        frames.retain(|frame| !exclude.is_match(&frame.ref_id));
    }
    Ok(frames)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RenameByPattern {
    regex: String,
    rename_pattern: String,
}

/// `renameByRegex`.
pub fn rename_by_pattern(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: RenameByPattern = read(options)?;
    // Without slashes it may match anywhere here.
    let text = match options.regex.starts_with('/') {
        true => options.regex,
        false => format!("/{}/", options.regex),
    };
    let pattern = Pattern::new(&text)?;
    for field in frames.iter_mut().flat_map(|frame| &mut frame.fields) {
        if !matches!(field.values, Values::Times(_)) {
            field.name = pattern.replace(&field.name, &options.rename_pattern);
        }
    }
    Ok(frames)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Convert {
    conversions: Vec<Conversion>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Conversion {
    target_field: Option<String>,
    destination_type: Option<String>,
}

/// `convertFieldType`: texts to numbers and back, numbers in milliseconds to times.
pub fn convert(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Convert = read(options)?;
    for conversion in &options.conversions {
        let (Some(target), Some(kind)) = (&conversion.target_field, conversion.destination_type.as_deref()) else {
            continue;
        };
        let fields = frames.iter_mut().flat_map(|frame| &mut frame.fields);
        for field in fields.filter(|field| field.name == *target || field.source == *target) {
            let rows = 0..field.values.len();
            field.values = match (kind, &field.values) {
                ("number", Values::Times(seconds)) => Values::numbers(seconds.iter().map(|seconds| seconds * 1000.0)),
                ("number", values) => {
                    Values::numbers(rows.map(|row| values.text(row).trim().parse().unwrap_or(f64::NAN)))
                }
                ("string", values) => Values::texts(rows.map(|row| values.text(row))),
                ("time", Values::Numbers(millis)) => Values::times(millis.iter().map(|millis| millis / 1000.0)),
                ("time", Values::Times(_)) => continue,
                (other, _) => return Err(format!("{target:?} cannot be turned into {other:?}")),
            };
        }
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, series, table, texts, transform};

    fn disks() -> Vec<super::Frame> {
        vec![table(
            "A",
            &[
                ("device", texts(&["sda", "sdb"])),
                ("size", numbers(&[2.0, 1.0])),
                ("Time", numbers(&[0.0, 0.0])),
            ],
        )]
    }

    #[test]
    fn columns_are_hidden_ordered_and_renamed() {
        let options = json!({"excludeByName": {"Time": true}, "indexByName": {"size": 0, "device": 1},
            "renameByName": {"device": "Disk", "size": ""}});
        assert_eq!(
            transform("organize", options, disks()),
            [["size|Disk", "2|sda", "1|sdb"]]
        );
        let options = json!({"includeByName": {"size": true}, "excludeByName": {}});
        assert_eq!(transform("organize", options, disks()), [["size", "2", "1"]]);
    }

    #[test]
    fn columns_are_chosen_by_name_or_pattern() {
        let options = json!({"include": {"names": ["size"], "pattern": "/^dev/"}});
        assert_eq!(transform("filterFieldsByName", options, disks())[0][0], "device|size");
        let options = json!({"exclude": {"names": ["Time"]}});
        assert_eq!(transform("filterFieldsByName", options, disks())[0][0], "device|size");
        assert_eq!(
            transform("filterFieldsByName", json!({}), disks())[0][0],
            "device|size|Time"
        );
    }

    #[test]
    fn answers_are_chosen_by_query() {
        let frames = || vec![series("A", "a", &[], &[1.0]), series("B", "b", &[], &[2.0])];
        assert_eq!(
            transform("filterByRefId", json!({"include": "B"}), frames())[0][0],
            "Time|b"
        );
        assert_eq!(
            transform("filterByRefId", json!({"exclude": "B"}), frames())[0][0],
            "Time|a"
        );
    }

    #[test]
    fn columns_are_renamed_by_pattern() {
        let options = json!({"regex": "(.*)-total", "renamePattern": "$1"});
        let frames = vec![series("A", "cpu-total", &[], &[1.0])];
        assert_eq!(transform("renameByRegex", options, frames)[0][0], "Time|cpu");
    }

    #[test]
    fn columns_are_turned_into_another_kind() {
        let frames = || vec![table("A", &[("v", texts(&["1.5", "x"]))])];
        let options = json!({"conversions": [{"targetField": "v", "destinationType": "number"}]});
        assert_eq!(transform("convertFieldType", options, frames()), [["v", "1.5", ""]]);
    }
}
