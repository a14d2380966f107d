//! Single values, for stat, gauge and bar gauge: each field reduced to one, or every row.

use super::super::data::{Data, Field, Values};
use super::super::display;
use super::super::model::{FieldOptions, Panel};
use super::look::{option, option_text, reduce};
use super::theme::Medium;
use super::color;

/// Values of a panel; nobody reads more.
const MOST: usize = 100;

/// A value with its name.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// The name of its series.
    pub name: String,
    /// NaN if there is none.
    pub value: f64,
    /// With unit, or what a mapping puts in its place.
    pub text: String,
    /// `#rrggbb`.
    pub color: String,
    /// How it is shown.
    pub options: &'a FieldOptions,
    /// The series that it was reduced from, for a sparkline.
    pub series: Option<(&'a [f64], &'a [f64])>,
}

/// The values of `data` that `panel` asks for.
pub fn of<'a>(panel: &Panel, data: &'a Data, medium: Medium) -> Vec<Shown<'a>> {
    let calcs = option(panel, "/reduceOptions/calcs").as_array().map_or(&[][..], Vec::as_slice);
    let mut calcs: Vec<&str> = calcs.iter().filter_map(serde_json::Value::as_str).collect();
    if calcs.is_empty() {
        calcs.push("lastNotNull");
    }
    let every_row = option(panel, "/reduceOptions/values").as_bool().unwrap_or(false);
    let limit = option(panel, "/reduceOptions/limit").as_u64().and_then(|limit| usize::try_from(limit).ok());
    let mut shown = Vec::new();
    for frame in &data.frames {
        for field in frame.fields.iter().filter(|field| is_asked(option_text(panel, "/reduceOptions/fields"), field)) {
            let numbers = match &field.values {
                Values::Numbers(numbers) => numbers,
                Values::Times(_) | Values::Texts(_) => continue,
            };
            if every_row {
                let names = frame.fields.iter().find_map(|field| match &field.values {
                    Values::Texts(texts) => Some(texts),
                    Values::Times(_) | Values::Numbers(_) => None,
                });
                for (row, number) in numbers.iter().enumerate().take(limit.unwrap_or(25)) {
                    let name = names.and_then(|names| names.get(row)).unwrap_or(&field.name);
                    shown.push(one(name, *number, field, shown.len(), medium));
                }
                continue;
            }
            for calc in &calcs {
                let mut value = one(&field.name, reduce(field, calc), field, shown.len(), medium);
                value.series = frame.times().map(|times| (times, numbers.as_slice()));
                shown.push(value);
            }
        }
    }
    shown.truncate(MOST);
    shown
}

fn is_asked(fields: &str, field: &Field) -> bool {
    // Empty: all numbers. Grafana writes `/^name$/` for one field, and `/.*/` for all.
    let pattern = fields.trim_start_matches('/').trim_end_matches('/');
    let plain = pattern.trim_start_matches('^').trim_end_matches('$').replace('\\', "");
    fields.is_empty() || pattern == ".*" || plain == field.name
}

fn one<'a>(name: &str, value: f64, field: &'a Field, index: usize, medium: Medium) -> Shown<'a> {
    let display = display::number(&field.options, value);
    let missing = value.is_nan() && display.text.is_empty();
    Shown {
        name: name.to_owned(),
        value,
        text: if missing { field.options.no_value.clone().unwrap_or_else(|| "No data".to_owned()) } else { display.text },
        color: display.color.unwrap_or_else(|| color::of_one(&field.options, value, index, medium)),
        options: &field.options,
        series: None,
    }
}

/// The ends of gauges for `shown`: what the fields say, or what suits the unit, or what the values take.
pub fn ends(shown: &[Shown], default_max: Option<f64>) -> (f64, f64) {
    let known = |end: fn(&FieldOptions) -> Option<f64>| shown.iter().find_map(|one| end(one.options));
    let values = || shown.iter().map(|one| one.value).filter(|value| value.is_finite());
    let whole = shown.first().and_then(|one| match one.options.unit.as_str() {
        "percent" => Some(100.0),
        "percentunit" => Some(1.0),
        _ => None,
    });
    let min = known(|options| options.min).unwrap_or_else(|| values().fold(0.0, f64::min));
    let max = known(|options| options.max).or(whole).or(default_max).unwrap_or_else(|| values().fold(f64::NEG_INFINITY, f64::max));
    if max > min { (min, max) } else { (min, min + min.abs().max(1.0)) }
}
