//! Forwards requests for dashboards to the program that renders them: its response is streamed as it is received, and if there is none,
//! the client gets an error page.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BodyStream, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use edgewatch_dashboards::frame;
use edgewatch_dashboards::response::{internal_error, plain, split};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use maud::html;
use tokio::time::timeout;

use super::App;
use super::client::ClientConnection;
use crate::dashboards::{ForwardError, ForwardedResponse};

/// Time between two chunks of a response.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(60);
/// The headers of a response that are forwarded.
const HEADERS: [&str; 5] = [
    "content-type",
    "cache-control",
    "content-security-policy",
    "location",
    "retry-after",
];
/// The end of a page whose response was interrupted.
const INTERRUPTED: &str = "<p class=\"notice bad\" role=\"alert\">The program that shows dashboards ended in the middle of this page. Load it again.</p></body></html>\n";

pub(crate) async fn forward(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let Some(client) = request.conn_data::<Arc<ClientConnection>>().cloned() else {
        return internal_error();
    };
    let current = app.current();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let host = request.connection_info().host().to_owned();
    tokio::select! {
        biased;
        response = current.dashboards.forward(target, &host) => match response {
            Ok(response) => stream(response),
            Err(error) => error_page(&error, request.path()),
        },
        // While nothing is written, the HTTP library does not notice it.
        () = client.disconnected() => plain(HttpResponse::RequestTimeout(), "the client has hung up\n"),
    }
}

fn stream(forwarded: ForwardedResponse) -> HttpResponse {
    let (head, body) = forwarded.response.into_parts();
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    for name in HEADERS {
        if let Some(value) = head.headers.get(name) {
            response.insert_header((HeaderName::from_static(name), value.as_bytes()));
        }
    }
    let is_page = head
        .headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let length = head.headers.get("content-length");
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let body = ForwardedBody {
        body: Some(Box::pin(body.into_data_stream())),
        // With a Content-Length nothing can be added.
        end: if is_page && length.is_none() { INTERRUPTED } else { "" },
    };
    let connection = forwarded.connection;
    let chunks = body.chunks().inspect(move |_| {
        let _open = &connection;
    });
    match length {
        Some(length) => response.body(SizedStream::new(length, chunks)),
        None => response.body(BodyStream::new(chunks)),
    }
}

/// The body of a response, as it is received.
struct ForwardedBody<B> {
    body: Option<Pin<Box<B>>>,
    /// What is written if it is interrupted.
    end: &'static str,
}

impl<E: std::fmt::Display, B: Stream<Item = Result<Bytes, E>>> ForwardedBody<B> {
    fn chunks(self) -> impl Stream<Item = Result<Bytes, Interrupted>> {
        stream::unfold(self, |mut forwarded| async move {
            let body = forwarded.body.as_mut()?;
            match timeout(CHUNK_TIMEOUT, body.next()).await {
                Ok(None) => None,
                Ok(Some(Ok(bytes))) => Some((Ok(bytes), forwarded)),
                Ok(Some(Err(error))) => Some((forwarded.interrupt(&error), forwarded)),
                Err(_) => Some((forwarded.interrupt(&"no more for a minute"), forwarded)),
            }
        })
        .flat_map(|chunk| {
            let (bytes, error) = match chunk {
                Ok(bytes) => (bytes, None),
                Err(error) => (Bytes::new(), Some(Err(error))),
            };
            stream::iter(split(bytes).map(Ok).chain(error))
        })
    }

    fn interrupt(&mut self, reason: &dyn std::fmt::Display) -> Result<Bytes, Interrupted> {
        tracing::warn!("a response of the program that shows dashboards was interrupted: {reason}");
        self.body = None;
        match self.end {
            "" => Err(Interrupted),
            end => Ok(Bytes::from_static(end.as_bytes())),
        }
    }
}

/// The response was interrupted: the client sees the connection close before its end.
#[derive(Debug, thiserror::Error)]
#[error("the response was interrupted")]
struct Interrupted;

fn error_page(error: &ForwardError, path: &str) -> HttpResponse {
    tracing::error!(path, "{error}");
    let (status, title, what) = match error {
        ForwardError::Unreachable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "No dashboards",
            "The program that shows dashboards cannot be reached.",
        ),
        ForwardError::Ended(_) => (
            StatusCode::BAD_GATEWAY,
            "No dashboard",
            "The program that shows dashboards ended before it answered.",
        ),
        ForwardError::TimedOut => (
            StatusCode::GATEWAY_TIMEOUT,
            "No dashboard",
            "The program that shows dashboards does not answer.",
        ),
    };
    let is_page =
        !path.starts_with("/render/") && !path.ends_with(".json") && !path.ends_with(".css") && !path.ends_with(".js");
    if !is_page {
        return HttpResponse::build(status)
            .content_type("text/plain; charset=utf-8")
            .body(format!("{what}\n"));
    }
    let body = html! {
        p.notice.bad { (what) " The sensors are read all the same." }
        p { "Load the page again in a moment. If it stays: " code { "journalctl -u edgewatch -u edgewatch-dashboards" } "." }
    };
    let mut response = frame::respond(title, None, &body);
    *response.status_mut() = status;
    response
}
