//! Telling a person of alerts, as a part of the program that sends: threads that it starts and stops, and whose metrics it writes. And `edgewatch
//! notify`, which tries the receivers.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use prometheus::proto::MetricFamily;
use thiserror::Error;

use super::error::OutboundError;
use crate::config::{Settings, SettingsError};
use edgewatch_notify::counters::Counters;
use edgewatch_notify::notifier::{Notifier, StartError};
use edgewatch_notify::ping;
use edgewatch_notify::receiver::Name;
use edgewatch_notify::settings::Device;
use edgewatch_program::error::Error as ProgramError;
use edgewatch_program::listen::Listen;
use edgewatch_program::output;

/// The port of the pages where no setting says another: that of edgewatch.socket.
const PORT: u16 = 8000;

/// Notification while it runs.
pub(crate) struct Notification {
    counters: Arc<Counters>,
    threads: Notifier,
}

impl Notification {
    /// Starts it, if the settings say whom to tell. That of `before` ends; what it has counted stays.
    ///
    /// # Errors
    /// There is nowhere to keep what was told, or the system gives no thread.
    pub(crate) fn start(settings: &Settings, before: Option<&Self>) -> Result<Option<Self>, OutboundError> {
        if settings.notify.is_off() {
            if let Some(before) = before {
                before.threads.stop();
            }
            return Ok(None);
        }
        let counters = match before {
            Some(before) => Arc::clone(&before.counters),
            None => Arc::new(Counters::new()?),
        };
        let threads = Notifier::start(
            &settings.notify,
            &device(settings),
            &settings.prometheus.url,
            &settings.paths.sysfs,
            &counters,
            before.map(|before| &before.threads),
        )?;
        Ok(Some(Self { counters, threads }))
    }

    /// Looks whether the files of the settings can be used.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn check(settings: &Settings) -> Result<(), OutboundError> {
        Ok(Notifier::check(&settings.notify)?)
    }

    /// Looks whether there is a place for what is told.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn require_directory(settings: &Settings) -> Result<(), OutboundError> {
        Notifier::directory(&settings.notify).map_err(StartError::from)?;
        Ok(())
    }

    /// Its metrics.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.counters.gather()
    }
}

/// Whether notification with these settings is another one than with those.
pub(crate) fn differs(one: &Settings, other: &Settings) -> bool {
    one.notify != other.notify
        || device(one) != device(other)
        || one.prometheus.url != other.prometheus.url
        || one.paths.sysfs != other.paths.sysfs
}

/// What messages say of this device.
fn device(settings: &Settings) -> Device {
    let port = settings.http.listen.iter().find_map(|listen| match listen {
        Listen::Tcp(address) => Some(address.port()),
        Listen::Unix(_) => None,
    });
    let edge = settings.forward.labels.get(edgewatch_forward::settings::EDGE);
    let scheme = if settings.tls.enabled { "https" } else { "http" };
    Device::new(&settings.notify, edge.map(String::as_str), scheme, port.unwrap_or(PORT))
}

/// Options of `edgewatch notify`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Send a test to the receivers, and print what they answer
    #[arg(long, required = true)]
    test: bool,
    /// Only to this one
    #[arg(long, value_enum, value_name = "NAME")]
    receiver: Option<Target>,
    /// Settings file (TOML) [default: /etc/edgewatch/edgewatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Whom a test is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    Ntfy,
    Telegram,
    Mail,
    Webhook,
    Ping,
}

impl Target {
    const fn of(name: Name) -> Self {
        match name {
            Name::Ntfy => Self::Ntfy,
            Name::Telegram => Self::Telegram,
            Name::Mail => Self::Mail,
            Name::Webhook => Self::Webhook,
        }
    }
}

/// Why `edgewatch notify` failed.
#[derive(Debug, Error)]
pub(crate) enum TestError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("[notify] names no receiver{0}: docs/notifications.md has an example of each")]
    Nobody(&'static str),
    #[error("{0} of {1} receivers did not take the test")]
    Refused(usize, usize),
}

/// Runs the command.
///
/// # Errors
/// The settings are refused, name no receiver, or one of them did not take the test.
pub(crate) fn run(args: &Args) -> Result<(), TestError> {
    let settings = Settings::load(args.config.as_deref())?;
    let (notify, device) = (&settings.notify, device(&settings));
    let is_wanted = |target| args.receiver.is_none_or(|wanted| wanted == target);
    let mut answers = Vec::new();
    for name in notify
        .receivers()
        .into_iter()
        .filter(|name| is_wanted(Target::of(*name)))
    {
        answers.push((name.as_str(), Notifier::test(name, notify, &device)));
    }
    if notify.ping.is_some() && is_wanted(Target::Ping) {
        answers.push((ping::NAME, ping::ask(notify)));
    }
    let (mut refused, count) = (0, answers.len());
    for (name, answer) in answers {
        let line = match answer {
            Ok(said) => format!("{name}: {said}\n"),
            Err(failure) => {
                refused += 1;
                format!("{name}: FAILED: {failure}\n")
            }
        };
        output::print_untrusted(&line)?;
    }
    match (count, refused) {
        (0, _) => Err(TestError::Nobody(args.receiver.map_or("", |_| " of this name"))),
        (_, 0) => Ok(()),
        (_, _) => Err(TestError::Refused(refused, count)),
    }
}
