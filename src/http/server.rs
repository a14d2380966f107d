//! The server: one worker, and the limits of connections in context of the HTTP library.

use std::net::SocketAddr;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::GracefulShutdownSignal;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_factory, fn_service, map_config,
};
use actix_web::dev::{AppConfig, Server};
use actix_web::middleware::from_fn;
use actix_web::{App as Routes, web};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;

use super::admission::Admission;
use super::client::{ClientConnection, Peers};
use super::connection::Connection;
use super::transport::Transport;
use super::{App, IsClearText, guard, routes};
use crate::telemetry::CloseReason;
use edgewatch_dashboards::response::WRITE_BUFFER;
use edgewatch_program::logging::LogRateLimit;
use edgewatch_program::socket::Socket;

/// For password checks.
const BLOCKING_THREADS: usize = 1;
/// Time for a connection to close.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The server on `sockets`, which runs once it is awaited.
///
/// # Errors
/// A socket cannot be used.
pub(crate) fn server(app: web::Data<App>, sockets: Vec<Socket>) -> std::io::Result<Server> {
    let current = app.current();
    let http = &current.settings.http;
    let mut builder = Server::build()
        .workers(1)
        .worker_max_blocking_threads(BLOCKING_THREADS)
        .max_concurrent_connections(http.max_connections)
        // In whole seconds; a part of one is given whole.
        .shutdown_timeout(
            http.shutdown_timeout
                .as_millis()
                .div_ceil(1000)
                .try_into()
                .unwrap_or(u64::MAX),
        )
        .disable_signals();
    let context = ServerContext {
        admission: Admission::new(http.max_connections, Arc::clone(&app.telemetry)),
        malformed_log: Arc::default(),
        stopping: builder.graceful_shutdown_signal(),
        client_timeout: http.client_timeout,
        keep_alive: http.keep_alive,
        app,
    };
    for socket in sockets {
        let context = context.clone();
        builder = match socket {
            Socket::Tcp(listener) => builder.listen("http", listener, move || {
                let context = context.clone();
                fn_factory(move || {
                    let context = context.clone();
                    async move {
                        let handler = context.build_handler().await?;
                        Ok::<_, ()>(fn_service(move |stream: TcpStream| {
                            let handler = handler.clone();
                            async move { handler.accept(Transport::Tcp(stream)).await }
                        }))
                    }
                })
            })?,
            Socket::Unix(listener) => builder.listen_uds("http", listener, move || {
                let context = context.clone();
                fn_factory(move || {
                    let context = context.clone();
                    async move {
                        let handler = context.build_handler().await?;
                        Ok::<_, ()>(fn_service(move |stream: UnixStream| {
                            let handler = handler.clone();
                            async move { handler.accept(Transport::Unix(stream)).await }
                        }))
                    }
                })
            })?,
        };
    }
    Ok(builder.run())
}

/// What the worker needs to serve the listening sockets.
#[derive(Clone)]
struct ServerContext {
    app: web::Data<App>,
    admission: Arc<Admission>,
    malformed_log: Arc<LogRateLimit>,
    stopping: GracefulShutdownSignal,
    client_timeout: Duration,
    keep_alive: Duration,
}

impl ServerContext {
    /// Builds the service in the worker's thread, where the watchdog's probes are served as well.
    async fn build_handler(
        self,
    ) -> Result<ConnectionHandler<impl Service<HttpConnection, Response = (), Error = DispatchError> + 'static>, ()>
    {
        let (app, stopping) = (self.app.clone(), self.stopping.clone());
        let routes = Routes::new()
            .app_data(app)
            .wrap(from_fn(guard))
            .configure(routes)
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let signal = stopping.clone();
                async move { signal.notified().await }
            })
            .keep_alive(self.keep_alive)
            // `Connection` has a timeout of its own, for each request.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .h1_write_buffer_size(WRITE_BUFFER)
            .on_connect_ext(|connection: &Connection, data| {
                data.insert(Arc::clone(connection.client()));
                data.insert(IsClearText(connection.is_clear_text()));
            })
            .h1(map_config(routes, |()| AppConfig::default()))
            .new_service(())
            .await?;
        let handler = ConnectionHandler {
            http: Rc::new(http),
            context: Rc::new(self),
        };
        // Replaces the channel of the socket before, or of a dead worker.
        let (sender, mut probes) = mpsc::channel(1);
        handler.context.app.probe.connect(sender);
        let probed = handler.clone();
        actix_web::rt::spawn(async move {
            while let Some(stream) = probes.recv().await {
                let handler = probed.clone();
                actix_web::rt::spawn(async move { handler.serve_probe(stream).await });
            }
        });
        Ok(handler)
    }
}

