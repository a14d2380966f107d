//! A table in a picture.

use maud::{Markup, html};

use crate::graph::short;
use crate::table::{Column, MAX_ROWS, Tables, cell_color, columns_of, content, rows_of};
use crate::theme::{Medium, Tone, fitted, readable_on, text_width};
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::panel::table::Cell;

/// Pixels of texts.
const TEXT: f64 = 13.0;
/// Pixels of a row.
const LINE: f64 = 26.0;

/// Pixels beside the texts of a cell.
const AIR: f64 = 16.0;
/// Texts are not made smaller than this part of their size.
const SMALLEST: f64 = 0.6;
/// Pixels of a word that is cut, and of the bar of a gauge, at least.
const LEAST: f64 = 60.0;
/// Pixels of the widest column, where others need the room.
const WIDEST: f64 = 400.0;

/// The first of the tables: there is room for no more.
#[expect(clippy::cast_precision_loss, reason = "a few rows")]
pub fn first(tables: &Tables, width: f64, height: f64, medium: Medium) -> Markup {
    let Some(frame) = tables.frames.first() else {
        return html! {};
    };
    let fields = columns_of(frame);
    let rows = rows_of(&fields);
    let head = if tables.has_head { LINE } else { 0.0 };
    let footer = tables.footer(&fields);
    let Layout { places, scale } = Layout::of(&fields, rows.min(MAX_ROWS), &footer, width);
    let text = |text: &str,
                of: &Column,
                (left, column): (f64, f64),
                y: f64,
                front: Option<&str>,
                weight: Option<&str>| {
        let air = AIR * scale / 2.0;
        let (x, anchor) = match of.alignment() {
            "number" | "right" => (left + column - air, "end"),
            "center" => (left + column / 2.0, "middle"),
            _ => (left + air, "start"),
        };
        html! {
            text x=(short(x)) y=(short(y)) text-anchor=(anchor) font-weight=[weight] fill=[front] { (fitted(text, TEXT * scale, column - 2.0 * air + 0.5)) }
        }
    };
    // It has its place below what fits.
    let foot = height - footer.len() as f64 * LINE;
    html! {
        g font-size=(short(TEXT * scale)) {
            @for (at, column) in places.iter().zip(&fields).filter(|_| head > 0.0) {
                (text(&column.field.name, column, *at, 18.0, medium.tone(Tone::Soft), Some("500")))
            }
            @for row in (0..rows).take_while(|row| head + (*row as f64 + 1.0) * LINE <= foot) {
                @let top = head + row as f64 * LINE;
                path d=(format!("M0 {}h{}", short(top), short(width))) stroke=[medium.tone(Tone::Grid)] {}
                @for (at, column) in places.iter().zip(&fields) {
                    @let (display, number) = content(column.field, row);
                    @let color = cell_color(column.field, &display, number).map(|color| medium.color(&color));
                    @let is_filled = matches!(column.cell, Cell::ColorBackground | Cell::ColorBackgroundSolid);
                    @let front = match column.cell {
                        Cell::ColorText => color.as_deref(),
                        _ if is_filled => color.as_deref().map(readable_on),
                        _ => None,
                    };
                    @if let Some(color) = color.as_deref().filter(|_| is_filled) {
                        rect x=(short(at.0)) y=(short(top)) width=(short(at.1)) height=(short(LINE)) fill=(color) {}
                    }
                    @if let (true, Some(color), Some(number)) = (is_gauge(column), color.as_deref(), number) {
                        @let left = at.0 + AIR / 2.0;
                        @let long = (at.1 - text_width(&display.text, TEXT) * scale - 1.5 * AIR).max(0.0);
                        @let share = display::share(&column.field.options, number).clamp(0.0, 1.0);
                        rect x=(short(left)) y=(short(top + 6.0)) width=(short(long)) height=(short(LINE - 12.0)) rx="2" fill=[medium.tone(Tone::Track)] {}
                        rect x=(short(left)) y=(short(top + 6.0)) width=(short(long * share)) height=(short(LINE - 12.0)) rx="2" fill=(color) {}
                    }
                    (text(&display.text, column, *at, top + 18.0, front.or(medium.tone(Tone::Text)), None))
                }
            }
            @for (line, texts) in footer.iter().enumerate() {
                @let top = (head + rows as f64 * LINE).min(foot) + line as f64 * LINE;
                path d=(format!("M0 {}h{}", short(top), short(width))) stroke=[medium.tone(Tone::Soft)] {}
                @for ((at, column), below) in places.iter().zip(&fields).zip(texts) {
                    (text(below, column, *at, top + 18.0, medium.tone(Tone::Text), Some("500")))
                }
            }
        }
    }
}

