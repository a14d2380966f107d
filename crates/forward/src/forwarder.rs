//! The thread that forwards. Nothing that happens in it reaches the rest of the program: it shares counters, and a flag by which it is
//! stopped. It can be ended at any moment, since the cursor is the only thing it keeps.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use edgewatch_program::lock::lock;
use thiserror::Error;

use crate::counters::Counters;
use crate::error::{Failure, Kind};
use crate::send::{Receiver, SetupError};
use crate::settings::Settings;

mod shipment;
mod work;

use work::Work;

/// What the thread needs: buffers are on the heap, the rest are handshakes.
const STACK: usize = 1 << 20;

/// Why forwarding cannot begin.
#[derive(Debug, Error)]
pub enum StartError {
    /// There is nowhere to keep the cursor.
    #[error(
        "nowhere to keep up to where was sent: set forward.directory, or StateDirectory= in the unit (docs/fleet.md)"
    )]
    NoDirectory,
    /// A file of the settings cannot be used.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The system gives no thread.
    #[error("thread that forwards: {0}")]
    Thread(#[from] std::io::Error),
}

/// Forwarding while it runs.
#[derive(Debug)]
pub struct Forwarder {
    stop: Arc<Stop>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Forwarder {
    /// Starts the thread, which reads from the Prometheus at `source`. It begins when the thread of `before`, which has the cursor, has
    /// ended.
    ///
    /// # Errors
    /// There is nowhere to keep the cursor, or the system gives no thread. Everything else is tried again, and counted.
    pub fn start(
        settings: &Settings,
        source: &str,
        counters: &Arc<Counters>,
        before: Option<&Self>,
    ) -> Result<Self, StartError> {
        let directory = directory(settings)?;
        let before = before.and_then(Self::stop);
        let stop = Arc::new(Stop::default());
        let (settings, source) = (settings.clone(), source.to_owned());
        let (thread_stop, thread_counters) = (Arc::clone(&stop), Arc::clone(counters));
        let thread = thread::Builder::new()
            .name("forward".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // A panic of it was told when it happened.
                let _ = before.map(JoinHandle::join);
                run(&settings, &source, &directory, &thread_counters, &thread_stop);
            })?;
        Ok(Self {
            stop,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Ends the thread, at the latest after the request in flight, and gives it to wait for.
    pub fn stop(&self) -> Option<JoinHandle<()>> {
        self.stop.set();
        lock(&self.thread).take()
    }

    /// Looks whether the files of the settings can be used. They are read again whenever there is something to send.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(settings: &Settings) -> Result<(), SetupError> {
        Receiver::new(settings).map(drop)
    }
}

/// Where the cursor is kept. systemd separates several state directories by colons; the first one is ours.
fn directory(settings: &Settings) -> Result<PathBuf, StartError> {
    if let Some(directory) = &settings.directory {
        return Ok(directory.clone());
    }
    let given = std::env::var("STATE_DIRECTORY").ok();
    given
        .as_deref()
        .and_then(|given| given.split(':').next())
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .ok_or(StartError::NoDirectory)
}

/// Forwards until it is stopped; after a panic, which is a fault of ours, from the cursor on.
fn run(settings: &Settings, source: &str, directory: &std::path::Path, counters: &Counters, stop: &Stop) {
    let mut pauses = crate::backoff::Backoff::default();
    loop {
        let began = Instant::now();
        let work = || Work::new(settings, source, directory, counters, stop).and_then(|mut work| work.run());
        let failure = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure,
            Err(_) => Failure::new(
                Kind::Panic,
                "a fault of edgewatch: please report it with the lines before",
            ),
        };
        counters.failed(failure.kind);
        if began.elapsed() > crate::backoff::LONGEST {
            pauses.reset();
        }
        let pause = pauses.pause(crate::backoff::random(), None);
        tracing::error!(
            "forwarding cannot go on: {failure}; tried again in {} s",
            pause.as_secs()
        );
        if stop.wait(pause) {
            return;
        }
    }
}

/// A flag that ends all waiting.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn set(&self) {
        *lock(&self.is_set) = true;
        self.changed.notify_all();
    }

    /// Whether it is set.
    pub(crate) fn is_set(&self) -> bool {
        *lock(&self.is_set)
    }

    /// Waits; true if it was set meanwhile.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let guard = lock(&self.is_set);
        match self.changed.wait_timeout_while(guard, time, |is_set| !*is_set) {
            Ok((guard, _)) => *guard,
            Err(poisoned) => *poisoned.into_inner().0,
        }
    }
}

#[cfg(test)]
mod bytes;
#[cfg(test)]
mod tests;
