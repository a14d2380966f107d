//! The threads that tell, one for each receiver: one that hangs keeps no other waiting. They share counters, and flags by which they are
//! stopped. They can be ended at any moment, since what was told is the only thing they keep.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use edgewatch_outbound::clock;
use edgewatch_outbound::failure::Failure;
use edgewatch_outbound::http::SetupError;
use edgewatch_outbound::state::{self, StateError};
use edgewatch_outbound::worker::{self, Worker};
use jiff::tz::TimeZone;
use thiserror::Error;

use crate::counters::Counters;
use crate::digest::Digest;
use crate::message::Message;
use crate::receiver::{self, Name, Receiver};
use crate::settings::{DIRECTORY, Device, Settings};
use crate::work::Work;
use crate::{led, ping};

/// Why nobody can be told.
#[derive(Debug, Error)]
pub enum StartError {
    /// There is nowhere to keep what was told.
    #[error(transparent)]
    State(#[from] StateError),
    /// The system gives no thread.
    #[error("thread that notifies: {0}")]
    Thread(#[from] std::io::Error),
}

/// Notification while it runs.
#[derive(Debug)]
pub struct Notifier(Vec<Worker>);

impl Notifier {
    /// Starts the threads, which read from the Prometheus at `source` and find lights below `sysfs`. They begin when those of `before`, which
    /// have the states, have ended.
    ///
    /// # Errors
    /// There is nowhere to keep what was told, or the system gives no thread. Everything else is tried again, and counted.
    pub fn start(
        settings: &Settings,
        device: &Device,
        source: &str,
        sysfs: &Path,
        counters: &Arc<Counters>,
        before: Option<&Self>,
    ) -> Result<Self, StartError> {
        let receivers = settings.receivers();
        let directory = Self::directory(settings)?;
        let mut names: Vec<&'static str> = receivers.iter().map(|name| name.as_str()).collect();
        names.extend(settings.ping.as_ref().map(|_| ping::NAME));
        let mut ended: Vec<JoinHandle<()>> = before.map(Self::stop).unwrap_or_default();
        let mut workers = Vec::new();
        counters.begin(&names);
        for (name, directory) in receivers.into_iter().zip(std::iter::repeat(directory).flatten()) {
            let (settings, device, source) = (settings.clone(), device.clone(), source.to_owned());
            let (counters, before) = (Arc::clone(counters), mine(&mut ended, name.as_str()));
            workers.push(Worker::start(&thread_name(name.as_str()), before, move |stop| {
                let work = || {
                    Work::new(name, &settings, &device, &source, &directory, &counters, stop)
                        .and_then(|mut work| work.run())
                };
                let failed = |kind| counters.not_sent(name.as_str(), kind);
                worker::supervise(&format!("notify: {}", name.as_str()), stop, failed, work);
            })?);
        }
        if settings.ping.is_some() {
            let (settings, source, counters) = (settings.clone(), source.to_owned(), Arc::clone(counters));
            workers.push(Worker::start(&thread_name(ping::NAME), Vec::new(), move |stop| {
                let work = || ping::run(&settings, &source, &counters, stop);
                worker::supervise("notify: ping", stop, |kind| counters.failed(ping::NAME, kind), work);
            })?);
        }
        if settings.led.is_some() {
            let (settings, source, sysfs) = (settings.clone(), source.to_owned(), sysfs.to_owned());
            let before = mine(&mut ended, "led");
            workers.push(Worker::start(&thread_name("led"), before, move |stop| {
                worker::supervise(
                    "notify: led",
                    stop,
                    |_| {},
                    || led::run(&settings, &sysfs, &source, stop),
                );
            })?);
        }
        Ok(Self(workers))
    }

    /// Ends the threads, at the latest after the requests in flight, and gives them to wait for.
    pub fn stop(&self) -> Vec<JoinHandle<()>> {
        self.0.iter().filter_map(Worker::stop).collect()
    }

    /// Where is kept what was told; `None` if nobody is told.
    ///
    /// # Errors
    /// Nobody says where.
    pub fn directory(settings: &Settings) -> Result<Option<PathBuf>, StateError> {
        match settings.receivers().is_empty() {
            true => Ok(None),
            false => state::directory(settings.directory.as_deref(), DIRECTORY).map(Some),
        }
    }

    /// Looks whether the files of the settings can be used. They are read again whenever there is something to send.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(settings: &Settings) -> Result<(), SetupError> {
        for name in settings.receivers() {
            Receiver::new(name, settings)?;
        }
        match settings.ping {
            Some(_) => receiver::switch(settings).map(drop),
            None => Ok(()),
        }
    }

    /// Sends a test to a receiver, and gives what it answered.
    ///
    /// # Errors
    /// It did not take it.
    pub fn test(name: Name, settings: &Settings, device: &Device) -> Result<String, Failure> {
        let receiver = Receiver::new(name, settings)
            .map_err(|error| Failure::new(edgewatch_outbound::failure::Kind::Credentials, error))?;
        let message = Message {
            digest: &Digest::test(clock::wall_ms()),
            device,
            zone: &TimeZone::system(),
        };
        receiver.send(&message, name.limit(), true)
    }
}

fn thread_name(receiver: &str) -> String {
    format!("notify-{receiver}")
}

/// The threads before that have what the one of this name wants to have.
fn mine(ended: &mut Vec<JoinHandle<()>>, receiver: &str) -> Vec<JoinHandle<()>> {
    let name = thread_name(receiver);
    let (mine, others) = ended
        .drain(..)
        .partition(|thread| thread.thread().name() == Some(&*name));
    *ended = others;
    mine
}
