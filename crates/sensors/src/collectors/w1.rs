//! Thermometers on a 1-Wire bus (Documentation/w1/slaves/w1_therm.rst) whose driver has not made a hwmon chip of them.

pub(crate) mod suspects;

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::CELSIUS;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;
use suspects::{SUSPECT, Suspects};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "w1",
    needs: Some("dtoverlay=w1-gpio, a resistor of 4.7 kΩ from data to 3.3 V, modprobe w1_gpio w1_therm"),
    collect: Collect::Standard,
    // A conversion takes up to 750 ms; each thermometer is a part, and so isolated.
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(2),
    open,
};

// A DS18B20 measures -55 to 125 °C; 127.94 is what it says when it measures nothing.
const TEMPERATURE: Metric = temperature((-60.0, 130.0));
const OF_THERMOCOUPLE: Metric = temperature(CELSIUS);

const fn temperature(range: (f64, f64)) -> Metric {
    Metric::gauge(
        "edge_w1_temperature_celsius",
        "celsius",
        "Temperature of a thermometer on a 1-Wire bus.",
    )
    .within(range)
}

/// Beside the DS1825 the MAX31850, which has a thermocouple for a sensor. Its number alone does not tell which of them it is.
const MAY_BE_THERMOCOUPLE: &str = "3b-";
/// Families whose driver is w1_therm: DS18S20, DS1822, DS18B20, DS1825 and MAX31850, DS28EA00.
const FAMILIES: [&str; 5] = ["10-", "22-", "28-", MAY_BE_THERMOCOUPLE, "42-"];
const DEVICES: &str = "bus/w1/devices";

struct W1 {
    sysfs: Root,
    suspects: Suspects,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(W1 {
        sysfs: Root::new(&settings.paths.sysfs),
        suspects: Suspects::default(),
    }))
}

impl Collector for W1 {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let entries = self.sysfs.list(DEVICES)?;
        self.suspects
            .retain(|id| entries.binary_search_by(|entry| entry.as_str().cmp(id)).is_ok());
        for id in entries {
            let directory = format!("{DEVICES}/{id}");
            let is_thermometer = FAMILIES.iter().any(|family| id.starts_with(family));
            // One that is a hwmon chip too is read there: each read is a conversion.
            if !is_thermometer || self.sysfs.exists(format!("{directory}/hwmon")) || !recorder.has_room() {
                continue;
            }
            if recorder.begin_part(&id) {
                self.read(&id, &directory, recorder);
            }
        }
        Ok(())
    }
}

impl W1 {
    fn read(&mut self, id: &str, directory: &str, recorder: &mut Recorder) {
        let millidegrees = self.millidegrees(directory);
        if let Ok(number) = millidegrees {
            let is_suspect = self.suspects.judge(&self.sysfs, directory, id, number);
            recorder.push(&SUSPECT, &[("id", id)], f64::from(u8::from(is_suspect)));
        }
        let metric = match id.starts_with(MAY_BE_THERMOCOUPLE) {
            true => &OF_THERMOCOUPLE,
            false => &TEMPERATURE,
        };
        recorder.record(metric, &[("id", id)], millidegrees.map(|number| number / 1e3));
    }

