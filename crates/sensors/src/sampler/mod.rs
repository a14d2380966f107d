//! The scheduler: reads every collector on its schedule, in the background, and keeps the last value of each series and its age.
//!
//! Fast collectors share one worker thread; each slow one has its own. A read that passes its deadline counts as failed and keeps its
//! thread; the worker goes on with a new one. A collector can have parts (chips, zones, mounts) of which single ones are slow: those are
//! isolated on workers of their own once that is measured. So a stuck read delays no other, and the number of threads is bounded.

mod change_log;
mod isolation;
mod monitor;
mod period;
mod shared;
mod state;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::counters::Counters;
use crate::error::SamplerError;
use crate::settings::{Collect, Settings};

use edgewatch_program::lock::lock;
use monitor::monitor;
use shared::{Reader, Scheduled, Shared};
pub use state::{CollectorState, LastReading};

/// Name of the sampler's threads.
pub const THREAD_NAME: &str = "sampler";
/// How long a scrape waits for fresh readings before it takes the ones at hand.
const REFRESH_TIMEOUT: Duration = Duration::from_millis(50);
/// The same for the first scrapes after the start, which would find hardly anything.
const FIRST_REFRESH_TIMEOUT: Duration = Duration::from_secs(1);
/// How late a read may begin before its worker counts as stuck.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// Reads the collectors until it is stopped or dropped.
pub struct Sampler {
    shared: Arc<Shared>,
    monitor: tokio::task::JoinHandle<()>,
    /// Every collector has been attempted once.
    complete: AtomicBool,
}

impl Sampler {
    /// Opens every enabled collector and begins to read. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A collector cannot be opened, or the system gives no thread.
    pub fn start(settings: &Settings, counters: Arc<Counters>) -> Result<Self, SamplerError> {
        let shared = Arc::new(Shared::open(settings, counters)?);
        for worker in shared.workers() {
            shared.spawn(&worker, 0).map_err(SamplerError::Thread)?;
        }
        let monitor = tokio::spawn(monitor(Arc::clone(&shared)));
        Ok(Self {
            shared,
            monitor,
            complete: AtomicBool::new(false),
        })
    }

    /// Stops reading; the last readings stay. For a sampler that has been replaced while requests still hold it.
    pub fn stop(&self) {
        self.monitor.abort();
        self.shared.stop();
    }

    /// Waits until every collector has been attempted once; a stuck one is waited for until its deadline.
    pub async fn wait_until_complete(&self) {
        let mut changed = self.shared.changed.subscribe();
        while !self.is_complete() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// True once every collector has been attempted; a part that becomes slow later does not change that.
    pub fn is_complete(&self) -> bool {
        if !self.complete.load(Ordering::Relaxed)
            && self.shared.readers().all(|(_, reader)| reader.state().is_attempted())
        {
            self.complete.store(true, Ordering::Relaxed);
        }
        self.complete.load(Ordering::Relaxed)
    }

    /// True while some collector is on schedule. False if every read is stuck, or no thread reads.
    pub fn is_progressing(&self) -> bool {
        let now = Instant::now();
        let on_schedule = |scheduled: &Scheduled, reader: &Reader, state: &CollectorState| match &state.active {
            Some(read) => now < read.since + scheduled.deadline_of(reader, state),
            None => now < state.due + MAX_DELAY,
        };
        self.shared.scheduled.is_empty()
            || self.shared.scheduled.iter().any(|scheduled| {
                let isolated = lock(&scheduled.isolated);
                let main = scheduled.main.state();
                // If every part is isolated, that the main reader is on schedule proves nothing.
                let has_own = isolated.is_empty() || !main.readings.is_empty();
                has_own && on_schedule(scheduled, &scheduled.main, &main)
                    || isolated.iter().any(|part| on_schedule(scheduled, part, &part.state()))
            })
    }

    /// Reads the collectors that a scrape waits for ([`crate::collectors::Schedule`]) again, unless that was done within the last second, and
    /// waits for them: at most 50 ms, or 1 s before the first read of all collectors is complete.
    pub async fn refresh(&self) {
        let requested = Instant::now();
        let mut changed = self.shared.changed.subscribe();
        let limit = if self.is_complete() {
            REFRESH_TIMEOUT
        } else {
            FIRST_REFRESH_TIMEOUT
        };
        if self.shared.stopped.load(Ordering::Relaxed) {
            return;
        }
        self.shared.make_due(requested);
        let is_done = || self.shared.is_fresh(requested) && self.is_complete();
        let fresh = async { while !is_done() && changed.changed().await.is_ok() {} };
        // After the timeout the scrape takes the readings at hand, with their age.
        let _ = tokio::time::timeout(limit, fresh).await;
    }

    /// How much is read.
    pub fn collect(&self) -> Collect {
        self.shared.settings.collect
    }

    /// Calls `visit` with each collector's name and state, that of its isolated parts included.
    pub fn visit(&self, mut visit: impl FnMut(&'static str, &CollectorState)) {
        for scheduled in &self.shared.scheduled {
            let isolated = lock(&scheduled.isolated);
            let main = scheduled.main.state();
            if isolated.is_empty() {
                visit(scheduled.definition.name, &main);
                continue;
            }
            let mut all = main.summary();
            for reader in isolated.iter() {
                all.add(&reader.state());
            }
            visit(scheduled.definition.name, &all);
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop();
    }
}
