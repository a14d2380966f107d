//! Rows: sorted, cut off, chosen by their values.

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, read};
use crate::data::{Field, Frame, Values};
use crate::evaluate::Scope;
use crate::pattern::Pattern;

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
    frames.iter_mut().for_each(|frame| sort_frame(frame, name, *desc));
    Ok(frames)
}

/// Sorts the rows of a frame by a column; leaves it alone if it has no such column.
pub fn sort_frame(frame: &mut Frame, name: &str, descending: bool) {
    let Some(field) = frame.fields.iter().find(|field| field.name == name) else {
        return;
    };
    let mut rows: Vec<usize> = (0..field.values.len()).collect();
    match &field.values {
        Values::Times(values) | Values::Numbers(values) => {
            let value = |row: &usize| values.get(*row).copied().unwrap_or(f64::NAN);
            rows.sort_by(|a, b| value(a).total_cmp(&value(b)));
        }
        Values::Texts(values) => rows.sort_by_key(|row| values.get(*row)),
    }
    if descending {
        rows.reverse();
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
        Some(Count::Text(text)) => scope
            .text(&text)
            .trim()
            .parse()
            .map_err(|_| format!("{text:?} is no number of rows"))?,
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
    let tests = tests.collect::<Result<Vec<_>, String>>()?;
    let keeps_matches = options.r#type != "exclude";
    for frame in &mut frames {
        let is_match = |row: usize| {
            let mut each = tests.iter().map(|(name, test)| {
                let field = frame.fields.iter().find(|field| field.name == *name);
                field.is_some_and(|field| test.is_match(field, row))
            });
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

enum Test {
    Missing(bool),
    Pattern(Pattern),
    Equal(String, bool),
    Contains(String, bool),
    Above(f64, bool),
    Below(f64, bool),
    Between(f64, f64),
}

impl Test {
    fn new(config: &Config, scope: &Scope) -> Result<Self, String> {
        let text = |name: &str| match config.options.get(name) {
            Some(Value::String(text)) => scope.text(text),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let number = |name: &str| {
            text(name)
                .trim()
                .parse::<f64>()
                .map_err(|_| format!("{:?} is no number", text(name)))
        };
        Ok(match config.id.as_str() {
            "isNull" | "isUndefined" => Self::Missing(true),
            "isNotNull" | "isNotUndefined" => Self::Missing(false),
            "regex" => Self::Pattern(Pattern::new(&text("value"))?),
            "equal" => Self::Equal(text("value"), true),
            "notEqual" => Self::Equal(text("value"), false),
            "substring" => Self::Contains(text("value").to_lowercase(), true),
            "notSubstring" => Self::Contains(text("value").to_lowercase(), false),
            "greater" => Self::Above(number("value")?, false),
            "greaterOrEqual" => Self::Above(number("value")?, true),
            "lower" => Self::Below(number("value")?, false),
            "lowerOrEqual" => Self::Below(number("value")?, true),
            "between" => Self::Between(number("from")?, number("to")?),
            other => return Err(format!("rows cannot be chosen by {other:?}")),
        })
    }

    fn is_match(&self, field: &Field, row: usize) -> bool {
        let values = &field.values;
        let number = || values.text(row).parse::<f64>().unwrap_or(f64::NAN);
        match self {
            Self::Missing(wanted) => values.is_missing(row) == *wanted,
            Self::Pattern(pattern) => pattern.is_match(&values.text(row)),
            Self::Equal(text, wanted) => {
                let is_equal = values.text(row) == *text || text.parse::<f64>().is_ok_and(|value| value == number());
                is_equal == *wanted
            }
            Self::Contains(text, wanted) => values.text(row).to_lowercase().contains(text.as_str()) == *wanted,
            Self::Above(limit, or_equal) => number() > *limit || (*or_equal && number() == *limit),
            Self::Below(limit, or_equal) => number() < *limit || (*or_equal && number() == *limit),
            Self::Between(from, to) => (*from..=*to).contains(&number()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, table, texts, transform};

    fn disks() -> Vec<super::Frame> {
        vec![table(
            "A",
            &[
                ("device", texts(&["b", "a", "c"])),
                ("size", numbers(&[10.0, 9.0, f64::NAN])),
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
            ["a|9", "b|10", "c|"]
        );
        assert_eq!(
            transform("sortBy", options("size", true), disks())[0][1..],
            ["c|", "b|10", "a|9"]
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
            ["a|9"]
        );
        let between = json!([{"fieldName": "size", "config": {"id": "between", "options": {"from": 0, "to": 9}}}]);
        assert_eq!(kept("include", "any", between), ["a|9"]);
    }
}
