//! Many values to one: `reduce` and `groupBy`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, read};
use crate::data::{Field, Frame, Values};
use crate::evaluate::Scope;
use crate::model::Matcher;
use crate::reduce;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reduce {
    reducers: Vec<String>,
    mode: String,
    include_time_field: bool,
    labels_to_fields: bool,
    fields: Option<Matcher>,
}

/// `reduce`: a row for each series with a column for each calculation, or one row with the same columns.
pub fn reduce(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let mut options: Reduce = read(options)?;
    if options.fields.is_some_and(|matcher| !matcher.id.is_empty()) {
        return Err("only all fields together can be reduced".to_owned());
    }
    if options.reducers.is_empty() {
        options.reducers.push("max".to_owned());
    }
    if let Some(unknown) = options.reducers.iter().find(|calc| reduce::title(calc).is_none()) {
        return Err(format!("the calculation {unknown:?} is not supported"));
    }
    let fields: usize = frames.iter().map(|frame| frame.fields.len()).sum();
    fits(fields * options.reducers.len() * Field::SIZE)?;
    if options.mode == "reduceFields" {
        return Ok(frames
            .into_iter()
            .map(|frame| to_one_row(frame, &options.reducers, options.include_time_field))
            .collect());
    }
    Ok(vec![to_rows(&frames, &options.reducers, options.labels_to_fields)])
}

fn to_rows(frames: &[Frame], calcs: &[String], with_labels: bool) -> Frame {
    let fields = frames.iter().flat_map(|frame| &frame.fields);
    let fields: Vec<&Field> = fields
        .filter(|field| !matches!(field.values, Values::Times(_)))
        .collect();
    let name = |field: &&Field| {
        if with_labels {
            field.source().to_owned()
        } else {
            field.name.clone()
        }
    };
    let mut columns = vec![Field::new("Field", Values::texts(fields.iter().map(name)))];
    if with_labels {
        let mut labels: Vec<&str> = Vec::new();
        let mut seen = BTreeSet::new();
        for label in fields.iter().flat_map(|field| field.labels.names()) {
            if seen.insert(label) {
                labels.push(label);
            }
        }
        columns.extend(labels.into_iter().map(|label| {
            let texts = fields
                .iter()
                .map(|field| field.labels.get(label).unwrap_or_default().to_owned());
            Field::new(label, Values::texts(texts))
        }));
    }
    for calc in calcs {
        let mut cells = Values::default();
        for field in &fields {
            cells.push(&calculated(&field.values, calc), Some(0));
        }
        columns.push(Field::new(reduce::title(calc).unwrap_or(calc), cells));
    }
    Frame {
        fields: columns,
        ..Frame::default()
    }
}

fn to_one_row(frame: Frame, calcs: &[String], with_times: bool) -> Frame {
    let fields = frame
        .fields
        .iter()
        .filter(|field| with_times || !matches!(field.values, Values::Times(_)));
    let fields = fields.flat_map(|field| {
        calcs.iter().map(move |calc| {
            let mut field = Field {
                values: calculated(&field.values, calc),
                ..field.clone()
            };
            if calcs.len() > 1 {
                let title = reduce::title(calc).unwrap_or(calc);
                field.labels = field.labels.with("reducer", title);
                field.name = format!("{} {title}", field.name);
            }
            field
        })
    });
    Frame {
        fields: fields.collect(),
        ..frame
    }
}

