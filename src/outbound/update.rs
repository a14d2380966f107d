//! `edgewatch update`: takes the device to the newest system that is published for it, if it is well with it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use edgewatch_outbound::state::StateError;
use edgewatch_program::error::Error as ProgramError;
use edgewatch_program::{logging, output};
use edgewatch_update::error::UpdateError;
use edgewatch_update::health::{Duties, FailedCheck, Health, MANIFEST};
use edgewatch_update::host::Host;
use edgewatch_update::record::{MAX_TRIES, Record};
use edgewatch_update::updater::{Outcome, Updater, read_manifest};
use humantime::format_rfc3339_seconds;
use thiserror::Error;

use crate::check;
use crate::config::{Settings, SettingsError};

/// Options of `edgewatch update`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit status: 0 if the device has the newest system, restarts into it, or only asks; 1 if it could not be updated, which leaves the system that it had."
)]
pub(crate) struct Args {
    #[command(flatten)]
    what: What,
    /// Settings file (TOML) [default: /etc/edgewatch/edgewatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The root of the device's file system
    #[arg(long, value_name = "DIRECTORY", default_value = "/", hide = true)]
    root: PathBuf,
}

/// What to do: one of these.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// Ask whether there is an update
    #[arg(long)]
    check: bool,
    /// Take it: try it, and keep it if the device is well with it
    #[arg(long)]
    now: bool,
    /// Go on with a trial after a restart
    #[arg(long)]
    resume: bool,
    /// Say what the device remembers of updates
    #[arg(long)]
    status: bool,
    /// Say as JSON how the device is, for the update of another version; what the centre lacks may be so old
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    look: Option<Duration>,
}

/// Why the command has failed.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// Runs the command.
///
/// # Errors
/// The settings are refused, or there is no update, or it was not kept.
pub(crate) fn run(args: &Args) -> Result<(), CommandError> {
    let settings = Settings::load(args.config.as_deref())?;
    logging::start("edgewatch-update", settings.log.level, None);
    if let Some(forwarded_within) = args.what.look {
        // Strings and numbers always have a JSON form.
        let health = serde_json::to_string(&health(&settings, forwarded_within)).unwrap_or_default();
        return Ok(output::print(&(health + "\n"))?);
    }
    let mut updater = match Updater::new(&settings.update, args.config.as_deref(), Host::new(&args.root)) {
        // A trial takes a while, and somebody may ask meanwhile.
        Err(UpdateError::State(StateError::Locked { .. })) => {
            return Ok(output::print(
                "an update is at work: journalctl -fu edgewatch-update\n",
            )?);
        }
        updater => updater?,
    };
    if args.what.status {
        return Ok(output::print(&describe(updater.record()))?);
    }
    let outcome = if args.what.check {
        updater.check()?
    } else if args.what.resume {
        updater.resume()?
    } else {
        updater.update()?
    };
    let text = match outcome {
        Outcome::UpToDate(serial) => format!("serial {serial} is the newest, and the device has it\n"),
        Outcome::Available(serial) => format!("serial {serial} is new: edgewatch update --now\n"),
        Outcome::Kept(serial) => format!("serial {serial} is kept\n"),
        Outcome::Restarting(serial) => format!("serial {serial} is on trial: the device restarts into it\n"),
        Outcome::NothingToResume => "no update is on trial\n".to_owned(),
    };
    Ok(output::print(&text)?)
}

/// How `edgewatch check` finds the device, by the settings of this system. Warnings are well.
fn health(settings: &Settings, forwarded_within: Duration) -> Health {
    let args = check::Args {
        service: settings.update.service.clone(),
        prometheus: settings.prometheus.url.clone(),
        grafana: check::GRAFANA.to_owned(),
        user: None,
        password_file: None,
        window: Duration::from_secs(60),
        forwarded_within,
        wait: Duration::ZERO,
        json: false,
        budget: settings.paths.budget.clone(),
    };
    let mut health = match check::examine(&args) {
        Ok(report) => Health {
            failures: report
                .failures()
                .map(|verdict| FailedCheck {
                    subject: verdict.subject.clone(),
                    found: verdict.found.clone(),
                })
                .collect(),
            duties: Duties {
                forwards: report.is_ok(check::FORWARDING),
                has_watchdog: report.is_ok(check::HARDWARE_WATCHDOG),
            },
        },
        Err(error) => Health::unknown("edgewatch check", error),
    };
    // A system that cannot get at the next update would be the last one.
    if let Err(error) = read_manifest(&settings.update) {
        health.failures.push(FailedCheck {
            subject: MANIFEST.to_owned(),
            found: error.to_string(),
        });
    }
    health
}

fn describe(record: &Record) -> String {
    let mut text = match record.serial {
        0 => "no update has been kept yet\n".to_owned(),
        serial => format!("serial {serial} was the last that was kept\n"),
    };
    if let Some(trial) = &record.trial {
        let _ = writeln!(text, "serial {} is on trial: {}", trial.serial, trial.system.display());
    }
    for (serial, tries) in &record.failures {
        let again = match *tries >= MAX_TRIES {
            true => ", and is not tried again",
            false => "",
        };
        let _ = writeln!(text, "serial {serial} failed {tries} times{again}");
    }
    if let Some(checked) = record.checked.and_then(|checked| u64::try_from(checked).ok()) {
        let time = format_rfc3339_seconds(std::time::UNIX_EPOCH + Duration::from_secs(checked));
        let _ = writeln!(
            text,
            "the manifest was last read, or first asked for in vain, at {time}"
        );
    }
    text
}
