//! What the sampler's threads share: the scheduled collectors, and which worker reads what of them.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::period::Period;
use super::state::CollectorState;
use crate::collectors::{self, Collector, Definition, Schedule};
use crate::counters::Counters;
use crate::error::OpenError;
use crate::settings::Settings;

use edgewatch_program::lock::lock;

/// A collector with its reader, and one more reader for each of its isolated parts.
///
/// Lock order: a worker's generation, `isolated`, a reader's state.
pub(super) struct Scheduled {
    pub definition: &'static Definition,
    pub period: Period,
    pub deadline: Duration,
    /// The settings say how long the deadline is.
    pub is_deadline_set: bool,
    /// Reads everything but the isolated parts.
    pub main: Arc<Reader>,
    pub isolated: Mutex<Vec<Arc<Reader>>>,
    /// True once the collector has named a part.
    pub has_parts: AtomicBool,
}

/// The unit of scheduling: what is read in one go, and what is known of it.
pub(super) struct Reader {
    pub worker: Arc<Worker>,
    /// The isolated parts that it reads; `None` for the main reader, which reads all others.
    pub parts: Option<Mutex<Vec<Arc<str>>>>,
    /// Taken out by the thread that reads, and opened again if that does not bring it back.
    pub collector: Mutex<Option<Box<dyn Collector>>>,
    state: Mutex<CollectorState>,
}

impl Reader {
    pub fn new(worker: Arc<Worker>, parts: Option<Vec<Arc<str>>>, state: CollectorState) -> Self {
        Self {
            worker,
            parts: parts.map(Mutex::new),
            collector: Mutex::new(None),
            state: Mutex::new(state),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, CollectorState> {
        lock(&self.state)
    }
}

/// Runs the readers assigned to it one after the other, on one thread at a time. A thread that hangs is replaced.
#[derive(Default)]
pub(super) struct Worker {
    /// The generation of the current thread; one that finds another number here has been replaced and ends.
    pub generation: Mutex<u64>,
    pub changed: Condvar,
}

impl Worker {
    /// Has its thread look at the schedule again. Locked, so that the thread is not between reading it and waiting: it would miss this.
    pub fn wake(&self) {
        let _generation = lock(&self.generation);
        self.changed.notify_all();
    }
}

/// What the threads share.
pub(super) struct Shared {
    pub scheduled: Vec<Arc<Scheduled>>,
    /// The worker of all collectors that are fast.
    pub common_worker: Arc<Worker>,
    pub settings: Settings,
    pub counters: Arc<Counters>,
    /// How many reads have begun.
    pub reads: AtomicU64,
    /// How many threads there are now.
    pub threads: AtomicUsize,
    /// A read has ended, or passed its deadline.
    pub changed: watch::Sender<()>,
    /// A deadline may pass sooner than the monitor computed.
    pub rescheduled: Notify,
    pub stopped: AtomicBool,
}

impl Shared {
    /// Opens every enabled collector; none is read yet.
    pub fn open(settings: &Settings, counters: Arc<Counters>) -> Result<Self, OpenError> {
        let now = Instant::now();
        let common_worker = Arc::new(Worker::default());
        let mut scheduled = Vec::new();
        for &definition in collectors::ALL {
            if !definition.is_enabled(settings) {
                continue;
            }
            let worker = match definition.schedule {
                Schedule::DedicatedThread => Arc::default(),
                Schedule::OnScrape | Schedule::OnScrapeIfQuick | Schedule::Periodic => Arc::clone(&common_worker),
            };
            let own = settings.collectors.get(definition.name);
            let period = Period::new(definition, own.and_then(|own| own.period));
            let main = Reader::new(worker, None, CollectorState::new(period.longest, now));
            *lock(&main.collector) = Some((definition.open)(settings)?);
            scheduled.push(Arc::new(Scheduled {
                definition,
                period,
                deadline: own.and_then(|own| own.deadline).unwrap_or(definition.deadline),
                is_deadline_set: own.is_some_and(|own| own.deadline.is_some()),
                main: Arc::new(main),
                isolated: Mutex::default(),
                has_parts: AtomicBool::new(false),
            }));
        }
        Ok(Self {
            scheduled,
            common_worker,
            settings: settings.clone(),
            counters,
            reads: AtomicU64::new(0),
            threads: AtomicUsize::new(0),
            changed: watch::Sender::new(()),
            rescheduled: Notify::new(),
            stopped: AtomicBool::new(false),
        })
    }

    /// Every worker that has a reader.
    pub fn workers(&self) -> Vec<Arc<Worker>> {
        let mut workers: Vec<Arc<Worker>> = Vec::new();
        for (_, reader) in self.readers() {
            if !workers.iter().any(|worker| Arc::ptr_eq(worker, &reader.worker)) {
                workers.push(Arc::clone(&reader.worker));
            }
        }
        workers
    }

    /// Every reader there is now, with its collector.
    pub fn readers(&self) -> impl Iterator<Item = (&Arc<Scheduled>, Arc<Reader>)> {
        self.scheduled.iter().flat_map(|scheduled| {
            let isolated = lock(&scheduled.isolated).clone();
            let readers = std::iter::once(Arc::clone(&scheduled.main)).chain(isolated);
            readers.map(move |reader| (scheduled, reader))
        })
    }

    /// Makes every collector due now that is read on scrapes and is stale.
    pub fn make_due(&self, now: Instant) {
        let mut any = false;
        for scheduled in &self.scheduled {
            let mut state = scheduled.main.state();
            if scheduled.is_read_on_scrape(&state) && !state.is_fresh(now) {
                any = true;
                state.due = state.due.min(now);
            }
        }
        if any {
            self.common_worker.wake();
            self.rescheduled.notify_one();
        }
    }

    pub fn is_fresh(&self, now: Instant) -> bool {
        self.scheduled.iter().all(|scheduled| {
            let state = scheduled.main.state();
            !scheduled.is_read_on_scrape(&state) || state.is_fresh(now)
        })
    }

    /// Ends every thread that does not hang.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        for worker in self.workers() {
            worker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn who_is_about_to_wait_is_woken() {
        let worker = Arc::new(Worker::default());
        // From here on the thread of a worker reads the schedule.
        let generation = lock(&worker.generation);
        let other = Arc::clone(&worker);
        let waking = thread::spawn(move || other.wake());
        thread::sleep(Duration::from_millis(100));
        let waited = worker.changed.wait_timeout(generation, Duration::from_secs(10));
        assert!(!waited.unwrap().1.timed_out());
        waking.join().unwrap();
    }
}
