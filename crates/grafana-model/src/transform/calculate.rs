//! `calculateField`: a column computed from others.

use serde::Deserialize;
use serde_json::Value;

use super::join::as_columns;
use super::{Transformed, read, window};
use crate::data::{Cell, Field, Frame, NULL, Values};
use crate::error::TransformError;
use crate::model::Matcher;
use crate::names::Naming;
use crate::overrides::{Match, is_match};
use crate::scope::Scope;
use crate::units::leading_number;
use crate::{reduce, units};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Calculate {
    mode: Mode,
    alias: Option<String>,
    replace_fields: bool,
    time_series: Option<bool>,
    reduce: ReduceRow,
    binary: Binary,
    unary: Unary,
    cumulative: Cumulative,
    window: window::Window,
    index: Index,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum Mode {
    #[default]
    ReduceRow,
    Binary,
    Unary,
    CumulativeFunctions,
    WindowFunctions,
    Index,
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
    Field { matcher: Matcher },
}

impl Default for Operand {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Unary {
    operator: Option<String>,
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
    let binary = (options.mode == Mode::Binary).then_some(&options.binary);
    let is_with_number = binary.is_some_and(|binary| binary.right.is_number(scope));
    let frames = match options.time_series {
        Some(false) => frames,
        _ if is_with_number => frames,
        _ => as_columns(frames)?,
    };
    let naming = Naming::of(&frames);
    let mut calculated = Vec::new();
    for mut frame in frames.iter().cloned() {
        if let Some(kind) = binary.and_then(|binary| binary.left.kind()) {
            calculated.extend(of_each(&frame, kind, &options, &naming, scope)?);
            continue;
        }
        let found = match options.mode {
            Mode::ReduceRow => reduce_row(&frame, &options.reduce, &naming)?,
            Mode::Binary => binary_of(&frame, &options.binary, &naming, scope)?,
            Mode::Unary => unary(&frame, &options.unary, &naming)?,
            Mode::CumulativeFunctions => cumulative(&frame, &options.cumulative, &naming)?,
            Mode::WindowFunctions => {
                let column = chosen(&frame, options.window.field.as_deref(), &naming);
                let moving = column.map(|column| options.window.over(&column)).transpose()?;
                moving.map(|values| Field::new(options.window.name(), Values::numbers(values)))
            }
            Mode::Index => Some(index(&frame, &options.index)),
        };
        let Some(mut field) = found else {
            if !options.replace_fields {
                calculated.push(frame);
            }
            continue;
        };
        if let Some(alias) = options.alias.as_ref().filter(|alias| !alias.is_empty()) {
            let alias = scope.title(alias);
            field.renamed = (options.mode != Mode::Index).then(|| alias.clone());
            field.source = alias;
        }
        if options.replace_fields {
            let time = frame.fields.into_iter().find(|field| field.values.is_times());
            let is_kept = options.mode != Mode::Index && options.time_series != Some(false);
            frame.fields = time.filter(|_| is_kept).into_iter().collect();
        }
        frame.fields.push(field);
        calculated.push(frame);
    }
    Ok(calculated)
}

/// The numbers of the first column of numbers, or of the one that `name` means.
fn chosen(frame: &Frame, name: Option<&str>, naming: &Naming) -> Option<Vec<f64>> {
    let wanted = match name.filter(|name| !name.is_empty()) {
        Some(name) => Match::Name(name.to_owned()),
        None => Match::Kind("number".to_owned()),
    };
    let mut fields = frame.fields.iter();
    let field = fields.find(|field| is_match(&wanted, field, &naming.name(field, frame), frame))?;
    Some(numbers(&field.values))
}

/// The numbers of a column; nothing stays nothing.
fn numbers(values: &Values) -> Vec<f64> {
    let number = |cell: Cell<'_>| if cell.is_null() { NULL } else { cell.as_number() };
    values.cells().map(number).collect()
}

fn reduce_row(frame: &Frame, options: &ReduceRow, naming: &Naming) -> Result<Option<Field>, TransformError> {
    let calc = options.reducer.as_deref().unwrap_or("sum");
    let title = reduce::title(calc).ok_or_else(|| TransformError::Calculation(calc.to_owned()))?;
    let included = match &options.include {
        Some(names) if !names.is_empty() => Match::Names(names.clone(), false),
        _ => Match::Kind("number".to_owned()),
    };
    let columns = frame
        .fields
        .iter()
        .filter(|field| is_match(&included, field, &naming.name(field, frame), frame));
    let columns: Vec<Vec<f64>> = columns.map(|field| numbers(&field.values)).collect();
    let rows = (0..frame.len()).map(|row| {
        let cells: Vec<f64> = columns
            .iter()
            .map(|column| column.get(row).copied().unwrap_or(NULL))
            .collect();
        match calc {
            // Here what is missing counts.
            #[expect(clippy::cast_precision_loss, reason = "a few columns")]
            "count" => cells.len() as f64,
            calc => reduce::reduce_numbers(calc, cells),
        }
    });
    Ok(Some(Field::new(title, Values::numbers(rows))))
}

impl Operand {
    /// The text that it is, whichever way it is written.
    fn text(&self, scope: &Scope) -> String {
        match self {
            Self::Text(text) | Self::Fixed { fixed: text } => scope.text(text),
            Self::Field { matcher } => matcher
                .options
                .as_str()
                .map(|text| scope.text(text))
                .unwrap_or_default(),
        }
    }

    /// Whether it is a number and no column.
    fn is_number(&self, scope: &Scope) -> bool {
        let text = self.text(scope);
        let text = text.trim();
        !matches!(self, Self::Field { .. }) && (text.is_empty() || units::parse(text).is_some())
    }

    /// The kind of columns that it stands for, if it stands for all of one.
    fn kind(&self) -> Option<&str> {
        match self {
            Self::Field { matcher } if matcher.id == "byType" => matcher.options.as_str(),
            Self::Field { .. } | Self::Text(_) | Self::Fixed { .. } => None,
        }
    }

    /// Its values; `None`: the frame has no such column, and it is no number.
    fn values(&self, frame: &Frame, naming: &Naming, scope: &Scope) -> Option<Vec<f64>> {
        let text = self.text(scope);
        let is_name = match self {
            Self::Text(_) => {
                units::parse(text.trim()).is_none() || frame.fields.iter().any(|field| field.source == text)
            }
            Self::Fixed { .. } => false,
            Self::Field { matcher } => matcher.id == "byName",
        };
        let mut fields = frame.fields.iter().filter(|_| is_name);
        match fields.find(|field| naming.name(field, frame) == text) {
            Some(field) => Some(numbers(&field.values)),
            None => leading_number(&text).map(|number| vec![number; frame.len()]),
        }
    }
}

/// Two numbers to one.
type Operator = fn(f64, f64) -> f64;

/// What an operator does; to JavaScript nothing is no number.
fn operator(options: &Binary) -> Result<(&str, Operator), TransformError> {
    let operator = options.operator.as_deref().unwrap_or("+");
    let apply: Operator = match operator {
        "+" => |left, right| left + right,
        "-" => |left, right| left - right,
        "*" => |left, right| left * right,
        "/" => |left, right| left / right,
        other => return Err(TransformError::Operator(other.to_owned())),
    };
    Ok((operator, apply))
}

fn combined(left: &[f64], right: &[f64], apply: Operator) -> Values {
    let plain = |number: f64| if number.is_nan() { f64::NAN } else { number };
    let pairs = left.iter().zip(right);
    Values::numbers(pairs.map(|(left, right)| plain(apply(plain(*left), plain(*right)))))
}

fn binary_of(frame: &Frame, options: &Binary, naming: &Naming, scope: &Scope) -> Result<Option<Field>, TransformError> {
    let (operator, apply) = operator(options)?;
    let (Some(left), Some(right)) = (
        options.left.values(frame, naming, scope),
        options.right.values(frame, naming, scope),
    ) else {
        return Ok(None);
    };
    let name = format!("{} {operator} {}", options.left.text(scope), options.right.text(scope));
    Ok(Some(Field::new(name, combined(&left, &right, apply))))
}

/// Every column of a kind with the same operand; `None`: nothing is left of the frame.
fn of_each(
    frame: &Frame,
    kind: &str,
    options: &Calculate,
    naming: &Naming,
    scope: &Scope,
) -> Result<Option<Frame>, TransformError> {
    let (operator, apply) = operator(&options.binary)?;
    let right = options.binary.right.values(frame, naming, scope);
    let is_kind = Match::Kind(kind.to_owned());
    let time = frame.fields.iter().position(|field| field.values.is_times());
    let time = time.filter(|_| options.time_series != Some(false));
    let mut fields: Vec<Field> = time
        .and_then(|time| frame.fields.get(time))
        .cloned()
        .into_iter()
        .collect();
    let mut is_changed = false;
    for (place, field) in frame.fields.iter().enumerate() {
        if !options.replace_fields && Some(place) != time {
            fields.push(field.clone());
        }
        if let Some(right) = right.as_ref().filter(|_| is_match(&is_kind, field, "", frame)) {
            let values = combined(&numbers(&field.values), right, apply);
            let name = format!("{} {operator} {}", field.source, options.binary.right.text(scope));
            fields.push(Field {
                source: name,
                ..field.with(values)
            });
            is_changed = true;
        }
    }
    let frame = Frame {
        fields,
        ..frame.clone()
    };
    Ok((is_changed || !options.replace_fields).then_some(frame))
}

fn unary(frame: &Frame, options: &Unary, naming: &Naming) -> Result<Option<Field>, TransformError> {
    let operator = options.operator.as_deref().unwrap_or("abs");
    let apply: Operator = match operator {
        "abs" => |number, _| number.abs(),
        "exp" => |number, _| number.exp(),
        "ln" => |number, _| number.ln(),
        "floor" => |number, _| number.floor(),
        "ceil" => |number, _| number.ceil(),
        // Halves go up, also below zero.
        "round" => |number, _| (number + 0.5).floor(),
        "percent" => |number, sum| number / if sum == 0.0 { 1.0 } else { sum },
        other => return Err(TransformError::Operator(other.to_owned())),
    };
    let mut fields = frame.fields.iter().rev().filter(|field| field.values.is_numbers());
    let field = fields.find(|field| naming.name(field, frame) == options.field_name);
    Ok(field.filter(|field| !field.values.is_empty()).map(|field| {
        let numbers = numbers(&field.values);
        let sum = numbers.iter().filter(|number| number.is_finite()).sum();
        let values = numbers
            .iter()
            .map(|number| if number.is_nan() { f64::NAN } else { apply(*number, sum) });
        Field::new(format!("{operator}({})", options.field_name), Values::numbers(values))
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn cumulative(frame: &Frame, options: &Cumulative, naming: &Naming) -> Result<Option<Field>, TransformError> {
    let calc = options.reducer.as_deref().unwrap_or("sum");
    let is_mean = match calc {
        "sum" => false,
        "mean" => true,
        other => return Err(TransformError::Cumulative(other.to_owned())),
    };
    let of = options
        .field
        .as_ref()
        .map(|name| format!("({name})"))
        .unwrap_or_default();
    Ok(chosen(frame, options.field.as_deref(), naming).map(|numbers| {
        let mut total = 0.0;
        let values = numbers.iter().enumerate().map(|(index, number)| {
            total += if crate::data::is_null(*number) { 0.0 } else { *number };
            if is_mean { total / (index + 1) as f64 } else { total }
        });
        Field::new(format!("cumulative {calc}{of}"), Values::numbers(values))
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
    Field {
        unit: if options.as_percentile { "percentunit" } else { "" },
        ..Field::new("Row", Values::numbers((0..rows).map(of)))
    }
}

#[cfg(test)]
mod tests;
