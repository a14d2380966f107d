//! What the firmware of a Raspberry Pi says of its power supply: the chip `rpi_volt` of hwmon (drivers/hwmon/raspberrypi-hwmon.c), and
//! `get_throttled` of the manufacturer's kernel.

use std::iter;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edgewatch_program::lock::lock;

use crate::collectors::lasting::Lasting;
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::SWITCH;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "raspberry_pi",
    needs: Some("a Raspberry Pi, whose kernel has the driver raspberrypi-hwmon"),
    collect: Collect::Standard,
    schedule: Schedule::Periodic,
    // The kernel asks the firmware every 2 s, and forgets with each answer: nobody else would see an event between two scrapes.
    period: Duration::from_secs(1),
    deadline: Duration::from_secs(1),
    open,
};

const UNDERVOLTAGE: Metric = Metric::gauge(
    "edge_rpi_undervoltage",
    "",
    "1 if the supply was below 4.63 V in the last 2 s.",
)
.within(SWITCH);
const EVENTS: Metric = Metric::counter(
    "edge_rpi_undervoltage_events_total",
    "",
    "How often the supply fell below 4.63 V since the start of the service.",
);
const THROTTLED: Metric = Metric::gauge(
    "edge_rpi_throttled",
    "",
    "1 while the firmware slows the device down, or would, for this reason.",
);

/// Bits of `get_throttled` that say how it is now. Those from 16 on say how it was, but the driver of `rpi_volt` clears them every 2 s.
const REASONS: [(u32, &str); 4] = [
    (0, "undervoltage"),
    (1, "frequency_capped"),
    (2, "throttled"),
    (3, "soft_temperature_limit"),
];

/// The firmware's device up to the Raspberry Pi 4, and where its driver has it, whatever it is called: `soc@107c000000:firmware` on a 5.
const DEVICE: &str = "devices/platform/soc/soc:firmware";
const DRIVER: &str = "bus/platform/drivers/raspberrypi-firmware";
const HWMON: &str = "class/hwmon";
/// Reads after which the chip is looked for again, if there is none.
const SEARCH_INTERVAL: u32 = 60;

struct RaspberryPi {
    sysfs: Root,
    /// The alarm of the chip `rpi_volt`.
    alarm: Option<String>,
    /// The file `get_throttled`.
    throttled: Option<String>,
    reads_until_search: u32,
    falls: Arc<Mutex<Falls>>,
}

/// How often the voltage has fallen.
#[derive(Default)]
struct Falls {
    was_low: bool,
    count: u32,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    static FALLS: Lasting<PathBuf, Mutex<Falls>> = Lasting::new();
    Ok(Box::new(RaspberryPi {
        sysfs: Root::new(&settings.paths.sysfs),
        alarm: None,
        throttled: None,
        reads_until_search: 0,
        falls: FALLS.get(settings.paths.sysfs.clone(), Mutex::default),
    }))
}

impl Collector for RaspberryPi {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        if self.alarm.as_ref().is_none_or(|alarm| !self.sysfs.exists(alarm)) {
            self.search()?;
        }
        if let Some(alarm) = &self.alarm {
            let mut falls = lock(&self.falls);
            let value = self.sysfs.number(alarm);
            if let Ok(value) = value {
                let is_low = value == 1.0;
                falls.count += u32::from(is_low && !falls.was_low);
                falls.was_low = is_low;
            }
            recorder.record(&UNDERVOLTAGE, &[], value);
            recorder.push(&EVENTS, &[], falls.count.into());
        }
        if let Some(path) = &self.throttled
            && let Some(text) = recorder.present(self.sysfs.attribute(path))
        {
            self.read_throttled(path, &text, recorder);
        }
        Ok(())
    }
}

