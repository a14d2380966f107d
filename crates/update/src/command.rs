//! Programs that are run: those of Nix, systemd and of the systems themselves. What they write goes to the journal.

use std::ffi::OsStr;
use std::io::{self, PipeReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use edgewatch_program::child;

use crate::error::UpdateError;

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
    let mut command = command(program, arguments);
    command.stdout(Stdio::null());
    finish(command, None, limit, program).map(drop)
}

/// What a program writes to its standard output within `limit`, which is little.
///
/// # Errors
/// As of [`run_within`].
pub(crate) fn output_within<I: AsRef<OsStr>>(
    limit: Duration,
    program: impl AsRef<Path>,
    arguments: &[I],
) -> Result<Vec<u8>, UpdateError> {
    let program = program.as_ref();
    let (output, input) = io::pipe().map_err(|source| cannot_run(program, source))?;
    let mut command = command(program, arguments);
    command.stdout(input);
    finish(command, Some(output), limit, program)
}

fn finish(
    command: Command,
    output: Option<PipeReader>,
    limit: Duration,
    program: &Path,
) -> Result<Vec<u8>, UpdateError> {
    let ended = child::run(command, output, limit).map_err(|source| cannot_run(program, source))?;
    let ended = ended.ok_or_else(|| UpdateError::TooSlow {
        program: name(program),
        seconds: limit.as_secs(),
    })?;
    judge(program, ended.status).map(|()| ended.output)
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

fn cannot_run(program: &Path, source: io::Error) -> UpdateError {
    UpdateError::Program {
        program: name(program),
        source,
    }
}

fn name(program: &Path) -> String {
    program.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// A look at a device of which there is much to tell.
    #[test]
    fn what_is_more_than_a_pipe_holds_is_read_while_the_program_runs() {
        let script = "head -c 300000 /dev/zero";
        assert_eq!(output_within(LONG, "sh", &["-c", script]).unwrap().len(), 300_000);
        // Without end it is no answer.
        assert!(output_within(LONG, "sh", &["-c", "exec cat /dev/zero"]).is_err());
    }

    /// A trial looks every ten seconds, for up to a day.
    #[test]
    fn a_program_that_hangs_is_killed_with_what_it_has_started_and_nothing_is_left_of_them() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pids");
        let script = format!("sleep 600 & echo $$ $! > {}; wait", file.display());
        for is_read in [true, false] {
            let limit = Duration::from_secs(1);
            let error = match is_read {
                true => output_within(limit, "sh", &["-c", &script]).map(drop),
                false => run_within(limit, "sh", &["-c", &script]),
            };
            assert!(matches!(error, Err(UpdateError::TooSlow { .. })), "{error:?}");
            let own = std::fs::read_to_string(&file).unwrap();
            let own = Path::new("/proc").join(own.split(' ').next().unwrap());
            let until = std::time::Instant::now() + LONG;
            while own.exists() && std::time::Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(!own.exists(), "it was not waited for");
        }
    }
}
