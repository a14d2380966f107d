//! Slow parts of a source: how they are found, read apart from the rest, and given back.
//!
//! Six DS18B20 that are hwmon chips take 750 ms each, a disk that was asleep 10 s, and a broken chip holds its reader for good. Which
//! parts are slow is measured, since no list would be complete. As soon as a part keeps its reader for longer than [`SLOW`], this part, its
//! last readings and the thread that waits for it become a reader of their own, and another thread goes on with the rest of the source.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::shared::{Lane, Reader, Shared, Slot};
use super::state::{State, Turn};
use edgewatch_program::lock::lock;

/// A part that takes longer is read apart. All quick sources together take less.
pub(super) const SLOW: Duration = Duration::from_millis(50);
/// A part that took less than this …
const QUICK: Duration = Duration::from_millis(25);
/// … in so many reads one after the other is read with the rest again: the device may have been busy.
const QUICK_READS: u32 = 10;
/// Readers of slow parts of one source, each with a thread. Beyond that, parts share the last one …
const MOST_APART: usize = 16;
/// … and have to take this long: a quick one that the device kept waiting should not have to share with a chip that hangs.
const VERY_SLOW: Duration = Duration::from_millis(500);

impl Shared {
    /// True if `part` belongs to `reader`, whose turn then goes on with it. False for a thread that reads in vain, too.
    pub fn may_read(&self, slot: &Slot, reader: &Reader, number: u64, part: &Arc<str>) -> bool {
        if !slot.has_parts.swap(true, Ordering::Relaxed) {
            // The monitor has to look sooner from now on.
            self.hurried.notify_one();
        }
        let apart = lock(&slot.apart);
        let is_own = match &reader.parts {
            None => !apart.iter().any(|other| other.keeps(part)),
            Some(parts) => lock(parts).contains(part),
        };
        let mut state = reader.state();
        let is_stopped = self.stopped.load(Ordering::Relaxed);
        let Some(turn) = state.turn.as_mut().filter(|turn| turn.number == number && !is_stopped) else {
            return false;
        };
        turn.since = Instant::now();
        turn.part = is_own.then(|| Arc::clone(part));
        if is_own && reader.parts.is_some() {
            turn.met.push(Arc::clone(part));
        }
        is_own
    }

    /// Sets the part apart that the source's thread is at, if it has been there for too long.
    pub fn set_apart_if_slow(self: &Arc<Self>, slot: &Arc<Slot>) {
        if !self.has_room() {
            return;
        }
        let mut apart = lock(&slot.apart);
        let mut state = slot.whole.state();
        let now = Instant::now();
        let patience = if apart.len() < MOST_APART { SLOW } else { VERY_SLOW };
        let patience = patience.min(slot.deadline);
        let is_slow = |turn: &mut Turn| turn.part.is_some() && now > turn.since + patience;
        let Some(mut turn) = state.turn.take_if(is_slow) else {
            return;
        };
        let Some(part) = turn.part.clone() else {
            return;
        };
        let mut held: Vec<_> = state
            .readings
            .extract_if(.., |held| held.reading.part.as_ref() == Some(&part))
            .collect();
        // It was about to be read with the rest again: nobody may see its readings twice.
        let is_back = |other: &Arc<Reader>| other.parts.as_ref().is_some_and(|parts| lock(parts).contains(&part));
        if let Some(place) = apart.iter().position(is_back) {
            held.append(&mut apart.remove(place).state().readings);
        }
        // The rest is read anew, since the thread keeps what it has of it.
        state.due = now;
        // It may have waited for room beyond its deadline, and been counted.
        let overdue = std::mem::take(&mut state.overdue);
        let period = state.period;
        drop(state);
        tracing::debug!(source = slot.definition.name, %part, "slow: read apart from now on");
        if apart.len() < MOST_APART {
            turn.met.push(Arc::clone(&part));
            let mut state = State::new(period, now);
            state.readings = held;
            state.turn = Some(turn);
            state.overdue = overdue;
            let reader = Reader::new(Arc::new(Lane::default()), Some(vec![part]), state);
            apart.push(Arc::new(reader));
        } else if let Some(last) = apart.last() {
            // The thread that waits for the part now is let go; what it brings is not taken.
            let mut state = last.state();
            state.readings.extend(held);
            state.leaves = None;
            if let Some(turn) = &mut state.turn {
                turn.met.push(Arc::clone(&part));
            }
            last.parts.iter().for_each(|parts| lock(parts).push(Arc::clone(&part)));
        }
        drop(apart);
        self.replace_thread(&slot.whole.lane);
    }
}

impl Slot {
    /// The reader that the turn belongs to by now; none if its thread was let go. The turn has come to its end with this.
    pub fn owner(&self, reader: &Arc<Reader>, number: u64) -> Option<Arc<Reader>> {
        let apart = lock(&self.apart);
        let mut readers = [reader].into_iter().chain(apart.iter());
        let owner = readers.find(|reader| {
            let mut state = reader.state();
            let turn = state.turn.as_mut().filter(|turn| turn.number == number);
            turn.map(|turn| turn.part = None).is_some()
        });
        owner.cloned()
    }

    /// Gives parts back that are quick again, and forgets those that are gone. `turn` is the one that `reader` has just ended.
    pub fn review(&self, apart: &mut Vec<Arc<Reader>>, reader: &Arc<Reader>, started: Instant, turn: Option<Turn>) {
        let Some(parts) = &reader.parts else {
            // They were among what this turn has read.
            apart.retain(|other| other.state().leaves.is_none_or(|since| since > started));
            return;
        };
        let mut parts = lock(parts);
        let met = turn.map(|turn| turn.met).unwrap_or_default();
        parts.retain(|part| met.contains(part));
        if parts.is_empty() {
            apart.retain(|other| !Arc::ptr_eq(other, reader));
            return;
        }
        let mut state = reader.state();
        state.quick = if state.duration < QUICK { state.quick + 1 } else { 0 };
        if state.quick >= QUICK_READS {
            state.leaves = Some(Instant::now());
        }
    }
}

impl Reader {
    /// True if nobody else may read the part.
    fn keeps(&self, part: &Arc<str>) -> bool {
        let parts = self.parts.as_ref().map(lock);
        parts.is_some_and(|parts| parts.contains(part)) && self.state().leaves.is_none()
    }
}
