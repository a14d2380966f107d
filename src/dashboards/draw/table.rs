//! The panel `table`.

use maud::{Markup, html};

use super::super::data::{Data, Field, Frame, Values};
use super::super::display::{self, Display};
use super::super::model::Panel;
use super::super::time::Zone;
use super::look::{custom, custom_number, custom_text, option};
use super::theme::readable_on;

/// Rows of a table; nobody reads more.
const MOST_ROWS: usize = 500;

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
    html! {
        div.table tabindex="0" {
            @for frame in &frames { (table(frame, has_head, frames.len() > 1, zone)) }
        }
    }
}

fn table(frame: &Frame, has_head: bool, has_caption: bool, zone: &Zone) -> Markup {
    let fields: Vec<&Field> = frame
        .fields
        .iter()
        .filter(|field| !custom(&field.options, "hidden").as_bool().unwrap_or(false))
        .collect();
    let rows = fields.iter().map(|field| field.values.len()).max().unwrap_or_default();
    html! {
        table {
            @if has_caption && !frame.name.is_empty() { caption dir="auto" { (frame.name) } }
            colgroup { @for field in &fields { col width=[custom_number(&field.options, "width").map(|width| width.clamp(20.0, 2000.0).round())]; } }
            @if has_head { thead { tr { @for field in &fields { th.(alignment(field)) scope="col" dir="auto" { (field.name) } } } } }
            tbody { @for row in 0..rows.min(MOST_ROWS) { tr { @for field in &fields { (cell(field, row, zone)) } } } }
            @if rows > MOST_ROWS { tfoot { tr { td colspan=(fields.len()) { "and " (rows - MOST_ROWS) " more rows" } } } }
        }
    }
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
    let (Display { text, color }, number) = content(field, row, zone);
    let kind = match custom_text(&field.options, "cellOptions/type") {
        "" => custom_text(&field.options, "displayMode"),
        kind => kind,
    };
    let color = color
        .or_else(|| number.map(|_| field.color.clone()))
        .filter(|color| !color.is_empty() && color != "transparent");
    // Attributes of old, since the page's policy allows no style of single cells.
    match (kind, color, number) {
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
                    svg.share aria-hidden="true" { @if share > 0.0 { rect width=(format!("{:.1}%", share * 100.0)) height="100%" rx="2" fill=(color) {} } }
                    (text)
                }
            }
        }
        _ => html! { td.(alignment(field)) dir="auto" { (text) } },
    }
}
