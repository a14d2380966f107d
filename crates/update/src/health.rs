//! How the device is, as the program of the system that runs finds it: only that one knows its own settings, addresses and limits.

use serde::{Deserialize, Serialize};

/// Subject of the failure that the next manifest cannot be had.
pub const MANIFEST: &str = "manifest";

/// A look at the device.
///
/// As JSON it goes from a program to another of an earlier or later version: fields may be missing, and those that are not known do not matter.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct Health {
    /// What fails.
    pub failures: Vec<FailedCheck>,
    /// What it does.
    pub duties: Duties,
}

/// One thing that fails.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct FailedCheck {
    /// What it is, in the same words each time.
    pub subject: String,
    /// What was found.
    pub found: String,
}

impl Health {
    /// Of a device at which one cannot even look.
    pub fn unknown(subject: &str, reason: impl ToString) -> Self {
        Self {
            failures: vec![FailedCheck {
                subject: subject.to_owned(),
                found: reason.to_string(),
            }],
            duties: Duties::default(),
        }
    }

    /// The first failure of something else than `known`.
    pub(crate) fn complaint(&self, known: &[String]) -> Option<String> {
        let failure = self.failures.iter().find(|failure| !known.contains(&failure.subject))?;
        Some(format!("{}: {}", failure.subject, failure.found))
    }
}

/// What a new system has to do only if the one before did.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
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
