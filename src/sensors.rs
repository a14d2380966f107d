//! `edgewatch sensors`: what a person runs first on a new board. Reads every sensor by itself, without the service.

mod advice;
mod inventory;
mod text;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use edgewatch_program::error::Error as ProgramError;
use edgewatch_program::output;
use edgewatch_sensors::collectors;
use edgewatch_sensors::counters::Counters;
use edgewatch_sensors::error::SamplerError;
use edgewatch_sensors::sampler::Sampler;
use edgewatch_sensors::settings as sensors;
use thiserror::Error;

use self::inventory::Inventory;
use crate::config::{Settings, SettingsError};

/// Time between two looks of `--watch`.
const PAUSE: Duration = Duration::from_secs(2);
/// Clears a terminal, and goes to its first line (ECMA-48).
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Options of `edgewatch sensors`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit status: 0 if every sensor that was found could be read, 1 if one could not.")]
pub(crate) struct Args {
    /// Settings file (TOML) [default: /etc/edgewatch/edgewatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Look again every 2 s, until interrupted
    #[arg(long)]
    watch: bool,
}

/// Why the command cannot say anything.
#[derive(Debug, Error)]
pub(crate) enum SensorsError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    /// Told in the output already.
    #[error("{0} could not be read; the list above says which, and what to do")]
    Unreadable(String),
}

/// Runs the command.
///
/// # Errors
/// The settings are refused, nothing can be written, or a sensor that was found cannot be read.
pub(crate) fn run(args: &Args) -> Result<(), SensorsError> {
    let settings = of_hardware(Settings::load(args.config.as_deref())?.sensors());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.map_err(SensorsError::Runtime)?.block_on(look(args, &settings))
}

/// The settings, with those sources that read hardware and nothing else.
fn of_hardware(mut settings: sensors::Settings) -> sensors::Settings {
    for definition in collectors::ALL {
        let own = settings.collectors.entry(definition.name.to_owned()).or_default();
        let is_hardware = definition.needs.is_some();
        own.enabled = Some(is_hardware && own.enabled.unwrap_or(true));
    }
    settings
}

async fn look(args: &Args, settings: &sensors::Settings) -> Result<(), SensorsError> {
    let counters = Counters::new(&prometheus::Registry::new())?;
    let sampler = Sampler::start(settings, Arc::new(counters))?;
    sampler.wait_until_complete().await;
    loop {
        let inventory = Inventory::take(&sampler, settings);
        let text = match (args.json, args.watch) {
            (true, false) => serde_json::to_string_pretty(&inventory)? + "\n",
            (true, true) => serde_json::to_string(&inventory)? + "\n",
            (false, _) => text::of(&inventory),
        };
        if !args.watch {
            print_once(&text, args.json)?;
            return match inventory.failures() {
                0 => Ok(()),
                1 => Err(SensorsError::Unreadable("1 value".to_owned())),
                failures => Err(SensorsError::Unreadable(format!("{failures} values"))),
            };
        }
        if let Err(error) = print_again(&text) {
            // A pipe that is closed ends it.
            return Ok(output::check_written(Err(error))?);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn print_once(text: &str, is_json: bool) -> Result<(), ProgramError> {
    // JSON has escapes for control characters.
    match is_json {
        true => output::print(text),
        false => output::print_untrusted(text),
    }
}

fn print_again(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    if stdout.is_terminal() {
        stdout.write_all(CLEAR.as_bytes())?;
        stdout.write_all(output::printable(text).as_bytes())?;
    } else {
        stdout.write_all(text.as_bytes())?;
    }
    stdout.flush()
}
