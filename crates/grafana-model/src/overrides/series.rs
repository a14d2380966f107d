//! The colours of series.

use crate::data::{Field, Frame, Values};
use crate::{color, display, reduce};

/// Gives each series its colour.
pub fn colors(frames: &mut [Frame]) {
    let fields = frames.iter_mut().flat_map(|frame| &mut frame.fields);
    let numbers = fields.filter(|field| matches!(field.values, Values::Numbers(_)));
    for (index, field) in numbers.enumerate() {
        field.color = series_color(field, index);
    }
}

fn series_color(field: &Field, index: usize) -> String {
    let color = &field.options.color;
    let fixed = || color.fixed_color.as_deref().unwrap_or(color::FALLBACK);
    match color.mode.as_str() {
        "fixed" => color::hex(fixed()),
        "shades" => color::shade(fixed(), index),
        "palette-classic" => color::palette(index),
        "palette-classic-by-name" => color::palette_by_name(&field.name),
        _ => {
            let calc = color.series_by.as_deref().unwrap_or("lastNotNull");
            let Values::Numbers(numbers) = &field.values else {
                return color::palette(index);
            };
            display::color_of(&field.options, reduce::reduce(calc, numbers)).unwrap_or_else(|| color::palette(index))
        }
    }
}
