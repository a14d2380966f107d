//! Tables on a page.

use maud::{Markup, html};

use crate::Sorted;
use crate::table::{Column, MAX_CELLS, MAX_ROWS, Tables, cell_color, columns_of, content, rows_of};
use crate::theme::readable_on;
use edgewatch_grafana_model::data::Frame;
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::links::{self, Link};
use edgewatch_grafana_model::panel::table::{Cell, SortBy};

/// Letters of a word that are more than a name has.
const LONG_WORD: usize = 32;

/// Heads that lead to another order: each repeats the address of the page, which may be long.
const SORTABLE: usize = 50;
/// Bytes of the addresses of all links of a panel.
const LINKS: usize = 256 << 10;

/// One below the other.
pub fn tables(tables: &Tables, sorted: Option<&Sorted<'_>>) -> Markup {
    let frames = &tables.frames;
    let mut room = MAX_CELLS;
    let mut links = Links {
        sorted: sorted.filter(|_| tables.sort_by.is_some()),
        heads: SORTABLE,
        bytes: LINKS,
    };
    let drawn = frames.iter().map_while(|frame| {
        let most = room / frame.fields.len().max(1);
        let cells = frame.fields.len() * frame.len().min(MAX_ROWS);
        (most > 0).then(|| room -= cells.min(room))?;
        Some(table(tables, frame, frames.len() > 1, most, &mut links))
    });
    let drawn: Vec<Markup> = drawn.collect();
    html! {
        div.table tabindex="0" {
            @for table in &drawn { (table) }
            @if links.bytes == 0 { p { "the links of further cells are left out: there are too many" } }
            @if drawn.len() < frames.len() { p { "and " (frames.len() - drawn.len()) " more tables" } }
        }
    }
}

/// What a panel's tables lead to, as far as there is room for it.
struct Links<'a> {
    sorted: Option<&'a Sorted<'a>>,
    /// Heads that may still be links.
    heads: usize,
    /// Bytes of addresses that may still be written.
    bytes: usize,
}

impl Links<'_> {
    /// The head of a column, which leads to its ascending order, or to the descending one from there.
    fn head(&mut self, column: &Column, sort_by: Option<&[SortBy]>) -> Markup {
        let name = &column.field.name;
        let by = sort_by.and_then(<[SortBy]>::first);
        let current = by.filter(|by| by.display_name.as_ref() == Some(name));
        let direction = current.map(|by| if by.desc { "descending" } else { "ascending" });
        let sorted = self.sorted.filter(|_| self.heads > 0 && !name.is_empty());
        self.heads -= usize::from(sorted.is_some());
        let next = SortBy {
            display_name: Some(name.clone()),
            desc: direction == Some("ascending"),
        };
        html! {
            th.(column.alignment()) scope="col" dir="auto" aria-sort=[direction] {
                @if let Some(sorted) = sorted { a href=(sorted(&next)) { (name) } } @else { (name) }
            }
        }
    }

    /// The text of a cell: it is the link itself where there is one.
    fn cell(&mut self, tables: &Tables, frame: &Frame, column: &Column, row: usize, text: &str) -> Markup {
        let mut links = match column.field.options.links.is_empty() || self.bytes == 0 {
            true => Vec::new(),
            false => links::of_cell(frame, column.field, row, tables.scope),
        };
        let bytes: usize = links.iter().map(|link| link.address.len() + link.title.len()).sum();
        if bytes > self.bytes {
            links.clear();
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        let link = |link: &Link, says: &str| {
            let (target, rel) = if link.is_apart {
                (Some("_blank"), Some("noopener noreferrer"))
            } else {
                (None, None)
            };
            html! { a href=(link.address) target=[target] rel=[rel] title=[(!link.title.is_empty()).then_some(&link.title)] { (says) } }
        };
        let named = |one: &Link| link(one, if one.title.is_empty() { &one.address } else { &one.title });
        match (links.as_slice(), column.cell) {
            ([], _) => html! { (text) },
            ([one], cell) if cell != Cell::Links => link(one, if text.is_empty() { &one.title } else { text }),
            (several, Cell::Links) => html! { span.links { @for one in several { (named(one)) } } },
            (several, _) => html! { (text) span.links { @for one in several { (named(one)) } } },
        }
    }
}

fn table(tables: &Tables, frame: &Frame, has_caption: bool, most: usize, links: &mut Links) -> Markup {
    let most = most.min(MAX_ROWS);
    let fields = columns_of(frame);
    let rows = rows_of(&fields);
    let footer = tables.footer(&fields);
    html! {
        table {
            @if has_caption && !frame.name.is_empty() { caption dir="auto" { (frame.name) } }
            colgroup { @for column in &fields { col width=[column.style.width.map(|width| width.clamp(20.0, 2000.0).round())]; } }
            @if tables.has_head { thead { tr { @for column in &fields { (links.head(column, tables.sort_by)) } } } }
            tbody { @for row in 0..rows.min(most) { tr { @for column in &fields { (cell_of(tables, frame, column, row, links)) } } } }
            @if rows > most || !footer.is_empty() {
                tfoot {
                    @if rows > most { tr { td colspan=(fields.len()) { "and " (rows - most) " more rows" } } }
                    @for line in &footer { tr { @for (column, text) in fields.iter().zip(line) { td.(column.alignment()) { (text) } } } }
                }
            }
        }
    }
}

fn cell_of(tables: &Tables, frame: &Frame, column: &Column, row: usize, links: &mut Links) -> Markup {
    let (field, alignment) = (column.field, column.alignment());
    let (display, number) = content(field, row);
    let text = &display.text;
    let shown = links.cell(tables, frame, column, row, text);
    let color = cell_color(field, &display, number);
    // Attributes of old, since the page's policy allows no style of single cells.
    match (column.cell, color, number) {
        (Cell::ColorBackground | Cell::ColorBackgroundSolid, Some(color), _) => html! {
            td.(alignment) bgcolor=(color) { font color=(readable_on(&color)) { (shown) } }
        },
        (Cell::ColorText, Some(color), _) => html! { td.(alignment) { font color=(color) { (shown) } } },
        (Cell::Gauge | Cell::LcdGauge | Cell::GradientGauge | Cell::Basic, Some(color), Some(number)) => {
            let share = display::share(&field.options, number).clamp(0.0, 1.0);
            html! {
                td.(alignment) {
                    div.share {
                        svg aria-hidden="true" {
                            rect.track width="100%" height="100%" rx="2" {}
                            @if share > 0.0 { rect width=(format!("{:.1}%", share * 100.0)) height="100%" rx="2" fill=(color) {} }
                        }
                        span { (shown) }
                    }
                }
            }
        }
        _ => {
            // A long word is broken; short ones stay whole, and a narrow table is scrolled.
            let is_long = text.split_whitespace().any(|word| word.chars().count() > LONG_WORD);
            html! { td.(alignment).long[is_long] dir="auto" { (shown) } }
        }
    }
}
