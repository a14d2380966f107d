//! The panel `table`.

use maud::{Markup, html};

use super::graph::short;
use super::theme::{Medium, Tone, fitted, readable_on, text_width};
use edgewatch_grafana_model::data::{Data, Field, Frame, Values};
use edgewatch_grafana_model::display::{self, Display};
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::table::{Align, Cell, Table, TableField};
use edgewatch_grafana_model::time::Zone;

/// Rows of a table; nobody reads more.
const MOST_ROWS: usize = 500;
/// Cells of all tables of a panel; the series of a query are a table each, unless they are joined.
const MOST_CELLS: usize = 20_000;
/// Pixels of texts in pictures.
const TEXT: f64 = 13.0;
/// Letters of a word that are more than a name has.
const LONG_WORD: usize = 32;

/// For a page.
pub fn page(panel: &Panel, options: &Table, data: &Data, zone: &Zone) -> Markup {
    let frames: Vec<&Frame> = data
        .frames
        .iter()
        .filter(|frame| frame.fields.iter().any(|field| !field.values.is_empty()))
        .collect();
    if frames.is_empty() {
        return super::nothing(panel);
    }
    let mut room = MOST_CELLS;
    let tables = frames.iter().map_while(|frame| {
        let most = room / frame.fields.len().max(1);
        let cells = frame.fields.len() * frame.len().min(MOST_ROWS);
        (most > 0).then(|| room -= cells.min(room))?;
        Some(table(frame, options.show_header, frames.len() > 1, most, zone))
    });
    let tables: Vec<Markup> = tables.collect();
    html! {
        div.table tabindex="0" {
            @for table in &tables { (table) }
            @if tables.len() < frames.len() { p { "and " (frames.len() - tables.len()) " more tables" } }
        }
    }
}

fn table(frame: &Frame, has_head: bool, has_caption: bool, most: usize, zone: &Zone) -> Markup {
    let most = most.min(MOST_ROWS);
    let fields = columns_of(frame);
    let rows = fields
        .iter()
        .map(|column| column.field.values.len())
        .max()
        .unwrap_or_default();
    html! {
        table {
            @if has_caption && !frame.name.is_empty() { caption dir="auto" { (frame.name) } }
            colgroup { @for column in &fields { col width=[column.style.width.map(|width| width.clamp(20.0, 2000.0).round())]; } }
            @if has_head { thead { tr { @for column in &fields { th.(column.alignment()) scope="col" dir="auto" { (column.field.name) } } } } }
            tbody { @for row in 0..rows.min(most) { tr { @for column in &fields { (cell(column, row, zone)) } } } }
            @if rows > most { tfoot { tr { td colspan=(fields.len()) { "and " (rows - most) " more rows" } } } }
        }
    }
}

/// For a picture of `width` by `height` pixels. `None` if there is nothing to show.
#[expect(clippy::cast_precision_loss, reason = "a few rows")]
pub fn picture(options: &Table, data: &Data, zone: &Zone, width: f64, height: f64, medium: Medium) -> Option<Markup> {
    const LINE: f64 = 26.0;
    let frame = data
        .frames
        .iter()
        .find(|frame| frame.fields.iter().any(|field| !field.values.is_empty()))?;
    let fields = columns_of(frame);
    let rows = fields
        .iter()
        .map(|column| column.field.values.len())
        .max()
        .unwrap_or_default();
    let head = if options.show_header { LINE } else { 0.0 };
    let places = places(&fields, rows.min(MOST_ROWS), zone, width);
    let place = |(left, column): (f64, f64), of: &Column| match of.alignment() {
        "number" | "right" => (left + column - 8.0, "end"),
        "center" => (left + column / 2.0, "middle"),
        _ => (left + 8.0, "start"),
    };
    Some(html! {
        g font-size=(TEXT) {
            @for (at, column) in places.iter().zip(&fields).filter(|_| head > 0.0) {
                @let (x, anchor) = place(*at, column);
                text x=(short(x)) y="18" text-anchor=(anchor) font-weight="500" fill=[medium.tone(Tone::Soft)] { (fitted(&column.field.name, TEXT, at.1 - 16.0)) }
            }
            @for row in (0..rows).take_while(|row| head + (*row as f64 + 1.0) * LINE <= height) {
                @let top = head + row as f64 * LINE;
                path d=(format!("M0 {}h{}", short(top), short(width))) stroke=[medium.tone(Tone::Grid)] {}
                @for (at, column) in places.iter().zip(&fields) {
                    @let (x, anchor) = place(*at, column);
                    @let (display, number) = content(column.field, row, zone);
                    @let color = cell_color(column.field, &display, number).map(|color| medium.color(&color));
                    @let (back, front) = match column.cell {
                        Cell::ColorBackground | Cell::ColorBackgroundSolid => (color.as_deref(), color.as_deref().map(readable_on)),
                        Cell::ColorText => (None, color.as_deref()),
                        Cell::Auto | Cell::Gauge | Cell::LcdGauge | Cell::GradientGauge | Cell::Basic => (None, None),
                    };
                    @if let Some(color) = back {
                        rect x=(short(at.0)) y=(short(top)) width=(short(at.1)) height=(short(LINE)) fill=(color) {}
                    }
                    text x=(short(x)) y=(short(top + 18.0)) text-anchor=(anchor) fill=[front.or(medium.tone(Tone::Text))] { (fitted(&display.text, TEXT, at.1 - 16.0)) }
                }
            }
        }
    })
}

