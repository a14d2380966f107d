//! The HTTP server: one worker, bounded in connections, sizes and time; one file for each endpoint.

pub mod auth;
mod connection;
mod dashboards;
pub mod doors;
pub mod glance;
pub mod health;
mod hosts;
pub mod metrics;
pub mod probe;
pub mod sensor;
mod server;
pub mod status;
pub mod units;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::ConnectionType;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, TRANSFER_ENCODING,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpResponse, web};
use futures_util::FutureExt;

use crate::config::Settings;
use crate::dashboards::Dashboards;
use crate::telemetry::{ROUTE_ERROR, Telemetry};
use auth::Auth;
use doors::{Client, Turn};
use edgewatch_dashboards::answer::{internal_error, plain};
use edgewatch_program::listen::Listen;
use edgewatch_sensors::sampler::Sampler;
use probe::Private;
pub use server::server;

/// No route takes a body; a few bytes are let through for clients that send one all the same.
const BODY_LIMIT: usize = 1024;

/// What the handlers share.
pub struct App {
    /// Counters.
    pub telemetry: Arc<Telemetry>,
    /// Where it listens.
    pub addresses: Vec<Listen>,
    /// The way of the watchdog's question.
    pub private: Private,
    live: RwLock<Arc<Live>>,
    started: std::time::Instant,
}

/// What a reload replaces.
pub struct Live {
    /// The settings in force.
    pub settings: Settings,
    /// The sampler that reads what they say.
    pub sampler: Arc<Sampler>,
    /// Who may ask; `None` lets everybody who reaches the socket.
    pub auth: Option<Arc<Auth>>,
    /// The way to the program that shows dashboards.
    pub dashboards: Dashboards,
}

impl App {
    /// The state of a service that starts now.
    pub fn new(telemetry: Arc<Telemetry>, addresses: Vec<Listen>, live: Live) -> Self {
        Self {
            telemetry,
            addresses,
            private: Private::default(),
            live: RwLock::new(Arc::new(live)),
            started: std::time::Instant::now(),
        }
    }

    /// What is in force now.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Puts new settings in force.
    pub fn replace(&self, live: Live) {
        *self.live.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(live);
    }

    /// Time since the start of the service.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

fn routes(config: &mut web::ServiceConfig) {
    // HTTP knows HEAD wherever it knows GET (RFC 9110, 9.3.2); the server leaves the body out.
    macro_rules! page {
        ($path:expr, $handler:expr) => {
            web::resource($path)
                .route(web::get().to($handler))
                .route(web::head().to($handler))
        };
    }
    config
        .service(page!("/", status::page))
        .service(page!("/style.css", status::style))
        .service(page!("/favicon.svg", status::icon))
        .service(page!("/metrics", metrics::metrics))
        .service(page!("/sensor", sensor::sensor))
        .service(page!("/healthz", health::alive))
        .service(page!("/readyz", health::ready))
        .service(page!("/dashboards{rest:.*}", dashboards::forward))
        .service(page!("/d/{rest:.*}", dashboards::forward))
        .service(page!("/render/{rest:.*}", dashboards::forward))
        .default_service(web::to(|| async { plain(HttpResponse::NotFound(), "not found\n") }));
}

/// What happens around every request: bounds, credentials, and an answer even if a handler panics.
async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Err(actix_web::error::ErrorInternalServerError("no state"));
    };
    let Some(client) = request.conn_data::<Arc<Client>>().cloned() else {
        return Err(actix_web::error::ErrorInternalServerError("no connection"));
    };
    let turn = Turn(Arc::clone(&client));
    let handler = handler_of(request.path());
    let length = content_length(request.headers());
    // Nobody reads the body, and what switches protocols has no end.
    let has_rest = length > 0 || request.head().upgrade();
    let live = app.live();
    let has_password = live.auth.is_some();
    let refusal = match refuse_body(&mut request, length) {
        Some(response) => Some(response),
        None => match refuse_hosts(&live, &request) {
            Some(response) => Some(response),
            None => refuse_strangers(&app, &live, &request, &client, handler).await,
        },
    };
    drop(live);
    let mut response = match refusal {
        Some(response) => request.into_response(response),
        None => match AssertUnwindSafe(next.call(request)).catch_unwind().await {
            Ok(answer) => answer?.map_into_boxed_body(),
            Err(_panic) => {
                // Logged by the panic hook. The request went down with the handler, so the answer goes the way of errors.
                app.telemetry.reads.failures.with_label_values(&[ROUTE_ERROR]).inc();
                app.telemetry.answered(handler, 500);
                let mut answer = internal_error();
                protect(answer.headers_mut());
                return Err(InternalError::from_response("panic", answer).into());
            }
        },
    };
    app.telemetry.answered(handler, response.status().as_u16());
    tracing::debug!(
        method = %response.request().method(),
        path = response.request().path(),
        status = response.status().as_u16(),
        "request"
    );
    protect(response.headers_mut());
    // Strangers get a place for the time of an answer, and nobody keeps the last place.
    let is_stranger = response.status().is_client_error() || (is_health(handler) && has_password);
    if has_rest || is_stranger || client.is_in_the_way() {
        client.closes();
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| Answer { body, _turn: turn }.boxed()))
}

