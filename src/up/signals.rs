//! The signals that ask us to stop.

use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::processes;
use crate::error::Failure;

/// SIGINT (Ctrl-C), SIGTERM, and SIGHUP (the terminal is closed), none of which end the process any more.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// Begins to catch them.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn new() -> Result<Self, Failure> {
        let catch = |kind| signal(kind).map_err(|error| Failure::because("cannot handle signals", error));
        let hangup = SignalKind::hangup();
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            // `nohup edgewatch up` means to outlive the terminal.
            hangup: match processes::is_ignored(hangup.as_raw_value()) {
                true => None,
                false => Some(catch(hangup)?),
            },
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}