/// Left edge and width of each column in a picture: by its widest text, within `width` pixels.
fn places(columns: &[Column], rows: usize, zone: &Zone, width: f64) -> Vec<(f64, f64)> {
    let widest = |Column { field, .. }: &Column| {
        let texts = (0..rows).map(|row| text_width(&content(field, row, zone).0.text, TEXT));
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

/// A field that is a column.
struct Column<'a> {
    field: &'a Field,
    style: TableField,
    cell: Cell,
}

fn columns_of(frame: &Frame) -> Vec<Column<'_>> {
    let columns = frame.fields.iter().map(|field| {
        let (style, _) = TableField::of(&field.options.custom);
        let cell = style.cell();
        Column { field, style, cell }
    });
    columns
        .filter(|column| !column.style.hidden && !column.style.hide_from.viz)
        .collect()
}

/// The colour of a cell that has one: not that of a missing number.
fn cell_color(field: &Field, display: &Display, number: Option<f64>) -> Option<String> {
    if number.is_some_and(f64::is_nan) && field.options.mappings.is_empty() {
        return None;
    }
    let color = display.color.clone().or_else(|| number.map(|_| field.color.clone()));
    color.filter(|color| !color.is_empty() && color != "transparent")
}

impl Column<'_> {
    /// The class of its cells.
    const fn alignment(&self) -> &'static str {
        match (self.style.align, &self.field.values) {
            (Align::Left, _) => "left",
            (Align::Center, _) => "center",
            (Align::Right, _) | (Align::Auto, Values::Numbers(_)) => "number",
            (Align::Auto, Values::Times(_) | Values::Texts(_)) => "left",
        }
    }
}

/// The text of a row of `field`, its colour, and its number if it is one.
fn content(field: &Field, row: usize, zone: &Zone) -> (Display, Option<f64>) {
    match &field.values {
        Values::Texts(texts) => (
            display::text(&field.options, texts.get(row).map_or("", String::as_str)),
            None,
        ),
        Values::Times(times) => {
            let text = times
                .get(row)
                .map(|time| display::time(&field.options, *time, zone))
                .unwrap_or_default();
            (Display { text, color: None }, None)
        }
        Values::Numbers(numbers) => {
            let number = numbers.get(row).copied().unwrap_or(f64::NAN);
            (display::number(&field.options, number), Some(number))
        }
    }
}

fn cell(column: &Column, row: usize, zone: &Zone) -> Markup {
    let (field, alignment) = (column.field, column.alignment());
    let (display, number) = content(field, row, zone);
    let text = &display.text;
    let color = cell_color(field, &display, number);
    // Attributes of old, since the page's policy allows no style of single cells.
    match (column.cell, color, number) {
        (Cell::ColorBackground | Cell::ColorBackgroundSolid, Some(color), _) => html! {
            td.(alignment) bgcolor=(color) { font color=(readable_on(&color)) { (text) } }
        },
        (Cell::ColorText, Some(color), _) => html! { td.(alignment) { font color=(color) { (text) } } },
        (Cell::Gauge | Cell::LcdGauge | Cell::GradientGauge | Cell::Basic, Some(color), Some(number)) => {
            let share = display::share(&field.options, number)
                .unwrap_or_default()
                .clamp(0.0, 1.0);
            html! {
                td.(alignment) {
                    svg.share aria-hidden="true" {
                        rect.track width="100%" height="100%" rx="2" {}
                        @if share > 0.0 { rect width=(format!("{:.1}%", share * 100.0)) height="100%" rx="2" fill=(color) {} }
                    }
                    (text)
                }
            }
        }
        _ => {
            // A long word is broken; short ones stay whole, and a narrow table is scrolled.
            let is_long = text.split_whitespace().any(|word| word.chars().count() > LONG_WORD);
            html! { td.(alignment).long[is_long] dir="auto" { (text) } }
        }
    }
}
