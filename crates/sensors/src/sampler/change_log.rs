//! Logs a collector's errors when they change.

use std::time::{Duration, Instant};

use crate::error::SourceError;

/// Logs the errors of a collector when they differ from those of the read before, at a bounded rate.
#[derive(Debug, Default)]
pub struct ChangeLog {
    last: Vec<SourceError>,
    window: Option<Instant>,
    written: u32,
}

impl ChangeLog {
    /// A sensor that comes and goes changes at every read; past this many changes in [`Self::WINDOW`] they are not logged.
    const MAX_CHANGES: u32 = 10;
    const WINDOW: Duration = Duration::from_secs(600);

    /// Takes the errors of the last read; none if it succeeded.
    pub fn update(&mut self, collector: &str, errors: &[SourceError]) {
        if self.last == errors {
            return;
        }
        self.last = errors.to_vec();
        let now = Instant::now();
        if self.window.is_none_or(|began| now - began > Self::WINDOW) {
            self.window = Some(now);
            self.written = 0;
        }
        self.written += 1;
        if self.written > Self::MAX_CHANGES {
            return;
        }
        let suppressed = if self.written == Self::MAX_CHANGES {
            " (changes too often: no more of it for 10 minutes)"
        } else {
            ""
        };
        match errors {
            [] => tracing::info!(source = collector, "source recovered{suppressed}"),
            [only] => tracing::warn!(source = collector, failures = 1, "source fails: {only}{suppressed}"),
            [first, others @ ..] => tracing::warn!(
                source = collector,
                failures = errors.len(),
                "source fails: {first} (and {} more){suppressed}",
                others.len()
            ),
        }
    }
}
