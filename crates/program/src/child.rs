//! A program that is run within a time and, as far as anybody wants to have what it writes, a size.

use std::io::{self, PipeReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Time between two looks whether it has ended.
const POLL: Duration = Duration::from_millis(20);
/// Bytes that are read of what it writes. One that writes more cannot go on.
const MAX_OUTPUT: u64 = 1 << 20;

/// A program that has ended.
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it has written.
    pub output: Vec<u8>,
}

/// Runs a program to its end. What it writes comes out of `output`, whose other end `command` has. `None` if that takes longer than `limit`:
/// then it is killed, with all that it has started.
///
/// # Errors
/// It cannot be run.
pub fn run(mut command: Command, output: Option<PipeReader>, limit: Duration) -> io::Result<Option<Ended>> {
    let deadline = Instant::now() + limit;
    let (sender, receiver) = mpsc::channel();
    // While it runs: it stops when the pipe is full.
    thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        let read = output.map_or(Ok(0), |output| output.take(MAX_OUTPUT).read_to_end(&mut bytes));
        // Nobody may wait for it any more.
        let _ = sender.send(read.map(|_| bytes));
    })?;
    // In a group of its own, so that what it starts can be killed with it.
    let mut child = command.stdin(Stdio::null()).process_group(0).spawn()?;
    // It holds the writing end.
    drop(command);
    let status = loop {
        match child.try_wait()? {
            None if Instant::now() < deadline => thread::sleep(POLL),
            status => break status,
        }
    };
    // What it has started may still write.
    let read = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    let (Some(status), Ok(read)) = (status, read) else {
        // Fails if all of them end at this moment.
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
        // Not waited for here: in a system call that hangs it does not even end when killed.
        let _ = thread::Builder::new().spawn(move || child.wait());
        return Ok(None);
    };
    read.map(|output| Some(Ended { status, output }))
}
