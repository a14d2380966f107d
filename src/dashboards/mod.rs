//! The way to the program that shows dashboards. Requests for them are passed on to it over a Unix socket, one connection for each, with
//! the settings that are in force here. Where systemd does not start it on demand, the service does ([`child`]).

pub mod child;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edgewatch_dashboards::settings::{HEADER, Settings};
use edgewatch_program::error::Failure;
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use child::Child;

/// Time to the beginning of an answer. Pictures wait for their turn; a program that is stuck is ended sooner, by its watchdog.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// Bytes of an answer that are read ahead of what its client takes.
const BUFFER: usize = 16 << 10;

/// The program that shows dashboards, as the service sees it.
pub struct Dashboards {
    socket: PathBuf,
    /// Without: somebody else starts it.
    child: Option<Arc<Child>>,
    settings: hyper::header::HeaderValue,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum Unanswered {
    /// Nobody listens, or the program cannot be started.
    #[error("the program that shows dashboards cannot be reached: {0}")]
    Unreachable(#[source] std::io::Error),
    /// It ended before it answered.
    #[error("the program that shows dashboards ended before it answered: {0}")]
    Ended(#[source] hyper::Error),
    /// It takes too long.
    #[error("the program that shows dashboards does not answer")]
    TimedOut,
}

/// An answer whose body is still to come. Dropping it closes the connection, by which the program knows that nobody reads any more.
pub struct Answer {
    /// Head and body.
    pub response: hyper::Response<Incoming>,
    /// Keeps the program running.
    pub connection: Connection,
}

/// The task that moves the bytes of one connection.
pub struct Connection {
    task: JoinHandle<()>,
    _needed: Option<child::Request>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Dashboards {
    /// The way by these settings. Where no socket is set, the program that `before` has started goes on.
    ///
    /// # Errors
    /// The directory of the child's socket cannot be made.
    pub fn new(settings: &Settings, before: Option<&Self>) -> Result<Self, Failure> {
        let header =
            serde_json::to_vec(settings).map_err(|error| Failure::because("settings of the dashboards", error))?;
        let header = hyper::header::HeaderValue::from_bytes(&header)
            .map_err(|error| Failure::because("settings of the dashboards", error))?;
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

    /// Passes a request on. A program that ends because nobody looked for a while may take a request with it that came at just that
    /// moment, so it is made twice.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub async fn ask(&self, target: &str, host: &str) -> Result<Answer, Unanswered> {
        match self.try_once(target, host).await {
            Err(Unanswered::Ended(error)) if error.is_incomplete_message() || error.is_canceled() => {
                self.try_once(target, host).await
            }
            result => result,
        }
    }

    async fn try_once(&self, target: &str, host: &str) -> Result<Answer, Unanswered> {
        let request = match &self.child {
            Some(child) => Some(child.wanted().map_err(Unanswered::Unreachable)?),
            None => None,
        };
        let mut builder = hyper::Request::get(target).header(hyper::header::HOST, host);
        builder = builder.header(HEADER, self.settings.clone());
        let answered = timeout(ANSWER_TIMEOUT, send(&self.socket, builder, request));
        answered.await.map_err(|_| Unanswered::TimedOut)?
    }
}

/// Whether the program answers at all.
async fn is_answering(socket: &Path) -> bool {
    let request = hyper::Request::get("/healthz").header(hyper::header::HOST, "localhost");
    send(socket, request, None).await.is_ok()
}

async fn send(
    socket: &Path,
    request: hyper::http::request::Builder,
    needed: Option<child::Request>,
) -> Result<Answer, Unanswered> {
    // Its parts come from a request that was read.
    let request = request.body(Empty::<Bytes>::new());
    let request = request.map_err(|error| Unanswered::Unreachable(std::io::Error::other(error)))?;
    let stream = UnixStream::connect(socket).await.map_err(Unanswered::Unreachable)?;
    let mut builder = http1::Builder::new();
    let handshake = builder.max_buf_size(BUFFER).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(Unanswered::Ended)?;
    let connection = Connection {
        task: actix_web::rt::spawn(async move {
            // What goes wrong is told to whoever waits for the answer.
            let _ = connection.await;
        }),
        _needed: needed,
    };
    let response = sender.send_request(request).await.map_err(Unanswered::Ended)?;
    Ok(Answer { response, connection })
}
