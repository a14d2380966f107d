//! Several frames to one, side by side: `joinByField`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, made_of, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::error::TransformError;
use crate::names::Naming;
use crate::overrides::{Match, is_match};
use crate::scope::Scope;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ByField {
    by_field: Option<String>,
    mode: Mode,
}

/// Which rows a join has.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum Mode {
    /// One for each value, of all frames.
    #[default]
    Outer,
    /// One for each pair of rows with the same value.
    Inner,
    /// The same, and one for each row that has no other.
    OuterTabular,
}

/// `joinByField`: one table by a column that all have, by default the time.
pub fn by_field(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: ByField = read(options)?;
    let by = options.by_field.filter(|name| !name.is_empty());
    joined(frames, by.map(Match::Name).as_ref(), options.mode)
}

/// The columns of a frame: first the one by which is joined.
struct Table {
    by: Field,
    others: Vec<Field>,
}

fn joined(frames: Vec<Frame>, by: Option<&Match>, mode: Mode) -> Transformed {
    if frames.len() < 2 {
        return Ok(frames);
    }
    fits(frames.iter().map(Frame::len).sum::<usize>() * 2 * size_of::<String>())?;
    let naming = Naming::of(&frames);
    // Without a column that is named it is the time, if the first frame has one.
    let has_time = frames.first().is_some_and(|frame| frame.times().is_some());
    let is_by = |field: &Field, frame: &Frame| match by {
        Some(by) => is_match(by, field, &naming.name(field, frame), frame),
        None => has_time && field.values.is_times(),
    };
    let tables: Vec<Table> = frames
        .iter()
        .filter_map(|frame| {
            let place = frame.fields.iter().position(|field| is_by(field, frame))?;
            let others = frame.fields.iter().enumerate().filter(|(index, _)| *index != place);
            Some(Table {
                by: frame.fields.get(place)?.clone(),
                others: others.map(|(_, field)| beside_others(field, frame)).collect(),
            })
        })
        .collect();
    let is_incomplete = tables.len() < frames.len();
    let fields = match (mode, tables.is_empty()) {
        (_, true) => Vec::new(),
        (Mode::Inner, _) if is_incomplete => {
            let fields = tables.iter().enumerate().flat_map(|(number, table)| {
                let by = (number == 0).then_some(&table.by);
                by.into_iter().chain(&table.others)
            });
            fields.map(|field| field.with(field.values.emptied())).collect()
        }
        (Mode::Inner, _) => in_pairs(tables, false)?,
        (Mode::OuterTabular, _) => in_pairs(tables, true)?,
        (Mode::Outer, _) => by_value(&tables)?,
    };
    Ok(vec![Frame {
        ref_id: made_of("joinByField", &frames),
        fields,
        ..Frame::default()
    }])
}

/// A column that keeps the name of its frame among those of others.
fn beside_others(field: &Field, frame: &Frame) -> Field {
    let mut field = field.clone();
    // From here on it is one of several, which are told apart.
    field.legend.get_or_insert_default();
    if !frame.name.is_empty() {
        if field.source == "Value" {
            field.source.clone_from(&frame.name);
        } else if field.labels.get("name").is_none() {
            field.labels = field.labels.with("name", &frame.name);
        }
    }
    field
}

/// What tells values apart; a number is no text.
fn key(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => format!("'{text}"),
        cell => cell.to_string(),
    }
}

/// A row for each value, numbers in ascending order. Of several rows with the same value the last counts.
fn by_value(tables: &[Table]) -> Result<Vec<Field>, TransformError> {
    let Some(first) = tables.first() else {
        return Ok(Vec::new());
    };
    let keys_of = |table: &Table| table.by.values.cells().map(|cell| key(&cell)).collect::<Vec<String>>();
    let columns: usize = tables.iter().map(|table| table.others.len() + 1).sum();
    let keys: Vec<Vec<String>> = tables.iter().map(keys_of).collect();
    if keys.windows(2).all(|pair| pair.first() == pair.last()) {
        let others = tables.iter().flat_map(|table| table.others.iter().cloned());
        let mut frame = Frame {
            fields: std::iter::once(first.by.clone()).chain(others).collect(),
            ..Frame::default()
        };
        if !ascends(&first.by.values) && !matches!(first.by.values, Values::Texts(_)) {
            super::sort_frame(&mut frame, 0, false);
        }
        return Ok(frame.fields);
    }
    let mut seen = BTreeSet::new();
    let mut by = first.by.values.emptied();
    for (table, keys) in tables.iter().zip(&keys) {
        for (row, key) in keys.iter().enumerate() {
            if seen.insert(key.clone()) {
                by.push(table.by.values.cell(row));
            }
        }
    }
    let mut sorted = Frame {
        fields: vec![first.by.with(by)],
        ..Frame::default()
    };
    if !matches!(first.by.values, Values::Texts(_)) {
        super::sort_frame(&mut sorted, 0, false);
    }
    fits(sorted.len().saturating_mul(columns * size_of::<f64>()))?;
    let mut fields = sorted.fields;
    let wanted: Vec<String> = fields
        .first()
        .map(|field| field.values.cells().map(|cell| key(&cell)).collect())
        .unwrap_or_default();
    for (table, keys) in tables.iter().zip(&keys) {
        let places: BTreeMap<&String, usize> = keys.iter().enumerate().map(|(row, key)| (key, row)).collect();
        let rows: Vec<Option<usize>> = wanted.iter().map(|key| places.get(key).copied()).collect();
        fields.extend(table.others.iter().map(|field| field.with(field.values.select(&rows))));
    }
    Ok(fields)
}

