//! What `systemctl` says, within a time and a size.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Failure;

/// Time for its answer. It itself waits 25 s or longer for a systemd that stands still.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of the answer that are read.
const MAX_ANSWER: u64 = 64 << 10;

/// What `systemctl` writes with these arguments, if it ends well.
///
/// # Errors
/// There is no `systemctl`, or it cannot reach systemd, or not in time.
pub fn answer<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<String, Failure> {
    let mut command = Command::new("systemctl");
    command.args(arguments);
    run(command, TIMEOUT)
}

/// What the command writes, if it ends well within `limit`.
fn run(mut command: Command, limit: Duration) -> Result<String, Failure> {
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Failure("there is no systemctl".to_owned()),
        _ => Failure::because("systemctl", error),
    };
    let (output, input) = io::pipe().map_err(fail)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(input.try_clone().map_err(fail)?)
        .stderr(input)
        .spawn()
        .map_err(fail)?;
    // It holds the writing end.
    drop(command);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.take(MAX_ANSWER).read_to_end(&mut text).map(|_| text);
        // Nobody waits for it any more.
        let _ = sender.send(read);
    });
    let deadline = Instant::now() + limit;
    let read = receiver.recv_timeout(limit);
    // Having closed its output, it may still hang.
    let status = loop {
        match child.try_wait().map_err(fail)? {
            None if read.is_ok() && Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            status => break status,
        }
    };
    let (Ok(read), Some(status)) = (read, status) else {
        // Nor is it waited for now: in a system call that hangs it does not even end when killed.
        child.kill().map_err(fail)?;
        return Err(Failure(format!(
            "systemctl does not answer within {} s: systemd stands still, or the machine is too busy",
            limit.as_secs_f64()
        )));
    };
    let text = String::from_utf8_lossy(&read.map_err(fail)?).into_owned();
    match status.success() {
        true => Ok(text),
        false => Err(Failure::because("systemctl", text.lines().next().unwrap_or("failed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_systemctl_that_hangs_or_writes_without_end_is_given_up_on() {
        let limit = Duration::from_millis(500);
        for script in ["exec sleep 60", "exec >/dev/null 2>&1; exec sleep 60"] {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            let began = Instant::now();
            let error = run(command, limit).unwrap_err().to_string();
            assert!(
                error.starts_with("systemctl does not answer within 0.5 s"),
                "{script}: {error}"
            );
            assert!(began.elapsed() < Duration::from_secs(30), "{script}");
        }
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            run(command, Duration::from_secs(30))
        };
        assert_eq!(shell("echo Id=a").unwrap(), "Id=a\n");
        assert_eq!(shell("exec yes").unwrap_err().to_string(), "systemctl: y");
        let error = shell("echo Failed to connect to bus >&2; exit 1").unwrap_err();
        assert_eq!(error.to_string(), "systemctl: Failed to connect to bus");
    }
}
