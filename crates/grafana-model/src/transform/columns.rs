//! Columns: chosen, put in order, renamed, turned into another kind.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Transformed, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::error::{PatternError, TransformError};
use crate::model::Matcher;
use crate::names::Naming;
use crate::overrides::{Match, is_match, matcher};
use crate::pattern::Pattern;
use crate::scope::Scope;
use crate::units;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Organize {
    exclude_by_name: BTreeMap<String, Value>,
    include_by_name: BTreeMap<String, Value>,
    index_by_name: BTreeMap<String, Value>,
    rename_by_name: BTreeMap<String, Value>,
    order_by_mode: String,
}

/// `organize`: hides, orders and renames columns.
pub fn organize(options: &Value, scope: &Scope, frames: Vec<Frame>) -> Transformed {
    let written: Organize = read(options)?;
    let marked = |names: &BTreeMap<String, Value>| -> Vec<String> {
        names
            .iter()
            .filter(|(_, is)| **is == true)
            .map(|(name, _)| name.clone())
            .collect()
    };
    let by_name = |names: Vec<String>| (!names.is_empty()).then_some(Match::Names(names, false));
    let frames = filtered(
        frames,
        by_name(marked(&written.include_by_name)),
        by_name(marked(&written.exclude_by_name)),
    );
    rename(options, scope, order(options, scope, frames)?)
}

/// `order`: the columns in the order of their numbers, the others behind.
pub fn order(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Organize = read(options)?;
    if options.order_by_mode == "auto" {
        return Err(TransformError::Order);
    }
    let naming = Naming::of(&frames);
    for frame in &mut frames {
        let index = |field: &Field| {
            let index = options.index_by_name.get(&naming.name(field, frame));
            index.and_then(Value::as_i64).unwrap_or(i64::MAX)
        };
        let mut indexed: Vec<(i64, Field)> = frame.fields.iter().map(|field| (index(field), field.clone())).collect();
        indexed.sort_by_key(|(index, _)| *index);
        frame.fields = indexed.into_iter().map(|(_, field)| field).collect();
    }
    Ok(frames)
}

/// `rename`.
pub fn rename(options: &Value, scope: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Organize = read(options)?;
    for frame in &mut frames {
        each_named(frame, |field, name| {
            let renamed = options.rename_by_name.get(name).and_then(Value::as_str);
            if let Some(renamed) = renamed.filter(|name| !name.is_empty()) {
                field.renamed = Some(scope.title(renamed));
            }
        });
    }
    Ok(frames)
}

/// Changes each field of `frame`, knowing how it is called there.
fn each_named(frame: &mut Frame, mut change: impl FnMut(&mut Field, &str)) {
    let naming = Naming::alone(frame);
    let names: Vec<String> = frame.fields.iter().map(|field| naming.name(field, frame)).collect();
    for (field, name) in frame.fields.iter_mut().zip(names) {
        change(field, &name);
    }
}

/// The fields that are to be kept; frames without any are not.
fn filtered(mut frames: Vec<Frame>, include: Option<Match>, exclude: Option<Match>) -> Vec<Frame> {
    if include.is_none() && exclude.is_none() {
        return frames;
    }
    let naming = Naming::of(&frames);
    for frame in &mut frames {
        let is_kept = |field: &Field| {
            let name = naming.name(field, frame);
            let is = |matcher: &Match| is_match(matcher, field, &name, frame);
            include.as_ref().is_none_or(is) && !exclude.as_ref().is_some_and(is)
        };
        let kept: Vec<bool> = frame.fields.iter().map(is_kept).collect();
        let mut kept = kept.into_iter();
        frame.fields.retain(|_| kept.next().unwrap_or(false));
    }
    frames.retain(|frame| !frame.fields.is_empty());
    frames
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
    fn matcher(&self, by_variable: bool, scope: &Scope) -> Result<Option<Match>, TransformError> {
        let mut names = self.names.clone().unwrap_or_default();
        let mut pattern = self.pattern.as_deref().unwrap_or_default();
        if let Some(variable) = self
            .variable
            .as_deref()
            .filter(|variable| by_variable && !variable.is_empty())
        {
            let text = crate::variables::template::expand(variable, |reference| {
                scope.value(reference, crate::variables::format::Place::Plain)
            });
            names = text.trim_matches(['{', '}']).split(',').map(str::to_owned).collect();
            pattern = "";
        }
        let options = json!({"names": names, "pattern": pattern});
        let id = match (names.is_empty(), pattern.is_empty()) {
            (true, true) => return Ok(None),
            (false, true) => "byNames",
            (true, false) => "byRegexp",
            (false, false) => "byRegexpOrNames",
        };
        let options = if id == "byRegexp" { json!(pattern) } else { options };
        let id = id.to_owned();
        matcher(&Matcher {
            id,
            options,
            ..Matcher::default()
        })
        .map(Some)
    }
}

/// `filterFieldsByName`: keeps some columns.
pub fn filter_by_name(options: &Value, scope: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: FilterByName = read(options)?;
    let matcher = |names: Option<Names>| names.unwrap_or_default().matcher(options.by_variable, scope);
    Ok(filtered(frames, matcher(options.include)?, matcher(options.exclude)?))
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
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(include) = said(&options.include) {
        let include = queries(&include)?;
        frames.retain(|frame| include(&frame.ref_id));
    }
    if let Some(exclude) = said(&options.exclude) {
        let exclude = queries(&exclude)?;
        frames.retain(|frame| !exclude(&frame.ref_id));
    }
    Ok(frames)
}

