//! Rows: sorted, cut off, chosen by their values.

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, read};
use crate::collation;
use crate::data::{Cell, Field, Frame, Values};
use crate::error::TransformError;
use crate::names::Naming;
use crate::pattern::Pattern;
use crate::reduce::order::sort_by_difference;
use crate::scope::Scope;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sort {
    sort: Vec<By>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct By {
    field: Option<String>,
    desc: bool,
}

/// `sortBy`: only the first column counts, as in Grafana.
pub fn sort(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Sort = read(options)?;
    let Some(By {
        field: Some(name),
        desc,
    }) = options.sort.first()
    else {
        return Ok(frames);
    };
    for frame in &mut frames {
        let naming = Naming::alone(frame);
        if let Some(column) = frame.fields.iter().position(|field| naming.name(field, frame) == *name) {
            sort_frame(frame, column, *desc);
        }
    }
    Ok(frames)
}

/// Sorts the rows of a frame by a column: nothing counts as 0 among numbers, and comes last among texts.
pub fn sort_frame(frame: &mut Frame, column: usize, descending: bool) {
    let Some(field) = frame.fields.get(column) else { return };
    let mut rows: Vec<usize> = (0..field.values.len()).collect();
    let turned = |difference: fn(f64, f64) -> f64, a: f64, b: f64| {
        if descending { difference(b, a) } else { difference(a, b) }
    };
    match &field.values {
        Values::Times(_) | Values::Numbers(_) => {
            let numbers: Vec<f64> = field.values.cells().map(|cell| cell.as_number()).collect();
            let number = |row: usize| numbers.get(row).copied().unwrap_or_default();
            let difference = |a, b| turned(|a, b| a - b, number(a), number(b));
            sort_by_difference(&mut rows, difference, |row| number(row).is_nan());
        }
        Values::Booleans(values) => {
            let is = |row: &usize| values.get(*row).copied().flatten().unwrap_or(false);
            rows.sort_by(|a, b| {
                if descending {
                    is(a).cmp(&is(b))
                } else {
                    is(b).cmp(&is(a))
                }
            });
        }
        Values::Texts(texts) => {
            let text = |row: &usize| texts.get(*row).and_then(Option::as_deref).unwrap_or_default();
            let order = |a: &str, b: &str| a.is_empty().cmp(&b.is_empty()).then_with(|| collation::compare(a, b));
            rows.sort_by(|a, b| {
                if descending {
                    order(text(b), text(a))
                } else {
                    order(text(a), text(b))
                }
            });
        }
    }
    frame.select(&rows);
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Limit {
    limit_field: Option<Count>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(f64),
    Text(String),
}

/// `limit`: the first rows, or the last for a negative number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
pub fn limit(options: &Value, scope: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Limit = read(options)?;
    let limit = match options.limit_field {
        None => 10.0,
        Some(Count::Number(limit)) => limit,
        Some(Count::Text(text)) => match crate::units::leading_number(&scope.text(&text)) {
            Some(limit) => limit.trunc(),
            None => return Err(TransformError::Rows(text)),
        },
    };
    let count = limit.abs() as usize;
    for frame in &mut frames {
        let rows = frame.len();
        let from = if limit < 0.0 { rows.saturating_sub(count) } else { 0 };
        let kept: Vec<usize> = (from..rows).take(count).collect();
        frame.select(&kept);
    }
    Ok(frames)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FilterByValue {
    filters: Vec<Filter>,
    r#type: String,
    r#match: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Filter {
    field_name: String,
    config: Config,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    id: String,
    options: Value,
}

/// `filterByValue`: keeps the rows that match, or those that do not.
pub fn filter(options: &Value, scope: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: FilterByValue = read(options)?;
    if options.filters.is_empty() {
        return Ok(frames);
    }
    let tests = options
        .filters
        .iter()
        .map(|filter| Ok((filter.field_name.as_str(), Test::new(&filter.config, scope)?)));
    let tests = tests.collect::<Result<Vec<_>, TransformError>>()?;
    let keeps_matches = options.r#type != "exclude";
    let naming = Naming::of(&frames);
    for frame in &mut frames {
        let names: Vec<String> = frame.fields.iter().map(|field| naming.name(field, frame)).collect();
        // Of columns with the same name the last counts.
        let column = |name: &str| {
            names
                .iter()
                .rposition(|other| other == name)
                .and_then(|column| frame.fields.get(column))
        };
        let tests: Vec<(Option<&Field>, &Test)> = tests.iter().map(|(name, test)| (column(name), test)).collect();
        let is_match = |row: usize| {
            let mut each = tests
                .iter()
                .map(|(field, test)| field.is_some_and(|field| test.is_match(&field.values.cell(row))));
            if options.r#match == "all" {
                each.all(|is| is)
            } else {
                each.any(|is| is)
            }
        };
        let kept: Vec<usize> = (0..frame.len()).filter(|row| is_match(*row) == keeps_matches).collect();
        frame.select(&kept);
    }
    Ok(frames)
}

/// What a value is held against.
enum Test {
    Missing(bool),
    Pattern(Pattern),
    Equal(Value, bool),
    Contains(String, bool),
    Above(Value, bool),
    Below(Value, bool),
    Between(f64, f64),
}

impl Test {
    fn new(config: &Config, scope: &Scope) -> Result<Self, TransformError> {
        let value = |name: &str| match config.options.get(name) {
            Some(Value::String(text)) => Value::String(scope.text(text)),
            other => other.cloned().unwrap_or_default(),
        };
        let text = |name: &str| value(name).as_str().map(str::to_owned).unwrap_or_default();
        let end = |name: &str| match value(name) {
            Value::String(text) => crate::units::leading_number(&text).map_or(f64::NAN, f64::trunc),
            number => number.as_f64().unwrap_or(f64::NAN),
        };
        Ok(match config.id.as_str() {
            "isNull" | "isUndefined" => Self::Missing(true),
            "isNotNull" | "isNotUndefined" => Self::Missing(false),
            "regex" => Self::Pattern(Pattern::unanchored(&text("value"))?),
            "equal" => Self::Equal(value("value"), true),
            "notEqual" => Self::Equal(value("value"), false),
            "substring" => Self::Contains(text("value").to_lowercase(), true),
            "notSubstring" => Self::Contains(text("value").to_lowercase(), false),
            "greater" => Self::Above(value("value"), false),
            "greaterOrEqual" => Self::Above(value("value"), true),
            "lower" => Self::Below(value("value"), false),
            "lowerOrEqual" => Self::Below(value("value"), true),
            "between" => Self::Between(end("from"), end("to")),
            other => return Err(TransformError::RowMatcher(other.to_owned())),
        })
    }

    fn is_match(&self, cell: &Cell<'_>) -> bool {
        match self {
            Self::Missing(wanted) => cell.is_null() == *wanted,
            Self::Pattern(pattern) => !cell.is_null() && pattern.is_match(&cell.to_string()),
            Self::Equal(value, wanted) => is_equal(cell, value) == *wanted,
            Self::Contains(wanted, _) if wanted.is_empty() => matches!(self, Self::Contains(_, true)),
            Self::Contains(part, wanted) => match cell {
                Cell::Text(text) if !text.is_empty() => text.to_lowercase().contains(part.as_str()) == *wanted,
                _ => false,
            },
            Self::Above(limit, or_equal) => {
                compared(cell, limit).is_some_and(|order| order.is_gt() || (*or_equal && order.is_eq()))
            }
            Self::Below(limit, or_equal) => {
                compared(cell, limit).is_some_and(|order| order.is_lt() || (*or_equal && order.is_eq()))
            }
            Self::Between(from, to) => cell.as_number() > *from && cell.as_number() < *to,
        }
    }
}

/// A value of an option as a cell.
fn as_cell(value: &Value) -> Cell<'_> {
    match value {
        Value::String(text) => Cell::text(Some(text)),
        Value::Number(number) => Cell::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(is) => Cell::Boolean(*is),
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Null,
    }
}

/// JavaScript's `==`: a text that is a number is equal to it, and nothing is equal to nothing alone.
fn is_equal(cell: &Cell<'_>, value: &Value) -> bool {
    let value = as_cell(value);
    match (cell, &value) {
        (Cell::Null, Cell::Null) => true,
        (Cell::Null, _) | (_, Cell::Null) => false,
        (Cell::Text(one), Cell::Text(other)) => one == other,
        _ => cell.as_number() == value.as_number(),
    }
}

/// JavaScript's `<` and `>`: texts by their letters, where the value is a number; `None`: it is none.
fn compared(cell: &Cell<'_>, limit: &Value) -> Option<std::cmp::Ordering> {
    if cell.as_number().is_nan() {
        return None;
    }
    let limit = as_cell(limit);
    match (cell, &limit) {
        (Cell::Text(one), Cell::Text(other)) => Some(one.cmp(other)),
        _ => cell.as_number().partial_cmp(&limit.as_number()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::data::NULL;
    use super::super::testing::{numbers, table, texts, transform};

    fn disks() -> Vec<super::Frame> {
        vec![table(
            "A",
            &[
                ("device", texts(&["b", "a", "c"])),
                ("size", numbers(&[10.0, 9.0, NULL])),
            ],
        )]
    }

    #[test]
    fn rows_are_sorted_by_kind() {
        let options = |field: &str, desc| json!({"sort": [{"field": field, "desc": desc}]});
        assert_eq!(
            transform("sortBy", options("device", false), disks())[0][1..],
            ["a|9", "b|10", "c|"]
        );
        assert_eq!(
            transform("sortBy", options("size", false), disks())[0][1..],
            ["c|", "a|9", "b|10"]
        );
        assert_eq!(
            transform("sortBy", options("size", true), disks())[0][1..],
            ["b|10", "a|9", "c|"]
        );
        assert_eq!(
            transform("sortBy", options("none", true), disks())[0][1..],
            ["b|10", "a|9", "c|"]
        );
    }

    #[test]
    fn rows_are_cut_off() {
        assert_eq!(transform("limit", json!({"limitField": 1}), disks())[0][1..], ["b|10"]);
        assert_eq!(
            transform("limit", json!({"limitField": "2"}), disks())[0][1..],
            ["b|10", "a|9"]
        );
        assert_eq!(transform("limit", json!({"limitField": -1}), disks())[0][1..], ["c|"]);
        assert_eq!(transform("limit", json!({}), disks())[0].len(), 4);
    }

    #[test]
    fn rows_are_chosen_by_value() {
        let kept = |kind: &str, how: &str, filters: serde_json::Value| {
            let options = json!({"type": kind, "match": how, "filters": filters});
            transform("filterByValue", options, disks())[0][1..].to_vec()
        };
        let filter = |field: &str, id: &str, value: serde_json::Value| json!({"fieldName": field, "config": {"id": id, "options": {"value": value}}});
        assert_eq!(
            kept("include", "any", json!([filter("size", "greater", json!(9))])),
            ["b|10"]
        );
        assert_eq!(
            kept("exclude", "any", json!([filter("size", "greater", json!(9))])),
            ["a|9", "c|"]
        );
        assert_eq!(
            kept("include", "any", json!([filter("size", "isNull", json!(null))])),
            ["c|"]
        );
        assert_eq!(
            kept("include", "any", json!([filter("size", "equal", json!("10.0"))])),
            ["b|10"]
        );
        assert_eq!(
            kept(
                "include",
                "all",
                json!([
                    filter("size", "lowerOrEqual", json!(10)),
                    filter("device", "regex", json!("a|c"))
                ])
            ),
            ["a|9", "c|"]
        );
        let between = json!([{"fieldName": "size", "config": {"id": "between", "options": {"from": 0, "to": 10}}}]);
        assert_eq!(kept("include", "any", between), ["a|9"]);
    }
}
