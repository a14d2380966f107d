//! The threads that read, and the watch over them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::state::{State, hold};
use super::{SLACK, THREAD_NAME};
use crate::config::Settings;
use crate::error::{ErrorKind, Failure};
use crate::lock::lock;
use crate::reading::{Finished, Sample, SampleLimits};
use crate::sources::{self, Definition, Pace, Source};
use crate::telemetry::Telemetry;

/// Between two looks for stuck reads.
const LEAST_PAUSE: Duration = Duration::from_millis(20);
/// Sources keep little on the stack; the default of 2 MiB would only look bad in `process_virtual_memory_bytes`.
const STACK: usize = 256 * 1024;

/// A source, and what is known of it.
pub(super) struct Slot {
    pub definition: &'static Definition,
    pub deadline: Duration,
    lane: usize,
    source: Mutex<Box<dyn Source>>,
    state: Mutex<State>,
}

impl Slot {
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A thread at a time, and the sources that it reads.
pub(super) struct Lane {
    pub slots: Vec<usize>,
    /// Which thread runs the lane; one that finds another number here has been replaced and ends.
    pub generation: Mutex<u64>,
    pub wake: Condvar,
}

/// What the threads share.
pub(super) struct Shared {
    pub slots: Vec<Slot>,
    pub lanes: Vec<Lane>,
    settings: Settings,
    telemetry: Arc<Telemetry>,
    /// A read has ended, or passed its deadline.
    pub changed: watch::Sender<()>,
    /// Reads begin sooner than the schedule says.
    hurried: Notify,
    pub stopped: AtomicBool,
}

impl Shared {
    /// Opens every enabled source; none is read yet.
    pub fn open(settings: &Settings, telemetry: Arc<Telemetry>) -> Result<Self, Failure> {
        let now = Instant::now();
        let mut slots = Vec::new();
        let mut lanes = vec![Lane::default()];
        for &definition in sources::ALL {
            if !settings.is_enabled(definition.name) {
                continue;
            }
            let lane = if definition.pace == Pace::Slow {
                lanes.push(Lane::default());
                lanes.len() - 1
            } else {
                0
            };
            lanes[lane].slots.push(slots.len());
            telemetry.expect_source(definition.name);
            let chosen = settings.sources.get(definition.name);
            let period = chosen.and_then(|c| c.period).unwrap_or(definition.period);
            slots.push(Slot {
                definition,
                deadline: chosen.and_then(|c| c.deadline).unwrap_or(definition.deadline),
                lane,
                source: Mutex::new((definition.open)(settings)?),
                state: Mutex::new(State::new(period, now)),
            });
        }
        Ok(Self {
            slots,
            lanes,
            settings: settings.clone(),
            telemetry,
            changed: watch::Sender::new(()),
            hurried: Notify::new(),
            stopped: AtomicBool::new(false),
        })
    }

    /// Starts a thread for `lane`.
    pub fn run_lane(self: &Arc<Self>, lane: usize, generation: u64) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .stack_size(STACK)
            .spawn(move || {
                while let Some(slot) = shared.next(lane, generation) {
                    shared.read(&shared.slots[slot]);
                }
            })
            .map(drop)
    }

