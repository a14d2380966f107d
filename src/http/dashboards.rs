//! Dashboards, from the program that shows them: what it answers is passed on as it comes, and if it does not, the reader is told.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BodyStream, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use edgewatch_dashboards::answer::{cut, internal_error, plain};
use edgewatch_dashboards::frame;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use maud::html;
use tokio::time::timeout;

use super::App;
use super::doors::Client;
use crate::dashboards::{Answer, Unanswered};

/// Time to the next piece of an answer.
const PIECE_TIMEOUT: Duration = Duration::from_secs(60);
/// What the program says of its answers.
const HEADERS: [&str; 4] = [
    "content-type",
    "cache-control",
    "content-security-policy",
    "retry-after",
];
/// The end of a page whose rest will not come.
const BROKEN: &str = "<p class=\"notice bad\" role=\"alert\">The program that shows dashboards ended in the middle of this page. Load it again.</p></body></html>\n";

/// Passes a request on.
pub async fn forward(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let Some(client) = request.conn_data::<Arc<Client>>().cloned() else {
        return internal_error();
    };
    let live = app.live();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let host = request.connection_info().host().to_owned();
    tokio::select! {
        biased;
        answer = live.dashboards.ask(target, &host) => match answer {
            Ok(answer) => pass_on(answer),
            Err(why) => unanswered(&why, request.path()),
        },
        // Nobody else would notice while nothing is sent.
        () = client.gone() => plain(HttpResponse::RequestTimeout(), "the client has hung up\n"),
    }
}

fn pass_on(answer: Answer) -> HttpResponse {
    let (head, body) = answer.response.into_parts();
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
    let pieces = Pieces {
        body: Some(Box::pin(body.into_data_stream())),
        // Nothing can be added to what has been announced.
        end: if is_page && length.is_none() { BROKEN } else { "" },
    };
    let connection = answer.connection;
    let pieces = pieces.stream().inspect(move |_| {
        let _open = &connection;
    });
    match length {
        Some(length) => response.body(SizedStream::new(length, pieces)),
        None => response.body(BodyStream::new(pieces)),
    }
}

/// The body of an answer, as it comes.
struct Pieces<B> {
    body: Option<Pin<Box<B>>>,
    /// What is written if it breaks off.
    end: &'static str,
}

impl<E: std::fmt::Display, B: Stream<Item = Result<Bytes, E>>> Pieces<B> {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Broken>> {
        stream::unfold(self, |mut pieces| async move {
            let body = pieces.body.as_mut()?;
            match timeout(PIECE_TIMEOUT, body.next()).await {
                Ok(None) => None,
                Ok(Some(Ok(bytes))) => Some((Ok(bytes), pieces)),
                Ok(Some(Err(error))) => Some((pieces.broken(&error.to_string()), pieces)),
                Err(_) => Some((pieces.broken("no more for a minute"), pieces)),
            }
        })
        .flat_map(|piece| {
            let (bytes, failure) = match piece {
                Ok(bytes) => (bytes, None),
                Err(failure) => (Bytes::new(), Some(Err(failure))),
            };
            stream::iter(cut(bytes).map(Ok).chain(failure))
        })
    }

    fn broken(&mut self, why: &str) -> Result<Bytes, Broken> {
        tracing::warn!("an answer of the program that shows dashboards breaks off: {why}");
        self.body = None;
        match self.end {
            "" => Err(Broken),
            end => Ok(Bytes::from_static(end.as_bytes())),
        }
    }
}

/// An answer that breaks off: the client sees the connection close before its end.
#[derive(Debug, thiserror::Error)]
#[error("the answer breaks off")]
struct Broken;

fn unanswered(why: &Unanswered, path: &str) -> HttpResponse {
    tracing::error!(path, "{why}");
    let (status, title, what) = match why {
        Unanswered::Unreachable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "No dashboards",
            "The program that shows dashboards cannot be reached.",
        ),
        Unanswered::Ended(_) => (
            StatusCode::BAD_GATEWAY,
            "No dashboard",
            "The program that shows dashboards ended before it answered.",
        ),
        Unanswered::TimedOut => (
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
