//! Output of commands. `println!` and `eprintln!` panic when a pipe is closed or a disk is full, so they are not used.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use std::process::ExitCode;

use crate::error::Error;
use crate::logging;

/// Prints the output of a command to standard output.
///
/// # Errors
/// It cannot be written. A closed pipe is no error: its reader, such as `head`, has seen enough.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout();
    check_written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// The result of a command by that of writing its output.
///
/// # Errors
/// As [`print()`].
pub fn check_written(written: io::Result<()>) -> Result<(), Error> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// As [`print()`], for text from other sources: control characters are replaced on a terminal, and kept in a file.
///
/// # Errors
/// As [`print()`].
pub fn print_untrusted(text: &str) -> Result<(), Error> {
    match io::stdout().is_terminal() {
        true => print(&printable(text)),
        false => print(text),
    }
}

/// Prints to standard error why a command failed. If that is closed or full, the message is lost.
pub fn print_error(message: impl Display) {
    let text = format!("edgewatch: {message}");
    // What is written to the journal's stream has the priority of an error only if each line says so (sd-daemon(3)).
    let priority = if logging::is_journal(io::stderr()) { "<3>" } else { "" };
    let lines: String = printable(&text)
        .lines()
        .map(|line| format!("{priority}{line}\n"))
        .collect();
    let _ = io::stderr().write_all(lines.as_bytes());
}

/// The exit status of a command. Prints to standard error why it failed, which the journal has from there.
pub fn exit_code(result: Result<(), impl Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(error);
            ExitCode::FAILURE
        }
    }
}

/// Parses the arguments of this process and runs the command, or tells what is wrong with them.
pub fn parse_and_run<C: clap::Parser>(run: impl FnOnce(C) -> ExitCode) -> ExitCode {
    match C::try_parse() {
        Ok(command) => run(command),
        Err(error) => print_clap_error(&error),
    }
}

/// Prints help or version to standard output, or what is wrong with the command line to standard error, and gives the exit status.
fn print_clap_error(error: &clap::Error) -> ExitCode {
    let status = u8::try_from(error.exit_code()).unwrap_or(2);
    match check_written(error.print().and_then(|()| io::stdout().flush())) {
        Err(failed) if !error.use_stderr() => exit_code(Err(failed)),
        _ => ExitCode::from(status),
    }
}

/// The text with terminal control characters replaced. It may come from a server, a file or the name of a process: escape sequences could
/// rewrite the screen or, on some terminals, type commands.
pub fn printable(text: &str) -> Cow<'_, str> {
    match text.contains(is_terminal_control) {
        true => text.replace(is_terminal_control, " ").into(),
        false => text.into(),
    }
}

/// The text in one line.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text without user and password, if it is an address that has them or was meant to be one: what stands before the last @, but for
/// the scheme. Addresses may be logged and shown to everybody on the device.
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    match text.rsplit_once('@') {
        Some((before, rest)) if before.contains(':') => {
            let scheme = before.find("://").map_or("", |end| &before[..end + 3]);
            format!("{scheme}…@{rest}").into()
        }
        Some(_) | None => text.into(),
    }
}

/// Control characters of ECMA-48, C1 included, but for line breaks and tabs; and those of Unicode that change the direction of the text
/// behind them, so that it is displayed in another order.
pub fn is_terminal_control(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (text, shown) in [
            ("mqtt://meter:s3cret@broker:1883", "mqtt://…@broker:1883"),
            ("http://u:s3c@r/et@127.0.0.1:9090/x", "http://…@127.0.0.1:9090/x"),
            ("u:s3cret@broker", "…@broker"),
            ("ana@example.org", "ana@example.org"),
            ("@channel", "@channel"),
            ("http://[::1]:9090", "http://[::1]:9090"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }

    #[test]
    fn terminal_control_characters_are_replaced() {
        assert_eq!(printable("caf\u{e9}\tau\nlait"), "caf\u{e9}\tau\nlait");
        for odd in ['\x1b', '\r', '\x08', '\x7f', '\u{9b}', '\u{85}', '\u{202e}', '\u{2066}'] {
            assert_eq!(printable(&format!("a{odd}b")), "a b", "{}", odd.escape_unicode());
        }
    }
}
