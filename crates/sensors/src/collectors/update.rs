//! Upgrades on trial, as the Debian package notes them in files (packaging/debian/trial; deb-postinst(5)).

use std::time::Duration;

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
    "1 while an upgrade of edgewatch is on trial, 0 otherwise.",
)
.within(SWITCH);
const TAKEN_BACK: Metric = Metric::gauge(
    "edge_update_taken_back",
    "",
    "Upgrades of edgewatch that were taken back since the last that was kept.",
)
.within(NOT_NEGATIVE);

/// Made by the first upgrade.
const DIRECTORY: &str = "var/lib/edgewatch-trial";

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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

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
}
