//! The few numbers that tell at a glance how the device is doing.

use super::units::{bytes, quantity};
use crate::reading::Reading;
use crate::sampler::Sampler;

/// Temperatures shown; a server board can have dozens.
const MOST_TEMPERATURES: usize = 4;

/// Label and value of each number; those that were not read are left out.
pub fn numbers(sampler: &Sampler) -> Vec<(String, String)> {
    let mut glance = Glance::default();
    sampler.visit(|_, state| {
        for held in &state.readings {
            if let Ok(value) = held.reading.value {
                glance.take(&held.reading, value);
            }
        }
    });
    glance.into_numbers()
}

#[derive(Default)]
struct Glance {
    temperatures: Vec<(String, f64)>,
    load: Option<f64>,
    memory_available: Option<f64>,
    memory_total: Option<f64>,
    disk_available: Option<f64>,
    disk_size: Option<f64>,
}

impl Glance {
    fn take(&mut self, reading: &Reading, value: f64) {
        let is_root = || label(reading, "mountpoint") == Some("/");
        match reading.metric.name {
            "node_hwmon_temp_celsius" | "node_thermal_zone_temp" if self.temperatures.len() < MOST_TEMPERATURES => {
                self.temperatures.push((place(reading), value));
            }
            "node_load1" => self.load = Some(value),
            "node_memory_MemAvailable_bytes" => self.memory_available = Some(value),
            "node_memory_MemTotal_bytes" => self.memory_total = Some(value),
            "node_filesystem_avail_bytes" if is_root() => self.disk_available = Some(value),
            "node_filesystem_size_bytes" if is_root() => self.disk_size = Some(value),
            _ => {}
        }
    }

    fn into_numbers(self) -> Vec<(String, String)> {
        let mut numbers: Vec<_> = self
            .temperatures
            .into_iter()
            .map(|(place, celsius)| (place, quantity(celsius, "celsius")))
            .collect();
        numbers.extend(
            self.load
                .map(|load| ("load, 1 minute".to_owned(), format!("{load:.2}"))),
        );
        numbers.extend(share("memory free", self.memory_available, self.memory_total));
        numbers.extend(share("disk free on /", self.disk_available, self.disk_size));
        numbers
    }
}

fn share(label: &str, part: Option<f64>, whole: Option<f64>) -> Option<(String, String)> {
    let (part, whole) = (part?, whole.filter(|whole| *whole > 0.0)?);
    Some((
        label.to_owned(),
        format!("{:.0} % of {}", part / whole * 100.0, bytes(whole)),
    ))
}

fn label<'a>(reading: &'a Reading, name: &str) -> Option<&'a str> {
    let (_, value) = reading.labels.iter().find(|(key, _)| *key == name)?;
    Some(value)
}

/// Where a temperature is measured: the type of a thermal zone, or chip and sensor.
fn place(reading: &Reading) -> String {
    match (label(reading, "type"), label(reading, "chip"), label(reading, "sensor")) {
        (Some(kind), _, _) => kind.to_owned(),
        (None, Some(chip), Some(sensor)) => format!("{chip} {sensor}"),
        _ => "temperature".to_owned(),
    }
}