/// Whether something is meant.
pub type Test<T> = Box<dyn Fn(&T) -> bool>;

/// Which queries are meant: `A`, one of `A|B`, or those that `/expression/` matches.
pub fn queries(text: &str) -> Result<Test<str>, PatternError> {
    if text.starts_with('/') {
        let pattern = Pattern::new(text)?;
        return Ok(Box::new(move |query| pattern.is_match(query)));
    }
    let names: Vec<String> = text.split('|').map(str::to_owned).collect();
    Ok(Box::new(move |query| names.iter().any(|name| name == query)))
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RenameByPattern {
    regex: String,
    rename_pattern: String,
}

impl Default for RenameByPattern {
    fn default() -> Self {
        Self {
            regex: "(.*)".to_owned(),
            rename_pattern: "$1".to_owned(),
        }
    }
}

/// `renameByRegex`.
pub fn rename_by_pattern(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: RenameByPattern = read(options)?;
    let pattern = Pattern::new(&options.regex)?;
    for frame in &mut frames {
        each_named(frame, |field, name| {
            if pattern.is_match(name) {
                field.renamed = Some(pattern.replace(name, &options.rename_pattern));
            }
        });
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
    date_format: Option<String>,
}

/// `convertFieldType`: columns of another kind.
pub fn convert(options: &Value, scope: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Convert = read(options)?;
    for conversion in &options.conversions {
        let (Some(target), Some(kind)) = (&conversion.target_field, conversion.destination_type.as_deref()) else {
            continue;
        };
        if target.is_empty() {
            continue;
        }
        let naming = Naming::of(&frames);
        let target = Match::Name(target.clone());
        for frame in &mut frames {
            let is_target = |field: &Field| is_match(&target, field, &naming.name(field, frame), frame);
            let targets: Vec<bool> = frame.fields.iter().map(is_target).collect();
            let fields = frame.fields.iter_mut().zip(targets).filter(|(_, is_target)| *is_target);
            for (field, _) in fields {
                field.values = converted(&field.values, kind, conversion.date_format.as_deref(), scope)?;
            }
        }
    }
    Ok(frames)
}

fn converted(values: &Values, kind: &str, format: Option<&str>, scope: &Scope) -> Result<Values, TransformError> {
    Ok(match (kind, values) {
        ("number", values) => Values::numbers(values.cells().map(|cell| match &cell {
            Cell::Null => crate::data::NULL,
            Cell::Text(text) => match text.replace(',', "") {
                text if text.is_empty() => crate::data::NULL,
                text => finite(Cell::Text(text.into()).as_number()),
            },
            cell => finite(cell.as_number()),
        })),
        // Grafana writes texts as JSON.
        ("string", Values::Texts(_)) => Values::texts(values.cells().map(|cell| match cell {
            Cell::Text(text) => json!(text).to_string(),
            _ => "null".to_owned(),
        })),
        ("string", Values::Times(times)) => Values::texts(times.iter().map(|seconds| date(*seconds, format, scope))),
        ("string", values) => Values::texts(values.cells().map(|cell| cell.to_string())),
        ("boolean", values) => {
            let is = |cell: Cell<'_>| match cell {
                Cell::Null => false,
                Cell::Text(text) => !text.is_empty(),
                cell => !matches!(cell.as_number(), 0.0) && !cell.as_number().is_nan(),
            };
            Values::Booleans(values.cells().map(|cell| Some(is(cell))).collect())
        }
        ("time", Values::Numbers(_)) => Values::times(values.cells().map(|cell| match cell {
            Cell::Null => crate::data::NULL,
            cell => cell.as_number() / 1000.0,
        })),
        ("time", Values::Times(_)) => values.clone(),
        ("time", Values::Texts(_)) => Values::times(values.cells().map(|cell| match cell {
            Cell::Text(text) => crate::time::moment(&text, &scope.zone).unwrap_or(crate::data::NULL),
            _ => crate::data::NULL,
        })),
        (other, _) => return Err(TransformError::Conversion(other.to_owned())),
    })
}

fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { crate::data::NULL }
}

/// A time as text, by moment's `format` or as ISO 8601.
pub fn date(seconds: f64, format: Option<&str>, scope: &Scope) -> String {
    let format = format
        .filter(|format| !format.is_empty())
        .unwrap_or("YYYY-MM-DDTHH:mm:ssZ");
    let unit = format!("time:{format}");
    units::Unit::of(&unit)
        .in_zone(&scope.zone)
        .format(None, seconds * 1000.0)
        .to_string()
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
    fn columns_are_only_ordered_or_only_renamed() {
        let order = json!({"indexByName": {"size": 0, "Time": 1}});
        assert_eq!(transform("order", order, disks())[0][0], "size|Time|device");
        let rename = json!({"renameByName": {"device": "Disk", "size": ""}});
        assert_eq!(transform("rename", rename, disks())[0][0], "Disk|size|Time");
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
