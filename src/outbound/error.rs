//! Why the program that sends cannot start or reload.

use edgewatch_program::error::Error as ProgramError;
use thiserror::Error;

use super::forward::ForwardingError;
use super::notify::NotificationError;
use crate::config::SettingsError;

/// Why the program cannot start, reload, or has ended.
#[derive(Debug, Error)]
pub(crate) enum OutboundError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Forwarding(#[from] ForwardingError),
    #[error(transparent)]
    Notification(#[from] NotificationError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("event loop: {0}")]
    Runtime(#[source] std::io::Error),
}
