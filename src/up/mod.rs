//! `edgewatch up`: the whole stack in the foreground, without root, systemd or Nix.

mod child;
mod error;
mod grafana;
mod live;
mod outbound;
mod plan;
mod ports;
pub(crate) mod processes;
mod prometheus;
mod state_dir;
mod terminal;

use std::env;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use actix_web::rt::System;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::serve::Service;
use child::Child;
use error::UpError;

use edgewatch_program::logging;
use edgewatch_program::signals::Signals;
use edgewatch_program::socket::Socket;
use edgewatch_prometheus_client::{Client, prometheus::Prometheus};
use live::{StackProcess, ended};
use plan::Plan;
use state_dir::StateDir;
use terminal::say;

/// Timeout of Prometheus' start, in which it replays its write-ahead log.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// Timeout of the first successful scrape. Prometheus spreads first scrapes over the interval of 15 s.
const UP_TIMEOUT: Duration = Duration::from_secs(60);
/// Time between two checks while waiting.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Options of `edgewatch up`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Settings of the service (TOML), but for http.listen [default: /etc/edgewatch/edgewatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Port of the service [default: 8000, or the next that is free]
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
    /// Port of Prometheus [default: 9090, or the next that is free]
    #[arg(long, value_name = "N")]
    pub(crate) prometheus_port: Option<u16>,
    /// Port of Grafana [default: 3000, or the next that is free]
    #[arg(long, value_name = "N")]
    pub(crate) grafana_port: Option<u16>,
    /// Where the history is kept [default: $XDG_STATE_HOME/edgewatch, or ~/.local/state/edgewatch]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Prometheus, 2.42 or newer; a name is looked up in $PATH
    #[arg(long, value_name = "PROGRAM", default_value = "prometheus")]
    pub(crate) prometheus: OsString,
    /// Leave Grafana out even if it is installed
    #[arg(long)]
    pub(crate) no_grafana: bool,
    /// Show sensors that do not exist; auto: if this machine has none
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Simulated::Auto)]
    pub(crate) simulated: Simulated,
}

/// When simulated sensors are shown.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simulated {
    /// If the machine has no sensors, or the settings say so.
    Auto,
    /// In any case.
    Always,
    /// Not even if the settings say so.
    Never,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> ExitCode {
    match System::new().block_on(up(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::warn(error);
            ExitCode::FAILURE
        }
    }
}

async fn up(args: &Args) -> Result<(), UpError> {
    let mut signals = Signals::new()?;
    let mut stack = Stack::default();
    let result = tokio::select! {
        result = stack.run(args) => result,
        () = signals.next() => {
            say("stopping; Ctrl-C again kills");
            Ok(())
        }
    };
    tokio::select! {
        () = stack.stop() => result,
        () = signals.next() => Err(UpError::Killed),
    }
}

/// The running parts.
#[derive(Default)]
struct Stack {
    service: Option<Service>,
    prometheus: Option<Child>,
    outbound: Option<Child>,
    grafana: Option<Child>,
}

