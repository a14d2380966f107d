//! Hardware watchdogs (Documentation/ABI/testing/sysfs-class-watchdog), under the names of node_exporter.

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
    name: "watchdog",
    needs: Some("a hardware watchdog and its driver: on a Raspberry Pi dtparam=watchdog=on"),
    collect: Collect::Standard,
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const INFO: Metric = Metric::gauge(
    "node_watchdog_info",
    "",
    "What the watchdog is and how it is; always 1.",
);
static ATTRIBUTES: &[Attribute] = &[
    Attribute::new(
        "bootstatus",
        1.0,
        Metric::gauge(
            "node_watchdog_bootstatus",
            "",
            "Why the device was started: 0 for no reason that the watchdog knows, 32 if it was the watchdog.",
        )
        .within(NOT_NEGATIVE),
    ),
    Attribute::optional(
        "timeout",
        1.0,
        Metric::gauge(
            "node_watchdog_timeout_seconds",
            "seconds",
            "Time after which the watchdog restarts the device.",
        )
        .within(NOT_NEGATIVE),
    ),
    Attribute::optional(
        "timeleft",
        1.0,
        Metric::gauge(
            "node_watchdog_timeleft_seconds",
            "seconds",
            "Time until the watchdog would restart the device.",
        )
        .within(NOT_NEGATIVE),
    ),
    Attribute::optional(
        "pretimeout",
        1.0,
        Metric::gauge(
            "node_watchdog_pretimeout_seconds",
            "seconds",
            "Time before the restart at which the kernel is told.",
        )
        .within(NOT_NEGATIVE),
    ),
    Attribute::optional(
        "nowayout",
        1.0,
        Metric::gauge(
            "node_watchdog_nowayout",
            "",
            "1 if the watchdog cannot be stopped once it runs.",
        )
        .within(NOT_NEGATIVE),
    ),
];
const TEXTS: [(&str, &str); 5] = [
    ("options", "options"),
    ("identity", "identity"),
    ("state", "state"),
    ("status", "status"),
    ("pretimeout_governor", "pretimeout_governor"),
];

const CLASS: &str = "class/watchdog";

struct Watchdog {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Watchdog {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Watchdog {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for name in self.sysfs.list(CLASS)? {
            let directory = format!("{CLASS}/{name}");
            attributes::record_info(&self.sysfs, &directory, &INFO, Some(("name", &name)), &TEXTS, recorder);
            attributes::record(&self.sysfs, &directory, ATTRIBUTES, &[("name", &name)], recorder);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn a_restart_by_the_watchdog_is_told() {
        let read = Machine::new(&[
            ("sys/class/watchdog/watchdog0/bootstatus", "32\n"),
            ("sys/class/watchdog/watchdog0/timeout", "15\n"),
            (
                "sys/class/watchdog/watchdog0/identity",
                "Broadcom BCM2835 Watchdog timer\n",
            ),
            ("sys/class/watchdog/watchdog0/state", "active\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "node_watchdog_info{name=watchdog0,identity=Broadcom BCM2835 Watchdog timer,state=active} 1",
                "node_watchdog_bootstatus{name=watchdog0} 32",
                "node_watchdog_timeout_seconds{name=watchdog0} 15",
            ]
        );
    }
}
