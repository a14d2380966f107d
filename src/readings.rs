//! Readings for people: by device, with the names of sensors and of what they measure.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use edgewatch_sensors::error::ErrorKind;
use edgewatch_sensors::reading::Reading;
use edgewatch_sensors::sampler::LastReading;
use serde::Serialize;

/// A chip, a zone, a battery; an interface, a CPU.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    pub source: &'static str,
    /// The name of its label in metrics; empty where the source has one device.
    pub label: &'static str,
    /// The value of that label.
    pub name: String,
    /// What people read for a name: with what it is, where the source has devices of several kinds, whose numbers are the same.
    #[serde(skip)]
    pub title: String,
    /// What its driver says of it.
    pub description: String,
    pub readings: Vec<Row>,
}

/// A value.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// The sensor of the device, with its label if it has one.
    pub sensor: String,
    /// What is measured.
    pub quantity: String,
    /// In the unit; absent if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    pub unit: &'static str,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// The series that it becomes.
    pub metric: String,
    /// What is measured, as a whole sentence.
    #[serde(skip)]
    pub help: &'static str,
    /// When the value was last good.
    #[serde(skip)]
    pub since: Instant,
}

/// The devices of a source, in the order in which they were read.
pub(crate) fn devices(source: &'static str, readings: &[LastReading]) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    let mut labels: BTreeMap<(usize, String), String> = BTreeMap::new();
    for LastReading { reading, since } in readings {
        let (of_device, others) = split(reading);
        let mut others = others.iter().map(|(_, value)| value.as_str());
        let (label, name) = of_device.map_or(("", ""), |(label, name)| (*label, name.as_str()));
        let position = devices
            .iter()
            .position(|device| (device.label, device.name.as_str()) == (label, name));
        let position = position.unwrap_or_else(|| {
            devices.push(Device {
                source,
                label,
                name: name.to_owned(),
                title: title(label, reading.metric.name, name),
                description: String::new(),
                readings: Vec::new(),
            });
            devices.len() - 1
        });
        if reading.metric.name.ends_with("_label") {
            let sensor = others.next().unwrap_or_default().to_owned();
            labels.insert((position, sensor), others.collect());
            continue;
        }
        let Some(device) = devices.get_mut(position) else {
            continue;
        };
        if is_about(reading) {
            device.description = others.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(", ");
            continue;
        }
        device.readings.push(Row {
            sensor: others.collect::<Vec<_>>().join(" "),
            quantity: first_clause(reading.metric.help).to_owned(),
            value: reading.value.ok(),
            unit: reading.metric.unit,
            error: reading.value.err().map(ErrorKind::name),
            metric: series(reading),
            help: reading.metric.help,
            since: *since,
        });
    }
    let mut kinds = devices
        .iter()
        .map(|device| device.label)
        .filter(|label| !label.is_empty());
    let first = kinds.next();
    let is_of_one_kind = kinds.all(|kind| Some(kind) == first);
    for (position, device) in devices.iter_mut().enumerate() {
        if is_of_one_kind {
            device.title.clone_from(&device.name);
        }
        tell_apart(&mut device.readings, |row| row.help.trim_end_matches('.').to_owned());
        // Fields of one table of the kernel have one explanation: they are called as the kernel calls them.
        tell_apart(&mut device.readings, |row| {
            words(row.metric.split('{').next().unwrap_or_default())
        });
        for row in &mut device.readings {
            if let Some(label) = labels.get(&(position, row.sensor.clone())) {
                row.sensor = format!("{} ({label})", row.sensor);
            }
        }
    }
    devices
}

/// A device with the kind that its label tells; node_exporter's `name` tells none.
fn title(label: &str, metric: &str, name: &str) -> String {
    let kind = match label {
        "name" if metric.starts_with("node_cooling_device_") => "cooling device",
        other => other,
    };
    let title = format!("{} {name}", kind.replace('_', " "));
    title.trim().to_owned()
}

/// What is measured, without what a number of it means: that is for who reads metrics, and people see a value with its unit.
fn first_clause(help: &str) -> &str {
    let help = help.trim_end_matches('.');
    let ends = [", ", "; ", ": ", " ("].iter().filter_map(|end| help.find(end));
    ends.min().and_then(|end| help.get(..end)).unwrap_or(help)
}

/// Gives the readings of one sensor that are called the same another name.
fn tell_apart(rows: &mut [Row], name: impl Fn(&Row) -> String) {
    let mut count: HashMap<(String, String), usize> = HashMap::new();
    let key = |row: &Row| (row.sensor.clone(), row.quantity.clone());
    for row in &*rows {
        *count.entry(key(row)).or_default() += 1;
    }
    for row in rows {
        if count.get(&key(row)).is_some_and(|count| *count > 1) {
            row.quantity = name(row);
        }
    }
}

/// `MemAvailable` of `node_memory_MemAvailable_bytes`: without what all of its kind have.
fn words(metric: &str) -> String {
    let name = metric.strip_suffix("_total").unwrap_or(metric);
    let name = name.strip_suffix("_bytes").unwrap_or(name);
    // The program, and the table.
    let own = name.splitn(3, '_').nth(2).unwrap_or(name);
    own.replace('_', " ")
}

/// A series that says something about a device or a sensor, and is always 1.
fn is_about(reading: &Reading) -> bool {
    let name = reading.metric.name;
    ["_info", "_names", "_label"].iter().any(|end| name.ends_with(end))
}

