//! How the device is, as whoever uses this crate finds it.

use serde::{Deserialize, Serialize};

/// A look at the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why it is not well, if it is not.
    pub complaint: Option<String>,
    /// What it does.
    pub duties: Duties,
}

/// What a new system has to do only if the one before did.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Duties {
    /// What it should send arrives at the centre.
    pub forwards: bool,
    /// A hardware watchdog is armed.
    pub has_watchdog: bool,
}

impl Duties {
    /// The first of these that is not among what is done now.
    pub(crate) fn missing(self, now: Self) -> Option<&'static str> {
        match (self, now) {
            (Self { forwards: true, .. }, Self { forwards: false, .. }) => {
                Some("forwarding: nothing has arrived at the centre since then, and before it did")
            }
            (
                Self { has_watchdog: true, .. },
                Self {
                    has_watchdog: false, ..
                },
            ) => Some("hardware watchdog: it is not armed, and before it was"),
            _ => None,
        }
    }
}