    /// Waits for the next source of the lane that is due. `None` tells the thread to end.
    fn next(&self, lane: usize, mine: u64) -> Option<usize> {
        let lane = &self.lanes[lane];
        let mut generation = lock(&lane.generation);
        loop {
            if self.stopped.load(Ordering::Relaxed) || *generation != mine {
                return None;
            }
            let now = Instant::now();
            let next = lane
                .slots
                .iter()
                .filter_map(|&slot| {
                    let state = self.slots[slot].state();
                    state.busy.is_none().then_some((state.due, slot))
                })
                .min();
            let wait = match next {
                Some((due, slot)) if due <= now => {
                    self.slots[slot].state().busy = Some(now);
                    return Some(slot);
                }
                Some((due, _)) => due - now,
                None => SLACK,
            };
            generation = lane
                .wake
                .wait_timeout(generation, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn read(&self, slot: &Slot) {
        let started = Instant::now();
        let limits = SampleLimits {
            readings: self.settings.limits.readings_per_source,
            label_length: self.settings.limits.label_length,
        };
        let mut sample = Sample::new(limits);
        let mut source = lock(&slot.source);
        let result = catch_unwind(AssertUnwindSafe(|| source.read(&mut sample)));
        let failed_as_a_whole = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) if error.is_missing() => None,
            Ok(Err(error)) => Some((error.kind(), error.to_string())),
            Err(payload) => {
                // Whatever state the panic left behind is thrown away.
                if let Ok(anew) = (slot.definition.open)(&self.settings) {
                    *source = anew;
                }
                Some((ErrorKind::Panic, format!("panicked: {}", panic_text(payload.as_ref()))))
            }
        };
        drop(source);
        self.publish(slot, started, sample.finish(), failed_as_a_whole);
    }

    fn publish(&self, slot: &Slot, started: Instant, sample: Finished, failure: Option<(ErrorKind, String)>) {
        let name = slot.definition.name;
        for error in &sample.errors {
            self.telemetry.source_failed(name, error.kind());
        }
        for reason in sample.events {
            self.telemetry.failures.with_label_values(&[reason]).inc();
        }
        let mut state = slot.state();
        state.trouble = sample.errors.iter().map(ToString::to_string).collect();
        if let Some((kind, what)) = failure {
            self.telemetry.source_failed(name, kind);
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
        state.busy = None;
        let was_overdue = std::mem::replace(&mut state.overdue, false);
        state.due = started + state.period;
        if state.due < now {
            state.due = now + state.period;
        }
        drop(state);
        if was_overdue {
            // The thread that took over the lane does not know of this source's next turn.
            self.lanes[slot.lane].wake.notify_all();
        }
        self.changed.send_replace(());
    }

    /// Makes every stale source that is read at a scrape due now.
    pub fn hurry(&self, now: Instant) {
        let mut any = false;
        for slot in self.at_scrape() {
            let mut state = slot.state();
            if !state.is_fresh(now) {
                any = true;
                state.due = state.due.min(now);
            }
        }
        if any {
            // Taken so that the thread is not between its look at the schedule and its wait.
            let _generation = lock(&self.lanes[0].generation);
            self.lanes[0].wake.notify_all();
            self.hurried.notify_one();
        }
    }

    pub fn is_fresh(&self, now: Instant) -> bool {
        self.at_scrape().all(|slot| slot.state().is_fresh(now))
    }

    fn at_scrape(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.definition.pace == Pace::AtScrape)
    }

    /// When the next read can pass its deadline: one under way, or one that will begin.
    fn next_deadline(&self) -> Instant {
        let now = Instant::now();
        let next = self.slots.iter().filter_map(|slot| {
            let state = slot.state();
            (!state.overdue).then_some(state.busy.unwrap_or(state.due) + slot.deadline)
        });
        // Not in the past: a read that waits for its lane is late, but has not begun.
        next.min().unwrap_or(now + SLACK).max(now + LEAST_PAUSE)
    }

    /// Counts the reads that passed their deadline and gives their lanes another thread.
    fn look_for_stuck_reads(self: &Arc<Self>) {
        for slot in &self.slots {
            let mut state = slot.state();
            let late = state.busy.is_some_and(|since| since.elapsed() > slot.deadline);
            if !late || state.overdue {
                continue;
            }
            state.overdue = true;
            state.fail_readings(ErrorKind::Timeout);
            state.trouble = vec![format!("no answer within {:?}", slot.deadline)];
            let State { trouble, log, .. } = &mut *state;
            log.note(slot.definition.name, trouble);
            drop(state);
            self.telemetry.source_failed(slot.definition.name, ErrorKind::Timeout);
            self.replace_thread(slot.lane);
            self.changed.send_replace(());
        }
    }

    fn replace_thread(self: &Arc<Self>, number: usize) {
        let lane = &self.lanes[number];
        if lane.slots.len() == 1 {
            return;
        }
        let mut generation = lock(&lane.generation);
        *generation += 1;
        if let Err(error) = self.run_lane(number, *generation) {
            // The lane stands still; the watchdog sees that and restarts the service.
            tracing::error!(%error, "cannot start another sampler thread");
        }
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            generation: Mutex::new(0),
            wake: Condvar::new(),
        }
    }
}

/// Looks for stuck reads when one can be late.
pub(super) async fn monitor(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(shared.next_deadline().into()) => shared.look_for_stuck_reads(),
            () = shared.hurried.notified() => {}
        }
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
