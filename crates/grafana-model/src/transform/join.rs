//! Several frames to one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, read};
use crate::data::{Field, Frame, Values};
use crate::evaluate::Scope;

/// Where a cell comes from: the number of the frame, of the field in it, and of the row.
type Cell = (usize, usize, usize);

/// `merge`: one table; rows that agree in the columns that all have become one, as long as no cell contradicts.
pub fn merge(_: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    merged(frames)
}

/// Rows with the same key that contradict each other; each is held against all others.
const MAX_ALIKE: usize = 500;

/// See [`merge`].
pub fn merged(mut frames: Vec<Frame>) -> Transformed {
    frames.retain(|frame| !frame.fields.is_empty());
    if frames.len() < 2 {
        return Ok(frames);
    }
    let mut columns: Vec<&str> = Vec::new();
    for field in frames.iter().flat_map(|frame| &frame.fields) {
        if !columns.contains(&field.source()) {
            columns.push(field.source());
        }
    }
    let place = |frame: &Frame, column: &str| frame.fields.iter().position(|field| field.source() == column);
    let is_key = |column: &&&str| frames.iter().all(|frame| place(frame, column).is_some());
    let keys: Vec<&str> = columns.iter().filter(is_key).copied().collect();
    if keys.is_empty() {
        return Ok(frames);
    }
    let count: usize = frames.iter().map(Frame::len).sum();
    fits(count.saturating_mul(columns.len() * size_of::<Option<Cell>>()))?;
    let text = |(frame, field, row): Cell| {
        let field = frames.get(frame).and_then(|frame| frame.fields.get(field));
        field.map(|field| field.values.text(row)).unwrap_or_default()
    };
    let mut rows: Vec<Vec<Option<Cell>>> = Vec::new();
    let mut by_key: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for (number, frame) in frames.iter().enumerate() {
        let places: Vec<Option<usize>> = columns.iter().map(|column| place(frame, column)).collect();
        let key_places: Vec<usize> = keys.iter().filter_map(|key| place(frame, key)).collect();
        for row in 0..frame.len() {
            let cells: Vec<Option<Cell>> = places
                .iter()
                .map(|field| field.map(|field| (number, field, row)))
                .collect();
            let key = key_places.iter().map(|field| text((number, *field, row))).collect();
            let found = by_key.entry(key).or_default();
            if found.len() > MAX_ALIKE {
                return Err(format!(
                    "more than {MAX_ALIKE} rows are alike in the columns that all have"
                ));
            }
            let mut is_merged = false;
            for index in &*found {
                let Some(existing) = rows.get_mut(*index) else { continue };
                let agrees = existing.iter().zip(&cells).all(|cells| match cells {
                    (Some(old), Some(new)) => {
                        let old = text(*old);
                        old.is_empty() || old == text(*new)
                    }
                    _ => true,
                });
                if agrees {
                    is_merged = true;
                    for (old, new) in existing.iter_mut().zip(&cells) {
                        *old = new.or(*old);
                    }
                    break;
                }
            }
            if !is_merged {
                found.push(rows.len());
                rows.push(cells);
            }
        }
    }
    let fields = columns.iter().enumerate().filter_map(|(index, column)| {
        let same: Vec<&Field> = frames
            .iter()
            .flat_map(|frame| &frame.fields)
            .filter(|field| field.source() == *column)
            .collect();
        let first = same.first()?;
        let mut values = first.values.emptied();
        for row in &rows {
            let cell = row.get(index).copied().flatten();
            let from = cell.and_then(|(frame, field, row)| Some((frames.get(frame)?.fields.get(field)?, row)));
            match from {
                Some((field, row)) => values.push(&field.values, Some(row)),
                None => values.push(&first.values, None),
            }
        }
        Some(Field {
            source: (*column).to_owned(),
            ..Field::new(&first.name, values)
        })
    });
    Ok(vec![Frame {
        fields: fields.collect(),
        ..Frame::default()
    }])
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ByField {
    by_field: Option<String>,
    mode: Option<String>,
}

/// `joinByField`: one table, a row for each value of a column that all have, by default the time.
pub fn by_field(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: ByField = read(options)?;
    let keeps_all = match options.mode.as_deref() {
        None | Some("outer") => true,
        Some("inner") => false,
        Some(other) => return Err(format!("the mode {other:?} is not supported")),
    };
    joined(
        frames,
        options.by_field.as_deref().filter(|name| !name.is_empty()),
        keeps_all,
    )
}

fn joined(frames: Vec<Frame>, by: Option<&str>, keeps_all: bool) -> Transformed {
    if frames.len() < 2 {
        return Ok(frames);
    }
    // A key and its place for each row.
    fits(frames.iter().map(Frame::len).sum::<usize>() * 2 * size_of::<String>())?;
    let key_of = |frame: &Frame| match by {
        Some(name) => frame
            .fields
            .iter()
            .position(|field| field.name == name || field.source() == name),
        None => frame
            .fields
            .iter()
            .position(|field| matches!(field.values, Values::Times(_))),
    };
    let with_key: Vec<(&Frame, usize, BTreeMap<String, usize>)> = frames
        .iter()
        .filter_map(|frame| {
            let key = key_of(frame)?;
            let values = &frame.fields.get(key)?.values;
            // Of several rows with the same value the first counts.
            let rows = (0..values.len()).rev().map(|row| (values.text(row), row)).collect();
            Some((frame, key, rows))
        })
        .collect();
    let Some((first, first_key, _)) = with_key.first() else {
        return Ok(frames);
    };
    let Some(first_field) = first.fields.get(*first_key) else {
        return Ok(frames);
    };
    let mut keys = first_field.values.emptied();
    let mut seen = BTreeSet::new();
    for (frame, key, _) in &with_key {
        let Some(field) = frame.fields.get(*key) else { continue };
        for row in 0..field.values.len() {
            let text = field.values.text(row);
            let everywhere = || with_key.iter().all(|(.., rows)| rows.contains_key(&text));
            if !seen.contains(&text) && (keeps_all || everywhere()) {
                keys.push(&field.values, Some(row));
                seen.insert(text);
            }
        }
    }
    if let Values::Times(values) | Values::Numbers(values) = &mut keys {
        Arc::make_mut(values).sort_by(f64::total_cmp);
    }
    let columns: usize = frames.iter().map(|frame| frame.fields.len()).sum();
    fits(keys.len().saturating_mul(columns * size_of::<f64>()))?;
    let wanted: Vec<String> = (0..keys.len()).map(|row| keys.text(row)).collect();
    let mut fields = vec![Field {
        values: keys,
        ..first_field.clone()
    }];
    for (frame, key, rows) in &with_key {
        let rows: Vec<Option<usize>> = wanted.iter().map(|key| rows.get(key).copied()).collect();
        let others = frame.fields.iter().enumerate().filter(|(index, _)| index != key);
        fields.extend(others.map(|(_, field)| Field {
            values: field.values.select(&rows),
            ..field.clone()
        }));
    }
    number_equal_names(&mut fields);
    Ok(vec![Frame {
        fields,
        ..Frame::default()
    }])
}

/// Columns of a table have names of their own: `Time 1`, `Time 2`.
fn number_equal_names(fields: &mut [Field]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for field in &*fields {
        *counts.entry(field.name.clone()).or_default() += 1;
    }
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for field in fields {
        if counts.get(&field.name).is_some_and(|count| *count > 1) {
            let number = numbers.entry(field.name.clone()).or_default();
            *number += 1;
            field.name = format!("{} {number}", field.name);
        }
    }
}

/// As the calculations need it: series as columns of one table by their times, if there are several.
pub fn as_columns(frames: Vec<Frame>) -> Transformed {
    let is_series = |frame: &Frame| frame.fields.len() == 2 && frame.times().is_some();
    match frames.len() > 1 && frames.iter().all(is_series) {
        true => joined(frames, None, true),
        false => Ok(frames),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, series, table, texts, transform};
    #[test]
    fn tables_are_merged_by_what_they_share() {
        let frames = vec![
            table("A", &[("host", texts(&["a", "b"])), ("Value #A", numbers(&[1.0, 2.0]))]),
            table("B", &[("host", texts(&["b", "c"])), ("Value #B", numbers(&[3.0, 4.0]))]),
        ];
        assert_eq!(
            transform("merge", json!({}), frames),
            [["host|Value #A|Value #B", "a|1|", "b|2|3", "c||4"]]
        );
    }

    #[test]
    fn rows_that_contradict_stay_apart() {
        let frames = vec![
            table(
                "A",
                &[("host", texts(&["a"])), ("os", texts(&["x"])), ("v", numbers(&[1.0]))],
            ),
            table(
                "B",
                &[("host", texts(&["a"])), ("os", texts(&["x"])), ("v", numbers(&[2.0]))],
            ),
        ];
        assert_eq!(transform("merge", json!({}), frames), [["host|os|v", "a|x|1", "a|x|2"]]);
    }

    #[test]
    fn nothing_in_common_is_left_alone() {
        let frames = vec![
            table("A", &[("a", numbers(&[1.0]))]),
            table("B", &[("b", numbers(&[1.0]))]),
        ];
        assert_eq!(transform("merge", json!({}), frames).len(), 2);
    }

    #[test]
    fn series_are_joined_by_time() {
        let frames = || vec![series("A", "a", &[], &[1.0, 2.0]), series("A", "b", &[], &[3.0])];
        assert_eq!(
            transform("joinByField", json!({}), frames()),
            [["Time|a|b", "0|1|3", "1|2|"]]
        );
        assert_eq!(
            transform("seriesToColumns", json!({"mode": "inner"}), frames()),
            [["Time|a|b", "0|1|3"]]
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
