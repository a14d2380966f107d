//! The HTTP server: one worker, bounded in connections, sizes and time; one file for each endpoint.

mod admission;
pub(crate) mod auth;
mod client;
mod connection;
mod dashboards;
mod health;
mod hosts;
mod key_figures;
mod metrics;
mod probe;
mod sensor;
mod server;
mod status;
mod transport;

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
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpResponse, web};
use futures_util::FutureExt;

use crate::config::Settings;
use crate::dashboards::DashboardsClient;
use crate::security::Security;
use crate::telemetry::{ROUTE_ERROR, Telemetry};
use client::{ClientConnection, RequestGuard};
use edgewatch_dashboards::response::{internal_error, plain};
use edgewatch_program::listen::Listen;
use edgewatch_sensors::sampler::Sampler;
use probe::Probe;
pub(crate) use server::server;
pub(crate) use transport::Transport;

/// No route takes a body; a few bytes are accepted from clients that send one nevertheless.
const BODY_LIMIT: usize = 1024;

/// The state that the handlers share.
pub(crate) struct App {
    pub(crate) telemetry: Arc<Telemetry>,
    /// Where it listens.
    pub(crate) addresses: Vec<Listen>,
    /// The watchdog's.
    pub(crate) probe: Probe,
    current: RwLock<Arc<Reloadable>>,
    started: std::time::Instant,
}

/// The part of the state that a reload replaces.
pub(crate) struct Reloadable {
    pub(crate) settings: Settings,
    pub(crate) sampler: Arc<Sampler>,
    pub(crate) security: Security,
    pub(crate) dashboards: DashboardsClient,
}

impl App {
    /// The state of a service that starts now.
    pub(crate) fn new(telemetry: Arc<Telemetry>, addresses: Vec<Listen>, initial: Reloadable) -> Self {
        Self {
            telemetry,
            addresses,
            probe: Probe::default(),
            current: RwLock::new(Arc::new(initial)),
            started: std::time::Instant::now(),
        }
    }

    /// What is in force now.
    pub(crate) fn current(&self) -> Arc<Reloadable> {
        Arc::clone(&self.current.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Puts the result of a reload in force.
    pub(crate) fn replace(&self, new: Reloadable) {
        *self.current.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(new);
    }

    /// Time since the start of the service.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

fn routes(config: &mut web::ServiceConfig) {
    // HEAD is supported wherever GET is (RFC 9110, 9.3.2); the server omits the body.
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
        .service(page!("/d-solo/{rest:.*}", dashboards::forward))
        .service(page!("/render/{rest:.*}", dashboards::forward))
        .default_service(web::to(|| async { plain(HttpResponse::NotFound(), "not found\n") }));
}

/// Whether others in the network can read a connection.
#[derive(Clone, Copy)]
struct IsClearText(bool);

/// The middleware around every handler: limits, authentication, and a response even if the handler panics.
async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Err(actix_web::error::ErrorInternalServerError("no state"));
    };
    let Some(client) = request.conn_data::<Arc<ClientConnection>>().cloned() else {
        return Err(actix_web::error::ErrorInternalServerError("no connection"));
    };
    let in_progress = RequestGuard(Arc::clone(&client));
    let handler = handler_of(request.path());
    let length = content_length(request.headers());
    // The body is not read, and after an upgrade there is no end of the request.
    let has_unread_data = length > 0 || request.head().upgrade();
    let current = app.current();
    let has_auth = current.security.auth.is_some();
    let rejection = match reject_body(&mut request, length)
        .or_else(|| redirect_to_tls(&current, &request, handler))
        .or_else(|| reject_host(&current, &request))
    {
        Some(response) => Some(response),
        None => reject_unauthenticated(&app, &current, &request, &client, handler).await,
    };
    drop(current);
    let mut response = match rejection {
        Some(response) => request.into_response(response),
        None => match AssertUnwindSafe(next.call(request)).catch_unwind().await {
            Ok(response) => response?.map_into_boxed_body(),
            Err(_panic) => {
                // Logged by the panic hook. The handler owned the request, so the response has to be an error.
                app.telemetry.reads.failures.with_label_values(&[ROUTE_ERROR]).inc();
                app.telemetry.count_response(handler, 500);
                let mut response = internal_error();
                add_security_headers(&app.current(), response.headers_mut());
                return Err(InternalError::from_response("panic", response).into());
            }
        },
    };
    app.telemetry.count_response(handler, response.status().as_u16());
    tracing::debug!(
        method = %response.request().method(),
        path = response.request().path(),
        status = response.status().as_u16(),
        "request"
    );
    add_security_headers(&app.current(), response.headers_mut());
    // Clients that have not authenticated keep no connection beyond a response, and at the limit no client does.
    let is_unauthenticated = response.status().is_client_error() || (is_health(handler) && has_auth);
    if has_unread_data || is_unauthenticated || client.is_over_limit() {
        client.close_after_response();
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| {
        GuardedBody {
            body,
            _guard: in_progress,
        }
        .boxed()
    }))
}

