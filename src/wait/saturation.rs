//! Distinguishes a server whose connections are all in use from one that hangs: a client sees the same timeout.
//!
//! Any process on the device can open idle connections to Prometheus up to `--web.max-connections`. It goes on scraping, and killing it
//! for that would be denial of service.

use std::fs;

use crate::up::processes::{self, Process};

/// Prometheus' flag of its limit of connections.
const FLAG: &str = "--web.max-connections=";

/// A server process, and the number of its context switches when it was found.
pub(crate) struct Server {
    process: Process,
    switches: u64,
}

impl Server {
    /// The process that listens on `port` of the loopback address. `None` if there is none, or it is of another user and we are not root.
    pub(crate) fn find(port: u16) -> Option<Self> {
        let process = processes::listening_on(port)?;
        let switches = switches(process.pid)?;
        Some(Self { process, switches })
    }

    /// A message if all its connections are in use and it has run since it was found. A process that is stopped or blocked on a disk does not
    /// run; one that hangs has connections left.
    pub(crate) fn is_full(&self, port: u16) -> Option<String> {
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

/// The limit of connections in the command line of the process.
fn limit(pid: u32) -> Option<usize> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut arguments = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    arguments.find_map(|argument| argument.strip_prefix(FLAG)?.parse().ok())
}

/// The voluntary context switches of its threads (proc_pid_status(5)). Even an idle server in Go has some every few seconds.
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
