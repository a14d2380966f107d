//! Clocks that go on while the device is off (Documentation/ABI/testing/sysfs-class-rtc), and their batteries.

use std::time::Duration;

use edgewatch_program::time::unix_time;

use crate::collectors::attributes::{self, Attribute};
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::VOLTS;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "rtc",
    needs: Some("a real-time clock and its driver: on a Raspberry Pi dtoverlay=i2c-rtc,ds3231 (or another)"),
    collect: Collect::Standard,
    schedule: Schedule::Periodic,
    // Each read goes to the chip; the clock drifts by seconds in a day.
    period: Duration::from_secs(60),
    deadline: Duration::from_secs(2),
    open,
};

const INFO: Metric = Metric::gauge("edge_rtc_info", "", "What the driver calls the clock; always 1.");
const OFFSET: Metric = Metric::gauge(
    "edge_rtc_offset_seconds",
    "seconds",
    "How far the clock is ahead of the kernel's, to the second.",
);
static BATTERY: &[Attribute] = &[
    Attribute::new(
        "battery_voltage",
        1e6,
        Metric::gauge("edge_rtc_battery_volts", "volts", "Voltage of the clock's battery.").within(VOLTS),
    ),
    Attribute::new(
        "charging_voltage",
        1e6,
        Metric::gauge(
            "edge_rtc_charging_volts",
            "volts",
            "Voltage by which the clock's battery is charged; 0 if it is not.",
        )
        .within(VOLTS),
    ),
];

const CLASS: &str = "class/rtc";

struct Rtc {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Rtc {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Rtc {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for rtc in self.sysfs.list(CLASS)? {
            if !recorder.has_room() || !recorder.begin_part(&rtc) {
                continue;
            }
            let directory = format!("{CLASS}/{rtc}");
            let labels = [("rtc", rtc.as_str())];
            if let Ok(name) = self.sysfs.attribute(format!("{directory}/name")) {
                recorder.push(&INFO, &[labels[0], ("name", &name)], 1.0);
            }
            let seconds = self.sysfs.number(format!("{directory}/since_epoch"));
            // A clock whose battery is empty has no time, and says so.
            if !seconds.as_ref().is_err_and(ReadError::is_refused) {
                let now = unix_time().floor();
                recorder.record(&OFFSET, &labels, seconds.map(|seconds| seconds - now));
            }
            attributes::record(&self.sysfs, &directory, BATTERY, &labels, recorder);
            // Of the clock of a Raspberry Pi 5 they are with the device.
            attributes::record(&self.sysfs, &format!("{directory}/device"), BATTERY, &labels, recorder);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn a_clock_that_is_an_hour_ahead_says_so_and_its_battery_has_volts() {
        let ahead = format!("{}\n", unix_time().floor() + 3600.0);
        let read = Machine::new(&[
            ("sys/class/rtc/rtc0/name", "rpi-rtc soc:rpi_rtc\n"),
            ("sys/class/rtc/rtc0/since_epoch", &ahead),
            ("sys/class/rtc/rtc0/battery_voltage", "3012500\n"),
            ("sys/class/rtc/rtc0/device/charging_voltage", "0\n"),
        ])
        .read(&COLLECTOR);
        assert!(read.errors.is_empty(), "{:?}", read.errors);
        let value = |series: &str| read.value(series).unwrap();
        let offset: f64 = value("edge_rtc_offset_seconds{rtc=rtc0}").parse().unwrap();
        assert!((3595.0..=3600.0).contains(&offset), "{offset}");
        assert_eq!(value("edge_rtc_battery_volts{rtc=rtc0}"), "3.0125");
        assert_eq!(value("edge_rtc_charging_volts{rtc=rtc0}"), "0");
        assert_eq!(value("edge_rtc_info{rtc=rtc0,name=rpi-rtc soc:rpi_rtc}"), "1");
    }
}
