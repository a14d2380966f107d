//! Tables turned: `groupingToMatrix` and `transpose`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::names::Naming;
use crate::overrides::{Match, is_match};
use crate::scope::Scope;

/// What stands where there is no value.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Empty {
    True,
    False,
    Null,
    Zero,
    #[default]
    #[serde(rename = "empty")]
    Text,
}

impl Empty {
    fn cell(self) -> Cell<'static> {
        match self {
            Self::True => Cell::Boolean(true),
            Self::False => Cell::Boolean(false),
            Self::Null => Cell::Null,
            Self::Zero => Cell::Number(0.0),
            Self::Text => Cell::Text("".into()),
        }
    }

    /// In a column of `values`: no column of numbers holds a text here, so an empty one is none.
    fn put(self, values: &mut Values) {
        match (&*values, self.cell()) {
            (Values::Texts(_), cell) => values.push(cell),
            (Values::Booleans(_), cell @ Cell::Boolean(_)) | (Values::Numbers(_), cell @ Cell::Number(_)) => {
                values.push(cell)
            }
            _ => values.push(Cell::Null),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Matrix {
    column_field: String,
    row_field: String,
    value_field: String,
    empty_value: Option<Empty>,
}

/// `groupingToMatrix`: a row for each value of one column, and a column for each of another.
pub fn matrix(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Matrix = read(options)?;
    let [frame] = &*frames else { return Ok(frames) };
    let or = |name: String, otherwise: &str| if name.is_empty() { otherwise.to_owned() } else { name };
    let (column, row) = (or(options.column_field, "Time"), or(options.row_field, "Time"));
    let naming = Naming::alone(frame);
    let find = |name: &str| {
        let name = Match::Name(name.to_owned());
        frame
            .fields
            .iter()
            .find(|field| is_match(&name, field, &naming.name(field, frame), frame))
    };
    let value = find(&or(options.value_field, "Value"));
    let (Some(columns), Some(rows), Some(value)) = (find(&column), find(&row), value) else {
        return Ok(frames);
    };
    let (column_texts, _) = unique(&columns.values);
    let (row_texts, first_rows) = unique(&rows.values);
    fits(
        column_texts
            .len()
            .saturating_mul(row_texts.len() * size_of::<f64>() + Field::SIZE),
    )?;
    // The last row of a pair counts.
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    for at in 0..value.values.len() {
        known.insert(
            (columns.values.cell(at).to_string(), rows.values.cell(at).to_string()),
            at,
        );
    }
    let head = Field {
        options: rows.options.clone(),
        ..Field::new(format!("{row}\\{column}"), rows.values.select(&first_rows))
    };
    let mut fields = vec![head];
    for name in column_texts {
        let mut values = value.values.emptied();
        for row in &row_texts {
            match known.get(&(name.clone(), row.clone())).map(|at| value.values.cell(*at)) {
                Some(cell) if !cell.is_null() => values.push(cell),
                _ => options.empty_value.unwrap_or_default().put(&mut values),
            }
        }
        // A name of the query stays where texts make columns.
        let legend = value
            .legend
            .clone()
            .filter(|_| matches!(columns.values, Values::Texts(_)));
        fields.push(Field {
            legend,
            ..Field::new(name, values)
        });
    }
    Ok(vec![Frame {
        fields,
        ..Frame::default()
    }])
}

/// The values of a column, each once, and where each was first.
fn unique(values: &Values) -> (Vec<String>, Vec<Option<usize>>) {
    let mut seen = std::collections::HashSet::new();
    let rows = values.cells().map(|cell| cell.to_string()).enumerate();
    rows.filter(|(_, text)| seen.insert(text.clone()))
        .map(|(row, text)| (text, Some(row)))
        .unzip()
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Transpose {
    first_field_name: String,
    rest_fields_name: String,
    empty_value: Option<Empty>,
}

/// `transpose`: rows become columns.
pub fn transpose(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Transpose = read(options)?;
    let naming = Naming::of(&frames);
    let or = |name: &str, otherwise: &str| {
        if name.is_empty() {
            otherwise.to_owned()
        } else {
            name.to_owned()
        }
    };
    let (first_name, rest) = (
        or(&options.first_field_name, "Field"),
        or(&options.rest_fields_name, "Value"),
    );
    let empty = options.empty_value.unwrap_or_default();
    let cells: usize = frames
        .iter()
        .map(|frame| frame.len() * (frame.fields.len() * size_of::<String>() + Field::SIZE))
        .sum();
    fits(cells)?;
    let turned = frames.iter().map(|frame| {
        let Some(head) = frame.fields.first() else {
            return frame.clone();
        };
        let has_heads = matches!(head.values, Values::Texts(_) | Values::Times(_));
        let fields: &[Field] = frame.fields.get(usize::from(has_heads)..).unwrap_or_default();
        let kind = |field: &Field| std::mem::discriminant(&field.values);
        let is_one_kind = fields
            .first()
            .is_some_and(|first| fields.iter().all(|field| kind(field) == kind(first)));
        let names = fields.iter().map(|field| naming.name(field, frame));
        let mut columns = vec![Field::new(first_name.clone(), Values::texts(names))];
        for row in 0..head.values.len() {
            let text = |values: &Values| match values.cell(row) {
                Cell::Null => empty.cell().to_string(),
                cell => cell.to_string(),
            };
            let values = match fields
                .first()
                .filter(|_| is_one_kind && !matches!(fields[0].values, Values::Texts(_)))
            {
                Some(first) => {
                    let mut values = first.values.emptied();
                    fields.iter().for_each(|field| values.push(field.values.cell(row)));
                    values
                }
                None => Values::texts(fields.iter().map(|field| text(&field.values))),
            };
            let (label, value) = match has_heads {
                true => (head.source.clone(), text(&head.values)),
                false => ("row".to_owned(), (row + 1).to_string()),
            };
            columns.push(Field {
                labels: Default::default(),
                ..Field::new(rest.clone(), values)
            });
            if let Some(column) = columns.last_mut() {
                column.labels = column.labels.with(&label, &value);
            }
        }
        Frame {
            name: frame.name.clone(),
            ref_id: format!("transpose-{}", frame.ref_id),
            fields: columns,
            interval: 0.0,
        }
    });
    Ok(turned.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, table, texts, transform};

    fn frames() -> Vec<crate::data::Frame> {
        vec![table(
            "A",
            &[
                ("host", texts(&["a", "a", "b"])),
                ("disk", texts(&["x", "y", "x"])),
                ("Value", numbers(&[1.0, 2.0, 3.0])),
            ],
        )]
    }

    #[test]
    fn groups_become_a_matrix() {
        let options = json!({"columnField": "disk", "rowField": "host", "valueField": "Value"});
        assert_eq!(
            transform("groupingToMatrix", options, frames()),
            [["host\\disk|x|y", "a|1|2", "b|3|"]]
        );
        let options = json!({"columnField": "disk", "rowField": "host", "valueField": "Value", "emptyValue": "zero"});
        assert_eq!(transform("groupingToMatrix", options, frames())[0][2], "b|3|0");
        assert_eq!(
            transform("groupingToMatrix", json!({"columnField": "none"}), frames())[0][0],
            "host|disk|Value"
        );
    }

    #[test]
    fn rows_become_columns() {
        let turned = transform(
            "transpose",
            json!({"firstFieldName": "of"}),
            vec![table(
                "A",
                &[
                    ("k", texts(&["p", "q"])),
                    ("v", numbers(&[1.0, 2.0])),
                    ("w", numbers(&[3.0, 4.0])),
                ],
            )],
        );
        assert_eq!(turned, [["of|p|q", "v|1|2", "w|3|4"]]);
    }
}
