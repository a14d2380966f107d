//! What is told of reloads of the settings, by each of the programs that have them.

use std::fmt::Display;

use edgewatch_program::systemd;
use edgewatch_program::time::unix_time;
use prometheus::{Gauge, Registry};
use sd_notify::NotifyState;

/// The metrics of reloads.
pub(crate) struct Reloads {
    successful: Gauge,
    time: Gauge,
}

impl Reloads {
    /// `PREFIX_config_last_reload_…`, of whom the help texts are; as after settings that were taken.
    ///
    /// # Errors
    /// None in practice: the names are constants.
    pub(crate) fn new(registry: &Registry, prefix: &str, of: &str) -> prometheus::Result<Self> {
        let successful = Gauge::new(
            format!("{prefix}config_last_reload_successful"),
            format!("Whether the last reload{of} took the settings."),
        )?;
        let time = Gauge::new(
            format!("{prefix}config_last_reload_success_timestamp_seconds"),
            format!("Unix time of the last settings{of} that were taken."),
        )?;
        registry.register(Box::new(successful.clone()))?;
        registry.register(Box::new(time.clone()))?;
        let reloads = Self { successful, time };
        reloads.record(true);
        Ok(reloads)
    }

    fn record(&self, success: bool) {
        self.successful.set(f64::from(u8::from(success)));
        if success {
            self.time.set(unix_time());
        }
    }

    /// Counts a reload, and tells of it: to systemd with `status` if it has succeeded.
    pub(crate) fn ended(&self, result: Result<(), impl Display>, status: &str) {
        self.record(result.is_ok());
        match result {
            Ok(()) => {
                tracing::info!("settings reloaded");
                systemd::notify(&[NotifyState::Ready, NotifyState::Status(status)]);
            }
            Err(error) => {
                tracing::error!("the new settings are refused, and the old ones stay in force: {error}");
                let status = format!("reload refused: {error}");
                systemd::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
            }
        }
    }
}
