//! Sensors of the hardware monitoring class (Documentation/hwmon/sysfs-interface.rst).

pub(crate) mod quantities;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::collectors::w1::suspects::{SUSPECT, Suspects};
use crate::collectors::{Collector, Definition, Schedule};
use crate::device;
use crate::error::{ErrorKind, OpenError, ReadError};
use crate::reading::Recorder;
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;
use quantities::{ALARM, ALARMS, CHIP_NAME, LABEL, QUANTITIES, Quantity, Role};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "hwmon",
    needs: Some(
        "a chip and its driver: on a Raspberry Pi dtoverlay=i2c-sensor,… or w1-gpio; on a PC modprobe coretemp, k10temp, nct6775 or drivetemp",
    ),
    collect: Collect::Standard,
    // Many chips sit on a slow bus.
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(2),
    open,
};

const CLASS: &str = "class/hwmon";
const MAX_CHIPS: usize = 256;

struct Hwmon {
    sysfs: Root,
    suspects: Suspects,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Hwmon {
        sysfs: Root::new(&settings.paths.sysfs),
        suspects: Suspects::default(),
    }))
}

impl Collector for Hwmon {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let mut chips = Vec::new();
        for (number, entry) in self.sysfs.list(CLASS)?.iter().enumerate() {
            if number >= MAX_CHIPS {
                recorder.drop_one();
                continue;
            }
            match self.find_chip(entry) {
                Ok(chip) => chips.push(chip),
                Err(error) => recorder.fail(error),
            }
        }
        let labels: Vec<_> = chips
            .iter()
            .map(|chip| (chip.label.clone(), chip.name.clone()))
            .collect();
        for (chip, label) in chips.iter_mut().zip(device::unique(&labels)) {
            chip.label = label;
        }
        let is_there = |id: &str| chips.iter().any(|chip| chip.thermometer.as_deref() == Some(id));
        self.suspects.retain(is_there);
        for chip in &chips {
            if recorder.begin_part(&chip.label) {
                self.read_chip(chip, recorder);
            }
        }
        Ok(())
    }
}

struct Chip {
    /// Where its attributes are.
    directory: String,
    attributes: Vec<String>,
    /// The driver's name for it.
    name: Option<String>,
    /// Its label, stable across boots: `hwmonN` is numbered in the order of probing.
    label: String,
    /// Its id on a 1-Wire bus, if it is one.
    thermometer: Option<String>,
}

/// The name that w1_therm (drivers/w1/slaves/w1_therm.c) gives its chips.
const THERMOMETER: &str = "w1_slave_temp";

impl Hwmon {
    fn find_chip(&self, entry: &str) -> Result<Chip, ReadError> {
        let mut directory = format!("{CLASS}/{entry}");
        let parent = format!("{directory}/device");
        let mut attributes = self.sysfs.list(&directory)?;
        // Drivers from before Linux 3.15 keep their attributes with the device.
        if !attributes.iter().any(|attribute| split(attribute).is_some()) && self.sysfs.exists(&parent) {
            attributes = self.sysfs.list(&parent)?;
            directory.clone_from(&parent);
        }
        let name = self.sysfs.attribute(format!("{directory}/name")).ok();
        let device = self.sysfs.resolve(parent);
        let id = device.as_deref().and_then(|device| device.file_name()?.to_str());
        let thermometer = id.filter(|_| name.as_deref() == Some(THERMOMETER)).map(str::to_owned);
        let label = device
            .as_deref()
            .and_then(device::label)
            .or_else(|| name.as_deref().map(device::clean).filter(|name| !name.is_empty()))
            .unwrap_or_else(|| device::clean(entry));
        Ok(Chip {
            directory,
            attributes,
            name,
            label,
            thermometer,
        })
    }

    fn read_chip(&mut self, chip: &Chip, recorder: &mut Recorder) {
        let mut sensors: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (kind, sensor, item) in chip.attributes.iter().filter_map(|attribute| split(attribute)) {
            sensors.entry((kind, sensor)).or_default().push(item);
        }
        // As node_exporter writes it: `bat0` of a battery that is called BAT0.
        if let Some(name) = chip.name.as_deref().map(device::clean).filter(|name| !name.is_empty())
            && !sensors.is_empty()
        {
            recorder.push(&CHIP_NAME, &[("chip", &chip.label), ("chip_name", &name)], 1.0);
        }
        let sensors: Vec<Sensor> = sensors
            .into_iter()
            .map(|((kind, sensor), items)| Sensor {
                sysfs: &self.sysfs,
                chip,
                kind,
                sensor,
                items,
            })
            .collect();
        let suspects = &mut self.suspects;
        let working: Vec<&Sensor> = sensors
            .iter()
            .filter(|sensor| sensor.read(suspects, recorder))
            .collect();
        // After all measurements of the chip, and not if there might be no room for those of the next one.
        for sensor in working {
            sensor.read_limits(recorder);
        }
    }
}