impl Stack {
    /// Starts everything and shows the status, until something fails.
    async fn run(&mut self, args: &Args) -> Result<(), UpError> {
        let mut plan = Plan::make(args).await?;
        let _metrics = match plan.settings.sends() {
            true => Some(outbound::place_metrics(&mut plan.settings)?),
            false => None,
        };
        let (budget, state) = (plan.budget, plan.state);
        let (service_at, prometheus_at) = (plan.service.address, plan.prometheus.address);
        logging::start(
            "edgewatch",
            plan.settings.log.level,
            Some(edgewatch_sensors::sampler::THREAD_NAME),
        );
        let service = Service::start(plan.settings.clone(), vec![Socket::Tcp(plan.service.socket)])?;
        let service = self.service.insert(service);
        service.wait_until_complete().await;
        let began = Instant::now();
        let program = &args.prometheus;
        let child = prometheus::start(program, &state, &budget.prometheus, service_at, plan.prometheus)?;
        let mut processes = vec![
            StackProcess::new("edgewatch", std::process::id(), budget.edgewatch.memory_max),
            StackProcess::new("prometheus", child.pid(), budget.prometheus.unit.memory_max),
        ];
        let sending = match plan.settings.sends() {
            true => Some(outbound::start(&plan.settings, &state)?),
            false => None,
        };
        let limit = budget.outbound.memory_max;
        processes.extend(
            sending
                .as_ref()
                .map(|child| StackProcess::new("outbound", child.pid(), limit)),
        );
        self.outbound = sending;
        let grafana = &mut self.grafana;
        let attended = async {
            let api = Prometheus::new(Client::new(&format!("http://{prometheus_at}"))?);
            wait_until_up(&api).await?;
            let (about_grafana, child) = match plan.grafana {
                Some((installed, port)) => installed.start(&state, &budget.grafana, prometheus_at, port),
                None if args.no_grafana => ("left out".to_owned(), None),
                None => ("not installed".to_owned(), None),
            };
            let limit = budget.grafana.unit.memory_max;
            let process = |child: &Child| StackProcess::new(grafana::NAME, child.pid(), limit);
            processes.extend(child.as_ref().map(process));
            *grafana = child;
            print_addresses(service_at, prometheus_at, &about_grafana, &state);
            match live::show(api, began, processes, grafana).await {}
        };
        tokio::select! {
            exit = self.prometheus.insert(child).ended() => Err(prometheus::explain(exit)),
            error = service.ended() => Err(error.into()),
            exit = ended(&mut self.outbound) => Err(UpError::Ended(exit)),
            result = attended => result,
        }
    }

    /// Stops what runs, those that depend on others first: a scrape of a stopped service would fail.
    async fn stop(&mut self) {
        for child in [self.grafana.take(), self.outbound.take(), self.prometheus.take()]
            .into_iter()
            .flatten()
        {
            child.stop().await;
        }
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
    }
}

/// Prints the addresses. Scripts wait for the last line.
fn print_addresses(service: SocketAddr, prometheus: SocketAddr, grafana: &str, state: &StateDir) {
    // As it was called: the shell need not find it by its name alone.
    let program = env::args_os().next().unwrap_or_else(|| "edgewatch".into());
    say(format!(
        "status page  http://{service}
dashboards   http://{service}/dashboards
metrics      http://{service}/metrics
prometheus   http://{prometheus}
grafana      {grafana}
data         {}
to check it  {} check --service http://{service} --prometheus http://{prometheus}
ready",
        state.directory.display(),
        program.display()
    ));
}

/// Waits until Prometheus is ready and has scraped the service.
async fn wait_until_up(prometheus: &Prometheus) -> Result<(), UpError> {
    let server = prometheus.clone();
    until(READY_TIMEOUT, move || Ok(server.ready()?)).await?;
    say("Prometheus is ready; its first scrape is due within 15 s");
    let server = prometheus.clone();
    until(UP_TIMEOUT, move || {
        let targets = server.targets()?;
        let service = targets.iter().find(|target| target.label("job") == "sensor");
        match service {
            Some(target) if target.health == "up" => Ok(()),
            Some(target) => Err(UpError::TargetDown {
                health: target.health.clone(),
                last_error: target.last_error.clone(),
            }),
            None => Err(UpError::TargetMissing),
        }
    })
    .await
}

/// Repeats a check until it succeeds.
async fn until(
    limit: Duration,
    check: impl Fn() -> Result<(), UpError> + Clone + Send + 'static,
) -> Result<(), UpError> {
    let began = Instant::now();
    loop {
        match in_background(check.clone()).await.flatten() {
            Ok(()) => return Ok(()),
            Err(error) if began.elapsed() > limit => {
                return Err(UpError::GaveUp {
                    after: limit,
                    source: Box::new(error),
                });
            }
            Err(_) => sleep(RETRY_INTERVAL).await,
        }
    }
}

/// Runs blocking work on another thread.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, UpError> {
    Ok(spawn_blocking(work).await?)
}