const fn is_gauge(column: &Column) -> bool {
    matches!(
        column.cell,
        Cell::Gauge | Cell::LcdGauge | Cell::GradientGauge | Cell::Basic
    )
}

/// Where the columns of a table lie.
struct Layout {
    /// Left edge and width of each.
    places: Vec<(f64, f64)>,
    /// The size of texts, as a part of the usual one.
    scale: f64,
}

impl Layout {
    /// Columns as wide as their widest texts, within `width` pixels. Where there is not enough room, words and heads are cut first,
    /// since a part of a number is another number; then all texts become smaller.
    fn of(columns: &[Column], rows: usize, footer: &[Vec<String>], width: f64) -> Self {
        // The width of a column, and what it needs at least.
        let widths = columns.iter().enumerate().map(|(at, column)| {
            let Column { field, .. } = column;
            let below = footer.iter().filter_map(|line| line.get(at));
            let texts = (0..rows).map(|row| text_width(&content(field, row).0.text, TEXT));
            let texts = texts
                .chain(below.map(|text| text_width(text, TEXT)))
                .fold(0.0, f64::max);
            let bar = if is_gauge(column) { LEAST } else { 0.0 };
            let texts = texts.clamp(20.0, WIDEST) + AIR + bar;
            let head = text_width(&field.name, TEXT).min(WIDEST) + AIR;
            let is_whole = field.values.is_numbers() || field.values.is_times();
            (texts.max(head), if is_whole { texts } else { texts.min(LEAST + AIR) })
        });
        let widths: Vec<(f64, f64)> = widths.collect();
        let (wide, least) = widths
            .iter()
            .fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        let fit = |own: &(f64, f64)| match () {
            () if wide <= width => own.0 * width / wide.max(1.0),
            () if least <= width => own.1 + (own.0 - own.1) * (width - least) / (wide - least),
            () => own.1 * width / least,
        };
        let mut left = 0.0;
        let place = |own: &(f64, f64)| {
            let place = (left, fit(own));
            left += place.1;
            place
        };
        Self {
            places: widths.iter().map(place).collect(),
            scale: (width / least.max(1.0)).clamp(SMALLEST, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::{data, panel, scope};
    use edgewatch_grafana_model::data::{Data, Field, Frame, Values};

    #[test]
    fn words_are_cut_before_numbers() {
        let panel = panel("table", json!({}), json!({}));
        let numbers =
            (0..7).map(|at| Field::new(format!("a long head {at}"), Values::numbers([33.75 + f64::from(at)])));
        let words = Field::new(
            "host",
            Values::texts(["a-very-long-name-of-a-host.example.com".to_owned()]),
        );
        let mut all: Data = data(&panel, &[]);
        all.frames = vec![Frame {
            fields: std::iter::once(words).chain(numbers).collect(),
            ..Frame::default()
        }];
        for width in [600, 450, 380] {
            let picture = crate::picture(&panel, &all, &scope(), width, 200, true).into_string();
            assert!(
                picture.contains(">33.8</text>") && picture.contains(">39.8</text>"),
                "{width}: {picture}"
            );
            assert!(picture.contains(">a-very-"), "{width}: {picture}");
        }
    }

    #[test]
    fn a_gauge_in_a_cell_is_drawn() {
        let gauge = json!({"custom": {"cellOptions": {"type": "gauge"}}, "min": 0, "max": 100});
        let panel = panel("table", json!({}), gauge);
        let picture = crate::picture(&panel, &data(&panel, &[("a", &[50.0])]), &scope(), 600, 200, true);
        assert_eq!(picture.into_string().matches("<rect").count(), 2);
    }
}
