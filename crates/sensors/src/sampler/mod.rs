//! The only place with time: reads every source on its schedule, in the background, and keeps the last value and its age.
//!
//! Fast sources share one thread; each slow one has a thread of its own (a *lane*). A read that passes its deadline counts as
//! failed and keeps its thread; the other sources of the lane go on with a new one. A source can have parts (chips, zones, mounts) of
//! which single ones are slow: those get lanes of their own when they are found to be. So a stuck read delays nobody, and the number of
//! threads is bounded.

mod apart;
mod change_log;
mod lanes;
mod monitor;
mod shared;
mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::counters::Counters;
use crate::settings::Settings;
use edgewatch_program::error::Failure;
use edgewatch_program::lock::lock;
use monitor::monitor;
use shared::{Shared, Slot};
pub use state::{Held, State};

/// Name of the sampler's threads.
pub const THREAD_NAME: &str = "sampler";
/// How long a scrape waits for fresh readings before it takes the ones at hand.
const PATIENCE: Duration = Duration::from_millis(50);
/// The same for the first scrapes after the start, which would find hardly anything.
const PATIENCE_AT_START: Duration = Duration::from_secs(1);
/// How late a read may begin before its lane counts as stuck.
const SLACK: Duration = Duration::from_secs(5);

/// Reads the sources until it is stopped or dropped.
pub struct Sampler {
    shared: Arc<Shared>,
    monitor: tokio::task::JoinHandle<()>,
    /// Every source has been tried once.
    complete: AtomicBool,
}

impl Sampler {
    /// Opens every enabled source and begins to read. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A source cannot be opened, or the system gives no thread.
    pub fn start(settings: &Settings, counters: Arc<Counters>) -> Result<Self, Failure> {
        let shared = Arc::new(Shared::open(settings, counters)?);
        for lane in shared.lanes() {
            shared
                .run_lane(&lane, 0)
                .map_err(|error| Failure::because("cannot start the sampler", error))?;
        }
        let monitor = tokio::spawn(monitor(Arc::clone(&shared)));
        Ok(Self {
            shared,
            monitor,
            complete: AtomicBool::new(false),
        })
    }

    /// Reads no more; what was read last stays. For a sampler that has been replaced, which those who look at it now keep alive.
    pub fn stop(&self) {
        self.monitor.abort();
        self.shared.stop();
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

    /// True once every source has been tried; a part that becomes slow later does not change that.
    pub fn is_complete(&self) -> bool {
        if !self.complete.load(Ordering::Relaxed) && self.shared.readers().all(|(_, reader)| reader.state().is_tried())
        {
            self.complete.store(true, Ordering::Relaxed);
        }
        self.complete.load(Ordering::Relaxed)
    }

    /// True while some source is on schedule. False if every read is stuck, or nobody reads.
    pub fn is_progressing(&self) -> bool {
        let now = Instant::now();
        let on_schedule = |slot: &Slot, state: &State| match &state.turn {
            Some(turn) => now < turn.since + slot.deadline,
            None => now < state.due + SLACK,
        };
        self.shared.slots.is_empty()
            || self.shared.slots.iter().any(|slot| {
                let apart = lock(&slot.apart);
                let whole = slot.whole.state();
                // A source of which every part is set apart brings nothing itself.
                let has_own = apart.is_empty() || !whole.readings.is_empty();
                has_own && on_schedule(slot, &whole) || apart.iter().any(|part| on_schedule(slot, &part.state()))
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
        if self.shared.stopped.load(Ordering::Relaxed) {
            return;
        }
        self.shared.hurry(asked);
        let fresh =
            async { while !(self.shared.is_fresh(asked) && self.is_complete()) && changed.changed().await.is_ok() {} };
        // Past the limit the scrape takes the readings at hand; their age says how old they are.
        let _ = tokio::time::timeout(patience, fresh).await;
    }

    /// Shows each source's name and state, that of its slow parts included, to `visit`.
    pub fn visit(&self, mut visit: impl FnMut(&'static str, &State)) {
        for slot in &self.shared.slots {
            let apart = lock(&slot.apart);
            let whole = slot.whole.state();
            if apart.is_empty() {
                visit(slot.definition.name, &whole);
                continue;
            }
            let mut all = whole.summary();
            for reader in apart.iter() {
                all.add(&reader.state());
            }
            visit(slot.definition.name, &all);
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop();
    }
}
