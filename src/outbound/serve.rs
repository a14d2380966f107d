//! `edgewatch-outbound serve`: forwards and notifies until it is stopped. Threads of their own do the work; this one reloads the settings,
//! leaves the metrics where the sensor service finds them, and keeps systemd informed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use edgewatch_program::error::Error as ProgramError;
use edgewatch_program::{logging, memory, output, systemd};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::error::OutboundError;
use super::forward::{self, Forwarding};
use super::metrics::Metrics;
use super::notify::{self, Notification};
use crate::config::Settings;

/// Between two writes of the metrics.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// Options of `edgewatch-outbound serve`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Settings file (TOML) [default: /etc/edgewatch/edgewatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings, and the files that they name, and end
    #[arg(long)]
    check: bool,
}

/// Runs the command.
///
/// # Errors
/// The settings are refused, or there is nowhere to keep what was sent.
pub(crate) fn run(args: &Args) -> Result<(), OutboundError> {
    let settings = Settings::load(args.config.as_deref())?;
    if args.check {
        check(&settings)?;
        return Ok(output::print("the settings are valid\n")?);
    }
    logging::start("edgewatch-outbound", settings.log.level, None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(OutboundError::Runtime)?;
    runtime.block_on(serve(settings, args.config.as_deref()))
}

/// Looks whether the files of the settings can be used.
fn check(settings: &Settings) -> Result<(), OutboundError> {
    Forwarding::check(settings)?;
    Notification::check(settings)
}

async fn serve(settings: Settings, file: Option<&Path>) -> Result<(), OutboundError> {
    let mut hangup = signal(SignalKind::hangup()).map_err(ProgramError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ProgramError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ProgramError::Signals)?;
    let metrics = Metrics::new()?;
    let mut work = Work::start(settings)?;
    let write = |work: &Work| metrics.write(&work.settings.paths.outbound, work.families());
    if work.settings.sends() {
        write(&work);
    }
    systemd::notify(&[NotifyState::Ready, NotifyState::Status(work.status())]);
    memory::release_after_start();
    let watchdog = systemd::watchdog_interval();
    let mut fed = Instant::now();
    while work.settings.sends() {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => work.reload(file, &metrics)?,
            () = sleep(WRITE_INTERVAL) => {}
        }
        write(&work);
        if watchdog.is_some_and(|interval| fed.elapsed() >= interval) {
            systemd::notify(&[NotifyState::Watchdog]);
            fed = Instant::now();
        }
    }
    systemd::notify(&[NotifyState::Stopping]);
    Ok(())
}

/// What is at work, by the settings in force.
struct Work {
    settings: Settings,
    forwarding: Option<Forwarding>,
    notification: Option<Notification>,
}

impl Work {
    fn start(settings: Settings) -> Result<Self, OutboundError> {
        Ok(Self {
            forwarding: Forwarding::start(&settings, None)?,
            notification: Notification::start(&settings, None)?,
            settings,
        })
    }

    /// One line for `systemctl status`.
    const fn status(&self) -> &'static str {
        match (self.forwarding.is_some(), self.notification.is_some()) {
            (true, true) => "forwards to a centre, and tells of alerts",
            (true, false) => "forwards to a centre",
            (false, true) => "tells of alerts",
            (false, false) => "nothing to send: neither [forward] nor [notify] is set",
        }
    }

    fn families(&self) -> impl Iterator<Item = prometheus::proto::MetricFamily> {
        let forwarding = self.forwarding.iter().flat_map(|forwarding| forwarding.gather());
        forwarding.chain(self.notification.iter().flat_map(|notification| notification.gather()))
    }

    /// Reloads the settings; if they cannot be used the old ones stay in force.
    ///
    /// # Errors
    /// The new ones cannot be put in force. Some of the work has been stopped by then, so that the process has to end and begin anew.
    fn reload(&mut self, file: Option<&Path>, metrics: &Metrics) -> Result<(), OutboundError> {
        systemd::notify_reloading();
        let result = match load(file) {
            Ok(settings) => Ok(self.apply(settings)?),
            Err(error) => Err(error),
        };
        metrics.reloads.ended(result, self.status());
        Ok(())
    }

    fn apply(&mut self, new: Settings) -> Result<(), OutboundError> {
        // The threads that run end with it.
        if forward::differs(&self.settings, &new) {
            self.forwarding = Forwarding::start(&new, self.forwarding.as_ref())?;
        }
        if notify::differs(&self.settings, &new) {
            self.notification = Notification::start(&new, self.notification.as_ref())?;
        }
        logging::set_level(new.log.level);
        self.settings = new;
        Ok(())
    }
}

/// Reads settings, and looks whether this process can do what they say.
fn load(file: Option<&Path>) -> Result<Settings, OutboundError> {
    let settings = Settings::load(file)?;
    check(&settings)?;
    Forwarding::require_directory(&settings)?;
    Notification::require_directory(&settings)?;
    Ok(settings)
}
