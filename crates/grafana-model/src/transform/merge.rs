//! Several frames to one, below each other: `merge`.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::group::without_labels;
use super::{Transformed, fits, made_of};
use crate::data::{Cell, Field, Frame};
use crate::error::TransformError;
use crate::reduce::is_same;
use crate::scope::Scope;

/// Where a cell comes from: the number of the frame, of the field in it, and of the row. Small, since there is one for each cell.
type Place = (u16, u16, u32);

/// Bytes that finding a row by its key takes, about.
const KEY_BYTES: usize = 96;

/// Rows with the same key that contradict each other; each is held against all others.
const MAX_ALIKE: usize = 500;

/// `merge`: one table. A row becomes one with each other that agrees in the columns that all have, as long as no cell contradicts.
pub fn merge(_: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    if frames.len() < 2 {
        return Ok(frames);
    }
    let tables: Vec<&Frame> = frames.iter().filter(|frame| !frame.fields.is_empty()).collect();
    let Some(last) = tables.last() else {
        return Ok(frames.into_iter().take(1).collect());
    };
    let mut columns: Vec<&Field> = Vec::new();
    for field in tables.iter().flat_map(|frame| &frame.fields) {
        if !columns.iter().any(|column| column.source == field.source) {
            columns.push(field);
        }
    }
    let place = |frame: &Frame, name: &str| frame.fields.iter().rposition(|field| field.source == name);
    let is_everywhere = |field: &&Field| tables.iter().all(|frame| place(frame, &field.source).is_some());
    let keys: Vec<&Field> = last.fields.iter().filter(is_everywhere).collect();
    if keys.is_empty() {
        return Ok(frames);
    }
    let count: usize = tables.iter().map(|frame| frame.len()).sum();
    let width = columns.len();
    fits(count.saturating_mul(width * size_of::<Option<Place>>() + KEY_BYTES))?;
    let cell = |(frame, field, row): Place| {
        let field = tables
            .get(usize::from(frame))
            .and_then(|frame| frame.fields.get(usize::from(field)));
        field.map_or(Cell::Null, |field| field.values.cell(row as usize))
    };
    // Row after row, each as wide as there are columns; by the hash of its key, which the comparison of all cells confirms.
    let mut cells: Vec<Option<Place>> = Vec::new();
    let mut by_key: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for (number, frame) in tables.iter().enumerate() {
        let places: Vec<Option<usize>> = columns.iter().map(|column| place(frame, &column.source)).collect();
        let key_places: Vec<usize> = keys.iter().filter_map(|key| place(frame, &key.source)).collect();
        for row in 0..frame.len() {
            let at = |field: usize| {
                Some((
                    u16::try_from(number).ok()?,
                    u16::try_from(field).ok()?,
                    u32::try_from(row).ok()?,
                ))
            };
            let new: Vec<Option<Place>> = places.iter().map(|field| field.and_then(at)).collect();
            let mut key = DefaultHasher::new();
            for place in key_places.iter().filter_map(|field| at(*field)) {
                cell(place).to_string().hash(&mut key);
            }
            let found = by_key.entry(key.finish()).or_default();
            if found.len() > MAX_ALIKE {
                return Err(TransformError::Alike(MAX_ALIKE));
            }
            let agrees = |old: &[Option<Place>]| {
                old.iter().zip(&new).all(|places| match places {
                    (Some(old), Some(new)) => cell(*old).is_null() || is_same(&cell(*old), &cell(*new)),
                    _ => true,
                })
            };
            let mut is_merged = false;
            for index in &*found {
                let start = *index as usize * width;
                if let Some(old) = cells.get_mut(start..start + width).filter(|old| agrees(old)) {
                    is_merged = true;
                    old.iter_mut().zip(&new).for_each(|(old, new)| *old = new.or(*old));
                }
            }
            if !is_merged {
                found.extend(u32::try_from(cells.len() / width));
                cells.extend(new);
            }
        }
    }
    let fields = columns.iter().enumerate().map(|(index, column)| {
        let mut values = column.values.emptied();
        for row in cells.chunks(width) {
            values.push(row.get(index).copied().flatten().map_or(Cell::Null, cell));
        }
        Field {
            renamed: None,
            ..without_labels(column).with(values)
        }
    });
    Ok(vec![Frame {
        ref_id: made_of("merge", &frames),
        fields: fields.collect(),
        ..Frame::default()
    }])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, table, texts, transform};

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
    fn a_row_is_merged_into_each_that_agrees() {
        let frames = vec![
            table("A", &[("k", texts(&["a", "b", "a"])), ("v", numbers(&[1.0, 2.0, 3.0]))]),
            table("B", &[("k", texts(&["a", "a"])), ("w", numbers(&[5.0, 6.0]))]),
        ];
        assert_eq!(
            transform("merge", json!({}), frames),
            [["k|v|w", "a|1|5", "b|2|", "a|3|5", "a||6"]]
        );
    }

    #[test]
    fn rows_that_contradict_stay_apart() {
        let of = |query: &str, value: f64| {
            table(
                query,
                &[("host", texts(&["a"])), ("os", texts(&["x"])), ("v", numbers(&[value]))],
            )
        };
        let frames = vec![of("A", 1.0), of("B", 2.0)];
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
}
