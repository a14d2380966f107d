//! The file in which the program leaves its metrics for the sensor service, which exports them.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use edgewatch_program::logging::LogRateLimit;
use edgewatch_program::time::unix_time;
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, Registry, TextEncoder};

/// The program's own metrics, and the file with all of them.
pub(crate) struct Metrics {
    registry: Registry,
    reload_successful: Gauge,
    reload_time: Gauge,
}

impl Metrics {
    /// As after settings that were taken.
    ///
    /// # Errors
    /// None in practice: the names are constants.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let reload_successful = Gauge::new(
            "edge_outbound_config_last_reload_successful",
            "Whether the last reload of the program that sends took the settings.",
        )?;
        let reload_time = Gauge::new(
            "edge_outbound_config_last_reload_success_timestamp_seconds",
            "Unix time of the last settings that the program that sends has taken.",
        )?;
        let registry = Registry::new();
        registry.register(Box::new(reload_successful.clone()))?;
        registry.register(Box::new(reload_time.clone()))?;
        let metrics = Self {
            registry,
            reload_successful,
            reload_time,
        };
        metrics.reloaded(true);
        Ok(metrics)
    }

    /// Records whether a reload took the settings.
    pub(crate) fn reloaded(&self, success: bool) {
        self.reload_successful.set(f64::from(u8::from(success)));
        if success {
            self.reload_time.set(unix_time());
        }
    }

    /// Replaces the file by these families and its own. A failure is told and costs the reader news, not the program its work.
    pub(crate) fn write(&self, file: &Path, families: impl Iterator<Item = MetricFamily>) {
        static LIMIT: LazyLock<LogRateLimit> = LazyLock::new(LogRateLimit::default);
        let families: Vec<MetricFamily> = self.registry.gather().into_iter().chain(families).collect();
        let written = TextEncoder::new()
            .encode_to_string(&families)
            .map_err(io::Error::other)
            .and_then(|text| replace(file, &text));
        if let Err(error) = written
            && let Some(suppressed) = LIMIT.allow(Instant::now())
        {
            tracing::error!("{} cannot be written: {error}{suppressed}", file.display());
        }
    }
}

/// Nobody sees it half written. It need not outlive a power cut.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut temporary = PathBuf::from(file).into_os_string();
    temporary.push(".new");
    fs::write(&temporary, text)?;
    // The service is another user, and the unit's umask lets nobody else read.
    fs::set_permissions(&temporary, Permissions::from_mode(0o644))?;
    fs::rename(&temporary, file)
}
