//! Why a command ends.

use thiserror::Error;

/// Why a command ended without doing what it was asked. The message is for the person at the terminal and says what to do.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl Failure {
    /// `what` failed because of `why`.
    pub fn because(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}
