//! Programs that are run: those of Nix, systemd and of the systems themselves. What they write goes to the journal.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::UpdateError;

/// Time between two looks whether a program has ended.
const POLL: Duration = Duration::from_millis(100);

/// Runs a program to its end.
///
/// # Errors
/// It cannot be run, or does not end with 0.
pub(crate) fn run<I: AsRef<OsStr>>(program: impl AsRef<Path>, arguments: &[I]) -> Result<(), UpdateError> {
    let program = program.as_ref();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().map_err(|source| cannot_run(program, source))?;
    match status.success() {
        true => Ok(()),
        false => Err(UpdateError::Command {
            program: name(program),
            status: status.code(),
        }),
    }
}

/// As [`run`], but a program that takes longer than `limit` is killed, with all that it has started.
///
/// # Errors
/// As of [`run`], or it takes longer.
pub(crate) fn run_within<I: AsRef<OsStr>>(
    limit: Duration,
    program: impl AsRef<Path>,
    arguments: &[I],
) -> Result<(), UpdateError> {
    let program = program.as_ref();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command
        .process_group(0)
        .spawn()
        .map_err(|source| cannot_run(program, source))?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|source| cannot_run(program, source))? {
            break status;
        }
        if started.elapsed() >= limit {
            let killed = kill_process_group(Pid::from_child(&child), Signal::KILL);
            killed.map_err(|error| cannot_run(program, error.into()))?;
            return Err(UpdateError::TooSlow {
                program: name(program),
                seconds: limit.as_secs(),
            });
        }
        sleep(POLL);
    };
    match status.success() {
        true => Ok(()),
        false => Err(UpdateError::Command {
            program: name(program),
            status: status.code(),
        }),
    }
}

/// What a program writes to its standard output.
///
/// # Errors
/// As of [`run`].
pub(crate) fn output<I: AsRef<OsStr>>(program: impl AsRef<Path>, arguments: &[I]) -> Result<Vec<u8>, UpdateError> {
    let program = program.as_ref();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|source| cannot_run(program, source))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(UpdateError::Command {
            program: name(program),
            status: output.status.code(),
        }),
    }
}

fn cannot_run(program: &Path, source: std::io::Error) -> UpdateError {
    UpdateError::Program {
        program: name(program),
        source,
    }
}

fn name(program: &Path) -> String {
    program.display().to_string()
}
