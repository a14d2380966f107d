//! `edgewatch serve`: the sensor service, from its sockets to its last answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::config::Settings;
use crate::dashboards::Dashboards;
use crate::http::{
    self, App, Live,
    auth::{Auth, BadLines},
};
use crate::telemetry::Telemetry;
use edgewatch_program::error::Failure;
use edgewatch_program::listen::{Listen, Socket};
use edgewatch_program::systemd;
use edgewatch_program::{logging, memory, output};
use edgewatch_sensors::sampler::Sampler;
use edgewatch_sensors::sampler::THREAD_NAME;

/// Time for connections that were accepted just before the stop to send their request.
const GRACE: Duration = Duration::from_millis(250);
/// Time from the start to the first rest, when what only the start needed is given back.
const REST: Duration = Duration::from_secs(20);

/// Options of `edgewatch serve`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Settings file (TOML) [default: /etc/edgewatch/edgewatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Check the settings and end
    #[arg(long)]
    pub check: bool,
    /// Print the effective settings and end
    #[arg(long)]
    pub print_config: bool,
}

/// Runs the command.
///
/// # Errors
/// The settings are refused, an address cannot be listened on, or the server ends by itself.
pub fn run(args: &Args) -> Result<(), Failure> {
    let settings = Settings::load(args.config.as_deref())?;
    if args.print_config {
        return output::print_untrusted(&settings.to_toml()?);
    }
    if args.check {
        Auth::load(&settings.auth, BadLines::Refuse)?;
        edgewatch_sensors::budget::Budget::load(settings.paths.budget.as_deref())?;
        return output::print("the settings are valid\n");
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

async fn serve(settings: Settings, sockets: Vec<Socket>, file: Option<PathBuf>) -> Result<(), Failure> {
    let cannot = |error| Failure::because("cannot handle signals", error);
    let mut hangup = signal(SignalKind::hangup()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut service = Service::start(settings, sockets)?;
    service.first_sample().await;
    tracing::info!("{}", status(&service.app));
    systemd::notify(&[NotifyState::Ready, NotifyState::Status(&status(&service.app))]);
    let watchdog = systemd::watchdog_interval().map(|interval| service.feed_watchdog(interval));
    let ended = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = hangup.recv() => service.reload(file.as_deref()).await,
            failure = service.ended() => break Err(failure),
        }
    };
    systemd::notify(&[NotifyState::Stopping]);
    if let Some(watchdog) = watchdog {
        watchdog.abort();
    }
    service.stop().await;
    ended
}

/// The sensor service while it runs.
pub struct Service {
    app: web::Data<App>,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    rest: JoinHandle<()>,
}

impl Service {
    /// Begins to sample and to answer on `sockets`. Must be called within an actix [`System`].
    ///
    /// # Errors
    /// A socket that strangers can reach without authentication, a source that cannot be opened, or a socket that cannot be used.
    pub fn start(settings: Settings, sockets: Vec<Socket>) -> Result<Self, Failure> {
        let telemetry = Arc::new(Telemetry::new().map_err(|error| Failure::because("metrics", error))?);
        let addresses = sockets.iter().map(Socket::address).collect::<Result<Vec<_>, _>>()?;
        let live = Live {
            auth: Auth::load(&settings.auth, BadLines::LeaveOut)?,
            sampler: Arc::new(Sampler::start(&settings.sensors(), Arc::clone(&telemetry.reads))?),
            dashboards: Dashboards::new(&settings.shown(), None)?,
            settings,
        };
        refuse_open_doors(&addresses, &live)?;
        let app = web::Data::new(App::new(telemetry, addresses, live));
        let server = http::server(app.clone(), sockets).map_err(|error| Failure::because("HTTP server", error))?;
        let handle = server.handle();
        let rest = tokio::spawn(async {
            // Not at once: a restart must not keep the scrapes that wait for it, and a service that was just started is asked at once.
            tokio::time::sleep(REST).await;
            memory::release();
        });
        Ok(Self {
            app,
            handle,
            server: tokio::spawn(server),
            rest,
        })
    }

    /// Waits until every source has been tried once.
    pub async fn first_sample(&self) {
        let sampler = Arc::clone(&self.app.live().sampler);
        sampler.wait_until_complete().await;
    }

    /// Waits until the HTTP server ends by itself, which it should never do, and says why.
    pub async fn ended(&mut self) -> Failure {
        match (&mut self.server).await {
            Ok(Ok(())) => Failure("the HTTP server ended by itself".into()),
            Ok(Err(error)) => Failure::because("the HTTP server ended", error),
            Err(error) => Failure::because("the HTTP server ended", error),
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
                let trouble = what_is_stuck(&app).await;
                // One late answer, as of a machine that is short of memory for a moment, must not use up what is left of the time.
                pause = if trouble.is_some() { interval / 10 } else { interval };
                if trouble.is_none() {
                    systemd::notify(&[NotifyState::Watchdog]);
                }
                if trouble == before {
                    continue;
                }
                before = trouble;
                if let Some(trouble) = trouble {
                    tracing::error!("the watchdog is not fed: {trouble}");
                    systemd::notify(&[NotifyState::Status(trouble)]);
                } else {
                    systemd::notify(&[NotifyState::Status(&status(&app))]);
                }
            }
        })
    }

    /// Reads the settings anew and puts them in force; bad ones are refused and the old ones stay.
    async fn reload(&self, file: Option<&std::path::Path>) {
        systemd::notify_reloading();
        let result = match Settings::load(file) {
            Ok(settings) => self.apply(settings).await,
            Err(error) => Err(error),
        };
        self.app.telemetry.reloaded(result.is_ok());
        match result {
            Ok(()) => {
                tracing::info!("settings reloaded");
                systemd::notify(&[NotifyState::Ready, NotifyState::Status(&status(&self.app))]);
            }
            Err(error) => {
                tracing::error!(%error, "the new settings are refused; the old ones stay in force");
                let status = format!("reload refused: {error}");
                systemd::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
            }
        }
    }

    async fn apply(&self, mut settings: Settings) -> Result<(), Failure> {
        let old = self.app.live();
        if settings.keep_until_restart(&old.settings) {
            tracing::warn!("changes of [http] but for insecure and hosts take effect at the next start");
        }
        let sampler = if old.settings.sensors() == settings.sensors() {
            Arc::clone(&old.sampler)
        } else {
            let sampler = Arc::new(Sampler::start(
                &settings.sensors(),
                Arc::clone(&self.app.telemetry.reads),
            )?);
            // Only then do requests see the new readings: no scrape falls into a gap.
            sampler.wait_until_complete().await;
            sampler
        };
        let dashboards = Dashboards::new(&settings.shown(), Some(&old.dashboards))?;
        let live = Live {
            auth: Auth::load(&settings.auth, BadLines::Refuse)?,
            sampler,
            dashboards,
            settings,
        };
        refuse_open_doors(&self.app.addresses, &live)?;
        logging::set_level(live.settings.log.level);
        let is_replaced = !Arc::ptr_eq(&old.sampler, &live.sampler);
        self.app.replace(live);
        if is_replaced {
            // A client that is slow to take its answer keeps it alive, and two samplers would read the same sensors.
            old.sampler.stop();
        }
        Ok(())
    }

    /// Stops: takes no new connections, which wait in the socket for the next service, and finishes what has begun.
    pub async fn stop(self) {
        self.rest.abort();
        self.handle.pause().await;
        // The server's own stop drops connections whose request it has not read yet; a scrape may be among them.
        tokio::time::sleep(GRACE).await;
        self.handle.stop(true).await;
    }
}

/// One line for `systemctl status`.
fn status(app: &App) -> String {
    let (mut sources, mut readings, mut failing) = (0, 0, 0);
    app.live().sampler.visit(|_, state| {
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

/// Why the watchdog is not fed; `None` if all is well.
async fn what_is_stuck(app: &App) -> Option<&'static str> {
    if !app.live().sampler.is_progressing() {
        return Some("every source is stuck");
    }
    (!app.private.answers().await).then_some("the HTTP server does not answer")
}

/// Refuses an address that others can reach and nothing guards. Inherited sockets are looked at as well: the settings do not
/// know them.
fn refuse_open_doors(addresses: &[Listen], live: &Live) -> Result<(), Failure> {
    if live.auth.is_some() {
        return Ok(());
    }
    let Some(open) = addresses.iter().find(|address| !address.is_local()) else {
        return Ok(());
    };
    if live.settings.http.insecure {
        tracing::warn!("everybody in the network can read {open}: http.insecure = true");
        return Ok(());
    }
    Err(Failure(format!(
        "refusing to listen on {open} without authentication: set auth.users_file, or http.insecure = true to let everybody in the network read"
    )))
}
