//! What the person at the terminal reads.
//!
//! Every write may fail, since a terminal can be closed and a pipe can end (`| head`). The stack does not end for that, so
//! failures are ignored here, and `println!`, which panics, is not used.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::Ordering;

use rustix::termios::tcgetwinsize;

use edgewatch_program::logging::{STATUS_LINE, clear_status_line};
use edgewatch_program::output::printable;

/// Says what belongs to the answer of the command.
pub fn say(line: impl Display) {
    clear_status_line();
    let _ = writeln!(io::stdout(), "{}", printable(&line.to_string()));
}

/// Says what happens meanwhile.
pub fn note(line: impl Display) {
    clear_status_line();
    let _ = writeln!(io::stderr(), "{}", printable(&line.to_string()));
}

/// Says what is not as it should be.
pub fn warn(line: impl Display) {
    note(format_args!("edgewatch: {line}"));
}

/// True if a line can be written over and over.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Writes the line of live state over the one before.
pub fn draw(line: &str) {
    let columns = tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    // The last column stays free: some terminals go to the next line there. A serial console says that it has no columns.
    let room = if columns == 0 { 79 } else { columns - 1 };
    let fitting: String = line.chars().take(room).collect();
    let _ = write!(io::stderr(), "\r\x1b[K{fitting}");
    STATUS_LINE.store(true, Ordering::Relaxed);
}
