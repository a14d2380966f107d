//! `edgewatch-dashboards serve`: serves requests of the sensor service on a Unix socket, and exits when it is idle.
//!
//! The socket is the standard input: systemd passes it so (`StandardInput=socket`), and so does the service without systemd. They start
//! the program again for the next connection.

use std::any::Any;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::http::KeepAlive;
use actix_web::rt::net::UnixStream;
use actix_web::rt::{self, System};
use actix_web::web::{self, Data};
use actix_web::{App as Routes, HttpResponse, HttpServer};
use edgewatch_program::error::Error as ProgramError;
use edgewatch_program::lock::lock;
use edgewatch_program::logging::{self, Level};
use edgewatch_program::systemd;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Error;
use crate::pages::{self, App, Peer};

/// Time without requests after which the program exits. Until then it keeps its caches.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time between two checks of idleness and of the worker.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A worker without a heartbeat for so long is stuck.
const STUCK: Duration = Duration::from_secs(5);
/// Time for connections that were accepted just before the end to send their request.
const GRACE: Duration = Duration::from_millis(250);
/// Connections at once; the service makes one for each request.
const MAX_CONNECTIONS: usize = 80;

/// Options of `edgewatch-dashboards serve`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The least severe message that is logged
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t)]
    log_level: Level,
}

/// Runs the command.
///
/// # Errors
/// The standard input is no socket that listens, or the server ends by itself.
pub fn run(args: &Args) -> Result<(), Error> {
    logging::start("edgewatch-dashboards", args.log_level, None);
    let listener = inherited()?;
    // So that no process is left if the service is killed. Under systemd the parent does not end.
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM)) {
        tracing::warn!("this program may outlive the service that started it: {error}");
    }
    System::new().block_on(serve(listener))
}

fn inherited() -> Result<UnixListener, Error> {
    let stdin = std::io::stdin();
    match rustix::net::sockopt::socket_acceptconn(stdin.as_fd()) {
        Ok(true) => {}
        Ok(false) | Err(_) => {
            return Err(Error::NotASocket);
        }
    }
    let socket = stdin.as_fd().try_clone_to_owned();
    Ok(socket.map_err(Error::StandardInput)?.into())
}

async fn serve(listener: UnixListener) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ProgramError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ProgramError::Signals)?;
    let app = Data::new(App::new());
    let heartbeat = Arc::new(Mutex::new(Instant::now()));
    let server = HttpServer::new({
        let (app, heartbeat) = (app.clone(), Arc::clone(&heartbeat));
        move || {
            // In the thread of the worker, so that it stops when that hangs.
            let heartbeat = Arc::clone(&heartbeat);
            rt::spawn(async move {
                loop {
                    *lock(&heartbeat) = Instant::now();
                    tokio::time::sleep(CHECK_INTERVAL).await;
                }
            });
            Routes::new()
                .app_data(app.clone())
                .route("/healthz", web::get().to(HttpResponse::NoContent))
                .configure(pages::routes)
        }
    })
    .workers(1)
    .worker_max_blocking_threads(pages::THREADS)
    .max_connections(MAX_CONNECTIONS)
    .keep_alive(KeepAlive::Disabled)
    .on_connect(store_peer)
    .shutdown_timeout(5)
    .disable_signals()
    .listen_uds(listener)
    .map_err(Error::StartServer)?
    .run();
    let handle = server.handle();
    let mut server = tokio::spawn(server);
    systemd::notify(&[NotifyState::Ready]);
    let watchdog = systemd::watchdog_interval();
    let mut fed = Instant::now();
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            ended = &mut server => {
                return Err(match ended {
                    Ok(Err(error)) => Error::Server(error),
                    Ok(Ok(())) => Error::ServerEnded,
                    Err(error) => Error::ServerPanicked(error),
                });
            }
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
        }
        if app.idle_since().is_some_and(|since| since.elapsed() > IDLE_TIMEOUT) {
            break;
        }
        if watchdog.is_some_and(|interval| fed.elapsed() > interval) && lock(&heartbeat).elapsed() < STUCK {
            systemd::notify(&[NotifyState::Watchdog]);
            fed = Instant::now();
        }
    }
    systemd::notify(&[NotifyState::Stopping]);
    // New connections wait in the socket for the next process.
    handle.pause().await;
    tokio::time::sleep(GRACE).await;
    handle.stop(true).await;
    Ok(())
}

fn store_peer(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<UnixStream>() {
        extensions.insert(Arc::new(Peer::of(stream)));
    }
}
