//! What the screen is about, and what keys change.

use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, Zoned};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::card::Card;
use super::look::Look;
use super::session::{Part, Question};
use edgewatch_grafana_model::error::RangeError;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::time::{self, TimeRange};

/// What `+` and `-` go through.
const RANGES: [&str; 9] = [
    "now-5m", "now-15m", "now-30m", "now-1h", "now-3h", "now-6h", "now-12h", "now-24h", "now-7d",
];

/// Between two looks at a dashboard that says nothing of it.
const REFRESH: Duration = Duration::from_secs(30);

/// The end of a page, however long it is.
const END: usize = usize::MAX;

/// What happens to the screen.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size.
    Resize,
    /// A part of the answer to the question of that number.
    Part(u64, Part),
    /// The program is asked to end, or the terminal is gone.
    Stop,
}

/// What follows a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Draws again.
    Draw,
    /// Asks Prometheus again.
    Ask,
    /// Leaves the terminal to the shell for a while.
    Suspend,
    /// Ends.
    Quit,
}

/// The state of the screen.
pub struct Screen {
    /// Those among which keys choose; never empty.
    pub dashboards: Vec<Arc<Dashboard>>,
    /// The one that is shown.
    pub current: usize,
    /// The range; `None`: the dashboard's own.
    pub range: Option<(String, String)>,
    /// Whether collapsed rows are opened.
    pub open: bool,
    /// Whether nothing is asked until a key says so.
    pub paused: bool,
    pub(super) look: Look,
    pub(super) cards: Vec<Card>,
    /// Why there is no answer.
    pub(super) problem: Option<String>,
    /// When the last answer was complete; empty before.
    pub(super) updated: String,
    /// The first line that is shown; [`END`] stays at the end of a page that grows.
    pub(super) scroll: usize,
    /// How far one can scroll.
    pub(super) most: usize,
    pub(super) help: bool,
}

impl Screen {
    /// A screen for `dashboards`, with the one of number `current`.
    pub fn new(dashboards: Vec<Arc<Dashboard>>, current: usize, range: Option<(String, String)>, look: Look) -> Self {
        Self {
            dashboards,
            current,
            range,
            open: false,
            paused: false,
            look,
            cards: Vec::new(),
            problem: None,
            updated: String::new(),
            scroll: 0,
            most: 0,
            help: false,
        }
    }

    /// The dashboard that is shown.
    pub fn dashboard(&self) -> &Arc<Dashboard> {
        &self.dashboards[self.current]
    }

    /// From and to.
    pub fn range(&self) -> (String, String) {
        self.range.clone().unwrap_or_else(|| self.dashboard().time.ends())
    }

    /// Whether the range can be understood.
    ///
    /// # Errors
    /// It is none.
    pub fn check_range(&self) -> Result<(), RangeError> {
        let (from, to) = self.range();
        let zone = time::zone(&self.dashboard().timezone);
        TimeRange::parse(&from, &to, Timestamp::now().as_millisecond(), &zone).map(drop)
    }

    /// How long a page is shown before it is asked for again.
    pub fn refresh(&self) -> Duration {
        match time::interval::parse(&self.dashboard().refresh).map(u64::try_from) {
            Some(Ok(refresh)) if refresh >= 1000 => Duration::from_millis(refresh),
            _ => REFRESH,
        }
    }

    /// What is to be asked for a terminal of `width` columns.
    pub fn question(&self, number: u64, width: u16) -> Question {
        let (from, to) = self.range();
        Question {
            number,
            dashboard: Arc::clone(self.dashboard()),
            from,
            to,
            open: self.open,
            points: usize::from(width).clamp(20, 500),
        }
    }

    /// Takes a part of an answer.
    pub fn take(&mut self, part: Part) {
        match part {
            // A page that is only refreshed keeps what it shows until the new values are there.
            Part::Outline(cards) if self.is_same(&cards) => {}
            Part::Outline(cards) => self.cards = cards,
            Part::Card(index, card) => {
                if let Some(old) = self.cards.get_mut(index) {
                    *old = card;
                }
            }
            Part::End(Ok(())) => {
                self.problem = None;
                self.updated = Zoned::now().strftime("%H:%M:%S").to_string();
            }
            Part::End(Err(error)) => self.problem = Some(error.to_string()),
        }
    }

    fn is_same(&self, cards: &[Card]) -> bool {
        let keys = |cards: &[Card]| {
            cards
                .iter()
                .map(|card| (card.place, card.title.clone()))
                .collect::<Vec<_>>()
        };
        keys(&self.cards) == keys(cards)
    }

    /// Why there is no answer.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Heeds a key. `page` is the height of the terminal.
    pub fn press(&mut self, key: KeyEvent, page: usize) -> Action {
        let page = page.saturating_sub(2).max(1);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if self.help && !control && key.code != KeyCode::Char('q') {
            self.help = false;
            return Action::Draw;
        }
        match key.code {
            KeyCode::Char('c') if control => return Action::Quit,
            KeyCode::Char('z') if control => return Action::Suspend,
            KeyCode::Char('q') | KeyCode::Esc => return Action::Quit,
            KeyCode::Up | KeyCode::Char('k') => self.scroll = self.line().saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll = self.line() + 1,
            KeyCode::PageUp | KeyCode::Char('b') => self.scroll = self.line().saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll = self.line() + page,
            KeyCode::Home | KeyCode::Char('g') => self.scroll = 0,
            KeyCode::End | KeyCode::Char('G') => self.scroll = END,
            KeyCode::Right | KeyCode::Tab => return self.turn_to((self.current + 1) % self.dashboards.len()),
            KeyCode::Left | KeyCode::BackTab => {
                return self.turn_to((self.current + self.dashboards.len() - 1) % self.dashboards.len());
            }
            KeyCode::Char(digit @ '1'..='9') => {
                let index = usize::from(digit as u8 - b'1');
                if index < self.dashboards.len() {
                    return self.turn_to(index);
                }
            }
            KeyCode::Char('0') => {
                self.range = None;
                return Action::Ask;
            }
            KeyCode::Char('+') => return self.change_range(1),
            KeyCode::Char('-') => return self.change_range(-1),
            KeyCode::Char('o') => {
                self.open = !self.open;
                return Action::Ask;
            }
            KeyCode::Char('p') => {
                self.paused = !self.paused;
                return if self.paused { Action::Draw } else { Action::Ask };
            }
            KeyCode::Char('r') => return Action::Ask,
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.help = true,
            _ => {}
        }
        Action::Draw
    }

    /// The first line that is shown.
    pub(super) fn line(&self) -> usize {
        self.scroll.min(self.most)
    }

    fn turn_to(&mut self, index: usize) -> Action {
        if index == self.current {
            return Action::Draw;
        }
        self.current = index;
        self.scroll = 0;
        self.cards.clear();
        self.updated.clear();
        Action::Ask
    }

    /// The next range that is longer or shorter than the present one, if it ends now.
    fn change_range(&mut self, by: isize) -> Action {
        let (from, _) = self.range();
        let place = RANGES.iter().position(|range| *range == from);
        // A range that is none of these begins in the middle.
        let next = place.map_or(Some(3), |place| place.checked_add_signed(by));
        match next.and_then(|next| RANGES.get(next)) {
            Some(from) => {
                self.range = Some(((*from).to_owned(), "now".to_owned()));
                Action::Ask
            }
            None => Action::Draw,
        }
    }
}
