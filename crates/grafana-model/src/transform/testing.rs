//! Frames for tests, and what transformations make of them.

use super::*;
use crate::data::{Field, Frame, Values};
use crate::time::Zone;

pub fn scope() -> Scope {
    Scope {
        range: crate::time::TimeRange { from: 0.0, to: 60.0 },
        variables: crate::variables::Variables::default(),
        min_step: 15_000,
        now: None,
        zone: Zone::UTC,
        dashboard: String::new(),
        deadline: limits::Deadline::default(),
    }
}

/// A series of a query, with its times.
pub fn series(query: &str, name: &str, labels: &[(&str, &str)], values: &[f64]) -> Frame {
    let times = (0u32..).zip(values).map(|(time, _)| f64::from(time));
    let field = Field {
        labels: labels.iter().copied().collect(),
        legend: Some(name.to_owned()),
        ..Field::new("Value", Values::numbers(values.iter().copied()))
    };
    Frame {
        name: name.to_owned(),
        ref_id: query.to_owned(),
        fields: vec![Field::new("Time", Values::times(times)), field],
        ..Frame::default()
    }
}

/// A table of texts and numbers.
pub fn table(query: &str, columns: &[(&str, Values)]) -> Frame {
    Frame {
        ref_id: query.to_owned(),
        fields: columns
            .iter()
            .map(|(name, values)| Field::new(*name, values.clone()))
            .collect(),
        ..Frame::default()
    }
}

pub fn texts(texts: &[&str]) -> Values {
    Values::texts(texts.iter().map(|text| (*text).to_owned()))
}

pub fn numbers(numbers: &[f64]) -> Values {
    Values::numbers(numbers.iter().copied())
}

/// What a transformation makes of frames: each as lines of cells, the names first.
pub fn transform(id: &str, options: Value, frames: Vec<Frame>) -> Vec<Vec<String>> {
    let (found, notes) = transform_with_notes(id, options, frames);
    assert!(notes.is_empty(), "{notes:?}");
    found
}

/// The same, and what is said of it.
pub fn transform_with_notes(id: &str, options: Value, frames: Vec<Frame>) -> (Vec<Vec<String>>, Vec<String>) {
    let transformation = Transformation {
        id: id.to_owned(),
        options,
        ..Transformation::default()
    };
    let mut data = Data {
        frames,
        ..Data::default()
    };
    apply(&[transformation], &scope(), &mut data);
    crate::names::resolve(&mut data.frames);
    (data.frames.iter().map(lines).collect(), data.problems)
}

fn lines(frame: &Frame) -> Vec<String> {
    let line = |cell: &dyn Fn(&Field) -> String| frame.fields.iter().map(cell).collect::<Vec<_>>().join("|");
    let rows = (0..frame.len()).map(|row| line(&|field: &Field| field.values.text(row)));
    std::iter::once(line(&|field: &Field| field.name.clone()))
        .chain(rows)
        .collect()
}
