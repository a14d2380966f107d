//! The panel `table`.

use maud::{Markup, html};

use super::super::data::{Data, Field, Frame, Values};
use super::super::display;
use super::super::model::Panel;
use super::color;
use super::look::{custom, custom_number, custom_text, option};
use super::theme::{Medium, readable_on};

/// Rows of a table; nobody reads more.
const MOST_ROWS: usize = 500;

/// For a page.
pub fn page(panel: &Panel, data: &Data) -> Markup {
    let frames: Vec<&Frame> = data.frames.iter().filter(|frame| frame.fields.iter().any(|field| !field.values.is_empty())).collect();
    if frames.is_empty() {
        return super::nothing(panel);
    }
    let has_head = option(panel, "/showHeader").as_bool().unwrap_or(true);
    html! {
        div.table tabindex="0" {
            @for frame in &frames { (table(frame, has_head, frames.len() > 1)) }
        }
    }
}

fn table(frame: &Frame, has_head: bool, has_caption: bool) -> Markup {
    let fields: Vec<&Field> = frame.fields.iter().filter(|field| !custom(&field.options, "hidden").as_bool().unwrap_or(false)).collect();
    let rows = fields.iter().map(|field| field.values.len()).max().unwrap_or_default();
    html! {
        table {
            @if has_caption && !frame.name.is_empty() { caption dir="auto" { (frame.name) } }
            colgroup { @for field in &fields { col width=[custom_number(&field.options, "width").map(|width| width.clamp(20.0, 2000.0).round())]; } }
            @if has_head { thead { tr { @for field in &fields { th.(alignment(field)) scope="col" dir="auto" { (field.name) } } } } }
            tbody { @for row in 0..rows.min(MOST_ROWS) { tr { @for field in &fields { (cell(field, row)) } } } }
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

/// The text of a row of `field`, and its number if it is one.
fn content(field: &Field, row: usize) -> (String, Option<f64>) {
    match &field.values {
        Values::Texts(texts) => (texts.get(row).cloned().unwrap_or_default(), None),
        Values::Times(times) => (times.get(row).map(|time| format!("{time}")).unwrap_or_default(), None),
        Values::Numbers(numbers) => {
            let number = numbers.get(row).copied().unwrap_or(f64::NAN);
            (display::number(&field.options, number).text, Some(number))
        }
    }
}

fn cell(field: &Field, row: usize) -> Markup {
    let (text, number) = content(field, row);
    let kind = match custom_text(&field.options, "cellOptions/type") {
        "" => custom_text(&field.options, "displayMode"),
        kind => kind,
    };
    let color = number.map(|number| color::of_one(&field.options, number, 0, Medium::Page));
    // Attributes of old, since the page's policy allows no style of single cells.
    match (kind, color, number) {
        ("color-background" | "color-background-solid", Some(color), _) => html! {
            td.(alignment(field)) bgcolor=(color) { font color=(readable_on(&color)) { (text) } }
        },
        ("color-text", Some(color), _) => html! { td.(alignment(field)) { font color=(color) { (text) } } },
        ("gauge" | "lcd-gauge" | "gradient-gauge" | "basic", Some(color), Some(number)) => {
            let (min, max) = (field.options.min.unwrap_or(0.0), field.options.max.unwrap_or(100.0));
            let share = ((number - min) / (max - min)).clamp(0.0, 1.0);
            html! {
                td.(alignment(field)) {
                    svg.bar aria-hidden="true" { @if share > 0.0 { rect width=(format!("{:.1}%", share * 100.0)) height="100%" rx="2" fill=(color) {} } }
                    (text)
                }
            }
        }
        _ => html! { td.(alignment(field)) dir="auto" { (text) } },
    }
}
