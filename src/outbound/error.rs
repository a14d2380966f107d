//! Why the program that sends cannot start or reload.

use edgewatch_forward::forwarder;
use edgewatch_notify::notifier;
use edgewatch_outbound::http::SetupError;
use edgewatch_program::error::Error as ProgramError;
use thiserror::Error;

use crate::config::SettingsError;

/// Why the program cannot start, reload, or has ended.
#[derive(Debug, Error)]
pub(crate) enum OutboundError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Forwarder(#[from] forwarder::StartError),
    #[error(transparent)]
    Notifier(#[from] notifier::StartError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("event loop: {0}")]
    Runtime(#[source] std::io::Error),
}