/// A connection, and the address of its client; none on a Unix socket.
type HttpConnection = (Connection, Option<SocketAddr>);

/// Serves connections.
struct ConnectionHandler<S> {
    http: Rc<S>,
    context: Rc<ServerContext>,
}

impl<S> Clone for ConnectionHandler<S> {
    fn clone(&self) -> Self {
        Self {
            http: Rc::clone(&self.http),
            context: Rc::clone(&self.context),
        }
    }
}

impl<S: Service<HttpConnection, Response = (), Error = DispatchError>> ConnectionHandler<S> {
    async fn accept(&self, transport: Transport) -> Result<(), ()> {
        let Ok(peer) = transport.peer() else {
            return Ok(());
        };
        let admission = &self.context.admission;
        if let Some(client) = admission.admit(peer.map(|peer| peer.ip())) {
            if admission.is_full() {
                let admission = Arc::clone(admission);
                actix_web::rt::spawn(async move { admission.free_capacity().await });
            }
            transport.bound_buffers();
            match self.secure(transport, &client, peer).await {
                Some(transport) => self.serve(transport, client, peer).await,
                None => client.close(),
            }
        }
        Ok(())
    }

    /// Shakes hands where TLS is switched on; `None` if the client is gone, too slow, or has to make room for another.
    async fn secure(
        &self,
        transport: Transport,
        client: &ClientConnection,
        peer: Option<SocketAddr>,
    ) -> Option<Transport> {
        let tls = self.context.app.current().security.tls.clone();
        let (stream, tls) = match (transport, tls) {
            (Transport::Tcp(stream), Some(tls)) => (stream, tls),
            (transport, _) => return Some(transport),
        };
        let shaken = tokio::time::timeout(self.context.client_timeout, tls.accept(stream));
        let shaken = tokio::select! {
            shaken = shaken => shaken,
            // Counted already.
            () = client.evicted() => return None,
        };
        match shaken {
            Ok(Ok(transport)) => return Some(transport),
            Ok(Err(error)) => {
                tracing::debug!("no TLS with {}: {error}", name_of(peer));
                // Others have closed the connection themselves.
                if error.kind() == std::io::ErrorKind::InvalidData {
                    client.count_closed(CloseReason::Malformed);
                }
            }
            Err(_) => client.count_closed(CloseReason::SlowRequest),
        }
        None
    }

    async fn serve_probe(&self, stream: StdUnixStream) {
        match UnixStream::from_std(stream) {
            Ok(stream) => {
                self.serve(Transport::Unix(stream), ClientConnection::probe(), None)
                    .await
            }
            Err(error) => tracing::error!("cannot serve the watchdog's probe: {error}"),
        }
    }

    async fn serve(&self, transport: Transport, client: Arc<ClientConnection>, peer: Option<SocketAddr>) {
        let connection = Connection::new(transport, peer, client, self.context.client_timeout);
        match self.http.call((connection, peer)).await {
            Ok(()) => {}
            Err(DispatchError::Parse(error)) => {
                self.context.app.telemetry.closed(CloseReason::Malformed);
                if let Some(suppressed) = self.context.malformed_log.allow(Instant::now()) {
                    tracing::warn!("malformed request from {}: {error}{suppressed}", name_of(peer));
                }
            }
            // Disconnected, evicted, or too slow; the latter two are counted.
            Err(DispatchError::Io(error)) => tracing::debug!("connection from {} ended: {error}", name_of(peer)),
            Err(error) => tracing::error!("connection from {} ended: {error}", name_of(peer)),
        }
    }
}

/// Who is at the other end, for the log.
fn name_of(peer: Option<SocketAddr>) -> String {
    peer.map_or_else(|| "a Unix socket".to_owned(), |peer| peer.ip().to_string())
}
