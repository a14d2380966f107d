//! A server that answers nobody, because it has as many connections as it takes, and one that stands still: the client sees the same.
//!
//! Whoever is on the device can open connections to Prometheus and leave them idle, and so take all that `--web.max-connections`
//! allows. It goes on to scrape, and to kill it for that would be what the stranger wants.

use std::fs;

use crate::up::processes::{self, Process};

/// The flag of Prometheus that says how many connections it takes.
const FLAG: &str = "--web.max-connections=";

/// A server at rest or at work, as far as other processes can see it.
pub struct Server {
    process: Process,
    switches: u64,
}

impl Server {
    /// The one that listens on `port` of the loopback address. `None` if there is none, or it belongs to another user and we are not
    /// root.
    pub fn find(port: u16) -> Option<Self> {
        let process = processes::listening_on(port)?;
        let switches = switches(process.pid)?;
        Some(Self { process, switches })
    }

    /// Why it answers nobody although it is alive: all the connections that it takes are in use, and it has run since it was found. A
    /// process that is stopped, or waits for a disk that does not answer, does not run; one that hangs has connections left.
    pub fn is_full(&self, port: u16) -> Option<String> {
        let limit = limit(self.process.pid)?;
        let works = switches(self.process.pid)? != self.switches;
        let taken = processes::connections(port);
        (works && taken >= limit).then(|| {
            format!(
                "{} answers nobody: {taken} connections are open, and it takes {limit}; it is alive",
                self.process
            )
        })
    }
}

/// The most connections that the process takes, as its command line says.
fn limit(pid: u32) -> Option<usize> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut arguments = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    arguments.find_map(|argument| argument.strip_prefix(FLAG)?.parse().ok())
}

/// How often its threads have gone to sleep (proc_pid_status(5)). Even at rest those of a server in Go do so every few seconds.
fn switches(pid: u32) -> Option<u64> {
    let count = |status: String| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|number| number.trim().parse::<u64>().ok())
    };
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    threads
        .map(|thread| fs::read_to_string(thread.path().join("status")).ok().and_then(count))
        .sum()
}
