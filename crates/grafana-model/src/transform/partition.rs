//! Frames taken apart and put together by what their rows have in common: `partitionByValues` and `timeSeriesTable`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::group::groups;
use super::{Transformed, fits, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::error::TransformError;
use crate::names::Naming;
use crate::overrides::{Match, is_match};
use crate::reduce;
use crate::scope::Scope;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Partition {
    fields: Vec<String>,
    keep_fields: bool,
    naming: Parts,
}

/// What the parts are called.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Parts {
    as_labels: bool,
    append: bool,
    with_names: bool,
    separator1: String,
    separator2: String,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            as_labels: false,
            append: false,
            with_names: false,
            separator1: "=".to_owned(),
            separator2: " ".to_owned(),
        }
    }
}

/// `partitionByValues`: a frame for each combination of the values of some columns.
pub fn partition(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Partition = read(options)?;
    if options.fields.is_empty() {
        return Ok(frames);
    }
    let is_key = Match::Names(options.fields.clone(), false);
    let naming = Naming::of(&frames);
    let mut parts = Vec::new();
    for frame in frames {
        let is_key: Vec<bool> = frame
            .fields
            .iter()
            .map(|field| is_match(&is_key, field, &naming.name(field, &frame), &frame))
            .collect();
        let keys: Vec<&Field> = frame
            .fields
            .iter()
            .zip(&is_key)
            .filter(|(_, is)| **is)
            .map(|(field, _)| field)
            .collect();
        if keys.is_empty() {
            parts.push(frame);
            continue;
        }
        let groups = groups(&frame, &keys)?;
        fits(groups.len().saturating_mul(frame.fields.len() * Field::SIZE))?;
        for rows in &groups {
            let first = rows.first().copied().flatten().unwrap_or_default();
            let pairs: Vec<(String, String)> = keys
                .iter()
                .map(|key| (key.source.clone(), key.values.text(first)))
                .collect();
            let kept = frame
                .fields
                .iter()
                .zip(&is_key)
                .filter(|(_, is_key)| options.keep_fields || !**is_key);
            let fields = kept.map(|(field, _)| {
                let mut part = field.with(field.values.select(rows));
                if options.naming.as_labels {
                    for (name, value) in &pairs {
                        part.labels = part.labels.with(name, value);
                    }
                }
                part
            });
            parts.push(Frame {
                name: name_of(&options.naming, &frame.name, &pairs),
                fields: fields.collect(),
                ref_id: String::new(),
                interval: frame.interval,
            });
        }
    }
    Ok(parts)
}

fn name_of(naming: &Parts, frame: &str, pairs: &[(String, String)]) -> String {
    if naming.as_labels {
        return frame.to_owned();
    }
    let texts = pairs.iter().map(|(name, value)| match naming.with_names {
        true => format!("{name}{}{value}", naming.separator1),
        false => value.clone(),
    });
    let name = texts.collect::<Vec<_>>().join(&naming.separator2);
    if naming.append && !frame.is_empty() {
        format!("{frame}{}{name}", naming.separator2)
    } else {
        name
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Trend {
    stat: Option<String>,
}

/// `timeSeriesTable`: a row for each series of a query, with its labels and a calculation. The line of each is not drawn.
pub fn time_series_table(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: BTreeMap<String, Trend> = read(options)?;
    let is_series =
        |frame: &Frame| frame.times().is_some() && frame.fields.iter().any(|field| field.values.is_numbers());
    let (series, mut tables): (Vec<Frame>, Vec<Frame>) = frames.into_iter().partition(is_series);
    let mut queries: Vec<&str> = Vec::new();
    for frame in &series {
        if !queries.contains(&frame.ref_id.as_str()) {
            queries.push(&frame.ref_id);
        }
    }
    for query in &queries {
        let rows: Vec<&Frame> = series.iter().filter(|frame| frame.ref_id == *query).collect();
        let calc = options
            .get(*query)
            .and_then(|trend| trend.stat.as_deref())
            .unwrap_or("lastNotNull");
        if reduce::title(calc).is_none() {
            return Err(TransformError::Calculation(calc.to_owned()));
        }
        let value = |frame: &Frame| frame.fields.iter().find(|field| field.values.is_numbers()).cloned();
        let values: Vec<Field> = rows.iter().filter_map(|frame| value(frame)).collect();
        let mut labels: Vec<&str> = Vec::new();
        for label in values.iter().flat_map(|field| field.labels.names()) {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        fits(labels.len().saturating_mul(values.len() * 2 * size_of::<String>()))?;
        let column = |label: &&str| {
            let texts = values.iter().map(|field| field.labels.get(label).map(str::to_owned));
            Field::new(*label, Values::Texts(texts.collect()))
        };
        let mut fields: Vec<Field> = labels.iter().map(column).collect();
        let name = if queries.len() > 1 && !query.is_empty() {
            format!("Trend #{query}")
        } else {
            "Trend".to_owned()
        };
        let numbers = values.iter().map(|field| match reduce::reduce(calc, &field.values) {
            Cell::Null => crate::data::NULL,
            cell => cell.as_number(),
        });
        fields.push(Field::new(name, Values::numbers(numbers)));
        tables.push(Frame {
            ref_id: (*query).to_owned(),
            fields,
            ..Frame::default()
        });
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, series, table, texts, transform, transform_with_notes};

    #[test]
    fn a_frame_is_parted_by_values() {
        let frames = || {
            vec![table(
                "A",
                &[("host", texts(&["a", "b", "a"])), ("v", numbers(&[1.0, 2.0, 3.0]))],
            )]
        };
        assert_eq!(
            transform("partitionByValues", json!({"fields": ["host"]}), frames()),
            [vec!["a v", "1", "3"], vec!["b v", "2"]]
        );
        let labels = json!({"fields": ["host"], "keepFields": true, "naming": {"asLabels": true}});
        assert_eq!(transform("partitionByValues", labels, frames())[1][0], "host b|v b");
    }

    #[test]
    fn series_become_rows_of_labels_with_a_value() {
        let frames = vec![
            series("A", "a", &[("host", "x")], &[1.0, 3.0]),
            series("A", "b", &[("host", "y")], &[5.0]),
        ];
        let (found, notes) = transform_with_notes("timeSeriesTable", json!({"A": {"stat": "max"}}), frames);
        assert_eq!(found, [["host|Trend", "x|3", "y|5"]]);
        assert_eq!(notes, ["the lines of trends are not drawn, their values are"]);
    }
}
