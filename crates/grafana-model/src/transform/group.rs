//! Many values to one: `reduce` and `groupBy`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, made_of, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::error::TransformError;
use crate::model::Matcher;
use crate::names::Naming;
use crate::overrides::{Match, is_match, matcher};
use crate::reduce;
use crate::scope::Scope;

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reduce {
    reducers: Vec<String>,
    mode: String,
    include_time_field: bool,
    labels_to_fields: bool,
    fields: Option<Matcher>,
}

impl Default for Reduce {
    fn default() -> Self {
        Self {
            reducers: vec!["max".to_owned()],
            mode: String::new(),
            include_time_field: false,
            labels_to_fields: false,
            fields: None,
        }
    }
}

/// `reduce`: a row for each series with a column for each calculation, or one row with the same columns.
pub fn reduce(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Reduce = read(options)?;
    if options.reducers.is_empty() {
        return Ok(frames);
    }
    if let Some(unknown) = options.reducers.iter().find(|calc| reduce::title(calc).is_none()) {
        return Err(TransformError::Calculation(unknown.clone()));
    }
    let fields: usize = frames.iter().map(|frame| frame.fields.len()).sum();
    fits(fields * options.reducers.len() * Field::SIZE)?;
    let chosen = options.fields.as_ref().map(matcher).transpose()?;
    let is_one_row = options.mode == "reduceFields";
    let naming = Naming::of(&frames);
    let is_wanted = |field: &Field, frame: &Frame| match &chosen {
        Some(chosen) => is_match(chosen, field, &naming.name(field, frame), frame),
        None => (is_one_row && options.include_time_field) || !field.values.is_times(),
    };
    if is_one_row {
        let reduced = frames
            .iter()
            .map(|frame| to_one_row(frame, &options.reducers, |field| is_wanted(field, frame)));
        return Ok(reduced.filter(|frame| !frame.fields.is_empty()).collect());
    }
    let labels = if options.labels_to_fields {
        labels_of(&frames)
    } else {
        Vec::new()
    };
    fits(fields.saturating_mul(labels.len() * size_of::<Option<String>>()))?;
    let tables = frames.iter().map(|frame| {
        let fields: Vec<&Field> = frame.fields.iter().filter(|field| is_wanted(field, frame)).collect();
        let name = |field: &&Field| match options.labels_to_fields {
            true => field.source.clone(),
            false => naming.name(field, frame),
        };
        to_rows(&fields, name, &labels, &options.reducers)
    });
    let reduced = below_each_other(tables).map(|fields| Frame {
        ref_id: made_of("reduce", &frames),
        fields,
        ..Frame::default()
    });
    Ok(reduced.into_iter().collect())
}

/// The names of all labels, in the order in which they come.
fn labels_of(frames: &[Frame]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    let fields = frames.iter().flat_map(|frame| &frame.fields);
    for label in fields.flat_map(|field| field.labels.names()) {
        if !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
    }
    labels
}

fn to_rows(fields: &[&Field], name: impl Fn(&&Field) -> String, labels: &[String], calcs: &[String]) -> Vec<Field> {
    let mut columns = vec![Field::new("Field", Values::texts(fields.iter().map(name)))];
    columns.extend(labels.iter().map(|label| {
        let texts = fields.iter().map(|field| field.labels.get(label).map(str::to_owned));
        Field::new(label, Values::Texts(texts.collect()))
    }));
    columns.extend(calcs.iter().map(|calc| {
        let cells = fields.iter().map(|field| match reduce::reduce(calc, &field.values) {
            Cell::Null if field.values.is_empty() => Cell::Null,
            Cell::Null => Cell::Number(f64::NAN),
            Cell::Time(seconds) => Cell::Number(Cell::Time(seconds).as_number()),
            cell => cell,
        });
        Field::new(reduce::title(calc).unwrap_or_default(), Values::of(cells))
    }));
    columns
}

/// The rows of tables below each other: columns that have one name and kind are one; what the first has not is left out.
fn below_each_other(mut tables: impl Iterator<Item = Vec<Field>>) -> Option<Vec<Field>> {
    let mut base = tables.next()?;
    let kind = |field: &Field| std::mem::discriminant(&field.values);
    for table in tables {
        for (index, column) in base.iter_mut().enumerate() {
            let of_column = kind(column);
            for (place, other) in table.iter().enumerate() {
                let is_first = index == 0 && place == 0;
                if is_first || (other.source == column.source && kind(other) == of_column) {
                    other.values.cells().for_each(|cell| column.values.push(cell));
                }
            }
        }
    }
    Some(base)
}

