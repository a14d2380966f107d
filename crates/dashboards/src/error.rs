//! Why a command fails.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::library::FileError;
use edgewatch_grafana_model::error::{DashboardError, RangeError};
use edgewatch_grafana_model::source::QueryError;
use edgewatch_program::error::{CommandFailure, Error as ProgramError};
use edgewatch_prometheus_client::error::Error as ClientError;

/// An error of `edgewatch-dashboards serve`, of `edgewatch render`, or of the options that the latter shares with `edgewatch top`.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// No dashboard is shipped under this name, and it is no file.
    #[error("{name:?} is no dashboard: there are {shipped}, and files such as ./dashboard.json")]
    UnknownDashboard { name: String, shipped: String },
    #[error("{name}: {source}")]
    UnreadableDashboard { name: String, source: FileError },
    #[error("{name}: {source}")]
    BadDashboard { name: String, source: DashboardError },
    #[error("{}: the name must end with .svg or .png", .0.display())]
    PictureFormat(PathBuf),
    /// Of `--from` and `--to`.
    #[error("{0}")]
    Range(RangeError),
    #[error("{0}")]
    Query(QueryError),
    #[error("the dashboard has no panel {0}")]
    NoPanel(u32),
    #[error("there is no variable {name}, only: {known}")]
    NoVariable { name: String, known: String },
    /// The message of the model about the value of a variable.
    #[error("variable {name}: {problem}")]
    Variable { name: String, problem: String },
    /// The picture cannot be rasterized.
    #[error(transparent)]
    Picture(#[from] CommandFailure),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "the standard input is no socket that listens: the service starts this program, or systemd does (edgewatch-dashboards.socket)"
    )]
    NotASocket,
    #[error("standard input: {0}")]
    StandardInput(#[source] io::Error),
    #[error("HTTP server: {0}")]
    StartServer(#[source] io::Error),
    #[error("the HTTP server ended by itself")]
    ServerEnded,
    #[error("the HTTP server ended: {0}")]
    Server(#[source] io::Error),
    #[error("the HTTP server ended: {0}")]
    ServerPanicked(#[source] tokio::task::JoinError),
}

impl From<Error> for CommandFailure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}
