//! Panels in the cells of a terminal.

use std::mem;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Sparkline, SparklineBar, Widget};

use super::card::{Card, Kind};
use super::look::{Look, cells};
use super::row::{Painted, Row, State};

/// Lines of a panel's graphs, so that one series is not a single line.
const LEAST_LINES: usize = 3;
/// Lines of one series at most.
const MAX_LINES: usize = 4;

/// Lines that `card` wants in `width` columns, its title among them.
pub fn height(card: &Card, width: usize, look: Look) -> usize {
    let rows: usize = card.rows.iter().map(|row| lines(row, width, look)).sum();
    1 + match card.kind {
        Kind::Heading => 0,
        Kind::Small => rows.max(1),
        // A panel that waits for its values keeps a place for them.
        Kind::Large if card.rows.is_empty() || card.rows.iter().any(is_series) => rows.max(LEAST_LINES),
        Kind::Large => rows.max(1),
    }
}

const fn is_series(row: &Row) -> bool {
    matches!(row, Row::Series { .. })
}

fn lines(row: &Row, width: usize, look: Look) -> usize {
    match row {
        Row::Text(text) => wrap(&look.fit(&text.text, usize::MAX), width).len(),
        Row::Series { .. } | Row::Bar { .. } | Row::States { .. } | Row::Cells(_) => 1,
    }
}

/// Draws `card` into `area`.
pub fn card(card: &Card, look: Look, area: Rect, buffer: &mut Buffer) {
    title(card, look, area, buffer);
    let columns = Columns::of(&card.rows, usize::from(area.width), look);
    let mut left = usize::from(area.height).saturating_sub(1);
    let wanted: usize = card
        .rows
        .iter()
        .map(|row| lines(row, usize::from(area.width), look))
        .sum();
    let series = card.rows.iter().filter(|row| is_series(row)).count().max(1);
    let spare = left.saturating_sub(wanted);
    let tall = (1 + spare / series).min(MAX_LINES);
    let mut y = area.y + 1;
    for (index, row) in card.rows.iter().enumerate() {
        let wanted = if is_series(row) {
            tall
        } else {
            lines(row, usize::from(area.width), look)
        };
        let lines = wanted.min(left);
        if lines == 0 {
            break;
        }
        let place = Rect {
            y,
            height: narrow(lines),
            ..area
        };
        columns.row(row, index == 0, place, buffer);
        left -= lines;
        y += narrow(lines);
    }
}

fn title(card: &Card, look: Look, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let title = look.fit(&card.title, width);
    let used = cells(&title);
    let style = match card.kind {
        Kind::Heading => Style::new().add_modifier(Modifier::REVERSED),
        Kind::Small | Kind::Large => Style::new().add_modifier(Modifier::BOLD),
    };
    buffer.set_string(area.x, area.y, &title, style);
    if used + 2 <= width {
        let rule = look.rule(card.kind == Kind::Heading).repeat(width - used - 1);
        buffer.set_string(
            area.x + narrow(used) + 1,
            area.y,
            rule,
            Style::new().add_modifier(Modifier::DIM),
        );
    }
}

/// The columns of a panel's rows.
struct Columns {
    look: Look,
    /// Of the names; 0 if there are none.
    name: usize,
    /// Of the last values.
    last: usize,
    /// Of a table.
    table: Vec<usize>,
}

impl Columns {
    fn of(rows: &[Row], width: usize, look: Look) -> Self {
        let size = |text: &Painted| cells(&look.fit(&text.text, usize::MAX));
        let (mut name, mut last, mut table) = (0, 0, Vec::new());
        for row in rows {
            match row {
                Row::Text(_) => {}
                Row::Series {
                    name: of, last: value, ..
                }
                | Row::Bar {
                    name: of, last: value, ..
                }
                | Row::States {
                    name: of, last: value, ..
                } => {
                    name = name.max(size(of));
                    last = last.max(size(value));
                }
                Row::Cells(columns) => {
                    table.resize(table.len().max(columns.len()), 0);
                    for (most, cell) in table.iter_mut().zip(columns) {
                        *most = size(cell).max(*most);
                    }
                }
            }
        }
        let last = last.min(width / 2);
        Self {
            look,
            name: name.min(width.saturating_sub(last + 1) / 2),
            last,
            table: squeeze(table, width),
        }
    }

