//! Series to columns and rows.

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, made_of, read};
use crate::data::{Field, Frame, Values};
use crate::names::Naming;
use crate::scope::Scope;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Concatenate {
    frame_name_mode: FrameName,
    frame_name_label: Option<String>,
}

/// What becomes of the names of frames.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum FrameName {
    /// Part of the names of columns.
    #[default]
    Field,
    /// A label of columns.
    Label,
    /// Nothing.
    Drop,
}

/// `concatenate`: all columns beside each other.
pub fn concatenate(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Concatenate = read(options)?;
    if frames.len() < 2 {
        return Ok(frames);
    }
    let rows = frames.iter().map(Frame::len).max().unwrap_or(0);
    let fields: usize = frames.iter().map(|frame| frame.fields.len()).sum();
    fits(rows.saturating_mul(fields * size_of::<f64>()))?;
    let rows: Vec<Option<usize>> = (0..rows).map(Some).collect();
    let fields = frames.into_iter().flat_map(|frame| {
        let (name, rows, options) = (frame.name, &rows, &options);
        frame.fields.into_iter().map(move |mut field| {
            field.values = field.values.select(rows);
            match options.frame_name_mode {
                _ if name.is_empty() => {}
                FrameName::Drop => {}
                FrameName::Label => {
                    let label = options.frame_name_label.as_deref().unwrap_or("frame");
                    field.labels = field.labels.with(label, &name);
                }
                FrameName::Field if matches!(field.source.as_str(), "" | "Value") => field.source.clone_from(&name),
                FrameName::Field => field.source = format!("{name} · {}", field.source),
            }
            field
        })
    });
    let fields: Vec<Field> = fields.collect();
    Ok(vec![Frame {
        fields,
        ..Frame::default()
    }])
}

/// `seriesToRows`: a row for each value, the newest first, with the name of the series.
pub fn series_to_rows(_: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    if frames.is_empty() {
        return Ok(frames);
    }
    frames.retain(|frame| !frame.is_empty());
    let is_series = |frame: &Frame| {
        let ascends = |times: &[f64]| times.windows(2).all(|pair| pair.first() < pair.last());
        frame
            .fields
            .iter()
            .any(|field| matches!(&field.values, Values::Times(times) if ascends(times)))
            && frame.fields.iter().any(|field| field.values.is_numbers())
    };
    if !frames.iter().all(is_series) {
        return Ok(frames);
    }
    let names: Vec<String> = frames.iter().map(name_of).collect();
    let bytes = |(frame, name): (&Frame, &String)| frame.len() * (name.len() + size_of::<String>());
    fits(frames.iter().zip(&names).map(bytes).sum())?;
    let (mut times, mut metrics, mut values) = (Values::times([]), Vec::new(), None);
    for (frame, name) in frames.iter().zip(&names) {
        let time = frame
            .fields
            .iter()
            .rposition(|field| field.values.is_times())
            .unwrap_or(0);
        let (Some(time), Some(value)) = (frame.fields.get(time), frame.fields.get(usize::from(time == 0))) else {
            continue;
        };
        let values = values.get_or_insert_with(|| value.values.emptied());
        for row in 0..frame.len() {
            times.push(time.values.cell(row));
            metrics.push(Some(name.clone()));
            values.push(value.values.cell(row));
        }
    }
    let columns = vec![
        Field::new("Time", times),
        Field::new("Metric", Values::Texts(metrics)),
        Field::new("Value", values.unwrap_or_default()),
    ];
    let mut rows = Frame {
        ref_id: made_of("seriesToRows", &frames),
        fields: columns,
        ..Frame::default()
    };
    super::sort_frame(&mut rows, 0, true);
    Ok(vec![rows])
}

