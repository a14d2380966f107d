//! What the device remembers of updates, in `update.json`. The sensor service reads it as well, for its metrics.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use edgewatch_outbound::state::StateFile;

use crate::health::Duties;

/// The file.
pub const FILE: StateFile = StateFile {
    name: "update",
    max: 64 << 10,
    key: "update.directory",
};
/// Tries after which a system is not tried again.
pub const MAX_TRIES: u32 = 2;
/// How often one trial may begin anew. A system that resets the device again and again would else be on trial for ever.
pub const MAX_RESUMES: u32 = 3;

/// What is remembered.
///
/// A trial is written by the system on trial and, if that one fails, read by the system before: fields that an earlier version of this
/// program does not know must not keep it from going back.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Serial of the last update that was kept; 0 before the first.
    pub serial: u64,
    /// The one that is on trial.
    pub trial: Option<Trial>,
    /// Tries that failed since the last update that was kept, by serial.
    pub failures: BTreeMap<u64, u32>,
    /// When the manifest was last read and found right, or first asked for in vain: Unix time, in seconds.
    pub checked: Option<i64>,
}

/// A system on trial.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Its serial.
    pub serial: u64,
    /// Its path in the store.
    pub system: PathBuf,
    /// The system before.
    pub previous: PathBuf,
    /// How it came to run.
    // Its name in the file, which systems of several versions read.
    #[serde(rename = "way")]
    pub method: TrialMethod,
    /// What the system before did. An earlier version of this program, which may have begun the trial, does not say.
    #[serde(default)]
    pub duties: Duties,
    /// What failed before already, such as a sensor that is broken: the new system is not to blame for that, and may be what mends it.
    #[serde(default)]
    pub failing: Vec<String>,
    /// The boot in which it began, by the kernel's `boot_id` (random(4)); empty if that is not known.
    #[serde(default)]
    pub boot: String,
    /// How often the trial has begun anew, because the device or this program was restarted.
    #[serde(default)]
    pub resumed: u32,
}

/// How a system is tried.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialMethod {
    /// It is switched to, with the kernel that runs.
    Switch,
    /// It is booted, once.
    Boot,
}

impl Record {
    /// Whether a serial has failed so often that it is not tried again.
    pub fn is_blocked(&self, serial: u64) -> bool {
        self.failures.get(&serial).is_some_and(|tries| *tries >= MAX_TRIES)
    }

    /// The trial has ended well.
    pub fn keep(&mut self, serial: u64) {
        self.serial = serial;
        self.trial = None;
        self.failures.clear();
    }

    /// It has not.
    pub fn fail(&mut self, serial: u64) {
        self.trial = None;
        *self.failures.entry(serial).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_blocked_after_two_failures_and_one_that_is_kept_ends_the_list() {
        let mut record = Record::default();
        record.fail(7);
        assert!(!record.is_blocked(7));
        record.fail(7);
        assert!(record.is_blocked(7) && !record.is_blocked(8));
        record.keep(8);
        assert_eq!((record.serial, record.failures.len()), (8, 0));
    }
}
