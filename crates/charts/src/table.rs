//! The panel `table`.

use maud::{Markup, html};

use super::graph::short;
use super::look::{custom, custom_number, custom_text, is_hidden, option};
use super::theme::{Medium, Tone, fitted, readable_on, text_width};
use edgewatch_grafana_model::data::{Data, Field, Frame, Values};
use edgewatch_grafana_model::display::{self, Display};
use edgewatch_grafana_model::model::Panel;
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
pub fn page(panel: &Panel, data: &Data, zone: &Zone) -> Markup {
    let frames: Vec<&Frame> = data
        .frames
        .iter()
        .filter(|frame| frame.fields.iter().any(|field| !field.values.is_empty()))
        .collect();
    if frames.is_empty() {
        return super::nothing(panel);
    }
    let has_head = option(panel, "/showHeader").as_bool().unwrap_or(true);
    let mut room = MOST_CELLS;
    let tables = frames.iter().map_while(|frame| {
        let most = room / frame.fields.len().max(1);
        let cells = frame.fields.len() * frame.len().min(MOST_ROWS);
        (most > 0).then(|| room -= cells.min(room))?;
        Some(table(frame, has_head, frames.len() > 1, most, zone))
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
    let fields = shown_fields(frame);
    let rows = fields.iter().map(|field| field.values.len()).max().unwrap_or_default();
    html! {
        table {
            @if has_caption && !frame.name.is_empty() { caption dir="auto" { (frame.name) } }
            colgroup { @for field in &fields { col width=[custom_number(&field.options, "width").map(|width| width.clamp(20.0, 2000.0).round())]; } }
            @if has_head { thead { tr { @for field in &fields { th.(alignment(field)) scope="col" dir="auto" { (field.name) } } } } }
            tbody { @for row in 0..rows.min(most) { tr { @for field in &fields { (cell(field, row, zone)) } } } }
            @if rows > most { tfoot { tr { td colspan=(fields.len()) { "and " (rows - most) " more rows" } } } }
        }
    }
}

/// For a picture of `width` by `height` pixels. `None` if there is nothing to show.
#[expect(clippy::cast_precision_loss, reason = "a few rows")]
pub fn picture(panel: &Panel, data: &Data, zone: &Zone, width: f64, height: f64, medium: Medium) -> Option<Markup> {
    const LINE: f64 = 26.0;
    let frame = data
        .frames
        .iter()
        .find(|frame| frame.fields.iter().any(|field| !field.values.is_empty()))?;
    let fields = shown_fields(frame);
    let rows = fields.iter().map(|field| field.values.len()).max().unwrap_or_default();
    let head = if option(panel, "/showHeader").as_bool().unwrap_or(true) {
        LINE
    } else {
        0.0
    };
    let columns = columns(&fields, rows.min(MOST_ROWS), zone, width);
    let fill = |color: Option<String>| color.or_else(|| medium.tone(Tone::Text).map(str::to_owned));
    let place = |(left, column): (f64, f64), field: &Field| match alignment(field) {
        "number" | "right" => (left + column - 8.0, "end"),
        "center" => (left + column / 2.0, "middle"),
        _ => (left + 8.0, "start"),
    };
    Some(html! {
        g font-size=(TEXT) {
            @for (column, field) in columns.iter().zip(&fields).filter(|_| head > 0.0) {
                @let (x, anchor) = place(*column, field);
                text x=(short(x)) y="18" text-anchor=(anchor) font-weight="500" fill=[medium.tone(Tone::Soft)] { (fitted(&field.name, TEXT, column.1 - 16.0)) }
            }
            @for row in (0..rows).take_while(|row| head + (*row as f64 + 1.0) * LINE <= height) {
                @let top = head + row as f64 * LINE;
                path d=(format!("M0 {}h{}", short(top), short(width))) stroke=[medium.tone(Tone::Grid)] {}
                @for (column, field) in columns.iter().zip(&fields) {
                    @let (x, anchor) = place(*column, field);
                    @let (display, number) = content(field, row, zone);
                    @let (kind, color) = (kind(field), cell_color(field, &display, number).map(|color| medium.color(&color)));
                    @if let Some(color) = color.as_ref().filter(|_| kind.starts_with("color-background")) {
                        rect x=(short(column.0)) y=(short(top)) width=(short(column.1)) height=(short(LINE)) fill=(color) {}
                    }
                    @let color = color.filter(|_| kind.starts_with("color-")).map(|color| if kind == "color-text" { color } else { readable_on(&color).to_owned() });
                    text x=(short(x)) y=(short(top + 18.0)) text-anchor=(anchor) fill=[fill(color)] { (fitted(&display.text, TEXT, column.1 - 16.0)) }
                }
            }
        }
    })
}

/// Left edge and width of each column in a picture: by its widest text, within `width` pixels.
fn columns(fields: &[&Field], rows: usize, zone: &Zone, width: f64) -> Vec<(f64, f64)> {
    let widest = |field: &&Field| {
        let texts = (0..rows).map(|row| text_width(&content(field, row, zone).0.text, TEXT));
        texts.fold(text_width(&field.name, TEXT), f64::max).clamp(20.0, 400.0) + 16.0
    };
    let widths: Vec<f64> = fields.iter().map(widest).collect();
    let scale = width / widths.iter().sum::<f64>().max(1.0);
    let mut left = 0.0;
    let place = |own: &f64| {
        let place = (left, own * scale);
        left += place.1;
        place
    };
    widths.iter().map(place).collect()
}

fn shown_fields(frame: &Frame) -> Vec<&Field> {
    // Grafana 12.2 says it in the same way for every kind of panel.
    let is_left_out =
        |field: &Field| custom(&field.options, "hidden").as_bool().unwrap_or(false) || is_hidden(field, "viz");
    let is_shown = |field: &&Field| !is_left_out(field);
    frame.fields.iter().filter(is_shown).collect()
}

/// How a cell shows its value.
fn kind(field: &Field) -> &str {
    match custom_text(&field.options, "cellOptions/type") {
        "" => custom_text(&field.options, "displayMode"),
        kind => kind,
    }
}

/// The colour of a cell that has one: not that of a missing number.
fn cell_color(field: &Field, display: &Display, number: Option<f64>) -> Option<String> {
    if number.is_some_and(f64::is_nan) && field.options.mappings.is_empty() {
        return None;
    }
    let color = display.color.clone().or_else(|| number.map(|_| field.color.clone()));
    color.filter(|color| !color.is_empty() && color != "transparent")
}

fn alignment(field: &Field) -> &'static str {
    match (custom_text(&field.options, "align"), &field.values) {
        ("left", _) => "left",
        ("center", _) => "center",
        ("right", _) | (_, Values::Numbers(_)) => "number",
        (_, Values::Times(_) | Values::Texts(_)) => "left",
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

fn cell(field: &Field, row: usize, zone: &Zone) -> Markup {
    let (display, number) = content(field, row, zone);
    let text = &display.text;
    let color = cell_color(field, &display, number);
    // Attributes of old, since the page's policy allows no style of single cells.
    match (kind(field), color, number) {
        ("color-background" | "color-background-solid", Some(color), _) => html! {
            td.(alignment(field)) bgcolor=(color) { font color=(readable_on(&color)) { (text) } }
        },
        ("color-text", Some(color), _) => html! { td.(alignment(field)) { font color=(color) { (text) } } },
        ("gauge" | "lcd-gauge" | "gradient-gauge" | "basic", Some(color), Some(number)) => {
            let share = display::share(&field.options, number)
                .unwrap_or_default()
                .clamp(0.0, 1.0);
            html! {
                td.(alignment(field)) {
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
            html! { td.(alignment(field)).long[is_long] dir="auto" { (text) } }
        }
    }
}
