//! Errors of memory with a checksum (Documentation/ABI/testing/sysfs-devices-edac), under the names of node_exporter.

use std::time::Duration;

use crate::collectors::attributes::{self, Attribute};
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "edac",
    needs: Some("memory with a checksum, and its driver"),
    collect: Collect::Standard,
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const fn count(file: &'static str, name: &'static str, help: &'static str) -> Attribute {
    Attribute::new(file, 1.0, Metric::counter(name, "", help).within(NOT_NEGATIVE))
}

static CONTROLLER: &[Attribute] = &[
    count(
        "ce_count",
        "node_edac_correctable_errors_total",
        "Errors of the memory that were corrected.",
    ),
    count(
        "ue_count",
        "node_edac_uncorrectable_errors_total",
        "Errors of the memory that could not be corrected.",
    ),
];
const CORRECTED: &str = "node_edac_csrow_correctable_errors_total";
const NOT_CORRECTED: &str = "node_edac_csrow_uncorrectable_errors_total";
const CORRECTED_HELP: &str = "Errors of a row of the memory that were corrected.";
const NOT_CORRECTED_HELP: &str = "Errors of a row of the memory that could not be corrected.";
static ROW: &[Attribute] = &[
    count("ce_count", CORRECTED, CORRECTED_HELP),
    count("ue_count", NOT_CORRECTED, NOT_CORRECTED_HELP),
];
static NO_ROW: &[Attribute] = &[
    count("ce_noinfo_count", CORRECTED, CORRECTED_HELP),
    count("ue_noinfo_count", NOT_CORRECTED, NOT_CORRECTED_HELP),
];

const CONTROLLERS: &str = "devices/system/edac/mc";

struct Edac {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Edac {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Edac {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for entry in self.sysfs.list(CONTROLLERS)? {
            let Some(controller) = number_of(&entry, "mc") else {
                continue;
            };
            let directory = format!("{CONTROLLERS}/{entry}");
            let labels = [("controller", controller)];
            attributes::record(&self.sysfs, &directory, CONTROLLER, &labels, recorder);
            let unknown = [labels[0], ("csrow", "unknown")];
            attributes::record(&self.sysfs, &directory, NO_ROW, &unknown, recorder);
            for row in recorder.present(self.sysfs.list(&directory)).unwrap_or_default() {
                if let Some(number) = number_of(&row, "csrow") {
                    let labels = [labels[0], ("csrow", number)];
                    attributes::record(&self.sysfs, &format!("{directory}/{row}"), ROW, &labels, recorder);
                }
            }
        }
        Ok(())
    }
}

fn number_of<'a>(entry: &'a str, prefix: &str) -> Option<&'a str> {
    let number = entry.strip_prefix(prefix)?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn errors_are_counted_by_controller_and_row() {
        let read = Machine::new(&[
            ("sys/devices/system/edac/mc/mc0/ce_count", "5\n"),
            ("sys/devices/system/edac/mc/mc0/ue_count", "1\n"),
            ("sys/devices/system/edac/mc/mc0/ce_noinfo_count", "2\n"),
            ("sys/devices/system/edac/mc/mc0/csrow3/ce_count", "3\n"),
            ("sys/devices/system/edac/mc/power/control", "auto\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "node_edac_correctable_errors_total{controller=0} 5",
                "node_edac_uncorrectable_errors_total{controller=0} 1",
                "node_edac_csrow_correctable_errors_total{controller=0,csrow=unknown} 2",
                "node_edac_csrow_correctable_errors_total{controller=0,csrow=3} 3",
            ]
        );
    }

    #[test]
    fn a_controller_that_cannot_be_read_takes_nothing_of_the_others_with_it() {
        // A file in place of a directory cannot be listed.
        let read = Machine::new(&[
            ("sys/devices/system/edac/mc/mc0", ""),
            ("sys/devices/system/edac/mc/mc1/ue_count", "1\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(read.errors.len(), 1, "{:?}", read.errors);
        assert_eq!(read.lines(), ["node_edac_uncorrectable_errors_total{controller=1} 1"]);
    }
}
