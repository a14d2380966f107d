//! The errors of this crate, and the message of a command that failed.

use std::io;

use thiserror::Error;

use crate::listen::Listen;

/// An error of a facility that the programs share.
#[derive(Debug, Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Bind {
        /// The address.
        listen: Listen,
        /// The error of the system call.
        source: io::Error,
    },
    /// At the path of the Unix socket is a file of another kind.
    #[error(
        "cannot listen on {0}: a file that is no socket is in the way: remove it, or name another path in http.listen"
    )]
    PathTaken(Listen),
    /// A stale Unix socket cannot be removed.
    #[error("{listen}: {source}")]
    StaleSocket {
        /// Its address.
        listen: Listen,
        /// The error of the system call.
        source: io::Error,
    },
    /// The address of a socket is unknown.
    #[error("listening socket: {0}")]
    SocketAddress(#[source] io::Error),
    /// A Unix socket in the abstract namespace, or without a name.
    #[error("listening socket: a Unix socket without a path cannot be used")]
    UnnamedSocket,
    /// systemd has passed a file descriptor that is neither a TCP nor a Unix stream socket.
    #[error("socket from systemd (ListenStream=): {0}")]
    InheritedSocket(#[source] io::Error),
    /// The handler of a signal cannot be installed.
    #[error("cannot handle signals: {0}")]
    Signals(#[source] io::Error),
    /// The output of a command cannot be written.
    #[error("cannot write: {0}")]
    Output(#[source] io::Error),
}

/// The message of a command that failed, for the person at the terminal: what is wrong, and what to do. Errors of libraries are enums, which
/// convert into it where a command ends.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct CommandFailure(pub String);

impl CommandFailure {
    /// `what` failed because of `why`.
    pub fn because(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

impl From<Error> for CommandFailure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}
