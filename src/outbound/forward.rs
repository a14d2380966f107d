//! Forwarding to a centre, as a part of the program that sends: a thread that it starts and stops, and whose metrics it writes.

use std::sync::Arc;

use prometheus::proto::MetricFamily;

use super::error::OutboundError;
use crate::config::Settings;
use edgewatch_forward::counters::Counters;
use edgewatch_forward::forwarder::{Forwarder, StartError};

/// Forwarding while it runs.
pub(crate) struct Forwarding {
    counters: Arc<Counters>,
    thread: Forwarder,
}

impl Forwarding {
    /// Starts forwarding, if the settings say where to. That of `before` ends; what it has counted stays.
    ///
    /// # Errors
    /// There is nowhere to keep the cursor, or the system gives no thread.
    pub(crate) fn start(settings: &Settings, before: Option<&Self>) -> Result<Option<Self>, OutboundError> {
        if settings.forward.url.is_none() {
            if let Some(before) = before {
                before.thread.stop();
            }
            return Ok(None);
        }
        let counters = match before {
            Some(before) => Arc::clone(&before.counters),
            None => Arc::new(Counters::new()?),
        };
        counters.set_delay(settings.forward.window().saturating_add(settings.forward.lag));
        let before = before.map(|before| &before.thread);
        let thread = Forwarder::start(&settings.forward, &settings.prometheus.url, &counters, before)?;
        Ok(Some(Self { counters, thread }))
    }

    /// Looks whether the files of the settings can be used.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn check(settings: &Settings) -> Result<(), OutboundError> {
        match settings.forward.url {
            Some(_) => Ok(Forwarder::check(&settings.forward)?),
            None => Ok(()),
        }
    }

    /// Looks whether there is a place for the cursor.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn require_directory(settings: &Settings) -> Result<(), OutboundError> {
        if settings.forward.url.is_some() {
            Forwarder::directory(&settings.forward).map_err(StartError::from)?;
        }
        Ok(())
    }

    /// Its metrics.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.counters.gather()
    }
}

/// Whether forwarding with these settings is another one than with those.
pub(crate) fn differs(one: &Settings, other: &Settings) -> bool {
    one.forward != other.forward || one.prometheus.url != other.prometheus.url
}
