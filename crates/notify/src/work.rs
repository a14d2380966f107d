//! The loop of one receiver: what there is to tell, whether it was taken, and when it is tried again.

use std::path::Path;
use std::time::{Duration, Instant};

use edgewatch_outbound::backoff::{self, Backoff};
use edgewatch_outbound::clock;
use edgewatch_outbound::failure::{Failure, Kind};
use edgewatch_outbound::state::{StateFile, Store};
use edgewatch_outbound::worker::Stop;
use edgewatch_program::memory;
use jiff::tz::TimeZone;

use crate::counters::Counters;
use crate::digest::Digest;
use crate::ledger::Ledger;
use crate::look::{LONGEST, Source};
use crate::message::Message;
use crate::receiver::{Name, Receiver};
use crate::settings::{DIRECTORY, Device, Settings};

/// How often Prometheus is asked, unless grouping is shorter.
const PERIOD: Duration = Duration::from_secs(15);
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);
/// Milliseconds before the first start of which is told what fired.
const FIRST: i64 = 5 * 60_000;
/// While nothing is told the state is written no more often than this: flash wears, and what is read again after a power cut is the same.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);
/// And no less often, so that little is read again.
const SAVE_AT_LEAST: Duration = Duration::from_secs(3600);
/// How long a cursor that lies in the future is waited for: a clock that begins with an old time is right by then.
const FUTURE: Duration = Duration::from_secs(600);
/// Bytes of a message below which it is not cut down further.
const MIN_LIMIT: usize = 256;
/// Bytes of a state: a ledger that is full.
const MAX_STATE: u64 = 2 << 20;

/// The state of the loop.
pub(crate) struct Work<'a> {
    name: Name,
    settings: &'a Settings,
    device: &'a Device,
    counters: &'a Counters,
    stop: &'a Stop,
    zone: TimeZone,
    store: Store,
    ledger: Ledger,
    source: Source,
    /// By the wall clock, when the loop last looked.
    looked: i64,
    saved: Option<Instant>,
    /// Since when the cursor has been in the future.
    future_since: Option<Instant>,
    backoff: Backoff,
    next_attempt: Instant,
    /// Bytes of a message; less than at first once the receiver refused one.
    limit: usize,
    /// The last failures, until something succeeds: of Prometheus, of the state, and of the receiver.
    source_trouble: Option<String>,
    state_trouble: Option<String>,
    trouble: Option<String>,
}

impl<'a> Work<'a> {
    /// Takes the state.
    ///
    /// # Errors
    /// Another service has it, or its directory cannot be used.
    pub(crate) fn new(
        name: Name,
        settings: &'a Settings,
        device: &'a Device,
        source: &str,
        directory: &Path,
        counters: &'a Counters,
        stop: &'a Stop,
    ) -> Result<Self, Failure> {
        let file = StateFile {
            name: name.file(),
            max: MAX_STATE,
            key: DIRECTORY,
        };
        let store = Store::open(directory, file).map_err(|error| Failure::new(Kind::State, error))?;
        let now = clock::wall_ms();
        Ok(Self {
            name,
            settings,
            device,
            counters,
            stop,
            zone: TimeZone::system(),
            ledger: begin(name, &store, now),
            store,
            source: Source::new(source, settings.matchers())?,
            looked: now,
            saved: None,
            future_since: None,
            backoff: Backoff::default(),
            next_attempt: Instant::now(),
            limit: name.limit(),
            source_trouble: None,
            state_trouble: None,
            trouble: None,
        })
    }

    /// Tells until it is stopped.
    ///
    /// # Errors
    /// None that it does not try again by itself.
    pub(crate) fn run(&mut self) -> Result<(), Failure> {
        tracing::info!("notify: alerts are told by {}", self.name.as_str());
        let period = self.settings.grouping.clamp(SHORTEST_PERIOD, PERIOD);
        // At once: a disk that takes nothing is told now.
        self.save();
        while !self.stop.is_set() {
            self.round();
            memory::trim_heap();
            if self.stop.wait(period) {
                break;
            }
        }
        self.save();
        Ok(())
    }

    fn round(&mut self) {
        let now = clock::wall_ms();
        self.look_at_clock(now);
        let looked = self.source.look(&mut self.ledger, now);
        let is_settled = match &looked {
            Ok(is_settled) => *is_settled,
            // What is known can be told all the same.
            Err(_) => true,
        };
        self.note_source(looked.err());
        self.counters
            .set_untold_since(self.name.as_str(), self.ledger.untold_since());
        if self.saved.is_none_or(|at| at.elapsed() >= SAVE_INTERVAL) && self.ledger.is_changed()
            || self.saved.is_none_or(|at| at.elapsed() >= SAVE_AT_LEAST)
        {
            self.save();
        }
        if Instant::now() < self.next_attempt {
            return;
        }
        let (grouping, repeat) = (millis(self.settings.grouping), millis(self.settings.repeat));
        if let Some(digest) = self.ledger.due(now, grouping, repeat, is_settled) {
            match self.send(&digest) {
                Ok(answer) => self.taken(&digest, now, &answer),
                Err(failure) => self.refused(&failure),
            }
        }
    }

