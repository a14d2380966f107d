//! Why something could not be sent now. All of it is tried again.

use std::time::Duration;

use thiserror::Error;

/// The kinds by which failures are counted: the label `kind` of `edge_forward_requests_failed_total` and `edge_notify_failed_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No such host, no route, nothing listens.
    Connect,
    /// No answer in time.
    Timeout,
    /// The connection ended before the answer did.
    Closed,
    /// The server's certificate is not trusted, or ours is not taken.
    Tls,
    /// What came is no such protocol.
    Protocol,
    /// 401, 403 and 407, or SMTP's 530, 534 and 535: the server wants other credentials.
    Unauthorized,
    /// 3xx: not followed, since credentials and content are for this address.
    Redirect,
    /// 413, though nothing smaller can be sent.
    TooLarge,
    /// 415: the server does not take what the content is encoded in.
    Encoding,
    /// 429.
    Throttled,
    /// Another 4xx, or SMTP's 5xx: this server does not take it so.
    ClientError,
    /// 5xx, or SMTP's 4xx.
    ServerError,
    /// A file of the settings cannot be used.
    Credentials,
    /// The local Prometheus cannot be read.
    Source,
    /// The state cannot be kept, or another service has it.
    State,
    /// A fault of this program.
    Panic,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Connect,
        Self::Timeout,
        Self::Closed,
        Self::Tls,
        Self::Protocol,
        Self::Unauthorized,
        Self::Redirect,
        Self::TooLarge,
        Self::Encoding,
        Self::Throttled,
        Self::ClientError,
        Self::ServerError,
        Self::Credentials,
        Self::Source,
        Self::State,
        Self::Panic,
    ];

    /// The value of the label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
            Self::Unauthorized => "unauthorized",
            Self::Redirect => "redirect",
            Self::TooLarge => "too_large",
            Self::Encoding => "encoding",
            Self::Throttled => "throttled",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::Credentials => "credentials",
            Self::Source => "source",
            Self::State => "state",
            Self::Panic => "panic",
        }
    }
}

/// A failure, for the log.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{message}")]
pub struct Failure {
    /// As it is counted.
    pub kind: Kind,
    /// What is wrong and, if it is for a person to mend, what to do. Without secrets.
    pub message: String,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
    /// Whether it may be for what was sent, so that less of it, or other words, may be taken. What is not there, or lets nobody in, has
    /// not looked at it.
    pub may_be_of_content: bool,
}

impl Failure {
    /// Of this kind, for this reason.
    pub fn new(kind: Kind, message: impl ToString) -> Self {
        Self {
            kind,
            message: message.to_string(),
            retry_after: None,
            may_be_of_content: false,
        }
    }
}
