//! The only place with time: reads every source on its schedule, in the background, and keeps the last value and its age.
//!
//! Fast sources share one thread; each slow one has a thread of its own (a *lane*). A read that passes its deadline counts as
//! failed and keeps its thread; the other sources of the lane go on with a new one. So a stuck read delays nobody, and there
//! are never more threads than sources and lanes together.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use crate::config::Settings;
use crate::error::{ErrorKind, Failure};
use crate::logging::ChangeLog;
use crate::reading::{Finished, Reading, Sample, SampleLimits};
use crate::sources::{self, Definition, Pace, Source};
use crate::telemetry::Telemetry;

/// Name of the sampler's threads.
pub const THREAD_NAME: &str = "sampler";
/// A reading younger than this is not read anew for a scrape, so that hammering `/metrics` does not hammer the kernel.
const FRESH: Duration = Duration::from_secs(1);
/// How long a scrape waits for fresh readings before it takes the ones at hand.
const PATIENCE: Duration = Duration::from_millis(50);
/// The same for the first scrapes after the start, which would find hardly anything.
const PATIENCE_AT_START: Duration = Duration::from_secs(1);
/// How late a read may begin before its lane counts as stuck.
const SLACK: Duration = Duration::from_secs(5);
/// Between two looks for stuck reads.
const LEAST_PAUSE: Duration = Duration::from_millis(20);
/// Sources keep little on the stack; the default of 2 MiB would only look bad in `process_virtual_memory_bytes`.
const STACK: usize = 256 * 1024;

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
    opened: Instant,
    due: Instant,
    busy: Option<Instant>,
    overdue: bool,
    started: Option<Instant>,
    log: ChangeLog,
}

impl State {
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
    fn is_tried(&self) -> bool {
        self.started.is_some() || self.overdue
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.overdue || self.started.is_some_and(|started| started + FRESH > now)
    }

    fn fail_readings(&mut self, kind: ErrorKind) {
        for held in &mut self.readings {
            held.reading.value = Err(kind);
        }
    }
}

struct Slot {
    definition: &'static Definition,
    deadline: Duration,
    lane: usize,
    source: Mutex<Box<dyn Source>>,
    state: Mutex<State>,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A thread at a time, and the sources that it reads.
struct Lane {
    slots: Vec<usize>,
    /// Which thread runs the lane; one that finds another number here has been replaced and ends.
    generation: Mutex<u64>,
    wake: Condvar,
}

struct Shared {
    slots: Vec<Slot>,
    lanes: Vec<Lane>,
    settings: Settings,
    telemetry: Arc<Telemetry>,
    changed: watch::Sender<()>,
    /// Reads begin sooner than the schedule says.
    hurried: Notify,
    stopped: AtomicBool,
}

/// Reads the sources until it is dropped.
pub struct Sampler {
    shared: Arc<Shared>,
    monitor: tokio::task::JoinHandle<()>,
}

impl Sampler {
    /// Opens every enabled source and begins to read. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A source cannot be opened, or the system gives no thread.
    pub fn start(settings: &Settings, telemetry: Arc<Telemetry>) -> Result<Self, Failure> {
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
            let chosen = settings.sources.get(definition.name);
            telemetry.expect_source(definition.name);
            slots.push(Slot {
                definition,
                deadline: chosen.and_then(|c| c.deadline).unwrap_or(definition.deadline),
                lane,
                source: Mutex::new((definition.open)(settings)?),
                state: Mutex::new(State {
                    readings: Vec::new(),
                    dropped: 0,
                    duration: Duration::ZERO,
                    period: chosen.and_then(|c| c.period).unwrap_or(definition.period),
                    trouble: Vec::new(),
                    opened: now,
                    due: now,
                    busy: None,
                    overdue: false,
                    started: None,
                    log: ChangeLog::default(),
                }),
            });
        }
        let shared = Arc::new(Shared {
            slots,
            lanes,
            settings: settings.clone(),
            telemetry,
            changed: watch::Sender::new(()),
            hurried: Notify::new(),
            stopped: AtomicBool::new(false),
        });
        for lane in 0..shared.lanes.len() {
            if !shared.lanes[lane].slots.is_empty() {
                shared
                    .run_lane(lane, 0)
                    .map_err(|error| Failure::because("cannot start the sampler", error))?;
            }
        }
        let monitor = tokio::spawn(monitor(Arc::clone(&shared)));
        Ok(Self { shared, monitor })
    }

    /// Waits until every source has been tried once; a stuck one is waited for until its deadline.
    pub async fn first_round(&self) {
        let mut changed = self.shared.changed.subscribe();
        while !self.is_complete() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// True once every source has been tried.
    pub fn is_complete(&self) -> bool {
        self.shared.slots.iter().all(|slot| slot.state().is_tried())
    }

    /// True while some source is on schedule. False if every read is stuck, or nobody reads.
    pub fn is_progressing(&self) -> bool {
        let now = Instant::now();
        self.shared.slots.is_empty()
            || self.shared.slots.iter().any(|slot| {
                let state = slot.state();
                match state.busy {
                    Some(since) => now < since + slot.deadline,
                    None => now < state.due + SLACK,
                }
            })
    }

    /// Reads the sources that are cheap anew, unless that was done within the last second, and waits for it, at most 50 ms; a
    /// second for the first sample.
    pub async fn refresh(&self) {
        let asked = Instant::now();
        let mut changed = self.shared.changed.subscribe();
        let patience = if self.is_complete() {
            PATIENCE
        } else {
            PATIENCE_AT_START
        };
        self.shared.hurry(asked);
        let fresh =
            async { while !(self.shared.is_fresh(asked) && self.is_complete()) && changed.changed().await.is_ok() {} };
        // Past the limit the scrape takes the readings at hand; their age says how old they are.
        let _ = tokio::time::timeout(patience, fresh).await;
    }

    /// Shows each source's name and state to `visit`.
    pub fn visit(&self, mut visit: impl FnMut(&'static str, &State)) {
        for slot in &self.shared.slots {
            visit(slot.definition.name, &slot.state());
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.monitor.abort();
        self.shared.stopped.store(true, Ordering::Relaxed);
        for lane in &self.shared.lanes {
            // Taken so that no thread is between its look at `stopped` and its wait.
            let _generation = lock(&lane.generation);
            lane.wake.notify_all();
        }
    }
}

impl Shared {
    /// Starts a thread for `lane`.
    fn run_lane(self: &Arc<Self>, lane: usize, generation: u64) -> std::io::Result<()> {
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
    fn hurry(&self, now: Instant) {
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

    fn is_fresh(&self, now: Instant) -> bool {
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

async fn monitor(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(shared.next_deadline().into()) => shared.look_for_stuck_reads(),
            () = shared.hurried.notified() => {}
        }
    }
}

/// Joins new readings with what was known: a value that failed keeps the time when it was last good.
fn hold(readings: Vec<Reading>, old: &[Held], now: Instant) -> Vec<Held> {
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

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A lock whatever happened to the thread that held it before: what it guards is replaced as a whole, never half written.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
