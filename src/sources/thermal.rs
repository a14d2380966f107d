//! Thermal zones and cooling devices (Documentation/driver-api/thermal/sysfs-api.rst).

use std::time::Duration;

use crate::config::Settings;
use crate::error::{Failure, ReadError};
use crate::reading::{Metric, Sample};
use crate::sources::{Definition, Pace, Source};
use crate::sysfs::Root;

/// The source.
pub const SOURCE: Definition = Definition {
    name: "thermal",
    // On a Raspberry Pi the read is a request to the firmware.
    pace: Pace::Periodic,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(1),
    open,
};

const ZONE: Metric = Metric::gauge(
    "node_thermal_zone_temp",
    "celsius",
    "Temperature of a thermal zone in degrees Celsius.",
);
const STATE: Metric = Metric::gauge("node_cooling_device_cur_state", "", "State of a cooling device.");
const MAX_STATE: Metric = Metric::gauge(
    "node_cooling_device_max_state",
    "",
    "Highest state of a cooling device.",
);

const CLASS: &str = "class/thermal";

struct Thermal {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Source>, Failure> {
    Ok(Box::new(Thermal {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Source for Thermal {
    fn read(&mut self, sample: &mut Sample) -> Result<(), ReadError> {
        for name in self.sysfs.list(CLASS)? {
            if let Some(zone) = name.strip_prefix("thermal_zone") {
                self.read_zone(&name, zone, sample);
            } else if let Some(device) = name.strip_prefix("cooling_device") {
                self.read_cooling_device(&name, device, sample);
            }
        }
        Ok(())
    }
}

impl Thermal {
    fn read_zone(&self, name: &str, zone: &str, sample: &mut Sample) {
        let path = |file: &str| format!("{CLASS}/{name}/{file}");
        if sample.is_full() {
            return sample.drop_one();
        }
        // A zone that is switched off answers EINVAL, which is no failure of the sensor.
        if self.sysfs.attribute(path("mode")).is_ok_and(|mode| mode == "disabled") {
            return;
        }
        let kind = self.sysfs.attribute(path("type")).unwrap_or_default();
        let celsius = self
            .sysfs
            .number(path("temp"))
            .map(|millidegrees| millidegrees / 1000.0);
        sample.record(&ZONE, &[("zone", zone), ("type", &kind)], celsius);
    }

    fn read_cooling_device(&self, name: &str, device: &str, sample: &mut Sample) {
        let path = |file: &str| format!("{CLASS}/{name}/{file}");
        if sample.is_full() {
            return sample.drop_one();
        }
        let kind = self.sysfs.attribute(path("type")).unwrap_or_default();
        let labels = [("name", device), ("type", kind.as_str())];
        sample.record(&STATE, &labels, self.sysfs.number(path("cur_state")));
        sample.record(&MAX_STATE, &labels, self.sysfs.number(path("max_state")));
    }
}
