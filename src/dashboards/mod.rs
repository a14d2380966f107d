//! The client of the program that renders dashboards. Requests are forwarded over a Unix socket, with one connection for each and the
//! settings in force in a header. Where systemd does not start the program on demand, the service does ([`child`]).

pub(crate) mod child;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edgewatch_dashboards::settings::{HEADER, Settings};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use child::{Child, UsageGuard};

/// Time to the head of a response. Pictures wait in a queue; a program that is stuck is killed sooner, by its watchdog.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(120);
/// Bytes of a response that are read ahead of its client.
const BUFFER: usize = 16 << 10;

/// Forwards requests to the program.
pub(crate) struct DashboardsClient {
    socket: PathBuf,
    /// `None` if something else runs it, such as systemd.
    child: Option<Arc<Child>>,
    settings: hyper::header::HeaderValue,
}

/// Why requests cannot be forwarded at all.
#[derive(Debug, Error)]
pub(crate) enum DashboardsError {
    #[error("socket of the dashboards, in the directory of temporary files ($TMPDIR): {0}")]
    Socket(#[from] std::io::Error),
    #[error("settings of the dashboards: {0}")]
    Settings(#[from] serde_json::Error),
    #[error("settings of the dashboards: {0}")]
    Header(#[from] hyper::header::InvalidHeaderValue),
}

/// Why there is no response.
#[derive(Debug, Error)]
pub(crate) enum ForwardError {
    /// Its socket refuses connections, or it cannot be started.
    #[error("the program that shows dashboards cannot be reached: {0}")]
    Unreachable(#[source] std::io::Error),
    /// The connection ended before the response.
    #[error("the program that shows dashboards ended before it answered: {0}")]
    Ended(#[source] hyper::Error),
    /// No response within [`RESPONSE_TIMEOUT`].
    #[error("the program that shows dashboards does not answer")]
    TimedOut,
}

/// A response whose body is still to be read. Dropping it closes the connection, and the program then stops rendering.
pub(crate) struct ForwardedResponse {
    /// Head and body.
    pub(crate) response: hyper::Response<Incoming>,
    /// Keeps the program running.
    pub(crate) connection: Connection,
}

/// The task that moves the bytes of one connection.
pub(crate) struct Connection {
    task: JoinHandle<()>,
    _usage: Option<UsageGuard>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl DashboardsClient {
    /// A client with these settings. Where no socket is set, the child of `before` goes on.
    ///
    /// # Errors
    /// The directory of the child's socket cannot be made.
    pub(crate) fn new(settings: &Settings, before: Option<&Self>) -> Result<Self, DashboardsError> {
        let header = hyper::header::HeaderValue::from_bytes(&serde_json::to_vec(settings)?)?;
        let (socket, child) = match &settings.dashboards.socket {
            Some(socket) => (socket.clone(), None),
            None => {
                let known = before.and_then(|before| before.child.clone());
                let child = match known {
                    Some(child) => child,
                    None => Arc::new(Child::new()?),
                };
                (child.socket().to_owned(), Some(child))
            }
        };
        Ok(Self {
            socket,
            child,
            settings: header,
        })
    }

    /// At the end of the service: removes what its child has in the directory of temporary files.
    pub(crate) fn clean_up(&self) {
        if let Some(child) = &self.child {
            child.remove_socket();
        }
    }

    /// Forwards a request. It is retried once: the program may exit because it was idle at the very moment when it accepts the connection.
    ///
    /// # Errors
    /// See [`ForwardError`].
    pub(crate) async fn forward(&self, target: &str, host: &str) -> Result<ForwardedResponse, ForwardError> {
        match self.try_once(target, host).await {
            Err(ForwardError::Ended(error)) if error.is_incomplete_message() || error.is_canceled() => {
                self.try_once(target, host).await
            }
            result => result,
        }
    }

    async fn try_once(&self, target: &str, host: &str) -> Result<ForwardedResponse, ForwardError> {
        let usage = match &self.child {
            Some(child) => Some(child.acquire().map_err(ForwardError::Unreachable)?),
            None => None,
        };
        let mut builder = hyper::Request::get(target).header(hyper::header::HOST, host);
        builder = builder.header(HEADER, self.settings.clone());
        let response = timeout(RESPONSE_TIMEOUT, send(&self.socket, builder, usage));
        response.await.map_err(|_| ForwardError::TimedOut)?
    }
}

/// A health check of the program.
async fn is_healthy(socket: &Path) -> bool {
    let request = hyper::Request::get("/healthz").header(hyper::header::HOST, "localhost");
    send(socket, request, None).await.is_ok()
}

async fn send(
    socket: &Path,
    request: hyper::http::request::Builder,
    usage: Option<UsageGuard>,
) -> Result<ForwardedResponse, ForwardError> {
    // Fails in theory only: its parts come from a request that was parsed.
    let request = request.body(Empty::<Bytes>::new());
    let request = request.map_err(|error| ForwardError::Unreachable(std::io::Error::other(error)))?;
    let stream = UnixStream::connect(socket).await.map_err(ForwardError::Unreachable)?;
    let mut builder = http1::Builder::new();
    let handshake = builder.max_buf_size(BUFFER).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(ForwardError::Ended)?;
    let connection = Connection {
        task: actix_web::rt::spawn(async move {
            // Its errors are those of the response.
            let _ = connection.await;
        }),
        _usage: usage,
    };
    let response = sender.send_request(request).await.map_err(ForwardError::Ended)?;
    Ok(ForwardedResponse { response, connection })
}