/// One cell: a calculation over a column.
fn calculated(values: &Values, calc: &str) -> Values {
    match values {
        Values::Times(values) => Values::times([reduce::reduce(calc, values)]),
        Values::Numbers(values) => Values::numbers([reduce::reduce(calc, values)]),
        Values::Texts(texts) => match calc {
            "count" | "countAll" | "distinctCount" => {
                // The calculations know numbers only: each text stands for the first place where it is found.
                let mut places: BTreeMap<&String, f64> = BTreeMap::new();
                let places: Vec<f64> = (0u32..)
                    .zip(texts)
                    .map(|(place, text)| *places.entry(text).or_insert(f64::from(place)))
                    .collect();
                Values::numbers([reduce::reduce(calc, &places)])
            }
            "first" | "firstNotNull" => Values::texts(texts.first().cloned()),
            _ => Values::texts(texts.last().cloned()),
        },
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupBy {
    fields: BTreeMap<String, Operation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Operation {
    aggregations: Vec<String>,
    operation: Option<String>,
}

/// `groupBy`: a row for each combination of the values of some columns, with calculations over the others.
pub fn group(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: GroupBy = read(options)?;
    let operation = |field: &Field| options.fields.get(&field.name);
    let is_key =
        |field: &&Field| operation(field).is_some_and(|operation| operation.operation.as_deref() == Some("groupby"));
    if !frames
        .iter()
        .flat_map(|frame| &frame.fields)
        .any(|field| is_key(&field))
    {
        return Ok(frames);
    }
    let mut grouped = Vec::new();
    for frame in &frames {
        let keys: Vec<&Field> = frame.fields.iter().filter(is_key).collect();
        if keys.is_empty() {
            continue;
        }
        // In the order in which they are first seen.
        let mut groups: Vec<Vec<Option<usize>>> = Vec::new();
        let mut by_key: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        fits(frame.len().saturating_mul(keys.len() * size_of::<String>()))?;
        for row in 0..frame.len() {
            let key = keys.iter().map(|field| field.values.text(row)).collect();
            let group = *by_key.entry(key).or_insert(groups.len());
            match groups.get_mut(group) {
                Some(rows) => rows.push(Some(row)),
                None => groups.push(vec![Some(row)]),
            }
        }
        let firsts: Vec<Option<usize>> = groups.iter().map(|rows| rows.first().copied().flatten()).collect();
        let mut fields: Vec<Field> = keys
            .iter()
            .map(|field| Field::new(&field.name, field.values.select(&firsts)))
            .collect();
        for field in &frame.fields {
            let calcs: Vec<&str> = match operation(field) {
                Some(Operation {
                    operation: Some(kind),
                    aggregations,
                }) => match kind.as_str() {
                    "aggregate" => aggregations.iter().map(String::as_str).collect(),
                    "count" => vec!["count"],
                    "groupby" => continue,
                    other => return Err(format!("groups cannot be made by {other:?}")),
                },
                _ => continue,
            };
            for calc in calcs {
                let mut cells = Values::default();
                for rows in &groups {
                    cells.push(&calculated(&field.values.select(rows), calc), Some(0));
                }
                fields.push(Field::new(format!("{} ({calc})", field.name), cells));
            }
        }
        grouped.push(Frame {
            fields,
            ref_id: frame.ref_id.clone(),
            name: String::new(),
        });
    }
    Ok(grouped)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, series, table, texts, transform};

    #[test]
    fn series_become_rows() {
        let frames = || {
            vec![
                series("A", "a", &[("job", "x")], &[1.0, 3.0]),
                series("A", "b", &[("job", "y")], &[5.0]),
            ]
        };
        let options = json!({"reducers": ["max", "mean"]});
        assert_eq!(
            transform("reduce", options, frames()),
            [["Field|Max|Mean", "a|3|2", "b|5|5"]]
        );
        let options = json!({"reducers": ["lastNotNull"], "labelsToFields": true});
        assert_eq!(
            transform("reduce", options, frames()),
            [["Field|job|Last *", "Value|x|3", "Value|y|5"]]
        );
    }

    #[test]
    fn or_each_a_row_of_its_own() {
        let frames = vec![series("A", "a", &[], &[1.0, 3.0])];
        let options = json!({"mode": "reduceFields", "reducers": ["sum"]});
        assert_eq!(transform("reduce", options, frames), [["a", "4"]]);
    }

    #[test]
    fn rows_are_grouped() {
        let frames = vec![table(
            "A",
            &[
                ("job", texts(&["x", "y", "x"])),
                ("v", numbers(&[1.0, 2.0, 3.0])),
                ("host", texts(&["p", "q", "p"])),
            ],
        )];
        let options = json!({"fields": {"job": {"operation": "groupby"}, "v": {"operation": "aggregate", "aggregations": ["sum", "max"]},
            "host": {"operation": "aggregate", "aggregations": ["distinctCount", "last"]}}});
        assert_eq!(
            transform("groupBy", options, frames),
            [[
                "job|v (sum)|v (max)|host (distinctCount)|host (last)",
                "x|4|3|1|p",
                "y|2|2|1|q"
            ]]
        );
    }
}
