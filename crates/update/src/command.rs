//! Programs that are run: those of Nix, systemd and of the systems themselves. What they write goes to the journal.

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
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
    let status = command(program, arguments).stdout(Stdio::null()).status();
    judge(program, status.map_err(|source| cannot_run(program, source))?)
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
    let mut child = start(command(program, arguments).stdout(Stdio::null()), program)?;
    wait(&mut child, limit, program)
}

/// In a group of its own, so that what it starts can be killed with it.
fn start(command: &mut Command, program: &Path) -> Result<Child, UpdateError> {
    let child = command.process_group(0).spawn();
    child.map_err(|source| cannot_run(program, source))
}

fn wait(child: &mut Child, limit: Duration, program: &Path) -> Result<(), UpdateError> {
    let failed = |source| cannot_run(program, source);
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return judge(program, status);
        }
        if started.elapsed() >= limit {
            kill_process_group(Pid::from_child(child), Signal::KILL).map_err(|error| failed(error.into()))?;
            return Err(UpdateError::TooSlow {
                program: name(program),
                seconds: limit.as_secs(),
            });
        }
        sleep(POLL);
    }
}

/// What a program writes to its standard output, which is little, within `limit`.
///
/// # Errors
/// As of [`run_within`].
pub(crate) fn output_within<I: AsRef<OsStr>>(
    limit: Duration,
    program: impl AsRef<Path>,
    arguments: &[I],
) -> Result<Vec<u8>, UpdateError> {
    let program = program.as_ref();
    let mut child = start(command(program, arguments).stdout(Stdio::piped()), program)?;
    wait(&mut child, limit, program)?;
    let mut output = Vec::new();
    if let Some(mut pipe) = child.stdout {
        pipe.read_to_end(&mut output)
            .map_err(|source| cannot_run(program, source))?;
    }
    Ok(output)
}

/// What a program writes to its standard output.
///
/// # Errors
/// As of [`run`].
pub(crate) fn output<I: AsRef<OsStr>>(program: impl AsRef<Path>, arguments: &[I]) -> Result<Vec<u8>, UpdateError> {
    let program = program.as_ref();
    let output = command(program, arguments).stderr(Stdio::inherit()).output();
    let output = output.map_err(|source| cannot_run(program, source))?;
    judge(program, output.status).map(|()| output.stdout)
}

fn command<I: AsRef<OsStr>>(program: &Path, arguments: &[I]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command
}

fn judge(program: &Path, status: ExitStatus) -> Result<(), UpdateError> {
    match status.success() {
        true => Ok(()),
        false => Err(UpdateError::Command {
            program: name(program),
            status: status.code(),
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