/// What a frame is called: by its own name, or by those of its values.
fn name_of(frame: &Frame) -> String {
    if !frame.name.is_empty() {
        return frame.name.clone();
    }
    let naming = Naming::alone(frame);
    let values = frame.fields.iter().filter(|field| !field.values.is_times());
    values
        .map(|field| naming.name(field, frame))
        .collect::<Vec<_>>()
        .join(", ")
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LabelsToFields {
    mode: Option<String>,
    keep_labels: Option<Vec<String>>,
    value_label: Option<String>,
}

/// `labelsToFields`: a column for each label, or a table of them for each series.
pub fn labels_to_fields(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: LabelsToFields = read(options)?;
    let kept = options.keep_labels.as_ref();
    if options.mode.as_deref() == Some("rows") {
        return labels_to_rows(&frames, kept);
    }
    let keeps = |label: &str| kept.is_none_or(|kept| kept.is_empty() || kept.iter().any(|kept| kept == label));
    let bytes = |frame: &Frame| frame.len() * frame.fields.iter().map(|field| 2 * field.labels.size()).sum::<usize>();
    fits(frames.iter().map(bytes).sum())?;
    let tables = frames.into_iter().map(|frame| {
        let rows = frame.len();
        let mut fields = Vec::new();
        // Names in the order in which they come, each with its values.
        let mut labels: Vec<(String, Vec<String>)> = Vec::new();
        for mut field in frame.fields {
            if field.has_labels() {
                for (label, value) in field.labels.iter().filter(|(label, _)| keeps(label)) {
                    if options.value_label.as_deref() == Some(label) {
                        value.clone_into(&mut field.source);
                        continue;
                    }
                    let place = labels.iter().position(|(known, _)| known == label).unwrap_or_else(|| {
                        labels.push((label.to_owned(), Vec::new()));
                        labels.len() - 1
                    });
                    if let Some((_, values)) = labels.get_mut(place)
                        && !values.iter().any(|known| known == value)
                    {
                        values.push(value.to_owned());
                    }
                }
                field.labels = Default::default();
                (field.legend, field.renamed) = (None, None);
            }
            fields.push(field);
        }
        for (label, values) in labels {
            let column = |value: String| Field::new(&label, Values::texts(std::iter::repeat_n(value, rows)));
            fields.extend(values.into_iter().map(column));
        }
        Frame {
            fields,
            ..frame_without(&frame.name, &frame.ref_id, frame.interval)
        }
    });
    Ok(tables.collect())
}

/// A frame of that name without columns.
fn frame_without(name: &str, query: &str, interval: f64) -> Frame {
    Frame {
        name: name.to_owned(),
        ref_id: query.to_owned(),
        interval,
        ..Frame::default()
    }
}

/// A table of labels and their values for each series.
fn labels_to_rows(frames: &[Frame], kept: Option<&Vec<String>>) -> Transformed {
    let naming = Naming::of(frames);
    let series = frames
        .iter()
        .flat_map(|frame| &frame.fields)
        .filter(|field| field.has_labels());
    let names: usize = kept
        .iter()
        .copied()
        .flatten()
        .map(|name| name.len() + 2 * size_of::<String>())
        .sum();
    fits(series.map(|field| names + 2 * field.labels.size()).sum())?;
    let mut tables = Vec::new();
    for frame in frames {
        for field in frame.fields.iter().filter(|field| field.has_labels()) {
            let (names, values): (Vec<String>, Vec<Option<String>>) = match kept {
                Some(kept) => {
                    let values = kept.iter().map(|name| field.labels.get(name).map(str::to_owned));
                    (kept.clone(), values.collect())
                }
                None => field
                    .labels
                    .iter()
                    .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
                    .unzip(),
            };
            if names.is_empty() {
                continue;
            }
            tables.push(Frame {
                fields: vec![
                    Field::new("label", Values::texts(names)),
                    Field::new("value", Values::Texts(values)),
                ],
                ..frame_without(&naming.name(field, frame), &frame.ref_id, 0.0)
            });
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{series, transform};

    #[test]
    fn columns_are_put_beside_each_other() {
        let frames = || vec![series("A", "a", &[], &[1.0, 2.0]), series("A", "b", &[], &[3.0])];
        assert_eq!(
            transform("concatenate", json!({}), frames())[0][0],
            "a · Time|a|b · Time|b"
        );
        assert_eq!(
            transform("concatenate", json!({"frameNameMode": "drop"}), frames())[0][1..],
            ["0|1|0|3", "1000|2||"]
        );
    }

    #[test]
    fn series_become_rows_and_labels_columns() {
        let frames = || {
            vec![
                series("A", "a", &[("job", "x")], &[1.0, 2.0]),
                series("A", "b", &[("job", "y")], &[3.0]),
            ]
        };
        assert_eq!(
            transform("seriesToRows", json!({}), frames()),
            [["Time|Metric|Value", "1000|a|2", "0|a|1", "0|b|3"]]
        );
        assert_eq!(
            transform("labelsToFields", json!({}), frames()),
            [vec!["Time|a|a job", "0|1|x", "1000|2|x"], vec!["Time|b|b job", "0|3|y"]]
        );
        assert_eq!(
            transform("labelsToFields", json!({"valueLabel": "job"}), frames()),
            [vec!["Time|a x", "0|1", "1000|2"], vec!["Time|b y", "0|3"]]
        );
    }

    #[test]
    fn a_table_of_labels_for_each_series_is_bounded() {
        let frames: Vec<_> = (0..100).map(|_| series("A", "a", &[("job", "x")], &[1.0])).collect();
        let kept = vec!["l".to_owned(); 100_000];
        assert!(super::labels_to_rows(&frames, Some(&kept)).is_err());
        assert_eq!(super::labels_to_rows(&frames, None).unwrap().len(), 100);
    }
}
