//! The loop: which window is next, what became of it, and where the cursor is.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use edgewatch_outbound::worker::Stop;
use edgewatch_program::memory;

use super::shipment::Shipper;
use crate::compression::Negotiated;
use crate::counters::Counters;
use crate::cursor::{self, Cursor, Store};
use crate::encode::Label;
use crate::send::Receiver;
use crate::settings::Settings;
use crate::source::{Source, SourceError};
use crate::window::{Next, Plan, Window};
use edgewatch_outbound::backoff::{self, Backoff};
use edgewatch_outbound::clock::Clocks;
use edgewatch_outbound::failure::{Failure, Kind};

/// The longest sleep: a step of the clock is seen after it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// While catching up, the cursor is written no more often than this: flash wears, and what is sent again after a power cut is harmless.
const SAVE_INTERVAL: Duration = Duration::from_secs(10);
/// How often Prometheus is asked how long it keeps the history.
const RETENTION_INTERVAL: Duration = Duration::from_secs(3600);

/// Where to begin when it is not known what was sent: before anything that is stored.
const BEGINNING: i64 = i64::MIN / 2;

/// The state of the loop.
pub(super) struct Work<'a> {
    settings: &'a Settings,
    counters: &'a Counters,
    stop: &'a Stop,
    store: Store,
    source: Source,
    labels: Vec<Label>,
    negotiated: Rc<Cell<Negotiated>>,
    plan: Plan,
    /// Everything up to here is sent: milliseconds since 1970.
    sent_until: i64,
    /// The clocks when the loop last looked.
    looked: Clocks,
    saved: Option<(i64, Instant)>,
    retention_asked: Option<Instant>,
    backoff: Backoff,
    /// The last failure, until something succeeds.
    trouble: Option<Failure>,
}

impl<'a> Work<'a> {
    /// Takes the cursor.
    ///
    /// # Errors
    /// Another service has it, or its directory cannot be used.
    pub(super) fn new(
        settings: &'a Settings,
        source: &str,
        directory: &Path,
        counters: &'a Counters,
        stop: &'a Stop,
    ) -> Result<Self, Failure> {
        let store = Store::open(directory).map_err(|error| Failure::new(Kind::State, error))?;
        let source =
            Source::new(source, settings.profile.selector()).map_err(|error| Failure::new(Kind::Source, error))?;
        let now = Clocks::now();
        let mut labels = Vec::new();
        for (name, value) in settings.external_labels() {
            labels.push(Label { name, value });
        }
        Ok(Self {
            settings,
            counters,
            stop,
            sent_until: begin(&store, &now),
            store,
            source,
            labels,
            negotiated: Rc::new(Cell::new(Negotiated::new(settings.compression))),
            plan: Plan::new(millis(settings.window()), millis(settings.lag)),
            looked: now,
            saved: None,
            retention_asked: None,
            backoff: Backoff::default(),
            trouble: None,
        })
    }

    /// Forwards until it is stopped.
    ///
    /// # Errors
    /// None that it does not try again by itself.
    pub(super) fn run(&mut self) -> Result<(), Failure> {
        let url = self.settings.url.as_deref().and_then(|url| url.split('?').next());
        tracing::info!("forwarding to {}", url.unwrap_or_default());
        self.moved_to(self.sent_until);
        // At once: a restart then knows how the clock has gone since, and a disk that takes nothing is told now.
        self.save();
        while !self.stop.is_set() {
            self.look_at_clock();
            let pause = match self.plan.next(self.sent_until, self.looked.wall_ms) {
                Next::Wait(ms) => {
                    self.rest();
                    Duration::from_millis(ms.unsigned_abs()).min(LONGEST_SLEEP)
                }
                Next::Oldest(_) | Next::Live(_) => match self.catch_up() {
                    Ok(()) => Duration::ZERO,
                    Err(failure) => self.failed(failure),
                },
            };
            if !pause.is_zero() && self.stop.wait(pause) {
                break;
            }
        }
        self.save();
        Ok(())
    }

    /// Finds the oldest that is stored, where it is not known what was sent.
    fn find_beginning(&mut self) -> Result<(), Failure> {
        if self.sent_until == BEGINNING {
            let closed = self.plan.closed(self.looked.wall_ms);
            // No Prometheus has samples of before 1970.
            let oldest = self
                .source
                .empty_until(0, closed, millis(self.settings.window()))
                .map_err(failure)?;
            tracing::info!("forwarding: the oldest that is stored is of {}", time(oldest));
            self.moved_to(oldest);
        }
        Ok(())
    }

    /// Sends what is closed. The receiver, with its certificates and secrets, is made anew each time: at rest it takes no memory, and
    /// renewed files are read.
    fn catch_up(&mut self) -> Result<(), Failure> {
        self.find_beginning()?;
        let receiver = Receiver::new(self.settings).map_err(|error| Failure::new(Kind::Credentials, error))?;
        // Of its own, since the loop changes what else is known.
        let (source, labels, negotiated) = (self.source.clone(), self.labels.clone(), Rc::clone(&self.negotiated));
        let mut shipper = Shipper::new(&source, self.counters, &labels, &negotiated);
        while !self.stop.is_set() {
            self.look_at_clock();
            match self.plan.next(self.sent_until, self.looked.wall_ms) {
                Next::Wait(_) => break,
                Next::Live(window) => {
                    shipper.ship(window, &receiver)?;
                    self.plan.sent_live(window);
                }
                Next::Oldest(window) => {
                    let samples = shipper.ship(window, &receiver)?;
                    let until = match samples {
                        0 => self.behind_gap(window)?,
                        _ => window.until,
                    };
                    self.moved_to(until);
                }
            }
            self.succeeded();
            if self.saved.is_none_or(|(_, at)| at.elapsed() >= SAVE_INTERVAL) {
                self.save();
            }
        }
        self.save();
        Ok(())
    }

