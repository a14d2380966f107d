//! What is kept of each source between two reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::change_log::ChangeLog;
use crate::error::ErrorKind;
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

/// A read under way.
#[derive(Debug)]
pub(super) struct Turn {
    /// No two reads have the same.
    pub number: u64,
    /// When it began, or the part that it is at.
    pub since: Instant,
    /// The part that it is at, if the source has parts.
    pub part: Option<Arc<str>>,
    /// The slow parts that it has come to.
    pub met: Vec<Arc<str>>,
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
    pub(super) turn: Option<Turn>,
    pub(super) overdue: bool,
    pub(super) started: Option<Instant>,
    pub(super) log: ChangeLog,
    /// Of a slow part: quick reads one after the other.
    pub(super) quick: u32,
    /// Of a slow part that is quick again: since when it is read with the rest.
    pub(super) leaves: Option<Instant>,
    /// Since when a slow part has been there without ever having brought a reading.
    unread: Option<Instant>,
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
            turn: None,
            overdue: false,
            started: None,
            log: ChangeLog::default(),
            quick: 0,
            leaves: None,
            unread: None,
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
        let oldest = self.readings.iter().map(|held| held.since).chain(self.unread).min();
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

    /// What is known of the source without its slow parts, for [`State::add`].
    pub(super) fn summary(&self) -> Self {
        let mut summary = Self::new(self.period, self.opened);
        summary.add_present(self);
        summary
    }

    /// Adds what is known of slow parts.
    pub(super) fn add(&mut self, part: &Self) {
        if part.readings.is_empty() {
            self.unread = self.unread.into_iter().chain([part.opened]).min();
        }
        self.add_present(part);
    }

    fn add_present(&mut self, other: &Self) {
        self.readings.extend_from_slice(&other.readings);
        self.trouble.extend_from_slice(&other.trouble);
        self.dropped += other.dropped;
        self.duration = self.duration.max(other.duration);
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
