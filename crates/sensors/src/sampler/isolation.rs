//! Slow parts of a collector: how they are found, isolated from the rest, and given back.
//!
//! Six DS18B20 that are hwmon chips take 750 ms each, a disk that was asleep 10 s, and a broken chip blocks its thread for good. Which
//! parts are slow is measured, since no list would be complete. As soon as a part takes longer than [`SLOW`], it is isolated: the part, its
//! last readings and the thread that waits for it become a reader with a worker of its own, and another thread goes on with the rest.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::shared::{Reader, Scheduled, Shared, Worker};
use super::state::{ActiveRead, CollectorState};
use edgewatch_program::lock::lock;

/// A part that takes longer is isolated. All fast collectors together take less.
pub(super) const SLOW: Duration = Duration::from_millis(50);
/// A part that took less than this …
const FAST: Duration = Duration::from_millis(25);
/// … in so many reads in a row is read with the rest again: the device may have been busy.
const FAST_READS: u32 = 10;
/// Readers of isolated parts of one collector, each with a thread: a bus of DS18B20 has two dozen. Beyond that, parts share the last one …
const MAX_ISOLATED: usize = 32;
/// … and have to take this long: a fast one that a busy device delayed should not have to share with a chip that hangs.
const VERY_SLOW: Duration = Duration::from_millis(500);
/// Longest that an isolated part may take because it took long before.
const MAX_MEASURED_DEADLINE: Duration = Duration::from_secs(60);

impl Shared {
    /// True if `part` belongs to `reader`, whose read `id` then goes on with it. False as well for a thread whose read was given up.
    pub fn may_read(&self, scheduled: &Scheduled, reader: &Reader, id: u64, part: &Arc<str>) -> bool {
        if !scheduled.has_parts.swap(true, Ordering::Relaxed) {
            // The monitor has to check sooner from now on.
            self.rescheduled.notify_one();
        }
        let isolated = lock(&scheduled.isolated);
        let is_own = match &reader.parts {
            None => !isolated.iter().any(|other| other.owns(part)),
            Some(parts) => lock(parts).contains(part),
        };
        let mut state = reader.state();
        let is_stopped = self.stopped.load(Ordering::Relaxed);
        let Some(read) = state.active.as_mut().filter(|read| read.id == id && !is_stopped) else {
            return false;
        };
        read.since = Instant::now();
        read.part = is_own.then(|| Arc::clone(part));
        if is_own && reader.parts.is_some() {
            read.seen.push(Arc::clone(part));
        }
        is_own
    }

    /// Isolates the part that the main reader is at, if it has been there for too long.
    pub fn isolate_if_slow(self: &Arc<Self>, scheduled: &Arc<Scheduled>) {
        if !self.has_thread_left() {
            return;
        }
        let mut isolated = lock(&scheduled.isolated);
        let mut state = scheduled.main.state();
        let now = Instant::now();
        let threshold = if isolated.len() < MAX_ISOLATED { SLOW } else { VERY_SLOW };
        let threshold = threshold.min(scheduled.deadline);
        let is_slow = |read: &mut ActiveRead| read.part.is_some() && now > read.since + threshold;
        let Some(mut read) = state.active.take_if(is_slow) else {
            return;
        };
        let Some(part) = read.part.clone() else {
            return;
        };
        let mut readings: Vec<_> = state
            .readings
            .extract_if(.., |last| last.reading.part.as_ref() == Some(&part))
            .collect();
        // It was about to be read with the rest again: its readings must not be exported twice.
        let is_back = |other: &Arc<Reader>| other.parts.as_ref().is_some_and(|parts| lock(parts).contains(&part));
        if let Some(position) = isolated.iter().position(is_back) {
            readings.append(&mut isolated.remove(position).state().readings);
        }
        // The rest is read again, since the thread keeps what it has read of it.
        state.due = now;
        // It may have waited for a free thread beyond its deadline, and been counted.
        let overdue = std::mem::take(&mut state.overdue);
        drop(state);
        tracing::debug!(source = scheduled.definition.name, %part, "slow: isolated from now on");
        if isolated.len() < MAX_ISOLATED {
            read.seen.push(Arc::clone(&part));
            let mut state = CollectorState::new(scheduled.period.longest, now);
            state.readings = readings;
            state.active = Some(read);
            state.overdue = overdue;
            let reader = Reader::new(Arc::new(Worker::default()), Some(vec![part]), state);
            isolated.push(Arc::new(reader));
        } else if let Some(last) = isolated.last() {
            // The thread that waits for the part now is given up; its result is discarded.
            let mut state = last.state();
            state.readings.extend(readings);
            state.rejoined = None;
            if let Some(read) = &mut state.active {
                read.seen.push(Arc::clone(&part));
            }
            last.parts.iter().for_each(|parts| lock(parts).push(Arc::clone(&part)));
        }
        drop(isolated);
        self.replace_thread(&scheduled.main.worker);
    }
}

impl Scheduled {
    /// Time after which a read of `reader` counts as failed. An isolated part that has answered late, such as a sensor that waits for its next
    /// measurement or for its turn on the bus, may take twice as long as it did, unless the settings say how long.
    pub fn deadline_of(&self, reader: &Reader, state: &CollectorState) -> Duration {
        match reader.parts.is_some() && !self.is_deadline_set {
            true => self
                .deadline
                .max(state.duration.saturating_mul(2).min(MAX_MEASURED_DEADLINE)),
            false => self.deadline,
        }
    }

    /// The reader that the read `id` of `reader` belongs to by now; none if its thread was given up. Ends the read's current part.
    pub fn owner(&self, reader: &Arc<Reader>, id: u64) -> Option<Arc<Reader>> {
        let isolated = lock(&self.isolated);
        let mut readers = [reader].into_iter().chain(isolated.iter());
        let owner = readers.find(|reader| {
            let mut state = reader.state();
            let read = state.active.as_mut().filter(|read| read.id == id);
            read.map(|read| read.part = None).is_some()
        });
        owner.cloned()
    }

    /// Gives parts back that are fast again, and forgets those that are gone. `read` is the one that `reader` has just ended.
    pub fn review_isolation(
        &self,
        isolated: &mut Vec<Arc<Reader>>,
        reader: &Arc<Reader>,
        started: Instant,
        read: Option<ActiveRead>,
    ) {
        let Some(parts) = &reader.parts else {
            // This read of the main reader has included those that rejoined before it.
            isolated.retain(|other| other.state().rejoined.is_none_or(|since| since > started));
            return;
        };
        let mut parts = lock(parts);
        let seen = read.map(|read| read.seen).unwrap_or_default();
        parts.retain(|part| seen.contains(part));
        if parts.is_empty() {
            isolated.retain(|other| !Arc::ptr_eq(other, reader));
            return;
        }
        let mut state = reader.state();
        state.fast_reads = if state.duration < FAST { state.fast_reads + 1 } else { 0 };
        if state.fast_reads >= FAST_READS {
            state.rejoined = Some(Instant::now());
        }
    }
}

impl Reader {
    /// True if no other reader may read the part.
    fn owns(&self, part: &Arc<str>) -> bool {
        let parts = self.parts.as_ref().map(lock);
        parts.is_some_and(|parts| parts.contains(part)) && self.state().rejoined.is_none()
    }
}