type Label = (&'static str, String);

/// Labels that name no device, but what a value of the only one is about.
const ABOUT_VALUES: [&str; 2] = ["reason", "result"];

/// The label that names the device, which is the first, and the others; a source with one device has none.
fn split(reading: &Reading) -> (Option<&Label>, &[Label]) {
    match reading.labels.split_first() {
        Some((device, others)) if !ABOUT_VALUES.contains(&device.0) => (Some(device), others),
        _ => (None, &reading.labels),
    }
}

/// As Prometheus writes it.
fn series(reading: &Reading) -> String {
    let labels: Vec<_> = reading
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    match labels.is_empty() {
        true => reading.metric.name.to_owned(),
        false => format!("{}{{{}}}", reading.metric.name, labels.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use edgewatch_sensors::reading::Metric;

    use super::*;

    static TOTAL: Metric = Metric::gauge("node_memory_MemTotal_bytes", "bytes", "Field of a table.");
    static FREE: Metric = Metric::gauge("node_memory_MemFree_bytes", "bytes", "Field of a table.");
    static TEMPERATURE: Metric = Metric::gauge("node_hwmon_temp_celsius", "celsius", "Temperature.");
    static NAMES: Metric = Metric::gauge("node_hwmon_chip_names", "", "The name of the chip.");
    static LABEL: Metric = Metric::gauge("node_hwmon_sensor_label", "", "The label of the sensor.");

    fn read(metric: &'static Metric, labels: &[(&'static str, &str)]) -> LastReading {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned()));
        LastReading {
            reading: Reading {
                metric,
                labels: labels.collect(),
                value: Ok(1.0),
                part: None,
            },
            since: Instant::now(),
        }
    }

    /// Device, sensor and quantity of each row.
    fn rows(readings: &[LastReading]) -> Vec<String> {
        let devices = devices("source", readings);
        let of_device = |device: &Device| -> Vec<String> {
            let rows = device.readings.iter();
            rows.map(|row| {
                format!(
                    "{}/{}: {} {}",
                    device.title, device.description, row.sensor, row.quantity
                )
            })
            .collect()
        };
        devices.iter().flat_map(of_device).collect()
    }

    #[test]
    fn a_sensor_is_called_as_its_driver_calls_it() {
        let sensor = [("chip", "soc"), ("sensor", "temp1")];
        assert_eq!(
            rows(&[
                read(&NAMES, &[("chip", "soc"), ("chip_name", "lm75")]),
                read(&TEMPERATURE, &sensor),
                read(&LABEL, &[sensor[0], sensor[1], ("label", "board")]),
                read(&TEMPERATURE, &[("chip", "soc"), ("sensor", "temp2")]),
            ]),
            ["soc/lm75: temp1 (board) Temperature", "soc/lm75: temp2 Temperature"]
        );
    }

    #[test]
    fn things_that_only_share_a_number_are_different_devices() {
        static ZONE: Metric = Metric::gauge("node_thermal_zone_temp", "celsius", "Temperature.");
        static COOLING: Metric = Metric::gauge("node_cooling_device_cur_state", "", "State.");
        let zone = |number| read(&ZONE, &[("zone", number), ("type", "cpu")]);
        let fan = read(&COOLING, &[("name", "0"), ("type", "fan")]);
        assert_eq!(
            rows(&[zone("0"), zone("1")]),
            ["0/: cpu Temperature", "1/: cpu Temperature"]
        );
        assert_eq!(
            rows(&[fan, zone("0")]),
            ["cooling device 0/: fan State", "zone 0/: cpu Temperature"]
        );
    }

    #[test]
    fn a_reason_is_no_device() {
        static VOLTAGE: Metric = Metric::gauge("edge_rpi_undervoltage", "", "Too low.");
        static THROTTLED: Metric = Metric::gauge("edge_rpi_throttled", "", "Slowed down.");
        assert_eq!(
            rows(&[
                read(&VOLTAGE, &[]),
                read(&THROTTLED, &[("reason", "undervoltage")]),
                read(&THROTTLED, &[("reason", "throttled")]),
            ]),
            ["/:  Too low", "/: undervoltage Slowed down", "/: throttled Slowed down"]
        );
    }

    #[test]
    fn a_quantity_is_what_is_measured_and_not_what_its_numbers_mean() {
        for (help, expected) in [
            ("Relative humidity, 0 to 1.", "Relative humidity"),
            ("Speed of a fan; 0 is a fan that stands still.", "Speed of a fan"),
            (
                "Reserve of blocks of the eMMC: 1 is normal, 2 less than a fifth.",
                "Reserve of blocks of the eMMC",
            ),
            (
                "1 if the supply was below 4.63 V in the last 2 s.",
                "1 if the supply was below 4.63 V in the last 2 s",
            ),
            ("Temperature.", "Temperature"),
        ] {
            assert_eq!(first_clause(help), expected);
        }
        static LEAST: Metric = Metric::gauge("edge_x_min_volts", "volts", "Voltage, the least that is right.");
        static GREATEST: Metric = Metric::gauge("edge_x_max_volts", "volts", "Voltage, the greatest that is right.");
        let sensor = [("chip", "a"), ("sensor", "in0")];
        assert_eq!(
            rows(&[read(&LEAST, &sensor), read(&GREATEST, &sensor)]),
            [
                "a/: in0 Voltage, the least that is right",
                "a/: in0 Voltage, the greatest that is right"
            ]
        );
    }

    #[test]
    fn values_that_have_one_explanation_are_told_apart_by_name() {
        assert_eq!(
            rows(&[read(&TOTAL, &[]), read(&FREE, &[])]),
            ["/:  MemTotal", "/:  MemFree"]
        );
    }
}
