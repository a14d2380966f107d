//! The server: one worker, and in front of the HTTP library what bounds each connection and all of them together.

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

use super::connection::{Connection, Transport};
use super::doors::{Client, Closed, Doors};
use super::{App, guard, routes};
use edgewatch_dashboards::answer::WRITE_BUFFER;
use edgewatch_program::listen::Socket;
use edgewatch_program::logging::LogRateLimit;

/// For passwords.
const BLOCKING_THREADS: usize = 1;
/// Time for a connection to close.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The server on `sockets`, which runs once it is awaited.
///
/// # Errors
/// A socket cannot be used.
pub fn server(app: web::Data<App>, sockets: Vec<Socket>) -> std::io::Result<Server> {
    let live = app.live();
    let http = &live.settings.http;
    let mut builder = Server::build()
        .workers(1)
        .worker_max_blocking_threads(BLOCKING_THREADS)
        .max_concurrent_connections(http.max_connections)
        .shutdown_timeout(http.shutdown_timeout.as_secs())
        .disable_signals();
    let front = Front {
        doors: Doors::new(http.max_connections, Arc::clone(&app.telemetry)),
        malformed: Arc::default(),
        stopping: builder.graceful_shutdown_signal(),
        client_timeout: http.client_timeout,
        keep_alive: http.keep_alive,
        app,
    };
    for socket in sockets {
        let front = front.clone();
        builder = match socket {
            Socket::Tcp(listener) => builder.listen("http", listener, move || {
                let front = front.clone();
                fn_factory(move || {
                    let front = front.clone();
                    async move {
                        let desk = front.open().await?;
                        Ok::<_, ()>(fn_service(move |stream: TcpStream| {
                            let desk = desk.clone();
                            async move { desk.admit(Transport::Tcp(stream)).await }
                        }))
                    }
                })
            })?,
            Socket::Unix(listener) => builder.listen_uds("http", listener, move || {
                let front = front.clone();
                fn_factory(move || {
                    let front = front.clone();
                    async move {
                        let desk = front.open().await?;
                        Ok::<_, ()>(fn_service(move |stream: UnixStream| {
                            let desk = desk.clone();
                            async move { desk.admit(Transport::Unix(stream)).await }
                        }))
                    }
                })
            })?,
        };
    }
    Ok(builder.run())
}

/// What the worker needs to serve a listening socket.
#[derive(Clone)]
struct Front {
    app: web::Data<App>,
    doors: Arc<Doors>,
    malformed: Arc<LogRateLimit>,
    stopping: GracefulShutdownSignal,
    client_timeout: Duration,
    keep_alive: Duration,
}

impl Front {
    /// Makes the service in the worker's thread, and has it answer the watchdog there.
    async fn open(
        self,
    ) -> Result<Desk<impl Service<Conversation, Response = (), Error = DispatchError> + 'static>, ()> {
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
            // The connection has a time limit of its own, for each request.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .h1_write_buffer_size(WRITE_BUFFER)
            .on_connect_ext(|connection: &Connection, data| {
                data.insert(Arc::clone(connection.client()));
            })
            .h1(map_config(routes, |()| AppConfig::default()))
            .new_service(())
            .await?;
        let desk = Desk {
            http: Rc::new(http),
            front: Rc::new(self),
        };
        // Each socket's service takes the place of the one before, and so does that of a worker that replaces a dead one.
        let (ask, mut asked) = mpsc::channel(1);
        desk.front.app.private.open(ask);
        let answering = desk.clone();
        actix_web::rt::spawn(async move {
            while let Some(stream) = asked.recv().await {
                let desk = answering.clone();
                actix_web::rt::spawn(async move { desk.answer_the_service(stream).await });
            }
        });
        Ok(desk)
    }
}

/// A connection, and the address of its client.
type Conversation = (Connection, Option<SocketAddr>);

/// Where connections are served.
struct Desk<S> {
    http: Rc<S>,
    front: Rc<Front>,
}

impl<S> Clone for Desk<S> {
    fn clone(&self) -> Self {
        Self {
            http: Rc::clone(&self.http),
            front: Rc::clone(&self.front),
        }
    }
}

impl<S: Service<Conversation, Response = (), Error = DispatchError>> Desk<S> {
    async fn admit(&self, transport: Transport) -> Result<(), ()> {
        let peer = transport.peer();
        let doors = &self.front.doors;
        if let Some(client) = doors.enter(peer.map(|peer| peer.ip())) {
            if doors.is_full() {
                let doors = Arc::clone(doors);
                actix_web::rt::spawn(async move { doors.clear().await });
            }
            transport.bound_buffers();
            self.serve(transport, client, peer).await;
        }
        Ok(())
    }

    async fn answer_the_service(&self, stream: StdUnixStream) {
        match UnixStream::from_std(stream) {
            Ok(stream) => {
                self.serve(Transport::Unix(stream), Client::of_the_service(), None)
                    .await
            }
            Err(error) => tracing::error!(%error, "cannot take the watchdog's question"),
        }
    }

    async fn serve(&self, transport: Transport, client: Arc<Client>, peer: Option<SocketAddr>) {
        let connection = Connection::new(transport, client, self.front.client_timeout);
        let who = || peer.map_or_else(|| "a Unix socket".to_owned(), |peer| peer.ip().to_string());
        match self.http.call((connection, peer)).await {
            Ok(()) => {}
            Err(DispatchError::Parse(error)) => {
                self.front.app.telemetry.closed(Closed::Malformed);
                if let Some(more) = self.front.malformed.allow(Instant::now()) {
                    tracing::warn!("malformed request from {}: {error}{more}", who());
                }
            }
            // Gone, closed to make room, or too slow; the latter two are counted.
            Err(DispatchError::Io(error)) => tracing::debug!("connection from {} ended: {error}", who()),
            Err(error) => tracing::error!("connection from {} ended: {error}", who()),
        }
    }
}
