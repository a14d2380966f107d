//! Output of `edgewatch up`.
//!
//! Every write may fail, since a terminal can be closed and a pipe can end (`| head`). The stack does not stop for that: errors are
//! ignored here, and `println!`, which panics, is not used.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::Ordering;

use rustix::termios::tcgetwinsize;

use edgewatch_program::logging::{STATUS_LINE, clear_status_line};
use edgewatch_program::output::printable;

/// Prints a line to standard output.
pub(crate) fn say(line: impl Display) {
    clear_status_line();
    let _ = writeln!(io::stdout(), "{}", printable(&line.to_string()));
}

/// Prints a line to standard error.
pub(crate) fn note(line: impl Display) {
    clear_status_line();
    let _ = writeln!(io::stderr(), "{}", printable(&line.to_string()));
}

/// Prints a warning to standard error.
pub(crate) fn warn(line: impl Display) {
    note(format_args!("edgewatch: {line}"));
}

/// True if a line can be overwritten.
pub(crate) fn has_status_line() -> bool {
    io::stderr().is_terminal()
}

pub(crate) fn draw_status_line(line: &str) {
    let columns = tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    // Without the last column, at which some terminals wrap. A serial console reports 0 columns.
    let room = if columns == 0 { 79 } else { columns - 1 };
    let fitting: String = line.chars().take(room).collect();
    let _ = write!(io::stderr(), "\r\x1b[K{fitting}");
    STATUS_LINE.store(true, Ordering::Relaxed);
}
