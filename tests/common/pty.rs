//! A program in a pseudo-terminal, and what its screen shows.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{binary, eventually};

/// A terminal with `edgewatch` in it; killed when dropped.
pub struct Pty {
    pub child: Child,
    terminal: File,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
}

impl Pty {
    /// Runs `edgewatch` with `arguments` in a terminal of `lines` by `columns` (0 by 0, as a serial line has) and the
    /// variables `environment`.
    pub fn start(arguments: &[&str], (lines, columns): (u16, u16), environment: &[(&str, &str)]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let user = || open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        tcsetwinsize(&controller, size(lines, columns)).unwrap();
        // A terminal tells of its new size only the programs that it controls.
        let child = Command::new("setsid")
            .args(["--ctty", binary()])
            .args(arguments)
            .env_remove("NO_COLOR")
            .env_remove("COLORTERM")
            .env_remove("COLUMNS")
            .env_remove("LINES")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .envs(environment.iter().copied())
            .stdin(Stdio::from(user()))
            .stdout(Stdio::from(user()))
            .stderr(Stdio::from(user()))
            .spawn()
            .unwrap();
        let terminal = File::from(controller);
        let (lines, columns) = if lines == 0 { (24, 80) } else { (lines, columns) };
        let seen = Arc::new(Mutex::new(Seen {
            screen: vt100::Parser::new(cells(lines), cells(columns), 0),
            bytes: Vec::new(),
        }));
        let (mut reader, writer) = (terminal.try_clone().unwrap(), Arc::clone(&seen));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Reading fails once nobody has the terminal open any more.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                let mut seen = writer.lock().unwrap();
                seen.screen.process(&buffer[..length]);
                seen.bytes.extend(&buffer[..length]);
            }
        });
        Self { child, terminal, seen }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    pub fn resize(&self, lines: u16, columns: u16) {
        self.seen
            .lock()
            .unwrap()
            .screen
            .screen_mut()
            .set_size(cells(lines), cells(columns));
        tcsetwinsize(&self.terminal, size(lines, columns)).unwrap();
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    /// Everything that was sent to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.lock().unwrap().bytes.clone()
    }

    /// True if the program has the other screen, or hides the cursor.
    pub fn is_taken(&self) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.screen.screen().alternate_screen() || seen.screen.screen().hide_cursor()
    }

    /// Waits until the screen is as wanted.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        assert!(eventually(|| wanted(&self.text())), "{what}:\n{}", self.text());
    }

    /// Waits for the end of the program.
    pub fn end(mut self) -> (ExitStatus, bool) {
        let mut status = None;
        let ended = eventually(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "it does not end:\n{}", self.text());
        // What it wrote last may still be on its way.
        let given_back = eventually(|| !self.is_taken());
        (status.unwrap(), given_back)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

const fn size(lines: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: lines,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