/// The body of a response with the guard of its request: the connection reads the next request once it is dropped.
struct GuardedBody {
    body: BoxBody,
    _guard: RequestGuard,
}

impl MessageBody for GuardedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}

/// Adds the headers of the web configuration file, and those that restrict browsers, unless they are set: no content sniffing, no resources or scripts of other
/// origins, no framing, no use by other sites.
fn add_security_headers(current: &Reloadable, headers: &mut HeaderMap) {
    for (name, value) in &current.security.headers {
        headers.insert(name.clone(), value.clone());
    }
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
        _ if path.starts_with("/dashboards")
            || path.starts_with("/d/")
            || path.starts_with("/d-solo/")
            || path.starts_with("/render/") =>
        {
            "dashboards"
        }
        _ => "other",
    }
}

/// `Content-Length` of a request; 0 without.
fn content_length(headers: &HeaderMap) -> usize {
    headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}

/// 413 for a request with more than a few bytes of body, or with a body of unknown length.
fn reject_body(request: &mut ServiceRequest, length: usize) -> Option<HttpResponse> {
    if length <= BODY_LIMIT && !request.headers().contains_key(TRANSFER_ENCODING) {
        return None;
    }
    let body = RejectionBody {
        text: "no route here takes a body\n",
        _unread: request.take_payload(),
    };
    Some(
        HttpResponse::PayloadTooLarge()
            .content_type("text/plain; charset=utf-8")
            .body(body),
    )
}

/// A body that keeps the unread payload of its request: the server then closes the connection after the response. If the payload were
/// dropped, it would go on reading a chunked request for as long as the client sends.
struct RejectionBody {
    text: &'static str,
    _unread: Payload,
}

impl MessageBody for RejectionBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.text.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Pin::new(&mut self.get_mut().text).poll_next(context)
    }
}

/// 307 to the same address with TLS for a request in clear text, where TLS is switched on. Not a permanent one: browsers would keep it for
/// good, and TLS may be switched off again.
fn redirect_to_tls(current: &Reloadable, request: &ServiceRequest, handler: &str) -> Option<HttpResponse> {
    let is_clear_text = request.conn_data::<IsClearText>().is_some_and(|clear| clear.0);
    if current.security.tls.is_none() || !is_clear_text || is_health(handler) {
        return None;
    }
    let host = hosts::authority(request);
    if host.is_empty() {
        return Some(plain(
            HttpResponse::BadRequest(),
            "TLS is spoken here: ask for https://\n",
        ));
    }
    // Of a whole address in the request line (absolute-form) its path; `OPTIONS *` and CONNECT have none.
    let path = request.uri().path_and_query().map(|path| path.as_str());
    let path = path.filter(|path| path.starts_with('/')).unwrap_or("/");
    let target = format!("https://{host}{path}");
    let mut response = HttpResponse::TemporaryRedirect();
    response.insert_header((LOCATION, target));
    Some(plain(response, "TLS is spoken here: ask for https://\n"))
}

/// 421 for a `Host` that is not the device's, where no password protects against DNS rebinding.
fn reject_host(current: &Reloadable, request: &ServiceRequest) -> Option<HttpResponse> {
    let is_open = current.security.auth.as_ref().is_none_or(|auth| auth.trusts(request));
    // No browser connects to a Unix socket; a reverse proxy there passes the name of its own client on.
    let is_browser = request.peer_addr().is_some();
    if !is_open || !is_browser || hosts::are_known(request, &current.settings.http.hosts) {
        return None;
    }
    Some(plain(
        HttpResponse::MisdirectedRequest(),
        "not known as a name of this device: ask by its address or its host name, or add the name to http.hosts in its settings\n",
    ))
}

/// The watchdog and load balancers request these without a password; they disclose nothing but yes or no.
fn is_health(handler: &str) -> bool {
    handler == "healthz" || handler == "readyz"
}

async fn reject_unauthenticated(
    app: &App,
    current: &Reloadable,
    request: &ServiceRequest,
    client: &ClientConnection,
    handler: &str,
) -> Option<HttpResponse> {
    if is_health(handler) {
        return None;
    }
    let auth = current.security.auth.as_ref()?;
    auth.reject(request, client, &app.telemetry).await
}
