//! What is kept of each source between two reads.

use std::time::{Duration, Instant};

use crate::error::ErrorKind;
use crate::logging::ChangeLog;
use crate::reading::Reading;

/// A reading younger than this is not read anew for a scrape, so that hammering `/metrics` does not hammer the kernel.
const FRESH: Duration = Duration::from_secs(1);

/// A reading as it is kept.
#[derive(Clone, Debug)]
pub struct Held {
    /// The reading.
    pub reading: Reading,
    /// When the value was last good, or first missed.
    pub since: Instant,
}

/// What is known of one source.
#[derive(Debug)]
pub struct State {
    /// Its readings.
    pub readings: Vec<Held>,
    /// Readings that the last read left out.
    pub dropped: usize,
    /// Duration of the last read that ended.
    pub duration: Duration,
    /// Time between two reads, or more often if it is read at scrapes.
    pub period: Duration,
    /// The failures of the last read, for people.
    pub trouble: Vec<String>,
    pub(super) opened: Instant,
    pub(super) due: Instant,
    pub(super) busy: Option<Instant>,
    pub(super) overdue: bool,
    pub(super) started: Option<Instant>,
    pub(super) log: ChangeLog,
}

impl State {
    /// Of a source that is due now, and from then on every `period`.
    pub(super) fn new(period: Duration, now: Instant) -> Self {
        Self {
            readings: Vec::new(),
            dropped: 0,
            duration: Duration::ZERO,
            period,
            trouble: Vec::new(),
            opened: now,
            due: now,
            busy: None,
            overdue: false,
            started: None,
            log: ChangeLog::default(),
        }
    }

    /// True if the last read brought every value.
    pub fn is_good(&self) -> bool {
        self.trouble.is_empty()
    }

    /// True if there is anything to tell: readings, or a failure.
    pub fn is_present(&self) -> bool {
        !self.readings.is_empty() || !self.trouble.is_empty()
    }

    /// Age of the oldest reading.
    pub fn age(&self, now: Instant) -> Duration {
        let oldest = self.readings.iter().map(|held| held.since).min();
        now.saturating_duration_since(oldest.unwrap_or(self.opened))
    }

    /// True once a read has ended or passed its deadline.
    pub(super) fn is_tried(&self) -> bool {
        self.started.is_some() || self.overdue
    }

    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.overdue || self.started.is_some_and(|started| started + FRESH > now)
    }

    pub(super) fn fail_readings(&mut self, kind: ErrorKind) {
        for held in &mut self.readings {
            held.reading.value = Err(kind);
        }
    }
}

/// Joins new readings with what was known: a value that failed keeps the time when it was last good.
pub(super) fn hold(readings: Vec<Reading>, old: &[Held], now: Instant) -> Vec<Held> {
    readings
        .into_iter()
        .map(|reading| {
            let since = if reading.value.is_ok() {
                now
            } else {
                old.iter()
                    .find(|held| held.reading.is_same_series(&reading))
                    .map_or(now, |held| held.since)
            };
            Held { reading, since }
        })
        .collect()
}
