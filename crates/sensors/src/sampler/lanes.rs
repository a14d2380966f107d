//! The threads that read.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Instant;

use super::shared::{Lane, Reader, Shared, Slot};
use super::state::{State, Turn, hold};
use super::{SLACK, THREAD_NAME};
use crate::error::ErrorKind;
use crate::reading::{Finished, Sample, SampleLimits};
use edgewatch_program::lock::lock;

/// Sources keep little on the stack; the default of 2 MiB would only look bad in `process_virtual_memory_bytes`.
const STACK: usize = 256 * 1024;
/// Threads up to which slow parts get one of their own. With those that replace stuck ones (one for each source at most) and those of the
/// server this stays below the unit's `TasksMax=`.
const MOST_THREADS: usize = 32;

impl Shared {
    /// Starts a thread for `lane`.
    pub fn run_lane(self: &Arc<Self>, lane: &Arc<Lane>, generation: u64) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        let (mut lane, mut generation) = (Arc::clone(lane), generation);
        self.threads.fetch_add(1, Ordering::Relaxed);
        let started = thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .stack_size(STACK)
            .spawn(move || {
                while let Some((slot, reader)) = shared.next(&lane, generation) {
                    if let Some(own) = shared.read(&slot, &reader) {
                        (lane, generation) = (own, 0);
                    }
                }
                shared.threads.fetch_sub(1, Ordering::Relaxed);
            });
        if started.is_err() {
            self.threads.fetch_sub(1, Ordering::Relaxed);
        }
        started.map(drop)
    }

    /// True if there may be another thread beside one that waits for a slow part.
    pub fn has_room(&self) -> bool {
        self.threads.load(Ordering::Relaxed) < MOST_THREADS
    }

    /// Gives the lane another thread, in place of one that is stuck or kept.
    pub fn replace_thread(self: &Arc<Self>, lane: &Arc<Lane>) {
        let mut generation = lock(&lane.generation);
        *generation += 1;
        if let Err(error) = self.run_lane(lane, *generation) {
            // The lane stands still; the watchdog sees that and restarts the service.
            tracing::error!(%error, "cannot start another sampler thread");
        }
    }

    /// Waits for the next reader of the lane that is due. `None` tells the thread to end.
    fn next(&self, lane: &Arc<Lane>, mine: u64) -> Option<(Arc<Slot>, Arc<Reader>)> {
        let mut generation = lock(&lane.generation);
        loop {
            if self.stopped.load(Ordering::Relaxed) || *generation != mine {
                return None;
            }
            let now = Instant::now();
            let mut is_needed = false;
            let mut next: Option<(Instant, &Arc<Slot>, Arc<Reader>)> = None;
            for (slot, reader) in self.readers().filter(|(_, reader)| Arc::ptr_eq(&reader.lane, lane)) {
                let state = reader.state();
                let (due, is_idle, leaves) = (state.due, state.turn.is_none(), state.leaves.is_some());
                drop(state);
                if leaves {
                    continue;
                }
                is_needed = true;
                if is_idle && next.as_ref().is_none_or(|(first, ..)| due < *first) {
                    next = Some((due, slot, reader));
                }
            }
            if !is_needed {
                return None;
            }
            let wait = match next {
                Some((due, slot, reader)) if due <= now => {
                    reader.state().turn = Some(Turn {
                        number: self.turns.fetch_add(1, Ordering::Relaxed),
                        since: now,
                        part: None,
                        met: Vec::new(),
                    });
                    return Some((Arc::clone(slot), reader));
                }
                Some((due, ..)) => due - now,
                None => SLACK,
            };
            generation = lane
                .wake
                .wait_timeout(generation, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Reads once. Gives the lane that the thread has to serve from then on, if what it read was set apart meanwhile.
    fn read(self: &Arc<Self>, slot: &Arc<Slot>, reader: &Arc<Reader>) -> Option<Arc<Lane>> {
        let started = Instant::now();
        let turn = reader.state().turn.as_ref()?.number;
        let gate = |part: &Arc<str>| self.may_read(slot, reader, turn, part);
        let mut sample = Sample::new(self.limits(slot, reader), Box::new(gate));
        let source = lock(&reader.source).take();
        let (source, failure) = match source.map_or_else(|| (slot.definition.open)(&self.settings), Ok) {
            Err(failure) => (None, Some((ErrorKind::Io, failure.to_string()))),
            Ok(mut source) => match catch_unwind(AssertUnwindSafe(|| source.read(&mut sample))) {
                Ok(Ok(())) => (Some(source), None),
                Ok(Err(error)) if error.is_missing() => (Some(source), None),
                Ok(Err(error)) => (Some(source), Some((error.kind(), error.to_string()))),
                // Whatever state the panic left behind is thrown away.
                Err(panic) => {
                    let what = format!("panicked: {}", panic_text(panic.as_ref()));
                    (None, Some((ErrorKind::Panic, what)))
                }
            },
        };
        let owner = slot.owner(reader, turn)?;
        let is_set_apart = !Arc::ptr_eq(&owner, reader);
        if is_set_apart {
            sample.keep_last_part();
        }
        *lock(&owner.source) = source;
        self.publish(slot, &owner, started, sample.finish(), failure);
        is_set_apart.then(|| Arc::clone(&owner.lane))
    }

    /// What the source's other readers leave of its limit.
    fn limits(&self, slot: &Slot, reader: &Arc<Reader>) -> SampleLimits {
        let apart = lock(&slot.apart);
        let others = apart
            .iter()
            .chain([&slot.whole])
            .filter(|other| !Arc::ptr_eq(other, reader));
        let taken: usize = others.map(|other| other.state().readings.len()).sum();
        SampleLimits {
            readings: self.settings.limits.readings_per_source.saturating_sub(taken),
            label_length: self.settings.limits.label_length,
        }
    }

    fn publish(
        &self,
        slot: &Slot,
        reader: &Arc<Reader>,
        started: Instant,
        sample: Finished,
        failure: Option<(ErrorKind, String)>,
    ) {
        let name = slot.definition.name;
        for error in &sample.errors {
            self.counters.source_failed(name, error.kind());
        }
        for reason in sample.events {
            self.counters.failures.with_label_values(&[reason]).inc();
        }
        // Held to the end, so that nobody sees a part in two readers, or in none.
        let mut apart = lock(&slot.apart);
        let mut state = reader.state();
        state.trouble = sample.errors.iter().map(ToString::to_string).collect();
        let is_complete = failure.is_none();
        if let Some((kind, what)) = failure {
            self.counters.source_failed(name, kind);
            state.fail_readings(kind);
            state.trouble.push(what);
        } else {
            let old = std::mem::take(&mut state.readings);
            state.readings = hold(sample.readings, &old, started);
            state.dropped = sample.dropped;
        }
        let State { trouble, log, .. } = &mut *state;
        log.note(name, trouble);
        let now = Instant::now();
        state.duration = now - started;
        state.started = Some(started);
        let turn = state.turn.take();
        let was_overdue = std::mem::replace(&mut state.overdue, false);
        state.due = started + state.period;
        if state.due < now {
            state.due = now + state.period;
        }
        drop(state);
        if is_complete {
            slot.review(&mut apart, reader, started, turn);
        }
        drop(apart);
        if was_overdue {
            // The thread that took over the lane does not know of this source's next turn.
            reader.lane.wake.notify_all();
        }
        self.changed.send_replace(());
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
