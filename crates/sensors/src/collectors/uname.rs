//! Name and version of the kernel (uname(2)).

use std::time::Duration;

use rustix::system::uname;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "uname",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const INFO: Metric = Metric::gauge(
    "node_uname_info",
    "",
    "The kernel and the name of the device; always 1.",
);

struct Uname;

fn open(_: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Uname))
}

impl Collector for Uname {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let uname = uname();
        let fields = [
            ("sysname", uname.sysname()),
            ("release", uname.release()),
            ("version", uname.version()),
            ("machine", uname.machine()),
            ("nodename", uname.nodename()),
            ("domainname", uname.domainname()),
        ]
        .map(|(label, value)| (label, value.to_string_lossy()));
        let labels: Vec<_> = fields.iter().map(|(label, value)| (*label, value.as_ref())).collect();
        recorder.push(&INFO, &labels, 1.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn the_labels_are_those_of_node_exporter() {
        let read = Machine::new(&[]).read(&COLLECTOR);
        let [reading] = read.readings.as_slice() else {
            panic!("{read:?}");
        };
        let names: Vec<_> = reading.labels.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["sysname", "release", "version", "machine", "nodename", "domainname"]
        );
        let value = |name| &reading.labels.iter().find(|(label, _)| *label == name).unwrap().1;
        assert_eq!(value("sysname"), "Linux");
        assert_eq!(value("machine"), std::env::consts::ARCH);
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(value("release"), release.trim());
        let nodename = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(value("nodename"), nodename.trim());
    }
}