    /// From the attribute that has only the number, or from the one that every kernel has.
    fn millidegrees(&self, directory: &str) -> Result<f64, ReadError> {
        let path = format!("{directory}/temperature");
        if self.sysfs.exists(&path) {
            return self.sysfs.number(path);
        }
        let path = format!("{directory}/w1_slave");
        let text = self.sysfs.attribute(&path)?;
        // "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES", then the same bytes and "t=85000". After "NO" those of the last good read are repeated.
        let invalid = |what: &str| ReadError::invalid(&self.sysfs.path(&path), what);
        let mut lines = text.lines();
        match lines.next().map(str::trim_end) {
            Some(line) if line.ends_with("YES") => {}
            Some(line) if line.ends_with("NO") => {
                return Err(invalid("the checksum of what came over the bus is wrong"));
            }
            _ => return Err(invalid("not the two lines of w1_therm")),
        }
        let number = lines.next().and_then(|line| line.rsplit_once("t="));
        self.sysfs
            .parse::<i32>(&path, number.map(|(_, number)| number.trim()))
            .map(f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    const ID: &str = "28-0316a2795e3f";

    fn file(name: &str) -> String {
        format!("sys/bus/w1/devices/{ID}/{name}")
    }

    fn lines(files: &[(&str, &str)]) -> Vec<String> {
        let machine = Machine::new(&[]);
        for (name, content) in files {
            machine.write(&file(name), content);
        }
        let lines = machine.read(&COLLECTOR).lines();
        lines
            .iter()
            .map(|line| line.replace(&format!("{{id={ID}}}"), ""))
            .collect()
    }

    #[test]
    fn a_temperature_is_read_from_either_attribute() {
        let expected = |celsius: &str| {
            [
                "edge_w1_suspect 0".to_owned(),
                format!("edge_w1_temperature_celsius {celsius}"),
            ]
        };
        assert_eq!(lines(&[("temperature", "23562\n")]), expected("23.562"));
        assert_eq!(lines(&[("temperature", "-10125\n")]), expected("-10.125"));
        let text = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";
        assert_eq!(lines(&[("w1_slave", text)]), expected("23.125"));
    }

    #[test]
    fn a_thermocouple_may_be_hotter_than_any_thermometer() {
        for (id, millidegrees, expected) in [
            ("3b-000000183391", "412250\n", "412.25"),
            ("3b-000000183391", "2500000\n", "invalid"),
            (ID, "412250\n", "invalid"),
        ] {
            let machine = Machine::new(&[]);
            machine.write(&format!("sys/bus/w1/devices/{id}/temperature"), millidegrees);
            let value = machine
                .read(&COLLECTOR)
                .value(&format!("edge_w1_temperature_celsius{{id={id}}}"));
            assert_eq!(value.as_deref(), Some(expected), "{id}");
        }
    }

    #[test]
    fn a_wrong_checksum_is_no_temperature_and_a_running_conversion_not_ready() {
        let text = "ff ff ff ff ff ff ff ff ff : crc=c9 NO\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";
        assert_eq!(lines(&[("w1_slave", text)]), ["edge_w1_temperature_celsius invalid"]);
        assert_eq!(lines(&[("w1_slave", "YES\n")]), ["edge_w1_temperature_celsius invalid"]);
        assert_eq!(
            lines(&[("w1_slave", "x\nt=1\n")]),
            ["edge_w1_temperature_celsius invalid"]
        );
        assert_eq!(lines(&[("temperature", "")]), ["edge_w1_temperature_celsius not_ready"]);
    }

    #[test]
    fn a_power_on_value_is_suspect_unless_it_was_that_hot_or_the_driver_checks() {
        let suspect = ["edge_w1_suspect 1", "edge_w1_temperature_celsius 85"];
        let fine = ["edge_w1_suspect 0", "edge_w1_temperature_celsius 85"];
        assert_eq!(lines(&[("temperature", "85000\n"), ("features", "0\n")]), suspect);
        assert_eq!(lines(&[("temperature", "85000\n"), ("features", "3\n")]), fine);
        let never = lines(&[("temperature", "127937\n"), ("features", "1\n")]);
        assert_eq!(never, ["edge_w1_suspect 1", "edge_w1_temperature_celsius 127.937"]);
        let machine = Machine::new(&[]);
        let mut collector = (COLLECTOR.open)(&machine.settings).unwrap();
        let mut read = |millidegrees: &str| {
            machine.write(&file("temperature"), millidegrees);
            let read = machine.read_from(collector.as_mut());
            read.value(&format!("edge_w1_suspect{{id={ID}}}")).unwrap()
        };
        let found = ["21000", "85000", "83000", "85000", "21000", "85000"].map(&mut read);
        assert_eq!(found, ["0", "1", "0", "0", "0", "1"]);
    }

    #[test]
    fn other_devices_and_those_that_hwmon_reads_are_left_alone() {
        let machine = Machine::new(&[("sys/bus/w1/devices/26-000000000001/temperature", "1\n")]);
        machine.write(&file("temperature"), "20000\n");
        machine.write(&file("hwmon/hwmon1/temp1_input"), "20000\n");
        machine.write("sys/bus/w1/devices/w1_bus_master1/w1_master_slaves", "x\n");
        assert!(machine.read(&COLLECTOR).lines().is_empty());
    }
}
