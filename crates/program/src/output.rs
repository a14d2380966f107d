//! What commands print. `println!` and `eprintln!` panic when a pipe is closed or a disk is full, so they are not used.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use std::process::ExitCode;

use crate::error::Failure;

/// Prints the answer of a command to standard output.
///
/// # Errors
/// It cannot be written. A closed pipe is none: whoever closed it, such as `head`, has seen enough.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    outcome(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// What it means to a command that its answer was written, or was not.
///
/// # Errors
/// As [`print()`].
pub fn outcome(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::because("cannot write", error)),
        _ => Ok(()),
    }
}

/// As [`print()`], for text that holds what others wrote: a terminal is not steered by it, and a file gets it as it is.
///
/// # Errors
/// As [`print()`].
pub fn print_foreign(text: &str) -> Result<(), Failure> {
    match io::stdout().is_terminal() {
        true => print(&printable(text)),
        false => print(text),
    }
}

/// Says on standard error why a command failed. Where that is closed or full, nobody can be told.
pub fn complain(message: impl Display) {
    let line = format!("edgewatch: {message}\n");
    let _ = io::stderr().write_all(printable(&line).as_bytes());
}

/// The exit status of a command, and on standard error why it failed; where logging has begun, the journal has it from here as well.
pub fn status(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

/// The exit status of a command line that asks for help or the version, which are answers, or is wrong, which is told on standard error.
pub fn told(told: &clap::Error) -> ExitCode {
    let status = u8::try_from(told.exit_code()).unwrap_or(2);
    match outcome(told.print().and_then(|()| io::stdout().flush())) {
        Err(error) if !told.use_stderr() => self::status(Err(error)),
        _ => ExitCode::from(status),
    }
}

/// The text without what steers a terminal. It may come from a server, a file or the name of a process: escape sequences could
/// rewrite the screen or, on some terminals, type commands.
pub fn printable(text: &str) -> Cow<'_, str> {
    match text.contains(steers) {
        true => text.replace(steers, " ").into(),
        false => text.into(),
    }
}

/// Control characters of ECMA-48, C1 among them, but for line breaks and tabs; and those of Unicode that change the direction of
/// what follows, so that a text reads otherwise than it is.
pub fn steers(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(printable("caf\u{e9}\tau\nlait"), "caf\u{e9}\tau\nlait");
        for odd in ['\x1b', '\r', '\x08', '\x7f', '\u{9b}', '\u{85}', '\u{202e}', '\u{2066}'] {
            assert_eq!(printable(&format!("a{odd}b")), "a b", "{}", odd.escape_unicode());
        }
    }
}
