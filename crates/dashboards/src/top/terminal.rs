//! The terminal: taken at the start, given back whatever happens.

use std::env;
use std::io::{self, Stdout, stdout};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, enable_raw_mode};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::tcgetwinsize;

use super::screen::Screen;

/// A terminal in its other screen, without echo. Dropping it gives it back; a panic does so before its message is written.
pub struct Taken {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Taken {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Standard output is no terminal, or it is gone.
    pub fn take() -> io::Result<Self> {
        let viewport = Viewport::Fixed(size());
        let terminal = ratatui::try_init_with_options(TerminalOptions { viewport })?;
        let taken = Self { terminal };
        execute!(stdout(), EnterAlternateScreen)?;
        Ok(taken)
    }

    /// Columns and lines.
    pub fn area(&mut self) -> Rect {
        self.terminal.get_frame().area()
    }

    /// Draws `screen`; only what changed is sent.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, screen: &mut Screen) -> io::Result<()> {
        self.terminal.draw(|frame| screen.draw(frame.buffer_mut())).map(drop)
    }

    /// Heeds a new size.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn resize(&mut self) -> io::Result<()> {
        self.terminal.resize(size())
    }

    /// Gives the terminal to the shell until it says `fg`.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        ratatui::try_restore()?;
        self.terminal.show_cursor()?;
        kill_current_process_group(Signal::TSTP)?;
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen)?;
        self.terminal.resize(size())?;
        self.terminal.clear()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing any more.
        let _ = self.terminal.show_cursor();
        let _ = ratatui::try_restore();
    }
}

/// The size of the terminal: as it says, as the shell says, or that of a VT100. A serial line says that it has no columns.
pub fn size() -> Rect {
    let (columns, lines) = tcgetwinsize(io::stdout()).map_or((0, 0), |size| (size.ws_col, size.ws_row));
    let variable = |name| env::var(name).ok().and_then(|text| text.parse().ok());
    let or = |told: u16, name, default| {
        if told > 0 {
            told
        } else {
            variable(name).filter(|size| *size > 0).unwrap_or(default)
        }
    };
    Rect::new(0, 0, or(columns, "COLUMNS", 80), or(lines, "LINES", 24))
}
