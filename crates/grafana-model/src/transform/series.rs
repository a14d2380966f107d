//! Series to columns and rows.

use serde::Deserialize;
use serde_json::Value;

use super::join::merged;
use super::{Transformed, fits, read};
use crate::data::{Field, Frame, Values};
use crate::evaluate::Scope;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Concatenate {
    frame_name_mode: Option<String>,
}

/// `concatenate`: all columns beside each other.
pub fn concatenate(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Concatenate = read(options)?;
    let with_name = match options.frame_name_mode.as_deref() {
        None | Some("field") => true,
        Some("drop" | "label") => false,
        Some(other) => return Err(format!("the mode {other:?} is not supported")),
    };
    if frames.len() < 2 {
        return Ok(frames);
    }
    let rows = frames.iter().map(Frame::len).max().unwrap_or(0);
    let fields: usize = frames.iter().map(|frame| frame.fields.len()).sum();
    fits(rows.saturating_mul(fields * size_of::<f64>()))?;
    let rows: Vec<Option<usize>> = (0..rows).map(Some).collect();
    let fields = frames.into_iter().flat_map(|frame| {
        let name = frame.name;
        let rows = &rows;
        frame.fields.into_iter().map(move |mut field| {
            field.values = field.values.select(rows);
            if with_name && !name.is_empty() {
                let is_value = field.name == name || field.source() == "Value";
                field.name = if is_value {
                    name.clone()
                } else {
                    format!("{name} · {}", field.name)
                };
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
pub fn series_to_rows(_: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    if frames.len() < 2 || !frames.iter().all(|frame| frame.times().is_some()) {
        return Ok(frames);
    }
    let bytes = |(field, numbers): (&Field, &[f64])| numbers.len() * (field.name.len() + size_of::<String>());
    fits(frames.iter().flat_map(Frame::numbers).map(bytes).sum())?;
    let mut rows: Vec<(f64, &str, f64)> = Vec::new();
    for frame in &frames {
        let times = frame.times().unwrap_or_default();
        for (field, numbers) in frame.numbers() {
            let series = times
                .iter()
                .zip(numbers)
                .map(|(time, number)| (*time, field.name.as_str(), *number));
            rows.extend(series.filter(|(_, _, number)| !number.is_nan()));
        }
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let columns = vec![
        Field::new("Time", Values::times(rows.iter().map(|row| row.0))),
        Field::new("Metric", Values::texts(rows.iter().map(|row| row.1.to_owned()))),
        Field::new("Value", Values::numbers(rows.iter().map(|row| row.2))),
    ];
    Ok(vec![Frame {
        fields: columns,
        ..Frame::default()
    }])
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LabelsToFields {
    mode: Option<String>,
    keep_labels: Option<Vec<String>>,
    value_label: Option<String>,
}

/// `labelsToFields`: a column for each label.
pub fn labels_to_fields(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: LabelsToFields = read(options)?;
    if let Some(mode) = options.mode.as_deref().filter(|mode| *mode != "columns") {
        return Err(format!("the mode {mode:?} is not supported"));
    }
    let keeps = |label: &str| {
        options
            .keep_labels
            .as_ref()
            .is_none_or(|kept| kept.iter().any(|kept| kept == label))
    };
    let bytes = |frame: &Frame| frame.len() * frame.fields.iter().map(|field| 2 * field.labels.size()).sum::<usize>();
    fits(frames.iter().map(bytes).sum())?;
    let tables = frames.into_iter().map(|frame| {
        let rows = frame.len();
        let mut fields = Vec::new();
        for field in frame.fields {
            if field.labels.is_empty() {
                fields.push(field);
                continue;
            }
            let mut name = field.source().to_owned();
            for (label, value) in field.labels.iter() {
                if options.value_label.as_deref() == Some(label) {
                    value.clone_into(&mut name);
                } else if keeps(label) {
                    fields.push(Field::new(
                        label,
                        Values::texts(std::iter::repeat_n(value.to_owned(), rows)),
                    ));
                }
            }
            fields.push(Field::new(name, field.values));
        }
        Frame {
            fields,
            ref_id: frame.ref_id,
            name: String::new(),
        }
    });
    merged(tables.collect())
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
            ["0|1|0|3", "1|2||"]
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
            [["Time|Metric|Value", "1|a|2", "0|a|1", "0|b|3"]]
        );
        assert_eq!(
            transform("labelsToFields", json!({}), frames()),
            [["Time|job|Value", "0|x|1", "1|x|2", "0|y|3"]]
        );
        assert_eq!(
            transform("labelsToFields", json!({"valueLabel": "job"}), frames()),
            [["Time|x|y", "0|1|3", "1|2|"]]
        );
    }
}
