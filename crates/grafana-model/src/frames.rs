//! What becomes of series where a query asks for a table or a heat map.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::data::{Data, Field, Frame, Values};
use super::limits::{self, note};
use super::model::Panel;

/// Makes tables and heat maps of the series of those queries that ask for them.
pub fn finish(panel: &Panel, data: &mut Data) {
    let tables = panel
        .targets
        .iter()
        .filter(|target| target.format == "table" && !target.hide);
    let answered = tables
        .clone()
        .filter(|target| data.frames.iter().any(|frame| frame.ref_id == target.ref_id))
        .count();
    let (mut room, mut left_out) = (limits::FRAMES, 0);
    for target in tables {
        let series = split(&mut data.frames, &target.ref_id);
        if !series.is_empty() {
            let value = if answered > 1 {
                format!("Value #{}", target.ref_id)
            } else {
                "Value".to_owned()
            };
            let (table, too_many) = table(series, &target.ref_id, value, &mut room);
            data.frames.push(table);
            left_out += too_many;
        }
    }
    if left_out > 0 {
        let most = limits::FRAMES >> 20;
        note(
            &mut data.problems,
            format!("{left_out} rows are left out: the tables of a panel have at most {most} MiB"),
        );
    }
    for target in panel
        .targets
        .iter()
        .filter(|target| target.format == "heatmap" && !target.hide)
    {
        let series = split(&mut data.frames, &target.ref_id);
        data.frames.extend(buckets(series));
    }
}

/// Takes out the frames of one query.
fn split(frames: &mut Vec<Frame>, query: &str) -> Vec<Frame> {
    let (taken, left) = std::mem::take(frames)
        .into_iter()
        .partition(|frame| frame.ref_id == query);
    *frames = left;
    taken
}

/// One table: the time, a column for each label, the value; a row for each value of each series. And how many rows were too much for
/// the bytes in `room`.
fn table(series: Vec<Frame>, query: &str, value: String, room: &mut usize) -> (Frame, usize) {
    let names: BTreeSet<&str> = series
        .iter()
        .flat_map(|frame| &frame.fields)
        .flat_map(|field| field.labels.names())
        .collect();
    let mut times = Vec::new();
    let mut numbers = Vec::new();
    let mut texts: Vec<(String, Vec<String>)> = names.into_iter().map(|name| (name.to_owned(), Vec::new())).collect();
    let mut left_out = 0;
    let is_sorted = {
        let mut times = series.iter().flat_map(|frame| frame.times().unwrap_or_default());
        let mut before = f64::NEG_INFINITY;
        times.all(|time| *time >= std::mem::replace(&mut before, *time))
    };
    for frame in &series {
        let of_frame = frame.times().unwrap_or_default();
        for (field, values) in frame.numbers() {
            // Each text is on the heap, with what the allocator puts between.
            let row = texts.len() * 2 * size_of::<String>() + field.labels.size() + 2 * size_of::<f64>();
            for (time, value) in of_frame.iter().zip(values) {
                match room.checked_sub(row) {
                    Some(less) => *room = less,
                    None => {
                        left_out += 1;
                        continue;
                    }
                }
                times.push(*time);
                numbers.push(*value);
                for (name, column) in &mut texts {
                    column.push(field.labels.get(name).unwrap_or_default().to_owned());
                }
            }
        }
    }
    let mut fields = vec![Field::new("Time", Values::times(times))];
    fields.extend(
        texts
            .into_iter()
            .map(|(name, texts)| Field::new(name, Values::texts(texts))),
    );
    fields.push(Field::new(value, Values::numbers(numbers)));
    let mut table = Frame {
        ref_id: query.to_owned(),
        fields,
        ..Frame::default()
    };
    if !is_sorted {
        crate::transform::sort_frame(&mut table, 0, false);
    }
    (table, left_out)
}

/// The buckets of histograms, a frame for each: Prometheus counts what lies below a limit, a heat map shows what lies between two.
fn buckets(series: Vec<Frame>) -> Vec<Frame> {
    let mut groups: Vec<(String, Vec<Frame>)> = Vec::new();
    for frame in series {
        let labels = frame.fields.iter().flat_map(|field| field.labels.iter());
        let others: Vec<&str> = labels
            .filter(|(name, _)| *name != "le")
            .map(|(_, value)| value)
            .collect();
        let group = others.join(",");
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, frames)) => frames.push(frame),
            None => groups.push((group, vec![frame])),
        }
    }
    groups.into_iter().filter_map(|(_, series)| histogram(series)).collect()
}

