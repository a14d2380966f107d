//! The only place with time: reads every source on its schedule, in the background, and keeps the last value and its age.
//!
//! Fast sources share one thread; each slow one has a thread of its own (a *lane*). A read that passes its deadline counts as
//! failed and keeps its thread; the other sources of the lane go on with a new one. So a stuck read delays nobody, and there
//! are never more threads than sources and lanes together.

mod lanes;
mod state;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::config::Settings;
use crate::error::Failure;
use crate::lock::lock;
use crate::telemetry::Telemetry;
use lanes::{Shared, monitor};
pub use state::{Held, State};

/// Name of the sampler's threads.
pub const THREAD_NAME: &str = "sampler";
/// How long a scrape waits for fresh readings before it takes the ones at hand.
const PATIENCE: Duration = Duration::from_millis(50);
/// The same for the first scrapes after the start, which would find hardly anything.
const PATIENCE_AT_START: Duration = Duration::from_secs(1);
/// How late a read may begin before its lane counts as stuck.
const SLACK: Duration = Duration::from_secs(5);

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
        let shared = Arc::new(Shared::open(settings, telemetry)?);
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
