//! The log of what changes.

use std::time::{Duration, Instant};

/// Logs the troubles of a source when they change, not each time they are found.
#[derive(Debug, Default)]
pub struct ChangeLog {
    last: Vec<String>,
    window: Option<Instant>,
    written: u32,
}

impl ChangeLog {
    /// A sensor that comes and goes changes at every read; past this many changes in [`Self::WINDOW`] they are not logged.
    const MOST: u32 = 10;
    const WINDOW: Duration = Duration::from_secs(600);

    /// Takes the troubles of the last read.
    pub fn note(&mut self, source: &str, troubles: &[String]) {
        if self.last == troubles {
            return;
        }
        let recovered = troubles.is_empty();
        self.last = troubles.to_vec();
        let now = Instant::now();
        if self.window.is_none_or(|began| now - began > Self::WINDOW) {
            self.window = Some(now);
            self.written = 0;
        }
        self.written += 1;
        if self.written > Self::MOST {
            return;
        }
        let quiet = if self.written == Self::MOST {
            " (changes too often: no more of it for 10 minutes)"
        } else {
            ""
        };
        if recovered {
            tracing::info!(source, "source recovered{quiet}");
        } else {
            let first = &troubles[0];
            let more = troubles.len() - 1;
            tracing::warn!(
                source,
                failures = troubles.len(),
                "source fails: {first} (and {more} more){quiet}"
            );
        }
    }
}
