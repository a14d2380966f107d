//! Updates on trial: of the Debian package, which notes them in files (packaging/debian/trial; deb-postinst(5)), and of a NixOS system, of
//! which `edgewatch update` keeps a record in JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::{NOT_NEGATIVE, SWITCH};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "update",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const ON_TRIAL: Metric = Metric::gauge(
    "edge_update_on_trial",
    "",
    "1 while an update is on trial, 0 otherwise.",
)
.within(SWITCH);
const TAKEN_BACK: Metric = Metric::gauge(
    "edge_update_taken_back",
    "",
    "Updates that were taken back since the last that was kept.",
)
.within(NOT_NEGATIVE);

const SERIAL: Metric = Metric::gauge(
    "edge_update_serial",
    "",
    "Serial of the last system that was kept; 0 before the first.",
)
.within(NOT_NEGATIVE);
const CHECKED: Metric = Metric::gauge(
    "edge_update_last_check_timestamp_seconds",
    "",
    "Unix time at which the manifest of updates was last read and found right, or first asked for in vain.",
)
.within(NOT_NEGATIVE);

/// Made by the first upgrade of the package.
const DIRECTORY: &str = "var/lib/edgewatch-trial";
/// Made by the first look for an update of the system.
const RECORD: &str = "var/lib/edgewatch-update/update.json";

/// What is of interest of the record.
#[derive(Deserialize)]
struct Record {
    serial: u64,
    trial: Option<IgnoredAny>,
    failures: BTreeMap<String, u32>,
    checked: Option<i64>,
}

struct Update {
    rootfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Update {
        rootfs: Root::new(&settings.paths.rootfs),
    }))
}

impl Collector for Update {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        self.package(recorder)?;
        self.system(recorder)
    }
}

impl Update {
    fn package(&self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let files = self.rootfs.list(DIRECTORY)?;
        if files.is_empty() {
            return Ok(());
        }
        let has = |name: &str| files.iter().any(|file| file == name);
        recorder.push(&ON_TRIAL, &[], f64::from(u8::from(has("trial"))));
        let taken_back = match has("failed") {
            true => self.rootfs.table(format!("{DIRECTORY}/failed"))?.lines().count(),
            false => 0,
        };
        recorder.push(&TAKEN_BACK, &[], taken_back as f64);
        Ok(())
    }

    fn system(&self, recorder: &mut Recorder) -> Result<(), ReadError> {
        if !self.rootfs.exists(RECORD) {
            return Ok(());
        }
        let record: Record = serde_json::from_str(&self.rootfs.table(RECORD)?).map_err(|error| ReadError::Invalid {
            path: self.rootfs.path(RECORD),
            what: error.to_string(),
        })?;
        recorder.push(&ON_TRIAL, &[], f64::from(u8::from(record.trial.is_some())));
        recorder.push(&TAKEN_BACK, &[], f64::from(record.failures.values().sum::<u32>()));
        recorder.push(&SERIAL, &[], record.serial as f64);
        if let Some(checked) = record.checked {
            recorder.push(&CHECKED, &[], checked as f64);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;
    use crate::reading::RecorderLimits;

    #[test]
    fn an_upgrade_on_trial_and_those_taken_back_are_told() {
        let mut machine = Machine::new(&[]);
        machine.settings.paths.rootfs.clone_from(&machine.settings.paths.procfs);
        assert!(machine.read(&COLLECTOR).lines().is_empty());
        machine.write("proc/var/lib/edgewatch-trial/previous.deb", "");
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            ["edge_update_on_trial{} 0", "edge_update_taken_back{} 0"]
        );
        machine.write("proc/var/lib/edgewatch-trial/trial", "0.2.0 1795782001\n");
        machine.write(
            "proc/var/lib/edgewatch-trial/failed",
            "0.1.9 1795782000\n0.2.0 1795782001\n",
        );
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            ["edge_update_on_trial{} 1", "edge_update_taken_back{} 2"]
        );
    }

    #[test]
    fn updates_of_the_system_are_told_and_a_record_that_is_none_is_an_error() {
        let mut machine = Machine::new(&[]);
        machine.settings.paths.rootfs.clone_from(&machine.settings.paths.procfs);
        let file = format!("proc/{RECORD}");
        machine.write(
            &file,
            r#"{"serial":7,"trial":{"serial":8},"failures":{"8":1,"9":2},"checked":1795782000}"#,
        );
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            [
                "edge_update_on_trial{} 1",
                "edge_update_taken_back{} 3",
                "edge_update_serial{} 7",
                "edge_update_last_check_timestamp_seconds{} 1795782000"
            ]
        );
        machine.write(&file, "{");
        let mut collector = open(&machine.settings).unwrap();
        let mut recorder = Recorder::new(
            RecorderLimits {
                readings: 10,
                label_length: 64,
            },
            Box::new(|_| true),
        );
        assert!(matches!(
            collector.collect(&mut recorder),
            Err(ReadError::Invalid { .. })
        ));
    }
}
