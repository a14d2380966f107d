//! Sensors of the hardware monitoring class (Documentation/hwmon/sysfs-interface.rst).

mod names;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::CELSIUS;
use crate::reading::{Metric, MetricKind, Recorder};
use crate::settings::Settings;
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "hwmon",
    // Many chips sit on a slow bus.
    schedule: Schedule::Periodic,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(2),
    open,
};

pub(crate) const CHIP_NAME: Metric = Metric::gauge(
    "node_hwmon_chip_names",
    "",
    "The name that the driver gives the chip; always 1.",
);
pub(crate) const LABEL: Metric = Metric::gauge(
    "node_hwmon_sensor_label",
    "",
    "The label that the driver gives the sensor; always 1.",
);
pub(crate) const ALARM: Metric = Metric::gauge("edge_hwmon_alarm", "", "1 while the chip raises this alarm or fault.");
pub(crate) static TEMP: Metric = Metric::gauge("node_hwmon_temp_celsius", "celsius", "Temperature.").within(CELSIUS);
static TEMP_MAX: Metric = Metric::gauge(
    "node_hwmon_temp_max_celsius",
    "celsius",
    "High limit of the temperature.",
)
.within(CELSIUS);
static TEMP_CRIT: Metric = Metric::gauge(
    "node_hwmon_temp_crit_celsius",
    "celsius",
    "Critical limit of the temperature.",
)
.within(CELSIUS);
// The limit of low voltage is 1500 V of direct current (IEC 60038): no such chip measures more.
pub(crate) static VOLTS: Metric = Metric::gauge("node_hwmon_in_volts", "volts", "Voltage.").within((-1500.0, 1500.0));
// The rails of large processors carry 1000 A.
static AMPS: Metric = Metric::gauge("node_hwmon_curr_amps", "amperes", "Current.").within((-1e4, 1e4));
// A whole rack takes 100 kW. Negative power flows back, as into a battery.
static WATT: Metric = Metric::gauge("node_hwmon_power_watt", "watts", "Power.").within((-1e6, 1e6));
static JOULE: Metric =
    Metric::counter("node_hwmon_energy_joule_total", "joules", "Energy used.").within((0.0, f64::INFINITY));
// The fastest fans of servers turn at 40,000 rpm; 65,535 is a counter at its maximum.
pub(crate) static FAN: Metric = Metric::gauge(
    "node_hwmon_fan_rpm",
    "rpm",
    "Speed of a fan; 0 is a fan that stands still.",
)
.within((0.0, 60_000.0));
static PWM: Metric = Metric::gauge("node_hwmon_pwm", "", "Duty of a fan, 0 to 255.").within((0.0, 255.0));
// Sensors overshoot a little at both ends: an HTU21D reads -6 to 119 %.
pub(crate) static HUMIDITY: Metric =
    Metric::gauge("edge_hwmon_humidity_ratio", "ratio", "Relative humidity, 0 to 1.").within((-0.1, 1.2));

/// Kind of sensor, its attribute, how many of the attribute's unit make the base unit, and the metric.
static QUANTITIES: [(&str, &str, f64, &Metric); 11] = [
    ("temp", "input", 1e3, &TEMP),
    ("temp", "max", 1e3, &TEMP_MAX),
    ("temp", "crit", 1e3, &TEMP_CRIT),
    ("in", "input", 1e3, &VOLTS),
    ("curr", "input", 1e3, &AMPS),
    ("power", "input", 1e6, &WATT),
    ("power", "average", 1e6, &WATT),
    ("energy", "input", 1e6, &JOULE),
    ("fan", "input", 1.0, &FAN),
    ("pwm", "", 1.0, &PWM),
    // Thousandths of a percent, by the kernel's documentation.
    ("humidity", "input", 1e5, &HUMIDITY),
];

/// Minimum and maximum of a 32-bit number, in the attribute's unit: what a driver computes when the bus does not answer. As power they
/// would be within the range.
const NO_MEASUREMENT: [f64; 3] = [i32::MIN as f64, i32::MAX as f64, u32::MAX as f64];

