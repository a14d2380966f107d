//! The HTTP server: one worker, bounded in connections, sizes and time; one file for each endpoint.

pub mod auth;
pub mod dashboards;
pub mod glance;
pub mod health;
pub mod metrics;
pub mod probe;
pub mod sensor;
pub mod status;
pub mod units;

use std::convert::Infallible;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, Server, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::web::Bytes;
use actix_web::{App as Routes, HttpMessage, HttpResponse, HttpServer, web};
use futures_util::FutureExt;

use crate::config::{Listen, Settings};
use crate::error::Failure;
use crate::sampler::Sampler;
use crate::telemetry::{ROUTE_ERROR, Telemetry};
use auth::Auth;
use dashboards::Boards;

/// No route takes a body; a few bytes are let through for clients that send one all the same.
const BODY_LIMIT: usize = 1024;
/// Two for dashboards, and one for passwords, which must not wait behind them.
const BLOCKING_THREADS: usize = 3;
/// Bytes of an answer that wait to be written before no more are asked for. With one more piece of this size they fit into the
/// 8 KiB that a connection has from the beginning.
const WRITE_BUFFER: usize = 4 << 10;
/// Time for a connection to close.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A socket that listens.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpListener),
    /// Unix.
    Unix(UnixListener),
}

impl Socket {
    /// Binds `listen`. A Unix socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// The address is taken, or the system refuses it.
    pub fn bind(listen: &Listen) -> Result<Self, Failure> {
        let bound = match listen {
            Listen::Tcp(address) => TcpListener::bind(address).map(Self::Tcp),
            Listen::Unix(path) => {
                if path.exists() && std::os::unix::net::UnixStream::connect(path).is_err() {
                    std::fs::remove_file(path).map_err(|error| Failure::because(listen, error))?;
                }
                UnixListener::bind(path).map(Self::Unix)
            }
        };
        bound.map_err(|error| Failure::because(format!("cannot listen on {listen}"), error))
    }

    /// Where it listens, with the port that the kernel chose.
    ///
    /// # Errors
    /// The file descriptor is no socket, or a Unix socket without a path.
    pub fn address(&self) -> Result<Listen, Failure> {
        let failed = |error: std::io::Error| Failure::because("listening socket", error);
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Listen::Tcp).map_err(failed),
            Self::Unix(listener) => {
                let address = listener.local_addr().map_err(failed)?;
                let path = address
                    .as_pathname()
                    .ok_or_else(|| Failure("listening socket: a Unix socket without a path cannot be used".into()))?;
                Ok(Listen::Unix(path.to_owned()))
            }
        }
    }
}

/// What the handlers share.
pub struct App {
    /// Counters.
    pub telemetry: Arc<Telemetry>,
    /// Where it listens.
    pub addresses: Vec<Listen>,
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
    pub auth: Option<Auth>,
    /// Dashboards and the way to their values.
    pub boards: Arc<Boards>,
}

impl App {
    /// The state of a service that starts now.
    pub fn new(telemetry: Arc<Telemetry>, addresses: Vec<Listen>, live: Live) -> Self {
        Self {
            telemetry,
            addresses,
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

/// The server on `sockets`, which runs once it is awaited.
///
/// # Errors
/// A socket cannot be used.
pub fn server(app: web::Data<App>, sockets: Vec<Socket>) -> std::io::Result<Server> {
    let live = app.live();
    let http = &live.settings.http;
    let mut server = HttpServer::new(move || {
        let security = DefaultHeaders::new()
            .add(("X-Content-Type-Options", "nosniff"))
            .add(("Referrer-Policy", "no-referrer"))
            .add((
                "Content-Security-Policy",
                "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
            ));
        Routes::new()
            .app_data(app.clone())
            .wrap(security)
            .wrap(from_fn(guard))
            .configure(routes)
    })
    .workers(1)
    .worker_max_blocking_threads(BLOCKING_THREADS)
    .max_connections(http.max_connections)
    .client_request_timeout(http.client_timeout)
    .client_disconnect_timeout(DISCONNECT_TIMEOUT)
    .keep_alive(http.keep_alive)
    .h1_write_buffer_size(WRITE_BUFFER)
    .shutdown_timeout(http.shutdown_timeout.as_secs())
    .disable_signals();
    for socket in sockets {
        server = match socket {
            Socket::Tcp(listener) => server.listen(listener)?,
            Socket::Unix(listener) => server.listen_uds(listener)?,
        };
    }
    Ok(server.run())
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
        .service(page!("/dashboards", dashboards::list))
        .service(page!("/dashboards.json", dashboards::list_json))
        .service(page!("/dashboards/{uid}.json", dashboards::download))
        .service(page!("/dashboards.css", dashboards::style))
        .service(page!("/dashboards.js", dashboards::script))
        .service(page!("/d/{uid}", dashboards::page))
        .service(page!("/d/{uid}/values.json", dashboards::values))
        .service(page!("/d/{uid}/{name}", dashboards::page_with_name))
        .service(page!("/render/d/{uid}.svg", dashboards::svg))
        .service(page!("/render/d/{uid}.png", dashboards::png))
        .default_service(web::to(|| async { plain(HttpResponse::NotFound(), "not found\n") }));
}

/// A short answer for people and scripts.
pub fn plain(mut builder: actix_web::HttpResponseBuilder, text: &'static str) -> HttpResponse {
    builder.content_type("text/plain; charset=utf-8").body(text)
}

/// What happens around every request: bounds, credentials, and an answer even if a handler panics.
async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Err(actix_web::error::ErrorInternalServerError("no state"));
    };
    let handler = handler_of(request.path());
    let refusal = match refuse_body(&mut request) {
        Some(response) => Some(response),
        None => refuse_strangers(&app, &request, handler).await,
    };
    let response = match refusal {
        Some(response) => request.into_response(response),
        None => match AssertUnwindSafe(next.call(request)).catch_unwind().await {
            Ok(answer) => answer?.map_into_boxed_body(),
            Err(_panic) => {
                // Logged by the panic hook. The request went down with the handler, so the answer goes the way of errors.
                app.telemetry.failures.with_label_values(&[ROUTE_ERROR]).inc();
                app.telemetry.answered(handler, 500);
                return Err(InternalError::from_response("panic", internal_error()).into());
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
    Ok(response)
}

/// The answer to a failure inside. It says nothing of what failed: that is in the log.
pub fn internal_error() -> HttpResponse {
    plain(HttpResponse::InternalServerError(), "internal error\n")
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

/// 413 for a request with more than a few bytes of body, or with a body of unknown length.
fn refuse_body(request: &mut ServiceRequest) -> Option<HttpResponse> {
    let headers = request.headers();
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or(0);
    if length <= BODY_LIMIT && !headers.contains_key(TRANSFER_ENCODING) {
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

async fn refuse_strangers(app: &App, request: &ServiceRequest, handler: &str) -> Option<HttpResponse> {
    // The watchdog and load balancers ask these without a password; they tell nothing but yes or no.
    if handler == "healthz" || handler == "readyz" {
        return None;
    }
    let live = app.live();
    let auth = live.auth.as_ref()?;
    auth.refuse(request, &app.telemetry).await
}
