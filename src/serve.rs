//! `edgewatch serve`: the sensor service, from start to stop.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web;
use sd_notify::NotifyState;
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::config::{Settings, SettingsError};
use crate::dashboards::{DashboardsClient, DashboardsError};
use crate::http::{self, App, Reloadable, auth::BadLines};
use crate::programs::{self, OUTBOUND};
use crate::security::{Security, SecurityError};
use crate::telemetry::Telemetry;
use edgewatch_program::error::{CommandFailure, Error as ProgramError};
use edgewatch_program::listen::Listen;
use edgewatch_program::socket::Socket;
use edgewatch_program::systemd;
use edgewatch_program::{logging, memory, output};
use edgewatch_sensors::error::SamplerError;
use edgewatch_sensors::sampler::Sampler;
use edgewatch_sensors::sampler::THREAD_NAME;

/// Time for connections that were accepted just before the stop to send their request.
const GRACE: Duration = Duration::from_millis(250);

/// Options of `edgewatch serve`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Settings file (TOML) [default: /etc/edgewatch/edgewatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Check the settings, and the files that they name, and end
    #[arg(long)]
    pub(crate) check: bool,
    /// Print the effective settings, if they are valid, and end; the files that they name need not be there
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// Why the service cannot start or reload, or has ended.
#[derive(Debug, Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Security(#[from] SecurityError),
    #[error(transparent)]
    Budget(#[from] CommandFailure),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    #[error(transparent)]
    Dashboards(#[from] DashboardsError),
    #[error(transparent)]
    Start(#[from] programs::StartError),
    #[error("HTTP server: {0}")]
    StartServer(#[source] std::io::Error),
    #[error("the HTTP server ended by itself")]
    ServerEnded,
    #[error("the HTTP server ended: {0}")]
    Server(#[source] std::io::Error),
    #[error("the HTTP server ended: {0}")]
    ServerPanicked(#[source] tokio::task::JoinError),
}

/// Runs the command.
///
/// # Errors
/// The settings are refused, an address cannot be listened on, or the server ends by itself.
pub(crate) fn run(args: &Args) -> Result<(), ServeError> {
    let settings = Settings::load(args.config.as_deref())?;
    if args.print_config {
        return Ok(output::print_untrusted(&settings.to_toml()?)?);
    }
    if args.check {
        Security::check(&settings)?;
        edgewatch_sensors::budget::Budget::load(settings.paths.budget.as_deref())?;
        if settings.sends() {
            // It reads the certificates and secrets, and says whether all is valid.
            let mut arguments = vec![OsStr::new("serve"), OsStr::new("--check")];
            if let Some(file) = &args.config {
                arguments.extend([OsStr::new("--config"), file.as_os_str()]);
            }
            return Err(programs::exec(OUTBOUND, arguments).into());
        }
        return Ok(output::print("the settings are valid\n")?);
    }
    logging::start("edgewatch", settings.log.level, Some(THREAD_NAME));
    let mut sockets = systemd::inherited_sockets()?;
    if sockets.is_empty() {
        sockets = settings
            .http
            .listen
            .iter()
            .map(Socket::bind)
            .collect::<Result<_, _>>()?;
    }
    System::new().block_on(serve(settings, sockets, args.config.clone()))
}

async fn serve(settings: Settings, sockets: Vec<Socket>, file: Option<PathBuf>) -> Result<(), ServeError> {
    let mut hangup = signal(SignalKind::hangup()).map_err(ProgramError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ProgramError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ProgramError::Signals)?;
    let mut service = Service::start(settings, sockets)?;
    // In one select, so that whatever the service waits for (a source that hangs, at the start or at a reload), it can be stopped.
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        error = service.work(&mut hangup, file.as_deref()) => Err(error),
    };
    systemd::notify(&[NotifyState::Stopping]);
    service.stop().await;
    ended
}

/// The sensor service while it runs.
pub(crate) struct Service {
    app: web::Data<App>,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    memory_release: JoinHandle<()>,
    watchdog: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts the sampler, and the server on `sockets`. Must be called within an actix [`System`].
    ///
    /// # Errors
    /// A socket that is reachable from the network without authentication, a collector that cannot be opened, or a socket that cannot be
    /// used.
    pub(crate) fn start(settings: Settings, sockets: Vec<Socket>) -> Result<Self, ServeError> {
        let telemetry = Arc::new(Telemetry::new()?);
        let addresses = sockets.iter().map(Socket::address).collect::<Result<Vec<_>, _>>()?;
        let initial = Reloadable {
            security: Security::load(&settings, BadLines::Skip)?,
            sampler: Arc::new(Sampler::start(&settings.sensors(), Arc::clone(&telemetry.reads))?),
            dashboards: DashboardsClient::new(&settings.dashboards_program(), None)?,
            settings,
        };
        require_authentication(&addresses, &initial)?;
        let app = web::Data::new(App::new(telemetry, addresses, initial));
        let server = http::server(app.clone(), sockets).map_err(ServeError::StartServer)?;
        let handle = server.handle();
        Ok(Self {
            app,
            handle,
            server: tokio::spawn(server),
            memory_release: memory::release_after_start(),
            watchdog: None,
        })
    }

    /// Tells systemd once every collector has been attempted, and reloads the settings at each hangup, until the server ends by itself.
    async fn work(&mut self, hangup: &mut Signal, file: Option<&Path>) -> ServeError {
        self.wait_until_complete().await;
        let status = status(&self.app);
        tracing::info!("{status}");
        systemd::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
        self.watchdog = systemd::watchdog_interval().map(|interval| self.feed_watchdog(interval));
        loop {
            tokio::select! {
                _ = hangup.recv() => self.reload(file).await,
                error = self.ended() => return error,
            }
        }
    }

    /// Waits until every collector has been attempted once.
    pub(crate) async fn wait_until_complete(&self) {
        let sampler = Arc::clone(&self.app.current().sampler);
        sampler.wait_until_complete().await;
    }

    /// Waits until the HTTP server ends by itself, which it should never do, and gives the reason.
    pub(crate) async fn ended(&mut self) -> ServeError {
        match (&mut self.server).await {
            Ok(Ok(())) => ServeError::ServerEnded,
            Ok(Err(error)) => ServeError::Server(error),
            Err(error) => ServeError::ServerPanicked(error),
        }
    }

    /// Feeds systemd's watchdog, but only while the sampler makes progress and the server answers.
    fn feed_watchdog(&self, interval: Duration) -> JoinHandle<()> {
        let app = self.app.clone();
        tokio::spawn(async move {
            let mut before = None;
            let mut pause = interval;
            loop {
                tokio::time::sleep(pause).await;
                let problem = health_problem(&app).await;
                // A single late response, as of a machine that is short of memory for a moment, must not use up the rest of the timeout.
                pause = if problem.is_some() { interval / 10 } else { interval };
                if problem.is_none() {
                    systemd::notify(&[NotifyState::Watchdog]);
                }
                if problem == before {
                    continue;
                }
                before = problem;
                if let Some(problem) = problem {
                    tracing::error!("the watchdog is not fed: {problem}");
                    systemd::notify(&[NotifyState::Status(problem)]);
                } else {
                    systemd::notify(&[NotifyState::Status(&status(&app))]);
                }
            }
        })
    }

    /// Reloads the settings; if they are invalid the old ones stay in force.
    async fn reload(&self, file: Option<&Path>) {
        systemd::notify_reloading();
        let result = match Settings::load(file) {
            Ok(settings) => self.apply(settings).await,
            Err(error) => Err(error.into()),
        };
        self.app.telemetry.reloads.ended(result, &status(&self.app));
    }

    async fn apply(&self, mut settings: Settings) -> Result<(), ServeError> {
        let old = self.app.current();
        if settings.keep_until_restart(&old.settings) {
            tracing::warn!(
                "changes of [http] but for insecure, hosts and web_config_file take effect at the next start"
            );
        }
        let sampler = if old.settings.sensors() == settings.sensors() {
            Arc::clone(&old.sampler)
        } else {
            let sampler = Arc::new(Sampler::start(
                &settings.sensors(),
                Arc::clone(&self.app.telemetry.reads),
            )?);
            // Requests see the new sampler only when it is complete, so that no scrape has a gap.
            sampler.wait_until_complete().await;
            sampler
        };
        let dashboards = DashboardsClient::new(&settings.dashboards_program(), Some(&old.dashboards))?;
        let new = Reloadable {
            security: Security::load(&settings, BadLines::Refuse)?,
            sampler,
            dashboards,
            settings,
        };
        require_authentication(&self.app.addresses, &new)?;
        logging::set_level(new.settings.log.level);
        let is_replaced = !Arc::ptr_eq(&old.sampler, &new.sampler);
        self.app.replace(new);
        if is_replaced {
            // A slow client keeps the old one alive, and two samplers would read the same sensors.
            old.sampler.stop();
        }
        Ok(())
    }

    /// Stops gracefully: new connections wait in the socket for the next service, and requests in flight are served.
    pub(crate) async fn stop(self) {
        self.memory_release.abort();
        if let Some(watchdog) = &self.watchdog {
            watchdog.abort();
        }
        self.handle.pause().await;
        // The server's own graceful stop drops connections whose request it has not read yet; a scrape may be among them.
        tokio::time::sleep(GRACE).await;
        self.handle.stop(true).await;
        self.app.current().dashboards.clean_up();
    }
}

/// One line for `systemctl status`.
fn status(app: &App) -> String {
    let (mut sources, mut readings, mut failing) = (0, 0, 0);
    app.current().sampler.visit(|_, state| {
        if state.has_output() {
            sources += 1;
            readings += state.readings.len();
            failing += usize::from(!state.is_ok());
        }
    });
    let addresses: Vec<String> = app.addresses.iter().map(ToString::to_string).collect();
    format!(
        "{readings} readings of {sources} sources, {failing} failing, on {}",
        addresses.join(" and ")
    )
}

/// Why the watchdog is not fed; `None` if the service is healthy.
async fn health_problem(app: &App) -> Option<&'static str> {
    if !app.current().sampler.is_progressing() {
        return Some("every source is stuck");
    }
    (!app.probe.succeeds().await).then_some("the HTTP server does not answer")
}

/// Refuses addresses that are reachable from the network without authentication. Inherited sockets are checked as well, which the
/// settings do not name.
fn require_authentication(addresses: &[Listen], new: &Reloadable) -> Result<(), SecurityError> {
    match new.security.open_address(addresses) {
        Some(open) if new.settings.http.insecure => {
            tracing::warn!("everybody in the network can read {open}: http.insecure = true");
            Ok(())
        }
        Some(open) => Err(SecurityError::Unauthenticated(open.clone())),
        None => Ok(()),
    }
}
