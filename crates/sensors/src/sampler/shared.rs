//! What the sampler's threads share: the sources, and who reads what of them.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::state::State;
use crate::collectors::{self, Definition, Pace, Source};
use crate::counters::Counters;
use crate::settings::Settings;
use edgewatch_program::error::Failure;
use edgewatch_program::lock::lock;

/// A source: a reader for the whole of it, and readers for those of its parts that were found to be slow.
///
/// Locks are taken in the order in which they stand: a lane's generation, `apart`, a reader's state.
pub(super) struct Slot {
    pub definition: &'static Definition,
    pub deadline: Duration,
    pub whole: Arc<Reader>,
    pub apart: Mutex<Vec<Arc<Reader>>>,
    /// True once the source has named a part.
    pub has_parts: AtomicBool,
}

/// What one thread reads at a time, and what is known of it.
pub(super) struct Reader {
    pub lane: Arc<Lane>,
    /// The slow parts that it reads. Without: everything that no other reader of the source reads.
    pub parts: Option<Mutex<Vec<Arc<str>>>>,
    /// Taken out by the thread that reads, and opened anew if that does not bring it back.
    pub source: Mutex<Option<Box<dyn Source>>>,
    state: Mutex<State>,
}

impl Reader {
    pub fn new(lane: Arc<Lane>, parts: Option<Vec<Arc<str>>>, state: State) -> Self {
        Self {
            lane,
            parts: parts.map(Mutex::new),
            source: Mutex::new(None),
            state: Mutex::new(state),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A thread at a time, and the readers that it serves.
#[derive(Default)]
pub(super) struct Lane {
    /// Which thread runs the lane; one that finds another number here has been replaced and ends.
    pub generation: Mutex<u64>,
    pub wake: Condvar,
}

/// What the threads share.
pub(super) struct Shared {
    pub slots: Vec<Arc<Slot>>,
    /// The lane of all that is quick.
    pub common: Arc<Lane>,
    pub settings: Settings,
    pub counters: Arc<Counters>,
    /// How many reads have begun.
    pub turns: AtomicU64,
    /// How many threads there are now.
    pub threads: AtomicUsize,
    /// A read has ended, or passed its deadline.
    pub changed: watch::Sender<()>,
    /// Something can be late sooner than the monitor knows.
    pub hurried: Notify,
    pub stopped: AtomicBool,
}

impl Shared {
    /// Opens every enabled source; none is read yet.
    pub fn open(settings: &Settings, counters: Arc<Counters>) -> Result<Self, Failure> {
        let now = Instant::now();
        let common = Arc::new(Lane::default());
        let mut slots = Vec::new();
        for &definition in collectors::ALL {
            if !settings.is_enabled(definition.name) {
                continue;
            }
            let lane = match definition.pace {
                Pace::Slow => Arc::default(),
                Pace::AtScrape | Pace::Periodic => Arc::clone(&common),
            };
            counters.expect_source(definition.name);
            let chosen = settings.sources.get(definition.name);
            let period = chosen.and_then(|c| c.period).unwrap_or(definition.period);
            let whole = Reader::new(lane, None, State::new(period, now));
            *lock(&whole.source) = Some((definition.open)(settings)?);
            slots.push(Arc::new(Slot {
                definition,
                deadline: chosen.and_then(|c| c.deadline).unwrap_or(definition.deadline),
                whole: Arc::new(whole),
                apart: Mutex::default(),
                has_parts: AtomicBool::new(false),
            }));
        }
        Ok(Self {
            slots,
            common,
            settings: settings.clone(),
            counters,
            turns: AtomicU64::new(0),
            threads: AtomicUsize::new(0),
            changed: watch::Sender::new(()),
            hurried: Notify::new(),
            stopped: AtomicBool::new(false),
        })
    }

    /// Every lane that has something to do.
    pub fn lanes(&self) -> Vec<Arc<Lane>> {
        let mut lanes: Vec<Arc<Lane>> = Vec::new();
        for (_, reader) in self.readers() {
            if !lanes.iter().any(|lane| Arc::ptr_eq(lane, &reader.lane)) {
                lanes.push(Arc::clone(&reader.lane));
            }
        }
        lanes
    }

    /// Every reader there is now, with its source.
    pub fn readers(&self) -> impl Iterator<Item = (&Arc<Slot>, Arc<Reader>)> {
        self.slots.iter().flat_map(|slot| {
            let apart = lock(&slot.apart).clone();
            let readers = std::iter::once(Arc::clone(&slot.whole)).chain(apart);
            readers.map(move |reader| (slot, reader))
        })
    }

    /// Makes every stale source that is read at a scrape due now.
    pub fn hurry(&self, now: Instant) {
        let mut any = false;
        for slot in self.at_scrape() {
            let mut state = slot.whole.state();
            if !state.is_fresh(now) {
                any = true;
                state.due = state.due.min(now);
            }
        }
        if any {
            // Taken so that the thread is not between its look at the schedule and its wait.
            let _generation = lock(&self.common.generation);
            self.common.wake.notify_all();
            self.hurried.notify_one();
        }
    }

    pub fn is_fresh(&self, now: Instant) -> bool {
        self.at_scrape().all(|slot| slot.whole.state().is_fresh(now))
    }

    fn at_scrape(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.slots.iter().filter(|slot| slot.definition.pace == Pace::AtScrape)
    }

    /// Has every thread end that does not hang.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        for lane in self.lanes() {
            // Taken so that no thread is between its look at `stopped` and its wait.
            let _generation = lock(&lane.generation);
            lane.wake.notify_all();
        }
    }
}
