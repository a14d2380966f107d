//! What to do about a sensor that cannot be read, or is not found.

use std::fs;
use std::path::Path;

use edgewatch_sensors::error::{ErrorKind, SourceError};

use serde::Serialize;

/// Devices that are looked at, of each bus.
const MOST_DEVICES: usize = 256;

/// Something that fails, and what to do.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    pub source: String,
    pub error: String,
    pub remedy: String,
}

/// What to do about the error.
pub(super) fn remedy(error: &SourceError) -> &'static str {
    if error.is_denied {
        return "run this as root to see whether it works; let the group `edgewatch-sockets`, in which the service is, read the file: a udev rule that does chgrp and chmod (docs/sensors.md)";
    }
    match error.kind {
        ErrorKind::NotReady => {
            "the device is off, busy or in a conversion: look again (--watch), then at its power supply"
        }
        ErrorKind::Invalid => {
            "look for a long or disturbed line, a missing pull-up resistor, or a driver for another chip"
        }
        ErrorKind::Timeout => "the bus hangs or the chip is slow: look again (--watch), then at `dmesg`",
        ErrorKind::Panic => "a fault of edgewatch: please report it with this output",
        ErrorKind::Io => "look at cable, address and supply of the chip, and at `dmesg`",
    }
}

/// Devices that the device tree or ACPI names and no driver has taken.
pub(super) fn without_driver(sysfs: &Path) -> Vec<Problem> {
    let mut found = Vec::new();
    for bus in ["i2c", "spi", "w1"] {
        let Ok(entries) = fs::read_dir(sysfs.join(format!("bus/{bus}/devices"))) else {
            continue;
        };
        for entry in entries.take(MOST_DEVICES).filter_map(Result::ok) {
            let directory = entry.path();
            // Adapters and bus masters have none.
            let Ok(alias) = fs::read_to_string(directory.join("modalias")) else {
                continue;
            };
            if directory.join("driver").exists() {
                continue;
            }
            let alias = alias.trim();
            found.push(Problem {
                source: bus.to_owned(),
                error: format!("{} ({alias}) has no driver", entry.file_name().display()),
                remedy: format!(
                    "load it: modprobe {alias}; if that finds none, the kernel was built without it or the overlay names another chip"
                ),
            });
        }
    }
    found.sort_by(|a, b| a.error.cmp(&b.error));
    found
}

#[cfg(test)]
mod tests {
    use std::io;

    use edgewatch_sensors::error::ReadError;

    use super::*;

    #[test]
    fn a_file_that_may_not_be_read_and_a_bus_that_fails_have_different_remedies() {
        let io = |number| {
            SourceError::from(&ReadError::Io {
                path: "/sys/class/powercap/x/energy_uj".into(),
                source: io::Error::from_raw_os_error(number),
            })
        };
        let denied = io(libc::EACCES);
        assert!(remedy(&denied).contains("udev"));
        // A user of the service's own is there only while it runs; the group is one that the package makes.
        let group = include_str!("../../packaging/debian/sysusers.d/edgewatch.conf")
            .lines()
            .find_map(|line| line.strip_prefix("g "))
            .and_then(|line| line.split(' ').next());
        assert!(remedy(&denied).contains(&format!("group `{}`", group.unwrap())));
        let failed = io(libc::EIO);
        assert!(remedy(&failed).contains("cable"));
    }
}