/// Whether each value is greater than the one before.
fn ascends(values: &Values) -> bool {
    let mut numbers = values
        .cells()
        .filter(|cell| !cell.is_null())
        .map(|cell| cell.as_number());
    let mut before = f64::NEG_INFINITY;
    numbers.all(|number| number > std::mem::replace(&mut before, number))
}

/// A row for each pair of rows with the same value, and, if `keeps_all`, one for each row that has no other.
fn in_pairs(tables: Vec<Table>, keeps_all: bool) -> Result<Vec<Field>, TransformError> {
    let mut tables = tables.into_iter();
    let Some(Table { by, others }) = tables.next() else {
        return Ok(Vec::new());
    };
    let mut left: Vec<Field> = std::iter::once(by).chain(others).collect();
    for right in tables {
        let left_by = left.first().map(|field| field.values.clone()).unwrap_or_default();
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut order: Vec<String> = Vec::new();
        for (row, cell) in right.by.values.cells().enumerate() {
            let rows = places.entry(cell.to_string()).or_insert_with(|| {
                order.push(cell.to_string());
                Vec::new()
            });
            rows.push(row);
        }
        let (mut pairs, mut unmatched) = (Vec::new(), Vec::new());
        let mut matched = BTreeSet::new();
        let columns = left.len() + right.others.len();
        for (row, cell) in left_by.cells().enumerate() {
            match places.get(&cell.to_string()).filter(|_| !cell.is_null()) {
                Some(rows) => {
                    fits((pairs.len() + rows.len()).saturating_mul(columns * size_of::<f64>()))?;
                    pairs.extend(rows.iter().map(|other| (Some(row), Some(*other))));
                    matched.insert(cell.to_string());
                }
                None => unmatched.push((Some(row), None)),
            }
        }
        if keeps_all {
            pairs.extend(unmatched);
            let alone = order
                .iter()
                .filter(|key| !matched.contains(*key))
                .filter_map(|key| places.get(key));
            pairs.extend(alone.flatten().map(|row| (None, Some(*row))));
        }
        let (rows, rows_of_right): (Vec<Option<usize>>, Vec<Option<usize>>) = pairs.into_iter().unzip();
        let mut by = left_by.emptied();
        for (row, other) in rows.iter().zip(&rows_of_right) {
            by.push(match (row, other) {
                (Some(row), _) => left_by.cell(*row),
                (None, Some(other)) => right.by.values.cell(*other),
                (None, None) => Cell::Null,
            });
        }
        for field in &mut left {
            field.values = field.values.select(&rows);
        }
        if let Some(field) = left.first_mut() {
            field.values = by;
        }
        left.extend(
            right
                .others
                .iter()
                .map(|field| field.with(field.values.select(&rows_of_right))),
        );
    }
    Ok(left)
}

/// As the calculations need it: series as columns of one table by their times, if there are several.
pub fn as_columns(frames: Vec<Frame>) -> Transformed {
    let name_of_time = |frame: &Frame| {
        let mut fields = frame.fields.iter();
        fields
            .find(|field| field.values.is_times())
            .map(|field| field.source.clone())
    };
    let name = frames.first().and_then(name_of_time);
    match name.filter(|name| frames.len() > 1 && frames.iter().all(|frame| name_of_time(frame).as_ref() == Some(name)))
    {
        Some(name) => joined(frames, Some(&Match::Name(name)), Mode::Outer),
        None => Ok(frames),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, series, table, texts, transform};

    #[test]
    fn series_are_joined_by_time() {
        let frames = || vec![series("A", "a", &[], &[1.0, 2.0]), series("A", "b", &[], &[3.0])];
        assert_eq!(
            transform("joinByField", json!({}), frames()),
            [["Time|a|b", "0|1|3", "1000|2|"]]
        );
        assert_eq!(
            transform("seriesToColumns", json!({"mode": "inner"}), frames()),
            [["Time|a|b", "0|1|3"]]
        );
    }

    #[test]
    fn rows_of_equal_values_are_joined_in_pairs() {
        let frames = || {
            vec![
                table("A", &[("k", texts(&["a", "b", "a"])), ("v", numbers(&[1.0, 2.0, 3.0]))]),
                table("B", &[("k", texts(&["a", "a", "d"])), ("w", numbers(&[5.0, 6.0, 7.0]))]),
            ]
        };
        assert_eq!(
            transform("joinByField", json!({"byField": "k", "mode": "inner"}), frames()),
            [["k|v|w", "a|1|5", "a|1|6", "a|3|5", "a|3|6"]]
        );
        assert_eq!(
            transform("joinByField", json!({"byField": "k", "mode": "outerTabular"}), frames())[0][5..],
            ["b|2|", "d||7"]
        );
        assert_eq!(
            transform("joinByField", json!({"byField": "k"}), frames()),
            [["k|v|w", "a|3|6", "b|2|", "d||7"]]
        );
    }

    #[test]
    fn tables_are_joined_by_a_column() {
        let frames = || {
            vec![
                table(
                    "A",
                    &[
                        ("Time", numbers(&[9.0, 9.0])),
                        ("host", texts(&["b", "a"])),
                        ("v", numbers(&[1.0, 2.0])),
                    ],
                ),
                table(
                    "B",
                    &[
                        ("Time", numbers(&[9.0])),
                        ("host", texts(&["a"])),
                        ("w", numbers(&[3.0])),
                    ],
                ),
            ]
        };
        assert_eq!(
            transform("joinByField", json!({"byField": "host"}), frames()),
            [["host|Time 1|v|Time 2|w", "b|9|1||", "a|9|2|9|3"]]
        );
    }
}
