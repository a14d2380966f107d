//! Why a request has no usable response.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use edgewatch_program::error::CommandFailure;

/// An error of the client.
#[derive(Debug, Error)]
pub enum Error {
    /// The address of the server is not `http://HOST:PORT`, or contains credentials.
    #[error("{0:?} is no address; allowed is http://HOST:PORT, and a path behind it")]
    Address(String),
    /// The file with the password cannot be read.
    #[error("password file {}: {source}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// A request failed.
    #[error("{url}: {source}")]
    Request {
        /// Its URL, without the query string.
        url: String,
        /// Why.
        source: RequestError,
    },
    /// The result of a PromQL expression has another type than expected.
    #[error("{0}: is neither an instant vector nor a scalar")]
    ResultType(String),
}

impl Error {
    /// Nothing listens there.
    pub fn is_refused(&self) -> bool {
        matches!(
            self,
            Self::Request {
                source: RequestError::Refused(_),
                ..
            }
        )
    }
}

/// Why a request failed.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The connection was refused.
    #[error("nothing listens on {0}")]
    Refused(String),
    /// No response, or no complete one, within the timeout.
    #[error("timed out after {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The host name cannot be resolved.
    #[error("no such host")]
    HostNotFound,
    /// The body has more bytes than this limit.
    #[error("answered more than {0} bytes")]
    TooLarge(u64),
    /// Status 401.
    #[error("answered 401: {}", if *.has_credentials { "wrong user or password" } else { "pass --user and --password-file" })]
    Unauthorized {
        /// Whether the request had credentials.
        has_credentials: bool,
    },
    /// Another status than 200.
    #[error("answered {status}{}", detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}")))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The first line of the body, if it is short.
        detail: Option<String>,
    },
    /// The body is not JSON of the documented shape.
    #[error("unexpected answer: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A time in the body is not in RFC 3339.
    #[error("unexpected answer: {0}")]
    Time(#[from] jiff::Error),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[source] io::Error),
    /// Any other error of the HTTP library.
    #[error("{0}")]
    Http(#[source] Box<ureq::Error>),
}

impl From<Error> for CommandFailure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}
