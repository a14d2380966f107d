//! The signals that end a program.

use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;

/// Handlers of SIGINT (Ctrl-C), SIGTERM, and SIGHUP (the terminal is closed) instead of the default action.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// Installs the handlers.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn new() -> Result<Self, Error> {
        let catch = |kind| signal(kind).map_err(Error::Signals);
        let hangup = SignalKind::hangup();
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            // Under `nohup edgewatch up` it stays ignored.
            hangup: match is_ignored(hangup.as_raw_value()) {
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

/// True if this process was started with the signal ignored, as `nohup` does with SIGHUP.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.map(str::trim)
        .and_then(|mask| u64::from_str_radix(mask, 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