    /// A clock that went back: what was read lies in the future. Whether the clock or the cursor is wrong shows in time.
    fn look_at_clock(&mut self, now: i64) {
        if now < self.looked {
            self.ledger.went_back(now);
        }
        self.looked = now;
        if self.ledger.read_until_ms <= now {
            self.future_since = None;
        } else if self.future_since.get_or_insert_with(Instant::now).elapsed() >= FUTURE {
            tracing::warn!("notify: the clock stays behind what was read, which begins anew now");
            self.ledger.read_until_ms = now;
            self.ledger.went_back(now);
            self.future_since = None;
        }
    }

    /// The receiver, with its certificates and secrets, is made anew each time: at rest it takes no memory, and renewed files are read.
    fn send(&self, digest: &Digest) -> Result<String, Failure> {
        let receiver =
            Receiver::new(self.name, self.settings).map_err(|error| Failure::new(Kind::Credentials, error))?;
        let message = Message {
            digest,
            device: self.device,
            zone: &self.zone,
        };
        receiver.send(&message, self.limit, self.trouble.is_some())
    }

    fn taken(&mut self, digest: &Digest, now: i64, answer: &str) {
        self.counters.sent(self.name.as_str());
        self.ledger.told(digest, now);
        self.counters
            .set_untold_since(self.name.as_str(), self.ledger.untold_since());
        self.save();
        self.backoff.reset();
        self.limit = self.name.limit();
        let count = digest.items.len() + digest.more;
        tracing::info!("notify: {count} alerts told by {}: {answer}", self.name.as_str());
        self.trouble = None;
    }

    /// Counts a failure, tells one that is new, and says when it is tried again.
    fn refused(&mut self, failure: &Failure) {
        self.counters.not_sent(self.name.as_str(), failure.kind);
        let pause = self.backoff.pause(backoff::random(), failure.retry_after);
        self.next_attempt = Instant::now() + pause;
        // What is not taken as it is may be in less words: one alert must not keep all others from being told. While the receiver is away,
        // behind a 404 of what stands in front of it, that would cost the message its content for nothing.
        if failure.may_be_of_content {
            self.limit = (self.limit / 2).max(MIN_LIMIT);
        }
        if self.trouble.as_ref() != Some(&failure.message) {
            tracing::warn!("notify: {failure}; it is tried again, and nothing is forgotten");
        }
        self.trouble = Some(failure.message.clone());
    }

    fn note_source(&mut self, failure: Option<Failure>) {
        match failure {
            None => {
                if self.source_trouble.take().is_some() {
                    tracing::info!("notify: Prometheus answers again");
                }
            }
            Some(failure) => {
                self.counters.failed(self.name.as_str(), failure.kind);
                if self.source_trouble.as_ref() != Some(&failure.message) {
                    tracing::warn!("notify: {failure}; it is asked again");
                }
                self.source_trouble = Some(failure.message);
            }
        }
    }

    /// Writes the state. If that fails all is told the same: that somebody is told is worth more than that it is told once.
    fn save(&mut self) {
        self.saved = Some(Instant::now());
        match self.store.save(&self.ledger) {
            Ok(()) => {
                self.ledger.saved();
                self.state_trouble = None;
            }
            Err(error) => {
                self.counters.failed(self.name.as_str(), Kind::State);
                let error = error.to_string();
                if self.state_trouble.as_ref() != Some(&error) {
                    tracing::error!("notify: {error}; after a restart alerts may be told again");
                }
                self.state_trouble = Some(error);
            }
        }
    }
}

/// What was told or, if that is not known, nothing.
fn begin(name: Name, store: &Store, now: i64) -> Ledger {
    let name = name.as_str();
    let read = store.load::<Ledger>().and_then(|ledger| match ledger {
        None => Ok(None),
        Some(mut ledger) => match ledger.check() {
            Ok(()) => Ok(Some(ledger)),
            Err(reason) => Err(store.corrupt(reason)),
        },
    });
    match read {
        Ok(Some(ledger)) => ledger,
        Ok(None) => {
            tracing::info!("notify: {name} is told for the first time");
            Ledger::new(now - FIRST)
        }
        Err(error) => {
            tracing::error!("notify: {error}; everything that is stored, up to a week, is told again by {name}");
            Ledger::new(now - LONGEST)
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
