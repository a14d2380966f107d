//! The screen in the cells of a terminal: a line about it, and as many lines of the panels as there is room for.

use std::iter;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::layout;
use super::look::cells;
use super::paint;
use super::screen::Screen;

/// What the keys are for.
const HELP: [&str; 9] = [
    "up, down, PgUp, PgDn, Home, End   scroll (or k, j, b, space, g, G)",
    "left, right, Tab, 1 to 9          another dashboard",
    "+, -                              a longer or a shorter range",
    "0                                 the dashboard's own range",
    "o                                 open or close collapsed rows",
    "p                                 pause",
    "r                                 ask now",
    "Ctrl-Z                            to the shell",
    "q, Esc, Ctrl-C                    quit",
];

impl Screen {
    /// The panels in `width` columns, as high as they are.
    pub fn page(&self, width: u16) -> Buffer {
        let bands = layout::bands(&self.cards, usize::from(width));
        let height = |band: &layout::Band| {
            let heights = band
                .slots
                .iter()
                .map(|slot| paint::height(&self.cards[slot.card], slot.width, self.look));
            narrow(heights.max().unwrap_or(0))
        };
        let heights: Vec<u16> = bands.iter().map(height).collect();
        let total = heights.iter().copied().fold(0, u16::saturating_add);
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, total));
        let mut y = 0;
        for (band, height) in bands.iter().zip(heights) {
            for slot in &band.slots {
                let area = Rect::new(narrow(slot.x), y, narrow(slot.width), height).intersection(buffer.area);
                if !area.is_empty() {
                    paint::card(&self.cards[slot.card], self.look, area, &mut buffer);
                }
            }
            y = y.saturating_add(height);
        }
        buffer
    }

    /// Draws everything into `buffer`.
    pub fn draw(&mut self, buffer: &mut Buffer) {
        let area = buffer.area;
        let heads = self.problem_lines(area).len() + 1;
        let page = self.page(area.width);
        let room = usize::from(area.height).saturating_sub(heads);
        self.most = usize::from(page.area.height).saturating_sub(room);
        self.head(area, buffer);
        let below = area.y.saturating_add(narrow(heads));
        let lines = (below..area.bottom()).zip(self.line()..usize::from(page.area.height));
        for (y, line) in lines {
            for x in 0..area.width {
                buffer[(area.x + x, y)] = page[(x, narrow(line))].clone();
            }
        }
        if self.help {
            for (line, y) in HELP.iter().zip(area.y + 1..area.bottom()) {
                self.reversed(line, y, area, buffer);
            }
        }
    }

    /// The first line, and why there is no answer below it.
    fn head(&self, area: Rect, buffer: &mut Buffer) {
        let (from, to) = self.range();
        let state = match (self.paused, self.updated.as_str()) {
            (true, updated) => format!("paused at {updated}"),
            (false, "") => "…".to_owned(),
            (false, updated) => updated.to_owned(),
        };
        let place = (self.line() * 100).checked_div(self.most);
        let place = place.map_or_else(String::new, |percent| format!("  {percent}%"));
        let width = usize::from(area.width);
        let right = self.look.fit(&format!("{place}  ? help  q quit"), width);
        let left = format!("{}  {from} to {to}  {state}", self.dashboard().title);
        let room = width - cells(&right);
        let left = self.look.fit(&left, room);
        let space = " ".repeat(room - cells(&left));
        let lines = iter::once(format!("{left}{space}{right}")).chain(self.problem_lines(area));
        for (line, y) in lines.zip(area.y..area.bottom()) {
            self.reversed(&line, y, area, buffer);
        }
    }

    fn problem_lines(&self, area: Rect) -> Vec<String> {
        let problem = self.problem.iter().map(|problem| self.look.fit(problem, usize::MAX));
        problem
            .flat_map(|problem| paint::wrap(&problem, usize::from(area.width)))
            .collect()
    }

    fn reversed(&self, line: &str, y: u16, area: Rect, buffer: &mut Buffer) {
        let style = Style::new().add_modifier(Modifier::REVERSED);
        buffer.set_style(Rect { y, height: 1, ..area }, style);
        let blank = " ".repeat(usize::from(area.width));
        buffer.set_string(area.x, y, blank, style);
        buffer.set_string(area.x, y, self.look.fit(line, usize::from(area.width)), style);
    }
}

/// Columns and lines of a terminal are counted in 16 bits.
fn narrow(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