/// The body of an answer, with the turn of its request: the connection reads the next one when this has been handed over.
struct Answer {
    body: BoxBody,
    _turn: Turn,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}

/// What every answer tells browsers, unless its handler knows better: take it for what it says it is, run and load nothing from elsewhere, show
/// it in no other page, and let no other site have it.
fn protect(headers: &mut HeaderMap) {
    let policies = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
        ),
    ];
    for (name, value) in policies {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

fn handler_of(path: &str) -> &'static str {
    match path {
        "/" | "/style.css" | "/favicon.svg" => "status",
        "/metrics" => "metrics",
        "/sensor" => "sensor",
        "/healthz" => "healthz",
        "/readyz" => "readyz",
        _ if path.starts_with("/dashboards") || path.starts_with("/d/") || path.starts_with("/render/") => "dashboards",
        _ => "other",
    }
}

/// The bytes of the body that a request announces.
fn content_length(headers: &HeaderMap) -> usize {
    headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}

/// 413 for a request with more than a few bytes of body, or with a body of unknown length.
fn refuse_body(request: &mut ServiceRequest, length: usize) -> Option<HttpResponse> {
    if length <= BODY_LIMIT && !request.headers().contains_key(TRANSFER_ENCODING) {
        return None;
    }
    let refusal = Refusal {
        text: "no route here takes a body\n",
        _unread: request.take_payload(),
    };
    Some(
        HttpResponse::PayloadTooLarge()
            .content_type("text/plain; charset=utf-8")
            .body(refusal),
    )
}

/// A body that holds on to what its request still has to send. The server closes the connection behind an answer to a request
/// that it has not read; a chunked one that is merely dropped it would go on reading for as long as the client likes.
struct Refusal {
    text: &'static str,
    _unread: Payload,
}

impl MessageBody for Refusal {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.text.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Pin::new(&mut self.get_mut().text).poll_next(context)
    }
}

/// 421 for a name that is not the device's, where no password stands between a web site and the answers.
fn refuse_hosts(live: &Live, request: &ServiceRequest) -> Option<HttpResponse> {
    let is_open = live.auth.as_ref().is_none_or(|auth| auth.trusts(request));
    // No browser comes in through a Unix socket; what does has the name from whoever it works for.
    let is_browser = request.peer_addr().is_some();
    if !is_open || !is_browser || hosts::are_known(request, &live.settings.http.hosts) {
        return None;
    }
    Some(plain(
        HttpResponse::MisdirectedRequest(),
        "not known as a name of this device: ask by its address or its host name, or add the name to http.hosts in its settings\n",
    ))
}

/// The watchdog and load balancers ask for these without a password; they tell nothing but yes or no.
fn is_health(handler: &str) -> bool {
    handler == "healthz" || handler == "readyz"
}

async fn refuse_strangers(
    app: &App,
    live: &Live,
    request: &ServiceRequest,
    client: &Client,
    handler: &str,
) -> Option<HttpResponse> {
    if is_health(handler) {
        return None;
    }
    let auth = live.auth.as_ref()?;
    auth.refuse(request, client, &app.telemetry).await
}
