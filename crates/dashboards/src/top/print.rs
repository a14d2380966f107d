//! A screen as text, for `--once`.

use ratatui::backend::IntoCrossterm;
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::style::ContentStyle;
use ratatui::style::Style;

/// The lines of `buffer`, without the spaces at their ends; with the terminal's commands for its styles if it `is_styled`.
pub fn text(buffer: &Buffer, is_styled: bool) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut text = String::new();
    for line in buffer.content.chunks(width) {
        let end = line
            .iter()
            .rposition(|cell| cell.symbol() != " ")
            .map_or(0, |last| last + 1);
        // A letter of two cells leaves an empty one behind.
        let mut cells = line[..end].iter().filter(|cell| !cell.symbol().is_empty()).peekable();
        while let Some(first) = cells.next() {
            let mut run = first.symbol().to_owned();
            while let Some(next) = cells.next_if(|next| look(next) == look(first)) {
                run.push_str(next.symbol());
            }
            match look(first) {
                style if is_styled && style != look(&Cell::EMPTY) => {
                    let style: ContentStyle = style.into_crossterm();
                    text.push_str(&style.apply(run).to_string());
                }
                _ => text.push_str(&run),
            }
        }
        text.push('\n');
    }
    text
}

fn look(cell: &Cell) -> Style {
    cell.style()
}