    fn row(&self, row: &Row, is_first: bool, area: Rect, buffer: &mut Buffer) {
        match row {
            Row::Text(text) => {
                let clean = self.look.fit(&text.text, usize::MAX);
                for (line, y) in wrap(&clean, usize::from(area.width)).iter().zip(area.y..area.bottom()) {
                    buffer.set_string(area.x, y, line, self.look.paint(&text.color));
                }
            }
            Row::Series {
                name,
                values,
                low,
                high,
                last,
            } => {
                let middle = self.ends(name, last, area, buffer);
                let line: Vec<_> = resample(values, usize::from(middle.width))
                    .map(|value| level(value, *low, *high, middle.height))
                    .map(SparklineBar::from)
                    .collect();
                Sparkline::default()
                    .data(line)
                    .max(8 * u64::from(middle.height))
                    .bar_set(self.look.bars())
                    .absent_value_symbol(" ")
                    .style(self.look.paint(&name.color))
                    .render(middle, buffer);
            }
            Row::Bar { name, share, last } => {
                let middle = self.ends(name, last, area, buffer);
                let style = self.look.paint(&last.color);
                let full = 8.0 * f64::from(middle.width) * share.clamp(0.0, 1.0);
                for (x, column) in (middle.x..middle.right()).zip(0u16..) {
                    let eighths = full - 8.0 * f64::from(column);
                    buffer.set_string(x, middle.y, self.across(eighths), style);
                }
            }
            Row::States { name, states, last } => {
                let middle = self.ends(name, last, area, buffer);
                let width = f64::from(middle.width);
                for (x, column) in (middle.x..middle.right()).zip(0u16..) {
                    let (start, end) = (f64::from(column) / width, f64::from(column + 1) / width);
                    // The last state within the column, since it is the one that holds.
                    let within = |state: &&State| state.from < end && state.to > start;
                    if let Some(state) = states.iter().rev().find(within) {
                        buffer.set_string(
                            x,
                            middle.y,
                            self.look.state(state.number),
                            self.look.paint(&state.color),
                        );
                    }
                }
            }
            Row::Cells(columns) => {
                let mut x = area.x;
                for (cell, width) in columns.iter().zip(&self.table) {
                    let style = if is_first {
                        Style::new().add_modifier(Modifier::UNDERLINED)
                    } else {
                        self.look.paint(&cell.color)
                    };
                    buffer.set_string(x, area.y, self.look.fit(&cell.text, *width), style);
                    x += narrow(width + 1);
                }
            }
        }
    }

    /// Draws name and value at both ends of the row, and tells what lies between them.
    fn ends(&self, name: &Painted, last: &Painted, area: Rect, buffer: &mut Buffer) -> Rect {
        let last_line = area.bottom() - 1;
        buffer.set_string(
            area.x,
            last_line,
            self.look.fit(&name.text, self.name),
            self.look.paint(&name.color),
        );
        let text = self.look.fit(&last.text, self.last);
        let x = area.right() - narrow(cells(&text).min(usize::from(area.width)));
        let style = self.look.paint(&last.color).add_modifier(Modifier::BOLD);
        buffer.set_string(x, last_line, text, style);
        let before = if self.name > 0 { narrow(self.name + 1) } else { 0 };
        let behind = if self.last > 0 { narrow(self.last + 1) } else { 0 };
        Rect {
            x: area.x + before.min(area.width),
            width: area.width.saturating_sub(before + behind),
            ..area
        }
    }

    /// The glyph of a bar that grows to the right.
    fn across(&self, eighths: f64) -> &'static str {
        use ratatui::symbols::block;
        match eighths {
            ..1.0 if self.look.ascii => ".",
            4.0.. if self.look.ascii => "#",
            _ if self.look.ascii => "=",
            ..1.0 => "·",
            ..2.0 => block::ONE_EIGHTH,
            ..3.0 => block::ONE_QUARTER,
            ..4.0 => block::THREE_EIGHTHS,
            ..5.0 => block::HALF,
            ..6.0 => block::FIVE_EIGHTHS,
            ..7.0 => block::THREE_QUARTERS,
            ..8.0 => block::SEVEN_EIGHTHS,
            _ => block::FULL,
        }
    }
}

/// Makes the widest columns narrower until all fit, with a space between two.
fn squeeze(mut columns: Vec<usize>, width: usize) -> Vec<usize> {
    let room = width.saturating_sub(columns.len().saturating_sub(1));
    while columns.iter().sum::<usize>() > room {
        match columns.iter_mut().max() {
            Some(widest) if *widest > 0 => *widest -= 1,
            _ => break,
        }
    }
    columns
}

/// `values` as `width` means of what lies within each column; NaN where nothing does.
fn resample(values: &[f64], width: usize) -> impl Iterator<Item = f64> {
    (0..width).map(move |column| {
        let start = column * values.len() / width;
        let end = ((column + 1) * values.len() / width).max(start + 1).min(values.len());
        let within = values
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .filter(|value| !value.is_nan());
        let (sum, count) = within.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        sum / count
    })
}

/// Eighths of a cell from the ground: at least one, so that a value on the ground differs from none.
fn level(value: f64, low: f64, high: f64, lines: u16) -> Option<u64> {
    if value.is_nan() {
        return None;
    }
    let share = if high > low {
        ((value - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let most = 8.0 * f64::from(lines) - 1.0;
    Some(1 + (share * most).round() as u64)
}

/// Breaks `text` between words, and within those that are too long.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if cells(&line) + 1 + cells(word) > width && !line.is_empty() {
            lines.push(mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            if cells(&line) + cells(letter.encode_utf8(&mut [0; 4])) > width && !line.is_empty() {
                lines.push(mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines
}

/// Columns of a terminal are counted in 16 bits.
fn narrow(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
