//! The colours of series.

use crate::data::{Cell, Field, Frame, Values};
use crate::{color, display, reduce};

/// Gives each column its colour. Every one but those of times counts, as in Grafana.
pub fn colors(frames: &mut [Frame]) {
    let mut index = 0;
    for field in frames.iter_mut().flat_map(|frame| &mut frame.fields) {
        field.color = series_color(field, index);
        index += usize::from(!field.values.is_times());
    }
}

/// The colour of a series that is the number `index` of its panel: `#rrggbb` of the dark theme.
pub fn series_color(field: &Field, index: usize) -> String {
    let color = &field.options.color;
    let fixed = color.fixed_color.as_deref().unwrap_or(color::FALLBACK);
    if color::is_of_series(&color.mode) {
        return color::of_series(&color.mode, fixed, &field.name, index);
    }
    let calc = color
        .series_by
        .as_deref()
        .filter(|calc| !calc.is_empty())
        .unwrap_or("last");
    let value = match reduce::reduce(calc, &field.values) {
        Cell::Null => 0.0,
        cell => cell.as_number(),
    };
    let color = match field.values {
        Values::Numbers(_) | Values::Booleans(_) => display::color_of(&field.options, value),
        Values::Times(_) | Values::Texts(_) => display::color_within(&field.options, value, (0.0, 100.0)),
    };
    color.unwrap_or_default()
}
