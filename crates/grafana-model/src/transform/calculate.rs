//! `calculateField`: a column computed from others.

use serde::Deserialize;
use serde_json::Value;

use super::join::as_columns;
use super::{Transformed, read};
use crate::data::{Field, Frame, Values};
use crate::evaluate::Scope;
use crate::reduce;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Calculate {
    mode: Option<String>,
    alias: Option<String>,
    replace_fields: bool,
    time_series: Option<bool>,
    reduce: ReduceRow,
    binary: Binary,
    unary: Unary,
    cumulative: Cumulative,
    index: Index,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReduceRow {
    include: Option<Vec<String>>,
    reducer: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Binary {
    left: Operand,
    operator: Option<String>,
    right: Operand,
}

/// A column by its name, or a number. Older dashboards write either as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Operand {
    Text(String),
    Fixed { fixed: String },
    Field { matcher: crate::model::Matcher },
}

impl Default for Operand {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Unary {
    operator: String,
    field_name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cumulative {
    field: Option<String>,
    reducer: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Index {
    as_percentile: bool,
}

/// `calculateField`.
pub fn field(options: &Value, scope: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Calculate = read(options)?;
    let mode = options.mode.as_deref().unwrap_or("reduceRow");
    let frames = match options.time_series {
        Some(false) => frames,
        _ => as_columns(frames)?,
    };
    let mut calculated = Vec::new();
    for mut frame in frames {
        let found = match mode {
            "reduceRow" => reduce_row(&frame, &options.reduce)?,
            "binary" => binary(&frame, &options.binary, scope)?,
            "unary" => unary(&frame, &options.unary)?,
            "cumulativeFunctions" => cumulative(&frame, &options.cumulative)?,
            "index" => Some(index(&frame, &options.index)),
            other => return Err(format!("the mode {other:?} is not supported")),
        };
        let Some(mut field) = found else {
            if !options.replace_fields {
                calculated.push(frame);
            }
            continue;
        };
        if let Some(alias) = options.alias.as_ref().filter(|alias| !alias.is_empty()) {
            field.name = scope.title(alias);
        }
        if options.replace_fields {
            frame
                .fields
                .retain(|field| mode != "index" && matches!(field.values, Values::Times(_)));
        }
        frame.fields.push(field);
        calculated.push(frame);
    }
    Ok(calculated)
}

fn numbers<'f>(frame: &'f Frame, name: &str) -> Option<&'f [f64]> {
    frame
        .numbers()
        .find(|(field, _)| field.name == name || field.source == name)
        .map(|(_, numbers)| numbers)
}

fn reduce_row(frame: &Frame, options: &ReduceRow) -> Result<Option<Field>, String> {
    let calc = options.reducer.as_deref().unwrap_or("sum");
    let title = reduce::title(calc).ok_or_else(|| format!("the calculation {calc:?} is not supported"))?;
    let included = |field: &Field| match &options.include {
        Some(names) if !names.is_empty() => names.iter().any(|name| *name == field.name || *name == field.source),
        _ => true,
    };
    let columns: Vec<&[f64]> = frame
        .numbers()
        .filter(|(field, _)| included(field))
        .map(|(_, numbers)| numbers)
        .collect();
    if columns.is_empty() {
        return Ok(None);
    }
    let rows = (0..frame.len()).map(|row| {
        let cells: Vec<f64> = columns
            .iter()
            .map(|column| column.get(row).copied().unwrap_or(f64::NAN))
            .collect();
        reduce::reduce(calc, &cells)
    });
    Ok(Some(Field::new(title, Values::numbers(rows))))
}

fn binary(frame: &Frame, options: &Binary, scope: &Scope) -> Result<Option<Field>, String> {
    let operator = options.operator.as_deref().unwrap_or("+");
    let apply: fn(f64, f64) -> f64 = match operator {
        "+" => |left, right| left + right,
        "-" => |left, right| left - right,
        "*" => |left, right| left * right,
        "/" => |left, right| left / right,
        "**" | "^" => f64::powf,
        "%" => |left, right| left % right,
        other => return Err(format!("the operator {other:?} is not supported")),
    };
    let (Some((left_name, left)), Some((right_name, right))) = (
        operand(frame, &options.left, scope)?,
        operand(frame, &options.right, scope)?,
    ) else {
        return Ok(None);
    };
    let values = left.iter().zip(&right).map(|(left, right)| apply(*left, *right));
    Ok(Some(Field::new(
        format!("{left_name} {operator} {right_name}"),
        Values::numbers(values),
    )))
}

/// Name and values of an operand; `None`: the frame has no such column.
fn operand(frame: &Frame, operand: &Operand, scope: &Scope) -> Result<Option<(String, Vec<f64>)>, String> {
    let name = match operand {
        Operand::Text(text) | Operand::Fixed { fixed: text } => scope.text(text),
        Operand::Field { matcher } if matcher.id == "byName" => matcher.options.as_str().unwrap_or_default().to_owned(),
        Operand::Field { matcher } => return Err(format!("an operand cannot be chosen by {:?}", matcher.id)),
    };
    if let Some(numbers) = numbers(frame, &name) {
        return Ok(Some((name, numbers.to_vec())));
    }
    let number = name.trim().parse::<f64>().ok();
    Ok(number.map(|number| (name, vec![number; frame.len()])))
}

fn unary(frame: &Frame, options: &Unary) -> Result<Option<Field>, String> {
    let apply: fn(f64) -> f64 = match options.operator.as_str() {
        "abs" => f64::abs,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "floor" => f64::floor,
        "ceil" => f64::ceil,
        "round" => f64::round,
        other => return Err(format!("the operator {other:?} is not supported")),
    };
    Ok(numbers(frame, &options.field_name).map(|numbers| {
        let values = numbers.iter().map(|number| apply(*number));
        Field::new(
            format!("{}({})", options.operator, options.field_name),
            Values::numbers(values),
        )
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn cumulative(frame: &Frame, options: &Cumulative) -> Result<Option<Field>, String> {
    let calc = options.reducer.as_deref().unwrap_or("sum");
    let is_mean = match calc {
        "sum" => false,
        "mean" => true,
        other => return Err(format!("the calculation {other:?} cannot be cumulative")),
    };
    let named = options.field.as_deref().filter(|name| !name.is_empty());
    let found = match named {
        Some(name) => numbers(frame, name).map(|numbers| (name.to_owned(), numbers)),
        None => frame
            .numbers()
            .next()
            .map(|(field, numbers)| (field.name.clone(), numbers)),
    };
    Ok(found.map(|(name, numbers)| {
        let mut total = 0.0;
        let values = numbers.iter().enumerate().map(|(index, number)| {
            total += if number.is_nan() { 0.0 } else { *number };
            if is_mean { total / (index + 1) as f64 } else { total }
        });
        Field::new(format!("cumulative {calc}({name})"), Values::numbers(values))
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn index(frame: &Frame, options: &Index) -> Field {
    let rows = frame.len();
    let of = |row: usize| {
        if options.as_percentile {
            row as f64 / rows as f64
        } else {
            row as f64
        }
    };
    Field::new("Row", Values::numbers((0..rows).map(of)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, series, table, texts, transform};

    fn disk() -> Vec<super::Frame> {
        vec![table(
            "A",
            &[
                ("name", texts(&["sda", "sdb"])),
                ("used", numbers(&[1.0, 3.0])),
                ("size", numbers(&[4.0, 4.0])),
            ],
        )]
    }

    #[test]
    fn rows_are_reduced() {
        assert_eq!(
            transform("calculateField", json!({}), disk())[0],
            ["name|used|size|Total", "sda|1|4|5", "sdb|3|4|7"]
        );
        let options = json!({"mode": "reduceRow", "alias": "most", "replaceFields": true, "reduce": {"reducer": "max", "include": ["used"]}});
        assert_eq!(transform("calculateField", options, disk())[0], ["most", "1", "3"]);
    }

    #[test]
    fn columns_are_combined() {
        let options = json!({"mode": "binary", "binary": {"left": "used", "operator": "/", "right": "size"}});
        assert_eq!(
            transform("calculateField", options, disk())[0][1..],
            ["sda|1|4|0.25", "sdb|3|4|0.75"]
        );
        let options = json!({"mode": "binary", "alias": "x", "binary": {
            "left": {"matcher": {"id": "byName", "options": "used"}}, "operator": "*", "right": {"fixed": "100"}}});
        assert_eq!(
            transform("calculateField", options, disk())[0][..2],
            ["name|used|size|x", "sda|1|4|100"]
        );
    }

    #[test]
    fn series_become_columns_first() {
        let frames = vec![series("A", "a", &[], &[1.0, 2.0]), series("B", "b", &[], &[10.0, 20.0])];
        let options =
            json!({"mode": "binary", "replaceFields": true, "binary": {"left": "b", "operator": "-", "right": "a"}});
        assert_eq!(
            transform("calculateField", options, frames),
            [["Time|b - a", "0|9", "1|18"]]
        );
    }

    #[test]
    fn there_are_other_modes() {
        let options = json!({"mode": "unary", "unary": {"operator": "abs", "fieldName": "used"}});
        assert_eq!(
            transform("calculateField", options, disk())[0][0],
            "name|used|size|abs(used)"
        );
        let options = json!({"mode": "cumulativeFunctions", "cumulative": {"field": "used", "reducer": "sum"}});
        assert_eq!(transform("calculateField", options, disk())[0][2], "sdb|3|4|4");
        let options = json!({"mode": "index"});
        assert_eq!(transform("calculateField", options, disk())[0][2], "sdb|3|4|1");
    }
}