fn to_one_row(frame: &Frame, calcs: &[String], is_wanted: impl Fn(&Field) -> bool) -> Frame {
    let fields = frame.fields.iter().filter(|field| is_wanted(field));
    let fields = fields.flat_map(|field| {
        calcs.iter().map(move |calc| {
            let cell = reduce::reduce(calc, &field.values);
            let keeps_kind = matches!(calc.as_str(), "first" | "firstNotNull" | "last" | "lastNotNull");
            let mut values = if keeps_kind {
                field.values.emptied()
            } else {
                Values::numbers([])
            };
            values.push(match cell {
                Cell::Time(seconds) if !keeps_kind => Cell::Number(Cell::Time(seconds).as_number()),
                cell => cell,
            });
            let labels = match calcs.len() {
                1 => field.labels.clone(),
                _ => field.labels.with("reducer", &reduce::title(calc).unwrap_or_default()),
            };
            Field {
                labels,
                ..field.with(values)
            }
        })
    });
    Frame {
        fields: fields.collect(),
        ..frame.clone()
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

impl Operation {
    fn is(&self, operation: &str) -> bool {
        self.operation.as_deref() == Some(operation)
    }

    /// The calculations over the column. One that makes groups may be counted.
    fn calcs(&self) -> &[String] {
        let is_counted = self.is("groupby") && self.aggregations == ["count"];
        if self.is("aggregate") || is_counted {
            &self.aggregations
        } else {
            &[]
        }
    }
}

/// `groupBy`: a row for each combination of the values of some columns, with calculations over the others.
pub fn group(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: GroupBy = read(options)?;
    let keys = options.fields.iter().filter(|(_, operation)| operation.is("groupby"));
    let keys: Vec<String> = keys.map(|(name, _)| name.clone()).collect();
    if keys.is_empty() {
        return Ok(frames);
    }
    let is_key = Match::Names(keys.clone(), false);
    let naming = Naming::of(&frames);
    let mut grouped = Vec::new();
    for frame in &frames {
        let is_key = |field: &&Field| is_match(&is_key, field, &naming.name(field, frame), frame);
        let by: Vec<&Field> = frame.fields.iter().filter(is_key).collect();
        if by.is_empty() {
            continue;
        }
        let groups = groups(frame, &by)?;
        let firsts: Vec<Option<usize>> = groups.iter().map(|rows| rows.first().copied().flatten()).collect();
        let mut fields: Vec<Field> = by
            .iter()
            .map(|field| without_labels(field).with(field.values.select(&firsts)))
            .collect();
        for field in &frame.fields {
            // Beside other frames, or where its name is meant, a column has but its own name here.
            let name = match frames.len() {
                1 if !keys.contains(&field.source) => naming.name(field, frame),
                _ => own_name(field),
            };
            let operation = options.fields.get(&name).or_else(|| options.fields.get(&field.source));
            for calc in operation.map(Operation::calcs).unwrap_or_default() {
                fields.push(aggregated(field, &name, calc, &groups));
            }
        }
        grouped.push(Frame {
            ref_id: frame.ref_id.clone(),
            fields,
            ..Frame::default()
        });
    }
    Ok(grouped)
}

/// A column as it is without the series that it came from.
pub fn without_labels(field: &Field) -> Field {
    Field {
        labels: Default::default(),
        ..field.clone()
    }
}

/// The name of a column without its frame.
fn own_name(field: &Field) -> String {
    field.renamed.clone().unwrap_or_else(|| field.source.clone())
}

/// The rows of each group, in the order in which they are first seen.
pub fn groups(frame: &Frame, by: &[&Field]) -> Result<Vec<Vec<Option<usize>>>, TransformError> {
    let mut groups: Vec<Vec<Option<usize>>> = Vec::new();
    let mut by_key: BTreeMap<String, usize> = BTreeMap::new();
    fits(frame.len().saturating_mul(by.len() * size_of::<String>()))?;
    for row in 0..frame.len() {
        let key: Vec<String> = by.iter().map(|field| field.values.text(row)).collect();
        let group = *by_key.entry(key.join(",")).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(rows) => rows.push(Some(row)),
            None => groups.push(vec![Some(row)]),
        }
    }
    Ok(groups)
}

/// A column with a calculation over the rows of each group.
pub fn aggregated(field: &Field, name: &str, calc: &str, groups: &[Vec<Option<usize>>]) -> Field {
    let mut values = match calc {
        "count" | "distinctCount" | "changeCount" | "countAll" => Values::numbers([]),
        "allIsNull" | "allIsZero" => Values::Booleans(Vec::new()),
        _ => field.values.emptied(),
    };
    for rows in groups {
        values.push(match (reduce::reduce(calc, &field.values.select(rows)), &values) {
            (Cell::Number(number), Values::Times(_)) => Cell::Time(number / 1000.0),
            (cell, _) => cell,
        });
    }
    Field::new(format!("{name} ({calc})"), values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, series, table, texts, transform};
    use crate::testing::scope;
    use crate::variables::Variables;

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

    #[test]
    fn a_column_for_each_of_many_labels_is_bounded() {
        let frames: Vec<_> = (0..500)
            .map(|number| series("A", "a", &[(&format!("label{number}"), "x")], &[1.0]))
            .collect();
        let reduced = |is: bool| {
            super::reduce(
                &json!({"labelsToFields": is}),
                &scope(Variables::default()),
                frames.clone(),
            )
        };
        assert!(reduced(true).is_err());
        assert!(reduced(false).is_ok());
    }
}
