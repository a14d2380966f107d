//! `edgewatch check`: asks a running stack whether it is well.

mod budget;
mod clock;
mod dashboards;
mod kernel;
mod kills;
mod machine;
mod outbound;
mod readings;
mod samples;
mod service;
mod targets;
mod units;
mod verdict;
mod watchdog;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use self::machine::Machine;
use self::samples::Samples;
use self::units::Unit;
use self::verdict::{Report, Verdict};
use edgewatch_program::error::CommandFailure;
use edgewatch_program::output;
use edgewatch_prometheus_client::prometheus::Prometheus;
use edgewatch_prometheus_client::{Client, Credentials};
use edgewatch_sensors::budget::Budget;

pub(crate) use self::outbound::FORWARDING;
pub(crate) use self::watchdog::SUBJECT as HARDWARE_WATCHDOG;

/// Time between two looks while waiting.
const PAUSE: Duration = Duration::from_secs(1);

/// Where the sensor service answers as it is shipped.
pub const SERVICE: &str = "http://127.0.0.1:8000";
/// Longer than any history that a device keeps; Prometheus refuses some hundred years.
const LONGEST_WINDOW: Duration = Duration::from_secs(365 * 86_400);
/// And Grafana.
pub const GRAFANA: &str = "http://127.0.0.1:3000";

/// Options of `edgewatch check`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit status: 0 if all is well, 1 with warnings, 2 with failures.")]
pub struct Args {
    /// Address of the sensor service
    #[arg(long, value_name = "URL", default_value = SERVICE)]
    pub service: String,
    /// Address of Prometheus
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9090")]
    pub prometheus: String,
    /// Address of Grafana
    #[arg(long, value_name = "URL", default_value = GRAFANA)]
    pub grafana: String,
    /// User name for the sensor service
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub user: Option<String>,
    /// File with the user's password in its first line
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<PathBuf>,
    /// Time over which scrapes and CPU are judged
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = window)]
    pub window: Duration,
    /// Time after which the centre of forward.url should have everything
    #[arg(long, value_name = "DURATION", default_value = "20m", value_parser = humantime::parse_duration)]
    pub forwarded_within: Duration,
    /// Look again until all is well, but not longer than this
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub wait: Duration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// A budget.toml instead of the built-in one
    #[arg(long, value_name = "FILE")]
    pub budget: Option<PathBuf>,
}

fn window(text: &str) -> Result<Duration, String> {
    let window = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match (Duration::from_secs(1)..=LONGEST_WINDOW).contains(&window) {
        true => Ok(window),
        false => Err("must be 1s to 365d".to_owned()),
    }
}

/// Looks once.
///
/// # Errors
/// The options cannot be used.
pub fn examine(args: &Args) -> Result<Report, CommandFailure> {
    Ok(Stack::new(args)?.examine())
}

/// Runs the command: 0 if all is well, 1 with warnings, 2 with failures or if the options cannot be used.
pub fn run(args: &Args) -> ExitCode {
    match try_run(args) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            output::print_error(error);
            ExitCode::from(2)
        }
    }
}

fn try_run(args: &Args) -> Result<u8, CommandFailure> {
    let stack = Stack::new(args)?;
    let started = Instant::now();
    let report = loop {
        let report = stack.examine();
        let left = args.wait.saturating_sub(started.elapsed());
        if report.is_well() || left.is_zero() {
            break report;
        }
        thread::sleep(left.min(PAUSE));
    };
    let text = match args.json {
        true => report.json(),
        false => {
            // https://no-color.org
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            report.table(io::stdout().is_terminal() && !plain)
        }
    };
    match output::print(&text) {
        Ok(()) => Ok(report.exit_status()),
        Err(error) => {
            output::print_error(error);
            // Failures that nobody could read are failures all the same.
            Ok(report.exit_status().max(1))
        }
    }
}

/// The stack that is looked at.
struct Stack {
    service: Client,
    prometheus: Client,
    grafana: Client,
    /// This machine, if the stack runs on it.
    machine: Option<Machine>,
    budget: Budget,
    window: Duration,
    forwarded_within: Duration,
}

impl Stack {
    fn new(args: &Args) -> Result<Self, CommandFailure> {
        let credentials = match (&args.user, &args.password_file) {
            (Some(user), Some(file)) => Some(Credentials::read(user, file)?),
            _ => None,
        };
        let service = Client::new(&args.service)?.with_credentials(credentials);
        Ok(Self {
            machine: service.is_local().then(|| Machine::read(Path::new("/"))),
            service,
            prometheus: Client::new(&args.prometheus)?,
            grafana: Client::new(&args.grafana)?,
            budget: Budget::load(args.budget.as_deref())?,
            window: args.window,
            forwarded_within: args.forwarded_within,
        })
    }

    /// Looks at everything once.
    fn examine(&self) -> Report {
        let (samples, mut verdicts) = service::check(&self.service, &self.start("edgewatch"));
        if samples.is_some() {
            verdicts.push(dashboards::check_service(&self.service));
        }
        let prometheus = Prometheus::new(self.prometheus.clone());
        let (answers, of_prometheus) = targets::check(
            &prometheus,
            (self.prometheus.base(), self.prometheus.port()),
            &self.start("prometheus"),
            self.window,
        );
        verdicts.extend(of_prometheus);
        let units = self.units();
        verdicts.extend(match &units {
            Ok(units) => units::judge(units),
            Err(verdict) => vec![verdict.clone()],
        });
        let units = units.unwrap_or_default();
        verdicts.push(dashboards::check_grafana(&self.grafana, units::grafana_runs(&units)));
        match samples {
            Some(samples) => {
                let prometheus = answers.then_some(&prometheus);
                verdicts.extend(self.examine_samples(&samples, prometheus, units::are_installed(&units)));
            }
            None => {
                let subjects = [
                    watchdog::SUBJECT,
                    "readings",
                    "memory",
                    "cpu",
                    "oom kills",
                    "enforcement",
                    "pressure",
                    "clock",
                    "dashboards",
                ];
                let reason = "unknown while the service does not tell";
                verdicts.extend(subjects.map(|subject| Verdict::skip(subject, reason)));
            }
        }
        Report::new(verdicts)
    }

    fn examine_samples(&self, samples: &Samples, prometheus: Option<&Prometheus>, installed: bool) -> Vec<Verdict> {
        let machine = self.machine.as_ref();
        let mut verdicts = outbound::judge(samples, self.forwarded_within);
        verdicts.push(watchdog::judge(samples));
        verdicts.extend(readings::check(&self.service, samples));
        verdicts.extend(budget::check(samples, prometheus, &self.budget, self.window));
        verdicts.push(kernel::judge_enforcement(samples, machine, installed, &self.budget));
        verdicts.push(kernel::judge_pressure(samples, machine));
        verdicts.push(clock::judge(samples));
        verdicts
    }

    /// The units of the stack, or the verdict that they cannot be looked at.
    fn units(&self) -> Result<Vec<Unit>, Verdict> {
        match &self.machine {
            None => Err(Verdict::skip("units", "the stack runs on another machine")),
            Some(machine) if !machine.systemd => Err(Verdict::skip("units", "systemd does not run here")),
            Some(_) => units::read().map_err(|error| {
                Verdict::warn(
                    "units",
                    error.to_string(),
                    "see what systemctl status and journalctl -b say",
                )
            }),
        }
    }

    /// How to start a part of the stack.
    fn start(&self, unit: &str) -> String {
        match &self.machine {
            Some(machine) => machine.start(unit),
            None => format!("on the device: systemctl restart {unit}"),
        }
    }
}