struct Sensor<'a> {
    sysfs: &'a Root,
    chip: &'a Chip,
    /// `temp`.
    kind: &'a str,
    /// `temp1`.
    sensor: &'a str,
    /// The suffixes of its attributes: `input`, `max`, `crit_alarm`, …
    items: Vec<&'a str>,
}

impl Sensor<'_> {
    fn labels(&self) -> [(&'static str, &str); 2] {
        [("chip", self.chip.label.as_str()), ("sensor", self.sensor)]
    }

    /// Reads alarms, label and measurements. False if the sensor has none now: it is broken, or switched off.
    fn read(&self, suspects: &mut Suspects, recorder: &mut Recorder) -> bool {
        let labels = self.labels();
        for item in &self.items {
            if item.ends_with("alarm") || *item == "fault" {
                self.read_alarm(item, recorder);
            }
        }
        if !recorder.is_full() && self.has_no_value() {
            return false;
        }
        if self.items.contains(&"label")
            && !recorder.is_full()
            && let Ok(label) = self.sysfs.attribute(self.path("label"))
        {
            recorder.push(&LABEL, &[labels[0], labels[1], ("label", &label)], 1.0);
        }
        for quantity in self.quantities(Role::Value) {
            if recorder.is_full() {
                recorder.drop_one();
                continue;
            }
            let value = self.measure(quantity);
            if let (Some(id), Ok(celsius)) = (&self.chip.thermometer, &value)
                && quantity.item == "input"
            {
                let directory = format!("{}/device", self.chip.directory);
                let is_suspect = suspects.judge(self.sysfs, &directory, id, (celsius * 1e3).round());
                recorder.push(&SUSPECT, &[("id", id)], f64::from(u8::from(is_suspect)));
            }
            recorder.record(&quantity.metric, &labels, value);
        }
        true
    }

    /// Under our name, and under that of node_exporter where it has one for the same value.
    fn read_alarm(&self, item: &str, recorder: &mut Recorder) {
        if recorder.is_full() {
            return recorder.drop_one();
        }
        let [chip, sensor] = self.labels();
        let value = self.sysfs.number(self.path(item));
        if let Ok(value) = value
            && let Some((.., metric)) = ALARMS.iter().find(|(kind, of, _)| *kind == self.kind && *of == item)
            && metric.is_plausible(value)
        {
            recorder.push(metric, &[chip, sensor], value);
        }
        recorder.record(&ALARM, &[chip, sensor, ("kind", item)], value);
    }

    fn read_limits(&self, recorder: &mut Recorder) {
        for quantity in self.quantities(Role::Limit) {
            if recorder.is_half_full() {
                recorder.drop_one();
                continue;
            }
            // One that cannot be is a placeholder for "no limit", such as 65261.85 °C of an NVMe disk: no error.
            let is_placeholder = |limit: &Result<f64, ReadError>| match limit {
                Ok(limit) => !quantity.metric.is_plausible(*limit),
                Err(error) => error.kind() == ErrorKind::Invalid,
            };
            let limit = self.measure(quantity);
            if !is_placeholder(&limit) {
                recorder.record(&quantity.metric, &self.labels(), limit);
            }
        }
    }

    /// What the sensor has of the table.
    fn quantities(&self, role: Role) -> impl Iterator<Item = &'static Quantity> {
        QUANTITIES.iter().filter(move |quantity| {
            quantity.role == role && quantity.kind == self.kind && self.items.contains(&quantity.item)
        })
    }

    fn measure(&self, quantity: &Quantity) -> Result<f64, ReadError> {
        self.sysfs
            .value_of(&quantity.metric, self.path(quantity.item), quantity.units)
    }

    /// True if the sensor is broken, or switched off: its `input` is no measurement then, and that is no failed read.
    fn has_no_value(&self) -> bool {
        let is = |item, number| {
            self.items.contains(&item) && self.sysfs.number(self.path(item)).is_ok_and(|value| value == number)
        };
        // `pwm1_enable` = 0 is a fan at full speed.
        is("fault", 1.0) || (self.kind != "pwm" && is("enable", 0.0))
    }

    fn path(&self, item: &str) -> String {
        let separator = if item.is_empty() { "" } else { "_" };
        format!("{}/{}{separator}{item}", self.chip.directory, self.sensor)
    }
}

/// Kind, sensor and suffix of an attribute: `temp1_crit` is `temp`, `temp1` and `crit`.
fn split(attribute: &str) -> Option<(&str, &str, &str)> {
    let (kind, rest) = attribute.split_at(attribute.find(|c: char| c.is_ascii_digit())?);
    let item = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let sensor = &attribute[..attribute.len() - item.len()];
    let is_known = kind == "intrusion" || QUANTITIES.iter().any(|quantity| quantity.kind == kind);
    let item = if item.is_empty() { item } else { item.strip_prefix('_')? };
    is_known.then_some((kind, sensor, item))
}

#[cfg(test)]
mod tests;
