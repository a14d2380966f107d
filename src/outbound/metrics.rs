//! The file in which the program leaves its metrics for the sensor service, which exports them.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use crate::reload::Reloads;
use edgewatch_program::logging::LogRateLimit;
use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};

/// The program's own metrics, and the file with all of them.
pub(crate) struct Metrics {
    registry: Registry,
    /// Of the settings.
    pub(crate) reloads: Reloads,
}

impl Metrics {
    /// As after settings that were taken.
    ///
    /// # Errors
    /// None in practice: the names are constants.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let reloads = Reloads::new(&registry, "edge_outbound_", " of the program that sends")?;
        Ok(Self { registry, reloads })
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
