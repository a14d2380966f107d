//! A table in a picture.

use maud::{Markup, html};

use crate::graph::short;
use crate::table::{Column, MAX_ROWS, Tables, cell_color, columns_of, content, rows_of};
use crate::theme::{Medium, Tone, fitted, readable_on, text_width};
use edgewatch_grafana_model::panel::table::Cell;

/// Pixels of texts.
const TEXT: f64 = 13.0;
/// Pixels of a row.
const LINE: f64 = 26.0;

/// The first of the tables: there is room for no more.
#[expect(clippy::cast_precision_loss, reason = "a few rows")]
pub fn first(tables: &Tables, width: f64, height: f64, medium: Medium) -> Markup {
    let Some(frame) = tables.frames.first() else {
        return html! {};
    };
    let fields = columns_of(frame);
    let rows = rows_of(&fields);
    let head = if tables.has_head { LINE } else { 0.0 };
    let places = places(&fields, rows.min(MAX_ROWS), width);
    let footer = tables.footer(&fields);
    // It has its place below what fits.
    let foot = height - footer.len() as f64 * LINE;
    let place = |(left, column): (f64, f64), of: &Column| match of.alignment() {
        "number" | "right" => (left + column - 8.0, "end"),
        "center" => (left + column / 2.0, "middle"),
        _ => (left + 8.0, "start"),
    };
    html! {
        g font-size=(TEXT) {
            @for (at, column) in places.iter().zip(&fields).filter(|_| head > 0.0) {
                @let (x, anchor) = place(*at, column);
                text x=(short(x)) y="18" text-anchor=(anchor) font-weight="500" fill=[medium.tone(Tone::Soft)] { (fitted(&column.field.name, TEXT, at.1 - 16.0)) }
            }
            @for row in (0..rows).take_while(|row| head + (*row as f64 + 1.0) * LINE <= foot) {
                @let top = head + row as f64 * LINE;
                path d=(format!("M0 {}h{}", short(top), short(width))) stroke=[medium.tone(Tone::Grid)] {}
                @for (at, column) in places.iter().zip(&fields) {
                    @let (x, anchor) = place(*at, column);
                    @let (display, number) = content(column.field, row);
                    @let color = cell_color(column.field, &display, number).map(|color| medium.color(&color));
                    @let (back, front) = match column.cell {
                        Cell::ColorBackground | Cell::ColorBackgroundSolid => (color.as_deref(), color.as_deref().map(readable_on)),
                        Cell::ColorText => (None, color.as_deref()),
                        Cell::Auto
                        | Cell::Gauge
                        | Cell::LcdGauge
                        | Cell::GradientGauge
                        | Cell::Basic
                        | Cell::Json
                        | Cell::Links
                        | Cell::Markdown
                        | Cell::Pill => (None, None),
                    };
                    @if let Some(color) = back {
                        rect x=(short(at.0)) y=(short(top)) width=(short(at.1)) height=(short(LINE)) fill=(color) {}
                    }
                    text x=(short(x)) y=(short(top + 18.0)) text-anchor=(anchor) fill=[front.or(medium.tone(Tone::Text))] { (fitted(&display.text, TEXT, at.1 - 16.0)) }
                }
            }
            @for (line, texts) in footer.iter().enumerate() {
                @let top = (head + rows as f64 * LINE).min(foot) + line as f64 * LINE;
                path d=(format!("M0 {}h{}", short(top), short(width))) stroke=[medium.tone(Tone::Soft)] {}
                @for ((at, column), text) in places.iter().zip(&fields).zip(texts) {
                    @let (x, anchor) = place(*at, column);
                    text x=(short(x)) y=(short(top + 18.0)) text-anchor=(anchor) font-weight="500" fill=[medium.tone(Tone::Text)] { (fitted(text, TEXT, at.1 - 16.0)) }
                }
            }
        }
    }
}

/// Left edge and width of each column in a picture: by its widest text, within `width` pixels.
fn places(columns: &[Column], rows: usize, width: f64) -> Vec<(f64, f64)> {
    let widest = |Column { field, .. }: &Column| {
        let texts = (0..rows).map(|row| text_width(&content(field, row).0.text, TEXT));
        texts.fold(text_width(&field.name, TEXT), f64::max).clamp(20.0, 400.0) + 16.0
    };
    let widths: Vec<f64> = columns.iter().map(widest).collect();
    let scale = width / widths.iter().sum::<f64>().max(1.0);
    let mut left = 0.0;
    let place = |own: &f64| {
        let place = (left, own * scale);
        left += place.1;
        place
    };
    widths.iter().map(place).collect()
}
