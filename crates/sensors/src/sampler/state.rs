//! What is kept of each collector between two reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::change_log::ChangeLog;
use crate::error::{ErrorKind, SourceError};
use crate::reading::Reading;

/// Readings younger than this are not read again for a scrape, so that hammering `/metrics` does not hammer the kernel.
const FRESH: Duration = Duration::from_secs(1);

/// The latest reading of a series.
#[derive(Clone, Debug)]
pub struct LastReading {
    /// The reading.
    pub reading: Reading,
    /// When the value was last read without an error, or first missed.
    pub since: Instant,
}

/// A read in progress.
#[derive(Debug)]
pub(super) struct ActiveRead {
    /// Unique among all reads.
    pub id: u64,
    /// When it began, or began with the current part.
    pub since: Instant,
    /// The part that is being read, if the collector has parts.
    pub part: Option<Arc<str>>,
    /// The isolated parts that it has come across.
    pub seen: Vec<Arc<str>>,
}

/// What is known of one collector.
#[derive(Debug)]
pub struct CollectorState {
    /// Its readings.
    pub readings: Vec<LastReading>,
    /// Readings that the last read left out.
    pub dropped: usize,
    /// Duration of the last read that ended.
    pub duration: Duration,
    /// Longest time between two reads.
    pub period: Duration,
    /// The errors of the last read.
    pub errors: Vec<SourceError>,
    pub(super) opened: Instant,
    pub(super) due: Instant,
    pub(super) active: Option<ActiveRead>,
    pub(super) overdue: bool,
    pub(super) started: Option<Instant>,
    pub(super) log: ChangeLog,
    /// Of an isolated part: fast reads in a row.
    pub(super) fast_reads: u32,
    /// Of an isolated part that is fast again: since when it is read with the rest.
    pub(super) rejoined: Option<Instant>,
    /// Since when an isolated part exists that has never had a reading.
    never_read_since: Option<Instant>,
}

impl CollectorState {
    /// Of a collector that is due now, and from then on at least every `period`.
    pub(super) fn new(period: Duration, now: Instant) -> Self {
        Self {
            readings: Vec::new(),
            dropped: 0,
            duration: Duration::ZERO,
            period,
            errors: Vec::new(),
            opened: now,
            due: now,
            active: None,
            overdue: false,
            started: None,
            log: ChangeLog::default(),
            fast_reads: 0,
            rejoined: None,
            never_read_since: None,
        }
    }

    /// True if the last read had no error.
    pub fn is_ok(&self) -> bool {
        self.errors.is_empty()
    }

    /// True if there is anything to export: readings or errors. False where the hardware is absent.
    pub fn has_output(&self) -> bool {
        !self.readings.is_empty() || !self.errors.is_empty()
    }

    /// Age of the oldest reading.
    pub fn age(&self, now: Instant) -> Duration {
        let readings = self.readings.iter().map(|last| last.since);
        let oldest = readings.chain(self.never_read_since).min();
        now.saturating_duration_since(oldest.unwrap_or(self.opened))
    }

    /// True once a read has ended or passed its deadline.
    pub(super) fn is_attempted(&self) -> bool {
        self.started.is_some() || self.overdue
    }

    /// True if a read for a scrape at `now` would be too soon, or would have to wait for one that is stuck.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.overdue || self.started.is_some_and(|started| started + FRESH > now)
    }

    /// Replaces every value by the error; the age of the readings goes on growing.
    pub(super) fn fail_readings(&mut self, kind: ErrorKind) {
        for last in &mut self.readings {
            last.reading.value = Err(kind);
        }
    }

    /// A copy of what is exported, to which [`CollectorState::add`] adds isolated parts.
    pub(super) fn summary(&self) -> Self {
        let mut summary = Self::new(self.period, self.opened);
        summary.add_output(self);
        summary
    }

    /// Adds an isolated part.
    pub(super) fn add(&mut self, part: &Self) {
        if part.readings.is_empty() {
            self.never_read_since = self.never_read_since.into_iter().chain([part.opened]).min();
        }
        self.add_output(part);
    }

    fn add_output(&mut self, other: &Self) {
        self.readings.extend_from_slice(&other.readings);
        self.errors.extend_from_slice(&other.errors);
        self.dropped += other.dropped;
        self.duration = self.duration.max(other.duration);
    }
}

/// The new readings with their times: a series that failed carries forward the time of its last good value.
pub(super) fn carry_forward(readings: Vec<Reading>, old: &[LastReading], now: Instant) -> Vec<LastReading> {
    readings
        .into_iter()
        .map(|reading| {
            let since = if reading.value.is_ok() {
                now
            } else {
                old.iter()
                    .find(|last| last.reading.is_same_series(&reading))
                    .map_or(now, |last| last.since)
            };
            LastReading { reading, since }
        })
        .collect()
}
