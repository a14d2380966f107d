//! The key figures of the device, at the top of the status page.

use std::collections::BTreeMap;

use crate::format::{bytes, quantity};
use edgewatch_sensors::reading::Reading;
use edgewatch_sensors::sampler::Sampler;

/// Temperatures shown; a server board can have dozens.
const MAX_TEMPERATURES: usize = 4;

/// Label and value of each number; those that were not read are left out.
pub(crate) fn list(sampler: &Sampler) -> Vec<(String, String)> {
    let mut figures = KeyFigures::default();
    sampler.visit(|_, state| {
        for last in &state.readings {
            if let Ok(value) = last.reading.value {
                figures.add(&last.reading, value);
            }
        }
    });
    figures.into_list()
}

#[derive(Default)]
struct KeyFigures {
    temperatures: Vec<(String, f64)>,
    load: Option<f64>,
    memory_available: Option<f64>,
    memory_total: Option<f64>,
    filesystems: BTreeMap<String, Filesystem>,
}

#[derive(Default)]
struct Filesystem {
    available: Option<f64>,
    size: Option<f64>,
    /// It is in memory, or read-only.
    is_transient: bool,
}

impl KeyFigures {
    fn add(&mut self, reading: &Reading, value: f64) {
        match reading.metric.name {
            "node_hwmon_temp_celsius" | "node_thermal_zone_temp" if self.temperatures.len() < MAX_TEMPERATURES => {
                self.temperatures.push((sensor_name(reading), value));
            }
            "node_load1" => self.load = Some(value),
            "node_memory_MemAvailable_bytes" => self.memory_available = Some(value),
            "node_memory_MemTotal_bytes" => self.memory_total = Some(value),
            "node_filesystem_avail_bytes" => self.filesystem(reading).available = Some(value),
            "node_filesystem_size_bytes" => self.filesystem(reading).size = Some(value),
            "node_filesystem_readonly" if value == 1.0 => self.filesystem(reading).is_transient = true,
            _ => {}
        }
    }

    fn filesystem(&mut self, reading: &Reading) -> &mut Filesystem {
        let point = label(reading, "mountpoint").unwrap_or_default();
        let filesystem = self.filesystems.entry(point.to_owned()).or_default();
        filesystem.is_transient |= label(reading, "fstype") == Some("tmpfs");
        filesystem
    }

    /// `/`; where that cannot be read, the fullest file system that holds data.
    fn disk(&self) -> Option<(String, String)> {
        let describe = |(point, filesystem): (&String, &Filesystem)| {
            share(&format!("disk free on {point}"), filesystem.available, filesystem.size)
        };
        let root = self.filesystems.get_key_value("/").and_then(describe);
        root.or_else(|| {
            let data = self
                .filesystems
                .iter()
                .filter(|(_, filesystem)| !filesystem.is_transient);
            let free = |(_, filesystem): &(&String, &Filesystem)| match (filesystem.available, filesystem.size) {
                (Some(available), Some(size)) if size > 0.0 => available / size,
                _ => f64::INFINITY,
            };
            data.min_by(|a, b| free(a).total_cmp(&free(b))).and_then(describe)
        })
    }

    fn into_list(self) -> Vec<(String, String)> {
        let disk = self.disk();
        let mut figures: Vec<_> = self
            .temperatures
            .into_iter()
            .map(|(sensor, celsius)| (sensor, quantity(celsius, "celsius")))
            .collect();
        figures.extend(
            self.load
                .map(|load| ("load, 1 minute".to_owned(), format!("{load:.2}"))),
        );
        figures.extend(share("memory free", self.memory_available, self.memory_total));
        figures.extend(disk);
        figures
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
fn sensor_name(reading: &Reading) -> String {
    match (label(reading, "type"), label(reading, "chip"), label(reading, "sensor")) {
        (Some(kind), _, _) => kind.to_owned(),
        (None, Some(chip), Some(sensor)) => format!("{chip} {sensor}"),
        _ => "temperature".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgewatch_sensors::reading::Metric;

    /// The disk figure of a machine with file systems of (mount point, type, whether it is read-only, bytes, bytes free).
    fn disk(filesystems: &[(&str, &str, bool, f64, f64)]) -> Option<(String, String)> {
        static SIZE: Metric = Metric::gauge("node_filesystem_size_bytes", "bytes", "");
        static AVAILABLE: Metric = Metric::gauge("node_filesystem_avail_bytes", "bytes", "");
        static READONLY: Metric = Metric::gauge("node_filesystem_readonly", "", "");
        let mut figures = KeyFigures::default();
        for (point, kind, is_readonly, size, available) in filesystems {
            for (metric, value) in [
                (&SIZE, *size),
                (&AVAILABLE, *available),
                (&READONLY, f64::from(u8::from(*is_readonly))),
            ] {
                let labels = vec![("fstype", (*kind).to_owned()), ("mountpoint", (*point).to_owned())];
                let reading = Reading {
                    metric,
                    labels,
                    value: Ok(value),
                    part: None,
                };
                figures.add(&reading, value);
            }
        }
        figures.disk()
    }

    #[test]
    fn without_a_root_the_fullest_file_system_with_data_is_shown() {
        let boot = ("/boot", "vfat", false, 512.0, 256.0);
        let run = ("/run", "tmpfs", false, 100.0, 0.0);
        let card = ("/media/root-ro", "ext4", true, 100.0, 0.0);
        let data = ("/data", "ext4", false, 2048.0, 512.0);
        let figure = |label: &str, value: &str| Some((label.to_owned(), value.to_owned()));
        assert_eq!(
            disk(&[boot, run, card, data]),
            figure("disk free on /data", "25 % of 2.0 KiB")
        );
        let root = ("/", "overlay", false, 1024.0, 1024.0);
        assert_eq!(
            disk(&[boot, run, card, data, root]),
            figure("disk free on /", "100 % of 1.0 KiB")
        );
        assert_eq!(disk(&[run, card]), None);
    }
}
