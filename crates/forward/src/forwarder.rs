//! The thread that forwards. Nothing that happens in it reaches the rest of the program: it shares counters, and a flag by which it is
//! stopped. It can be ended at any moment, since the cursor is the only thing it keeps.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use edgewatch_outbound::http::SetupError;
use edgewatch_outbound::state::{self, StateError};
use edgewatch_outbound::worker::{self, Worker};
use thiserror::Error;

use crate::counters::Counters;
use crate::cursor;
use crate::send::Receiver;
use crate::settings::Settings;

mod shipment;
mod work;

use work::Work;

/// Why forwarding cannot begin.
#[derive(Debug, Error)]
pub enum StartError {
    /// There is nowhere to keep the cursor.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file of the settings cannot be used.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The system gives no thread.
    #[error("thread that forwards: {0}")]
    Thread(#[from] std::io::Error),
}

/// Forwarding while it runs.
#[derive(Debug)]
pub struct Forwarder(Worker);

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
        let directory = Self::directory(settings)?;
        let before = before.and_then(Self::stop).into_iter().collect();
        let (settings, source, counters) = (settings.clone(), source.to_owned(), Arc::clone(counters));
        let worker = Worker::start("forward", before, move |stop| {
            let work = || Work::new(&settings, &source, &directory, &counters, stop).and_then(|mut work| work.run());
            worker::supervise("forwarding", stop, |kind| counters.failed(kind), work);
        })?;
        Ok(Self(worker))
    }

    /// Ends the thread, at the latest after the request in flight, and gives it to wait for.
    pub fn stop(&self) -> Option<JoinHandle<()>> {
        self.0.stop()
    }

    /// Where the cursor is kept.
    ///
    /// # Errors
    /// Nobody says where.
    pub fn directory(settings: &Settings) -> Result<PathBuf, StateError> {
        state::directory(settings.directory.as_deref(), cursor::DIRECTORY)
    }

    /// Looks whether the files of the settings can be used. They are read again whenever there is something to send.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(settings: &Settings) -> Result<(), SetupError> {
        Receiver::new(settings).map(drop)
    }
}

#[cfg(test)]
mod bytes;
#[cfg(test)]
mod tests;