const CLASS: &str = "class/hwmon";
const MAX_CHIPS: usize = 256;

struct Hwmon {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Hwmon {
        sysfs: Root::new(&settings.paths.sysfs),
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
        names::make_unique(&mut chips);
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
}

impl Hwmon {
    fn find_chip(&self, entry: &str) -> Result<Chip, ReadError> {
        let mut directory = format!("{CLASS}/{entry}");
        let device = format!("{directory}/device");
        let mut attributes = self.sysfs.list(&directory)?;
        // Drivers from before Linux 3.15 keep their attributes with the device.
        if !attributes.iter().any(|attribute| split(attribute).is_some()) && self.sysfs.exists(&device) {
            attributes = self.sysfs.list(&device)?;
            directory.clone_from(&device);
        }
        let name = self.sysfs.attribute(format!("{directory}/name")).ok();
        let label = self
            .sysfs
            .resolve(device)
            .and_then(|device| names::of_device(&device))
            .or_else(|| name.as_deref().map(names::clean).filter(|name| !name.is_empty()))
            .unwrap_or_else(|| names::clean(entry));
        Ok(Chip {
            directory,
            attributes,
            name,
            label,
        })
    }

    fn read_chip(&self, chip: &Chip, recorder: &mut Recorder) {
        let mut sensors: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (kind, sensor, item) in chip.attributes.iter().filter_map(|attribute| split(attribute)) {
            sensors.entry((kind, sensor)).or_default().push(item);
        }
        if let Some(name) = &chip.name
            && !sensors.is_empty()
        {
            recorder.push(&CHIP_NAME, &[("chip", &chip.label), ("chip_name", name)], 1.0);
        }
        for ((kind, sensor), items) in sensors {
            Sensor {
                sysfs: &self.sysfs,
                chip,
                kind,
                sensor,
                items,
            }
            .read(recorder);
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
    fn read(&self, recorder: &mut Recorder) {
        let labels = [("chip", self.chip.label.as_str()), ("sensor", self.sensor)];
        for item in &self.items {
            if item.ends_with("alarm") || *item == "fault" {
                self.read_item(item, 1.0, &ALARM, &[labels[0], labels[1], ("kind", item)], recorder);
            }
        }
        if !recorder.is_full() && self.has_no_value() {
            return;
        }
        if self.items.contains(&"label")
            && !recorder.is_full()
            && let Ok(label) = self.sysfs.attribute(self.path("label"))
        {
            recorder.push(&LABEL, &[labels[0], labels[1], ("label", &label)], 1.0);
        }
        for (kind, item, units, metric) in &QUANTITIES {
            let is_fallback = *item == "average" && self.items.contains(&"input");
            if *kind == self.kind && self.items.contains(item) && !is_fallback {
                self.read_item(item, *units, metric, &labels, recorder);
            }
        }
    }

    fn read_item(
        &self,
        item: &str,
        units: f64,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        recorder: &mut Recorder,
    ) {
        if recorder.is_full() {
            return recorder.drop_one();
        }
        let path = self.path(item);
        let number = self.sysfs.number(&path);
        let is_limit = ["max", "crit"].contains(&item);
        if is_limit && number.as_ref().is_ok_and(|number| !metric.is_plausible(number / units)) {
            // A placeholder for "no limit", such as 65261.85 °C of an NVMe disk: no error.
            return;
        }
        let value = number.and_then(|number| {
            let is_measurement = metric.kind == MetricKind::Counter || !NO_MEASUREMENT.contains(&number);
            let nothing = || ReadError::invalid(&self.sysfs.path(&path), format!("{number} is no measurement"));
            is_measurement.then_some(number / units).ok_or_else(nothing)
        });
        recorder.record(metric, labels, value);
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
    let is_known = kind == "intrusion" || QUANTITIES.iter().any(|(known, ..)| *known == kind);
    let item = if item.is_empty() { item } else { item.strip_prefix('_')? };
    is_known.then_some((kind, sensor, item))
}

#[cfg(test)]
mod tests;
