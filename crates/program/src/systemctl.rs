//! What `systemctl` says, within a time and a size.

use std::io;
use std::process::Command;
use std::time::Duration;

use crate::child;
use crate::error::CommandFailure;

/// Time for its answer. It itself waits 25 s or longer for a systemd that stands still.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What `systemctl` writes with these arguments, if it ends well.
///
/// # Errors
/// There is no `systemctl`, or it cannot reach systemd, or not in time.
pub fn answer<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<String, CommandFailure> {
    let mut command = Command::new("systemctl");
    command.args(arguments);
    run(command, TIMEOUT)
}

/// What the command writes, if it ends well within `limit`.
fn run(mut command: Command, limit: Duration) -> Result<String, CommandFailure> {
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => CommandFailure("there is no systemctl".to_owned()),
        _ => CommandFailure::because("systemctl", error),
    };
    let (output, input) = io::pipe().map_err(fail)?;
    command.stdout(input.try_clone().map_err(fail)?).stderr(input);
    let Some(ended) = child::run(command, Some(output), limit).map_err(fail)? else {
        return Err(CommandFailure(format!(
            "systemctl does not answer within {} s: systemd stands still, or the machine is too busy",
            limit.as_secs_f64()
        )));
    };
    let text = String::from_utf8_lossy(&ended.output);
    match ended.status.success() {
        true => Ok(text.into_owned()),
        false => Err(CommandFailure::because(
            "systemctl",
            text.lines().next().unwrap_or("failed"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

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
