//! Why the stack cannot start, or has ended.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::processes::Process;
use crate::config::SettingsError;
use crate::serve::ServeError;
use edgewatch_program::error::{CommandFailure, Error as ProgramError};
use edgewatch_prometheus_client::error::Error as ClientError;

/// Where to get Prometheus.
const INSTALL: &str = "apt install prometheus (Debian, Raspberry Pi OS), nix profile install nixpkgs#prometheus, or name one with --prometheus PROGRAM";

/// An error of `edgewatch up`.
#[derive(Debug, Error)]
pub(crate) enum UpError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(
        "auth.users_file is set, so Prometheus could not read the metrics: set auth.trust_loopback = true, or choose other settings with --config"
    )]
    Authentication,
    #[error(transparent)]
    Budget(#[from] CommandFailure),
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Version(#[from] VersionError),
    #[error(transparent)]
    Service(#[from] ServeError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot start {name}: {source}")]
    Start { name: &'static str, source: io::Error },
    #[error("{0}")]
    Ended(ChildExit),
    /// Prometheus cannot lock its data.
    #[error("{0}\nanother Prometheus uses the data: stop it, or choose another --state-dir")]
    DataLocked(ChildExit),
    /// Prometheus' scrapes of the service fail.
    #[error("the service is {health}: {last_error}")]
    TargetDown { health: String, last_error: String },
    #[error("Prometheus does not know the service")]
    TargetMissing,
    #[error("gave up after {} s: {source}", after.as_secs())]
    GaveUp { after: Duration, source: Box<UpError> },
    #[error("killed: Prometheus repairs its data at the next start")]
    Killed,
    #[error("background task: {0}")]
    BackgroundTask(#[from] tokio::task::JoinError),
}

/// How a child has ended.
#[derive(Debug)]
pub(crate) struct ChildExit {
    pub(crate) name: &'static str,
    pub(crate) status: String,
    /// The end of its output, an indented line each.
    pub(crate) output: String,
}

impl fmt::Display for ChildExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ended ({}){}", self.name, self.status, self.output)
    }
}

/// Why Prometheus' binary cannot be used.
#[derive(Debug, Error)]
pub(crate) enum VersionError {
    #[error("{0} is not installed: {INSTALL}")]
    NotInstalled(String),
    #[error("cannot run {program}: {source}: {INSTALL}")]
    CannotRun { program: String, source: io::Error },
    #[error("{0} --version does not end: {INSTALL}")]
    Timeout(String),
    #[error("{program} is version {}.{}; {}.{} or newer is needed: {INSTALL}", version.0, version.1, oldest.0, oldest.1)]
    TooOld {
        program: String,
        version: (u32, u32),
        oldest: (u32, u32),
    },
    #[error("{0} does not say that it is Prometheus: {INSTALL}")]
    NotPrometheus(String),
}

/// Why a port cannot be bound.
#[derive(Debug, Error)]
pub(crate) enum PortError {
    #[error("{option} {port}: {source}")]
    Bind {
        option: String,
        port: u16,
        source: io::Error,
    },
    /// The requested port is in use.
    #[error("{option} {port}: the port is taken by {holder}: stop that, or choose another port")]
    Taken { option: String, port: u16, holder: String },
    /// The default port and all that are tried after it are in use.
    #[error("the ports {first} to {last} are taken, the first by {holder}: choose another with {option}")]
    AllTaken {
        option: String,
        first: u16,
        last: u16,
        holder: String,
    },
}

/// Why the state directory cannot be used.
#[derive(Debug, Error)]
pub(crate) enum StateDirError {
    #[error("neither $XDG_STATE_HOME nor $HOME is set: name a directory with --state-dir")]
    NoHome,
    #[error("cannot write {}: {source}: {}", path.display(), remedy(source))]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is in use by {}: stop that, or choose another --state-dir", path.display(), name(holder.as_ref()))]
    InUse { path: PathBuf, holder: Option<Process> },
    /// Prometheus would write to the target of another user's link.
    #[error("{} belongs to the user {user}: remove it, or choose another --state-dir", path.display())]
    ForeignData { path: PathBuf, user: u32 },
    #[error("{} {reason}, or choose a --state-dir of your own", path.display())]
    Unsafe { path: PathBuf, reason: Unsafe },
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// Why other users could change what is in the directory.
#[derive(Debug, Error)]
pub(crate) enum Unsafe {
    #[error("is a link: remove it")]
    Link,
    #[error("belongs to the user {0}: remove it")]
    Owner(u32),
    #[error("has the mode {mode:04o}, so others can write to it: chmod go-w {}", path.display())]
    Mode { mode: u32, path: PathBuf },
    #[error("lies in {}, which belongs to the user {user}: move it", parent.display())]
    ParentOwner { parent: PathBuf, user: u32 },
    #[error("lies in {}, to which everybody can write: move it", .0.display())]
    ParentMode(PathBuf),
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space, or choose another --state-dir",
        _ => "choose a directory that you can write with --state-dir",
    }
}

fn name(process: Option<&Process>) -> String {
    process.map_or_else(|| "another process".to_owned(), ToString::to_string)
}