    /// The end of an empty window, or of the time behind it in which nothing is stored.
    fn behind_gap(&self, window: Window) -> Result<i64, Failure> {
        let closed = self.plan.closed(self.looked.wall_ms);
        let until = self
            .source
            .empty_until(window.until, closed, millis(self.settings.window()))
            .map_err(failure)?;
        if until - window.until > 0 {
            tracing::info!(
                "forwarding: nothing is stored between {} and {}",
                time(window.after),
                time(until)
            );
        }
        Ok(until)
    }

    /// Where the clock has gone back, everything is sent again from there.
    fn look_at_clock(&mut self) {
        let now = Clocks::now();
        let from = cursor::resume(self.sent_until, &self.looked, &now).unwrap_or(self.sent_until);
        if from < self.sent_until {
            tracing::warn!("the clock went back: forwarding goes on at {}", time(from));
            self.plan.went_back(from);
            self.moved_to(from);
        }
        self.looked = now;
    }

    fn moved_to(&mut self, time: i64) {
        self.sent_until = time;
        if time != BEGINNING {
            self.counters.set_sent_until(time);
        }
    }

    /// Writes the cursor, if it has moved. If that fails forwarding goes on all the same: what the centre has is worth more than what is
    /// sent again after a restart.
    fn save(&mut self) {
        if self.sent_until == BEGINNING || self.saved.is_some_and(|(time, _)| time == self.sent_until) {
            return;
        }
        let cursor = Cursor {
            sent_until_ms: self.sent_until,
            written: self.looked.clone(),
        };
        match self.store.save(&cursor) {
            Ok(()) => self.saved = Some((self.sent_until, Instant::now())),
            Err(error) => {
                self.counters.failed(Kind::State);
                // Not sooner than a cursor that was written.
                self.saved = Some((i64::MIN, Instant::now()));
                tracing::error!("forwarding: {error}; after a restart more is sent again than needed");
            }
        }
    }

    /// What is done while there is nothing to send.
    fn rest(&mut self) {
        if self.retention_asked.is_none_or(|at| at.elapsed() >= RETENTION_INTERVAL) {
            self.ask_retention();
        }
        memory::trim_heap();
    }

    fn ask_retention(&mut self) {
        match self.source.retention() {
            Ok(kept) => {
                self.counters
                    .set_retention(kept.map_or(f64::INFINITY, |kept| kept.as_secs_f64()));
                self.retention_asked = Some(Instant::now());
            }
            Err(error) => tracing::debug!("{error}"),
        }
    }

    fn succeeded(&mut self) {
        self.backoff.reset();
        if self.trouble.take().is_some() {
            tracing::info!("forwarding goes on at {}", time(self.sent_until));
        }
    }

    /// Counts a failure, tells one that is new, and gives the pause before the next attempt.
    fn failed(&mut self, failure: Failure) -> Duration {
        self.counters.failed(failure.kind);
        let pause = self.backoff.pause(backoff::random(), failure.retry_after);
        if self.retention_asked.is_none() {
            self.ask_retention();
        }
        if self
            .trouble
            .as_ref()
            .is_none_or(|before| before.message != failure.message)
        {
            tracing::warn!("forwarding: {failure}; it is tried again, and nothing is lost while the history is kept");
        }
        self.trouble = Some(failure);
        // What was sent before it.
        self.save();
        memory::trim_heap();
        pause
    }
}

/// Where to begin: behind what was sent or, if that is not known, with the oldest that is stored.
fn begin(store: &Store, now: &Clocks) -> i64 {
    let cursor = match store.load() {
        Ok(Some(cursor)) => cursor,
        Ok(None) => return BEGINNING,
        Err(error) => {
            tracing::error!("forwarding: {error}; all of the history is sent again");
            return BEGINNING;
        }
    };
    let from = cursor::resume(cursor.sent_until_ms, &cursor.written, now);
    if let Some(from) = from.filter(|from| *from < cursor.sent_until_ms) {
        tracing::warn!(
            "the clock may have gone back since {}: forwarding goes on at {}",
            time(cursor.sent_until_ms),
            time(from)
        );
    }
    from.unwrap_or_else(|| {
        tracing::error!(
            "forwarding: the cursor was written later in this boot than now is; all of the history is sent again"
        );
        BEGINNING
    })
}

fn failure(error: SourceError) -> Failure {
    match error {
        SourceError::TooManySamples => Failure::new(Kind::Source, error),
        SourceError::TimedOut(failure) | SourceError::Unreadable(failure) | SourceError::Caller(failure) => failure,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A time as people read it.
fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}
