//! The threads that read.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::period::MAX_EARLY;
use super::shared::{Reader, Scheduled, Shared, Worker};
use super::state::{ActiveRead, CollectorState, carry_forward};
use super::{MAX_DELAY, THREAD_NAME};
use crate::error::{ErrorKind, SourceError};
use crate::reading::{Collected, Recorder, RecorderLimits};
use edgewatch_program::lock::lock;

/// Collectors keep little on the stack; the default of 2 MiB would only look bad in `process_virtual_memory_bytes`.
const STACK: usize = 256 * 1024;
/// Threads up to which slow parts get one of their own. With those that replace stuck ones (one for each collector at most) and those of
/// the server this stays below the unit's `TasksMax=`.
const MAX_THREADS: usize = 44;

impl Shared {
    /// Starts a thread for `worker`.
    pub fn spawn(self: &Arc<Self>, worker: &Arc<Worker>, generation: u64) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        let (mut worker, mut generation) = (Arc::clone(worker), generation);
        self.threads.fetch_add(1, Ordering::Relaxed);
        let started = thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .stack_size(STACK)
            .spawn(move || {
                while let Some((scheduled, reader)) = shared.next(&worker, generation) {
                    if let Some(own) = shared.read(&scheduled, &reader) {
                        (worker, generation) = (own, 0);
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
    pub fn has_thread_left(&self) -> bool {
        self.threads.load(Ordering::Relaxed) < MAX_THREADS
    }

    /// Gives the worker another thread, in place of one that is stuck or goes on with an isolated part.
    pub fn replace_thread(self: &Arc<Self>, worker: &Arc<Worker>) {
        let mut generation = lock(&worker.generation);
        *generation += 1;
        if let Err(error) = self.spawn(worker, *generation) {
            // Nothing more is read by this worker; the watchdog sees that and restarts the service.
            tracing::error!("cannot start another sampler thread: {error}");
        }
    }

    /// Waits for the next reader of the worker that is due. `None` tells the thread of that `generation` to end.
    fn next(&self, worker: &Arc<Worker>, own: u64) -> Option<(Arc<Scheduled>, Arc<Reader>)> {
        let mut generation = lock(&worker.generation);
        // Only of what it is awake for anyway.
        let mut early = MAX_EARLY;
        loop {
            if self.stopped.load(Ordering::Relaxed) || *generation != own {
                return None;
            }
            let now = Instant::now();
            let mut is_needed = false;
            let mut next: Option<(Instant, &Arc<Scheduled>, Arc<Reader>)> = None;
            for (scheduled, reader) in self.readers() {
                if !Arc::ptr_eq(&reader.worker, worker) {
                    continue;
                }
                let state = reader.state();
                let (due, is_idle, has_rejoined) = (state.due, state.active.is_none(), state.rejoined.is_some());
                drop(state);
                if has_rejoined {
                    continue;
                }
                is_needed = true;
                if is_idle && next.as_ref().is_none_or(|(first, ..)| due < *first) {
                    next = Some((due, scheduled, reader));
                }
            }
            if !is_needed {
                return None;
            }
            let wait = match next {
                Some((due, scheduled, reader)) if due <= now + early => {
                    reader.state().active = Some(ActiveRead {
                        id: self.reads.fetch_add(1, Ordering::Relaxed),
                        since: now,
                        part: None,
                        seen: Vec::new(),
                    });
                    return Some((Arc::clone(scheduled), reader));
                }
                Some((due, ..)) => due - now,
                None => MAX_DELAY,
            };
            early = Duration::ZERO;
            generation = worker
                .changed
                .wait_timeout(generation, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Reads once. If what it read was isolated meanwhile, gives the worker that the thread belongs to from then on.
    fn read(self: &Arc<Self>, scheduled: &Arc<Scheduled>, reader: &Arc<Reader>) -> Option<Arc<Worker>> {
        let started = Instant::now();
        let id = reader.state().active.as_ref()?.id;
        let filter = |part: &Arc<str>| self.may_read(scheduled, reader, id, part);
        let mut recorder = Recorder::new(self.limits(scheduled, reader), Box::new(filter));
        let collector = lock(&reader.collector).take();
        let collector = collector.map_or_else(|| (scheduled.definition.open)(&self.settings), Ok);
        let (collector, error) = match collector {
            Err(error) => (None, Some(SourceError::new(ErrorKind::Io, error.to_string()))),
            Ok(mut collector) => match catch_unwind(AssertUnwindSafe(|| collector.collect(&mut recorder))) {
                Ok(Ok(())) => (Some(collector), None),
                Ok(Err(error)) if error.is_missing() => (Some(collector), None),
                Ok(Err(error)) => (Some(collector), Some(SourceError::from(&error))),
                // The collector is dropped: the panic may have left it in any state.
                Err(panic) => {
                    let what = format!("panicked: {}", panic_text(panic.as_ref()));
                    (None, Some(SourceError::new(ErrorKind::Panic, what)))
                }
            },
        };
        let owner = scheduled.owner(reader, id)?;
        let is_isolated = !Arc::ptr_eq(&owner, reader);
        if is_isolated {
            recorder.keep_last_part();
        }
        *lock(&owner.collector) = collector;
        self.publish(scheduled, &owner, started, recorder.finish(), error);
        is_isolated.then(|| Arc::clone(&owner.worker))
    }

    /// What the collector's other readers leave of its limit.
    fn limits(&self, scheduled: &Scheduled, reader: &Arc<Reader>) -> RecorderLimits {
        let isolated = lock(&scheduled.isolated);
        let others = isolated
            .iter()
            .chain([&scheduled.main])
            .filter(|other| !Arc::ptr_eq(other, reader));
        let taken: usize = others.map(|other| other.state().readings.len()).sum();
        RecorderLimits {
            readings: self.settings.limits.readings_per_source.saturating_sub(taken),
            label_length: self.settings.limits.label_length,
        }
    }

    fn publish(
        &self,
        scheduled: &Scheduled,
        reader: &Arc<Reader>,
        started: Instant,
        collected: Collected,
        error: Option<SourceError>,
    ) {
        let name = scheduled.definition.name;
        for error in &collected.errors {
            self.counters.collector_failed(name, error.kind());
        }
        for reason in collected.events {
            self.counters.failures.with_label_values(&[reason]).inc();
        }
        // Locked to the end, so that no part is seen in two readers, or in none.
        let mut isolated = lock(&scheduled.isolated);
        let mut state = reader.state();
        state.errors = collected.errors.iter().map(SourceError::from).collect();
        let is_complete = error.is_none();
        if let Some(error) = error {
            self.counters.collector_failed(name, error.kind);
            state.fail_readings(error.kind);
            state.errors.push(error);
        } else {
            let old = std::mem::take(&mut state.readings);
            state.readings = carry_forward(collected.readings, &old, started);
            state.dropped = collected.dropped;
        }
        let CollectorState { errors, log, .. } = &mut *state;
        log.update(name, errors);
        let now = Instant::now();
        state.duration = now - started;
        state.started = Some(started);
        let read = state.active.take();
        let was_overdue = std::mem::replace(&mut state.overdue, false);
        let period = scheduled.period_of(reader, &state);
        state.due = started + period;
        if state.due < now {
            state.due = now + period;
        }
        drop(state);
        if is_complete {
            scheduled.review_isolation(&mut isolated, reader, started, read);
        }
        drop(isolated);
        if was_overdue {
            // The thread that replaced this one has computed its wait without this reader.
            reader.worker.wake();
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
