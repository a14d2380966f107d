//! Tables on a page.

use maud::{Markup, html};

use crate::table::{Column, MAX_CELLS, MAX_ROWS, Tables, cell_color, columns_of, content, rows_of};
use crate::theme::readable_on;
use edgewatch_grafana_model::data::Frame;
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::panel::table::Cell;

/// Letters of a word that are more than a name has.
const LONG_WORD: usize = 32;

/// One below the other.
pub fn tables(tables: &Tables) -> Markup {
    let frames = &tables.frames;
    let mut room = MAX_CELLS;
    let drawn = frames.iter().map_while(|frame| {
        let most = room / frame.fields.len().max(1);
        let cells = frame.fields.len() * frame.len().min(MAX_ROWS);
        (most > 0).then(|| room -= cells.min(room))?;
        Some(table(tables, frame, frames.len() > 1, most))
    });
    let drawn: Vec<Markup> = drawn.collect();
    html! {
        div.table tabindex="0" {
            @for table in &drawn { (table) }
            @if drawn.len() < frames.len() { p { "and " (frames.len() - drawn.len()) " more tables" } }
        }
    }
}

fn table(tables: &Tables, frame: &Frame, has_caption: bool, most: usize) -> Markup {
    let most = most.min(MAX_ROWS);
    let fields = columns_of(frame);
    let rows = rows_of(&fields);
    let footer = tables.footer(&fields);
    html! {
        table {
            @if has_caption && !frame.name.is_empty() { caption dir="auto" { (frame.name) } }
            colgroup { @for column in &fields { col width=[column.style.width.map(|width| width.clamp(20.0, 2000.0).round())]; } }
            @if tables.has_head { thead { tr { @for column in &fields { th.(column.alignment()) scope="col" dir="auto" { (column.field.name) } } } } }
            tbody { @for row in 0..rows.min(most) { tr { @for column in &fields { (cell_of(column, row)) } } } }
            @if rows > most || !footer.is_empty() {
                tfoot {
                    @if rows > most { tr { td colspan=(fields.len()) { "and " (rows - most) " more rows" } } }
                    @for line in &footer { tr { @for (column, text) in fields.iter().zip(line) { td.(column.alignment()) { (text) } } } }
                }
            }
        }
    }
}

fn cell_of(column: &Column, row: usize) -> Markup {
    let (field, alignment) = (column.field, column.alignment());
    let (display, number) = content(field, row);
    let text = &display.text;
    let color = cell_color(field, &display, number);
    // Attributes of old, since the page's policy allows no style of single cells.
    match (column.cell, color, number) {
        (Cell::ColorBackground | Cell::ColorBackgroundSolid, Some(color), _) => html! {
            td.(alignment) bgcolor=(color) { font color=(readable_on(&color)) { (text) } }
        },
        (Cell::ColorText, Some(color), _) => html! { td.(alignment) { font color=(color) { (text) } } },
        (Cell::Gauge | Cell::LcdGauge | Cell::GradientGauge | Cell::Basic, Some(color), Some(number)) => {
            let share = display::share(&field.options, number).clamp(0.0, 1.0);
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
