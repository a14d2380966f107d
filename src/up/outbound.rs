//! The program that forwards and notifies as a child, where the settings ask for it.

use tempfile::TempDir;
use tokio::process::Command;

use super::child::Child;
use super::error::UpError;
use super::state_dir::StateDir;
use crate::config::Settings;
use crate::programs::{self, OUTBOUND};

/// Below the state directory: what was sent and told, and the settings with the ports of this stack.
const STATE: &str = "outbound";
const SETTINGS: &str = "outbound/edgewatch.toml";
/// In memory: the metrics are written once a second.
const MEMORY: &str = "/dev/shm";

/// A directory for the program's metrics, which `settings` then name.
///
/// # Errors
/// There is none that can be written to.
pub(crate) fn place_metrics(settings: &mut Settings) -> Result<TempDir, UpError> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("edgewatch-");
    let directory = builder.tempdir_in(MEMORY).or_else(|_| builder.tempdir());
    let directory = directory.map_err(|source| UpError::Start { name: OUTBOUND, source })?;
    settings.paths.outbound = directory.path().join("metrics.prom");
    Ok(directory)
}

/// Starts the program.
///
/// # Errors
/// The state directory cannot be written, or the program cannot be started.
pub(crate) fn start(settings: &Settings, state: &StateDir) -> Result<Child, UpError> {
    let file = state.write(SETTINGS, &settings.to_toml()?)?;
    let mut command = Command::new(programs::path(OUTBOUND));
    command
        .args(["serve", "--config"])
        .arg(file)
        .env("STATE_DIRECTORY", state.path(STATE));
    Child::start(OUTBOUND, command, &state.lock)
}