impl RaspberryPi {
    /// Looks for both files.
    fn search(&mut self) -> Result<(), ReadError> {
        self.alarm = None;
        if let Some(left) = self.reads_until_search.checked_sub(1) {
            self.reads_until_search = left;
            return Ok(());
        }
        self.reads_until_search = SEARCH_INTERVAL;
        for chip in self.sysfs.list(HWMON)? {
            let is_it = |name: String| name == "rpi_volt";
            if self.sysfs.attribute(format!("{HWMON}/{chip}/name")).is_ok_and(is_it) {
                self.alarm = Some(format!("{HWMON}/{chip}/in0_lcrit_alarm"));
            }
        }
        let devices = self.sysfs.list(DRIVER)?.into_iter();
        let devices = devices.map(|device| format!("{DRIVER}/{device}"));
        let mut files = iter::once(DEVICE.to_owned())
            .chain(devices)
            .map(|device| device + "/get_throttled");
        self.throttled = files.find(|file| self.sysfs.exists(file));
        Ok(())
    }

    /// `get_throttled` is a number of base 16.
    fn read_throttled(&self, path: &str, text: &str, recorder: &mut Recorder) {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        match u32::from_str_radix(digits, 16) {
            Ok(bits) => {
                for (bit, reason) in REASONS {
                    recorder.push(&THROTTLED, &[("reason", reason)], f64::from(bits >> bit & 1));
                }
            }
            Err(_) => recorder.fail(ReadError::invalid(
                &self.sysfs.path(path),
                format!("{} is not a hexadecimal number", crate::sysfs::quote(text)),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    const ALARM: &str = "sys/class/hwmon/hwmon1/in0_lcrit_alarm";

    #[test]
    fn each_time_the_voltage_falls_counts_once() {
        let machine = Machine::new(&[
            ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
            ("sys/class/hwmon/hwmon1/name", "rpi_volt\n"),
        ]);
        let mut collector = (COLLECTOR.open)(&machine.settings).unwrap();
        let mut events = |alarm: &str| {
            machine.write(ALARM, alarm);
            let read = machine.read_from(collector.as_mut());
            let value = |name: &str| read.value(&format!("{name}{{}}")).unwrap();
            (
                value("edge_rpi_undervoltage"),
                value("edge_rpi_undervoltage_events_total"),
            )
        };
        let found = ["0\n", "1\n", "1\n", "0\n", "1\n", ""].map(&mut events);
        let expected = [
            ("0", "0"),
            ("1", "1"),
            ("1", "1"),
            ("0", "1"),
            ("1", "2"),
            ("not_ready", "2"),
        ];
        assert_eq!(found, expected.map(|(low, count)| (low.to_owned(), count.to_owned())));
    }

    #[test]
    fn the_reasons_of_the_firmware_are_its_low_bits() {
        let throttled = |text: &str| Machine::new(&[(&format!("sys/{DEVICE}/get_throttled"), text)]).read(&COLLECTOR);
        assert_eq!(
            throttled("50005\n").lines(),
            [
                "edge_rpi_throttled{reason=undervoltage} 1",
                "edge_rpi_throttled{reason=frequency_capped} 0",
                "edge_rpi_throttled{reason=throttled} 1",
                "edge_rpi_throttled{reason=soft_temperature_limit} 0",
            ]
        );
        assert_eq!(
            throttled("0xe0008").lines()[3],
            "edge_rpi_throttled{reason=soft_temperature_limit} 1"
        );
        let bad = throttled("yes\n");
        assert!(bad.lines().is_empty());
        assert_eq!(bad.errors.len(), 1);
        assert!(Machine::new(&[]).read(&COLLECTOR).lines().is_empty());
    }

    #[test]
    fn the_firmware_of_a_raspberry_pi_5_is_found_by_its_driver() {
        let device = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware";
        let machine = Machine::new(&[(&format!("{device}/get_throttled"), "1\n")]);
        machine.link(&format!("sys/{DRIVER}/soc@107c000000:firmware"), device);
        assert_eq!(
            machine.read(&COLLECTOR).lines()[0],
            "edge_rpi_throttled{reason=undervoltage} 1"
        );
    }
}
