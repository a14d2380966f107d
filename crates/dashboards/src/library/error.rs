//! Why a file or directory with dashboards cannot be used.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::blocking_reads::TIMEOUT;
use super::directory::{MAX_BYTES, MAX_FILES, MAX_UID};
use edgewatch_grafana_model::error::DashboardError;

/// The message follows the path. It is cloned with the index, of which each refresh makes a copy.
#[derive(Clone, Debug, Error)]
pub(crate) enum FileError {
    #[error("{0}")]
    Io(Arc<io::Error>),
    #[error("is no regular file")]
    NotRegular,
    #[error("is too large: of its bytes at most {MAX} are read", MAX = MAX_BYTES)]
    TooLarge,
    #[error("is no dashboard: {0}")]
    Json(Arc<serde_json::Error>),
    #[error("is no dashboard: it has no panels")]
    NoPanels,
    #[error("{0}")]
    Model(Arc<DashboardError>),
    #[error("its uid {0:?} cannot stand in an address: at most {MAX} letters, digits, - and _ can", MAX = MAX_UID)]
    Uid(String),
    #[error("this file and {others} more are left out: at most {MAX} are read", MAX = MAX_FILES)]
    TooMany { others: usize },
    #[error("the shipped dashboard {title:?} has the same uid {uid:?}, and is shown: give this one another")]
    ShippedUid { title: String, uid: String },
    #[error("{} has the same uid {uid:?}, and is shown: give this one another", other.display())]
    DuplicateUid { other: PathBuf, uid: String },
    #[error("does not answer within {} s: is a network share gone?", TIMEOUT.as_secs())]
    Timeout,
    #[error("earlier reads of the directories still hang: is a network share gone?")]
    TooManyHang,
    #[error("cannot start a thread: {0}")]
    Thread(Arc<io::Error>),
    #[error("internal error: the log says more")]
    Panicked,
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl From<DashboardError> for FileError {
    fn from(error: DashboardError) -> Self {
        Self::Model(Arc::new(error))
    }
}

impl From<serde_json::Error> for FileError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(Arc::new(error))
    }
}
