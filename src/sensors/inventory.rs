//! What was found: readings by device, errors with a remedy, and what was not found.

use std::collections::BTreeMap;

use edgewatch_sensors::collectors;
use edgewatch_sensors::error::ErrorKind;
use edgewatch_sensors::reading::Reading;
use edgewatch_sensors::sampler::{LastReading, Sampler};
use edgewatch_sensors::settings::Settings;
use serde::Serialize;

use super::advice::{self, Problem};

/// Everything that one look brings.
#[derive(Debug, Serialize)]
pub(super) struct Inventory {
    pub devices: Vec<Device>,
    pub errors: Vec<Problem>,
    /// Devices on a bus that no driver has taken.
    pub without_driver: Vec<Problem>,
    /// Sources that have found nothing.
    pub not_found: Vec<NotFound>,
}

/// A chip, a zone, a battery.
#[derive(Debug, Serialize)]
pub(super) struct Device {
    pub source: &'static str,
    /// Its label in metrics.
    pub name: String,
    /// What its driver says of it.
    pub description: String,
    pub readings: Vec<Row>,
}

/// A value.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The sensor of the device, with its label if it has one.
    pub sensor: String,
    /// What is measured.
    pub quantity: &'static str,
    /// In the unit; absent if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    pub unit: &'static str,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// The series that it becomes.
    pub metric: String,
}

/// A source without hardware.
#[derive(Debug, Serialize)]
pub(super) struct NotFound {
    pub source: &'static str,
    pub needs: &'static str,
}

impl Inventory {
    /// Takes what the sampler has read.
    pub fn take(sampler: &Sampler, settings: &Settings) -> Self {
        let mut inventory = Self {
            devices: Vec::new(),
            errors: Vec::new(),
            without_driver: advice::without_driver(&settings.paths.sysfs),
            not_found: Vec::new(),
        };
        sampler.visit(|source, state| {
            if !state.has_output() {
                inventory.not_found.extend(not_found(source));
            }
            inventory.devices.extend(devices(source, &state.readings));
            inventory.errors.extend(state.errors.iter().map(|error| Problem {
                source: source.to_owned(),
                error: error.what.clone(),
                remedy: advice::remedy(error).to_owned(),
            }));
        });
        inventory
    }

    /// How many values could not be read.
    pub fn failures(&self) -> usize {
        self.errors.len()
    }
}

fn not_found(source: &str) -> Option<NotFound> {
    let definition = collectors::find(source)?;
    Some(NotFound {
        source: definition.name,
        needs: definition.needs?,
    })
}

/// A series that says something about a device or a sensor, and is always 1.
fn is_about(reading: &Reading) -> bool {
    let name = reading.metric.name;
    ["_info", "_names", "_label"].iter().any(|end| name.ends_with(end))
}

fn devices(source: &'static str, readings: &[LastReading]) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    let mut labels: BTreeMap<(String, String), String> = BTreeMap::new();
    for LastReading { reading, .. } in readings {
        let name = name_of(reading);
        let mut others = reading.labels.iter().skip(1).map(|(_, value)| value.as_str());
        if reading.metric.name.ends_with("_label") {
            let sensor = others.next().unwrap_or_default().to_owned();
            labels.insert((name.clone(), sensor), others.collect());
            continue;
        }
        let position = devices
            .iter()
            .position(|device| device.name == name)
            .unwrap_or_else(|| {
                devices.push(Device {
                    source,
                    name: name.clone(),
                    description: String::new(),
                    readings: Vec::new(),
                });
                devices.len() - 1
            });
        let Some(device) = devices.get_mut(position) else {
            continue;
        };
        if is_about(reading) {
            device.description = others.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(", ");
            continue;
        }
        device.readings.push(Row {
            sensor: others.collect::<Vec<_>>().join(" "),
            quantity: reading.metric.help.trim_end_matches('.'),
            value: reading.value.ok(),
            unit: reading.metric.unit,
            error: reading.value.err().map(ErrorKind::name),
            metric: series(reading),
        });
    }
    for device in &mut devices {
        for row in &mut device.readings {
            if let Some(label) = labels.get(&(device.name.clone(), row.sensor.clone())) {
                row.sensor = format!("{} ({label})", row.sensor);
            }
        }
    }
    devices
}

/// The first label names the device; a source with one device has none.
fn name_of(reading: &Reading) -> String {
    reading
        .labels
        .first()
        .map_or_else(String::new, |(_, value)| value.clone())
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
