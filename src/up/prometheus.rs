//! Prometheus as a child: its version, its configuration, and its start.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;
use tokio::time::timeout;

use super::child::Child;
use super::error::{ChildExit, StateDirError, UpError, VersionError};
use super::ports::Port;
use super::state_dir::{self, StateDir};

use edgewatch_sensors::budget::PrometheusBudget;

/// The oldest version that knows every setting of the shipped configuration and every flag of the budget.
const OLDEST: (u32, u32) = (2, 42);
/// Bytes of the answer to `--version` that are read.
const MAX_VERSION: u64 = 8 << 10;
/// Below the state directory, as [`DATA`].
const CONFIGURATION: &str = "prometheus/prometheus.yml";
/// The directory of the TSDB.
pub(crate) const DATA: &str = "prometheus/data";

const SHIPPED: &str = include_str!("../../prometheus/prometheus.yml");
const RULES: [(&str, &str); 2] = [
    (
        "prometheus/rules/recording.yml",
        include_str!("../../prometheus/rules/recording.yml"),
    ),
    (
        "prometheus/rules/alerts.yml",
        include_str!("../../prometheus/rules/alerts.yml"),
    ),
];
const SHIPPED_SERVICE: &str = "127.0.0.1:8000";
const SHIPPED_SELF: &str = "127.0.0.1:9090";

/// Makes sure that `program` is a Prometheus that can run the shipped configuration.
///
/// # Errors
/// It is not there, too old, or something else.
pub(crate) async fn check(program: &OsStr) -> Result<(), VersionError> {
    let name = program.display().to_string();
    let text = match timeout(Duration::from_secs(30), run_version(program)).await {
        Ok(Ok(text)) => text,
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
            return Err(VersionError::NotInstalled(name));
        }
        Ok(Err(source)) => return Err(VersionError::CannotRun { program: name, source }),
        Err(_) => return Err(VersionError::Timeout(name)),
    };
    match version(&text) {
        Some(version) if version < OLDEST => Err(VersionError::TooOld {
            program: name,
            version,
            oldest: OLDEST,
        }),
        Some(_) => Ok(()),
        None => Err(VersionError::NotPrometheus(name)),
    }
}

/// The beginning of the output of `program --version`.
async fn run_version(program: &OsStr) -> io::Result<String> {
    let (output, input) = io::pipe()?;
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdin(Stdio::null())
        // Old ones write it to stderr.
        .stdout(input.try_clone()?)
        .stderr(input)
        .kill_on_drop(true);
    let _child = command.spawn()?;
    // It holds the write end of the pipe.
    drop(command);
    let mut text = Vec::new();
    let output = Receiver::from_owned_fd(output.into())?;
    output.take(MAX_VERSION).read_to_end(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Major and minor version in the output of `--version`.
fn version(text: &str) -> Option<(u32, u32)> {
    let (_, rest) = text.split_once("prometheus, version ")?;
    let mut numbers = rest.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Starts `program` on `port`, to scrape `service` and itself.
///
/// # Errors
/// The state directory cannot be written, another Prometheus uses it, or the program cannot be started.
pub(crate) fn start(
    program: &OsStr,
    state: &StateDir,
    budget: &PrometheusBudget,
    service: SocketAddr,
    port: Port,
) -> Result<Child, UpError> {
    let data = state.path(DATA);
    require_unused(&data)?;
    for (part, rules) in RULES {
        state.write(part, rules)?;
    }
    require_owner(&data)?;
    let file = state.write(CONFIGURATION, &configuration(service, port.address))?;
    let mut command = Command::new(program);
    command
        .arg(flag("--config.file=", &file))
        .arg(flag("--storage.tsdb.path=", &data))
        .arg(format!("--web.listen-address={}", port.address))
        .arg("--log.level=warn")
        // With adjustment, all scrapes after the clock was set back get the same time stamp, in the future, and are dropped.
        .arg("--no-scrape.adjust-timestamps")
        .args(budget.flags())
        .envs(budget.environment());
    drop(port);
    Child::start("prometheus", command, &state.lock)
}

/// Two processes on the same TSDB destroy it. Prometheus locks its directory, but Debian's package disables that.
fn require_unused(data: &Path) -> Result<(), StateDirError> {
    let is_within = |open: &Path| open.starts_with(data);
    match super::processes::with_open_file(is_within) {
        None => Ok(()),
        Some(_) => Err(state_dir::in_use(data, is_within)),
    }
}

/// A symbolic link to another disk is allowed, but only one of our own: Prometheus writes to its target.
fn require_owner(data: &Path) -> Result<(), StateDirError> {
    match fs::symlink_metadata(data) {
        Ok(entry) if entry.uid() != geteuid().as_raw() => Err(StateDirError::ForeignData {
            path: data.to_owned(),
            user: entry.uid(),
        }),
        _ => Ok(()),
    }
}

/// Recognizes a known failure by Prometheus' output. It occurs in spite of [`require_unused`] if the other process is of another user.
pub(crate) fn explain(exit: ChildExit) -> UpError {
    match exit.output.contains("lock DB directory") {
        true => UpError::DataLocked(exit),
        false => UpError::Ended(exit),
    }
}

/// `--name=PATH` for a path that need not be UTF-8.
fn flag(name: &str, path: &Path) -> std::ffi::OsString {
    let mut flag = std::ffi::OsString::from(name);
    flag.push(path);
    flag
}

/// The shipped configuration with the addresses that are really used.
fn configuration(service: SocketAddr, prometheus: SocketAddr) -> String {
    // Not one replacement after the other: the first new address may be equal to the second old one.
    SHIPPED
        .split(SHIPPED_SERVICE)
        .map(|part| part.replace(SHIPPED_SELF, &prometheus.to_string()))
        .collect::<Vec<_>>()
        .join(&service.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_stands_in_the_shipped_configuration_once() {
        assert_eq!(SHIPPED.matches(SHIPPED_SERVICE).count(), 1);
        assert_eq!(SHIPPED.matches(SHIPPED_SELF).count(), 1);
    }

    #[test]
    fn the_addresses_are_replaced_even_by_one_another() {
        let text = configuration(SHIPPED_SELF.parse().unwrap(), SHIPPED_SERVICE.parse().unwrap());
        let position = |address| text.find(address).unwrap();
        assert!(position("job_name: sensor") < position(SHIPPED_SELF));
        assert!(position(SHIPPED_SELF) < position("job_name: prometheus"));
        assert!(position("job_name: prometheus") < position(SHIPPED_SERVICE));
        assert_eq!(text.len(), SHIPPED.len());
    }

    #[test]
    fn versions_are_read_as_builds_write_them() {
        for (text, expected) in [
            (
                "prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5)\n",
                Some((2, 42)),
            ),
            (
                "prometheus, version 3.5.0 (branch: HEAD, revision: 8be3a95)",
                Some((3, 5)),
            ),
            ("prometheus, version 3.0.0-rc.1 (branch: HEAD)", Some((3, 0))),
            ("prometheus, version  (branch: , revision: unknown)", None),
            ("node_exporter, version 1.9.0", None),
            ("", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_missing_program_is_reported_with_the_remedy() {
        let message = check(OsStr::new("/nonexistent/prometheus"))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("/nonexistent/prometheus is not installed: apt install"),
            "{message}"
        );
        let message = check(OsStr::new("true")).await.unwrap_err().to_string();
        assert!(message.contains("does not say that it is Prometheus"), "{message}");
    }
}