fn histogram(series: Vec<Frame>) -> Option<Frame> {
    let limit = |field: &Field| {
        let text = field.labels.get("le").unwrap_or(&field.name);
        text.parse().unwrap_or(f64::INFINITY)
    };
    let longest = series.iter().max_by_key(|frame| frame.len())?;
    let time = longest.fields.first()?.clone();
    let (interval, ref_id) = (longest.interval, longest.ref_id.clone());
    let times = longest.times()?.to_vec();
    let mut fields: Vec<Field> = series.into_iter().flat_map(|frame| at(&times, frame)).collect();
    fields.sort_by(|a, b| limit(a).total_cmp(&limit(b)));
    for field in &mut fields {
        if let Some(le) = field.labels.get("le") {
            let le = le.to_owned();
            field.source.clone_from(&le);
            field.legend = Some(le);
        }
    }
    for index in (1..fields.len()).rev() {
        let (below, above) = fields.split_at_mut(index);
        if let (Some(below), Some(above)) = (below.last(), above.first_mut()) {
            subtract(above, below);
        }
    }
    fields.insert(0, time);
    Some(Frame {
        ref_id,
        fields,
        interval,
        ..Frame::default()
    })
}

/// The numbers of `frame` at `times`, none where there is none: queries of the same name may have steps of their own.
fn at(times: &[f64], frame: Frame) -> Vec<Field> {
    let own = frame.times().unwrap_or_default();
    let rows: Option<Vec<Option<usize>>> = (own != times).then(|| {
        let row = |time: &f64| own.binary_search_by(|other| other.total_cmp(time)).ok();
        times.iter().map(row).collect()
    });
    let mut fields = frame.fields;
    fields.retain(|field| matches!(field.values, Values::Numbers(_)));
    if let Some(rows) = rows {
        for field in &mut fields {
            field.values = field.values.select(&rows);
        }
    }
    fields
}

/// A count below it is none.
const LEAST: f64 = 1e-9;

fn subtract(from: &mut Field, field: &Field) {
    let (Values::Numbers(from), Values::Numbers(numbers)) = (&mut from.values, &field.values) else {
        return;
    };
    for (from, number) in Arc::make_mut(from).iter_mut().zip(numbers.iter()) {
        if !number.is_nan() {
            // Buckets are read one after another, and rounded: one that grew meanwhile must not make another negative.
            *from -= number;
            if *from < LEAST {
                *from = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::panel;
    use crate::transform::testing::series;

    /// What becomes of the series of a query: the columns of each frame.
    fn finished(format: &str, frames: Vec<Frame>) -> Vec<String> {
        let panel = panel(json!({"type": "table", "targets": [{"refId": "A", "expr": "x", "format": format}]}));
        let mut data = Data {
            frames,
            ..Data::default()
        };
        finish(&panel, &mut data);
        crate::names::resolve(&mut data.frames);
        let column = |field: &Field| {
            let cells: Vec<String> = field.values.cells().map(|cell| cell.to_string()).collect();
            format!("{}: {}", field.name, cells.join(" "))
        };
        let frames = data.frames.iter();
        frames
            .map(|frame| frame.fields.iter().map(column).collect::<Vec<_>>().join(", "))
            .collect()
    }

    #[test]
    fn the_rows_of_all_series_are_in_the_order_of_time() {
        let of = |label: &str, values: &[f64]| series("A", "a", &[("i", label)], values);
        assert_eq!(
            finished("table", vec![of("1", &[1.0, f64::NAN, 3.0]), of("2", &[4.0, 5.0])]),
            ["Time: 0 0 1000 1000 2000, i: 1 2 1 2 1, Value: 1 4 NaN 5 3"]
        );
    }

    #[test]
    fn labels_that_are_called_as_other_columns_are_told_apart() {
        let labels = [("Time", "a"), ("Value", "b"), ("le", "1")];
        assert_eq!(
            finished("table", vec![series("A", "a", &labels, &[5.0])]),
            ["Time: 0, Time 2: a, Value 1: b, le: 1, Value 2: 5"]
        );
    }

    #[test]
    fn each_histogram_is_a_frame_and_what_rounding_leaves_is_nothing() {
        let bucket = |job: &str, le: &str, count: f64| series("A", le, &[("job", job), ("le", le)], &[count]);
        let groups = vec![
            bucket("a", "1", 1.0),
            bucket("a", "2", 3.0),
            bucket("b", "1", 5.0),
            bucket("b", "2", 9.0),
        ];
        assert_eq!(
            finished("heatmap", groups),
            ["Time: 0, 1: 1, 2: 2", "Time: 0, 1: 5, 2: 4"]
        );
        let tiny = vec![
            bucket("a", "1", 0.1),
            bucket("a", "2", 0.100_000_000_001_000_01),
            bucket("a", "+Inf", 0.3),
        ];
        assert_eq!(
            finished("heatmap", tiny),
            ["Time: 0, 1: 0.1, 2: 0, +Inf: 0.19999999999899998"]
        );
    }
}
