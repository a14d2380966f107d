//! Thermal zones and cooling devices (Documentation/driver-api/thermal/sysfs-api.rst).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::{CELSIUS, NOT_NEGATIVE};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "thermal",
    needs: Some("nothing; virtual machines have none"),
    collect: Collect::Standard,
    // On a Raspberry Pi the read is a request to the firmware.
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(1),
    open,
};

const ZONE: Metric = Metric::gauge(
    "node_thermal_zone_temp",
    "celsius",
    "Temperature of a thermal zone in degrees Celsius.",
)
// The kernel's own -274 °C stands for "no reading yet" (THERMAL_TEMP_INVALID).
.within(CELSIUS);
const STATE: Metric =
    Metric::gauge("node_cooling_device_cur_state", "", "State of a cooling device.").within(NOT_NEGATIVE);
const MAX_STATE: Metric = Metric::gauge(
    "node_cooling_device_max_state",
    "",
    "Highest state of a cooling device.",
)
.within(NOT_NEGATIVE);

const TRIP: Metric = Metric::gauge(
    "edge_thermal_trip_celsius",
    "celsius",
    "Temperature at which the kernel acts: slows the device down, drives a fan, switches off.",
)
.within(CELSIUS);
/// Trip points of a zone that are exported; kernels have allowed 12.
const MAX_TRIPS: usize = 12;

const CLASS: &str = "class/thermal";

struct Thermal {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Thermal {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Thermal {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for name in self.sysfs.list(CLASS)? {
            if let Some(zone) = name.strip_prefix("thermal_zone") {
                if recorder.begin_part(&name) {
                    self.read_zone(&name, zone, recorder);
                }
            } else if let Some(device) = name.strip_prefix("cooling_device")
                && recorder.begin_part(&name)
            {
                self.read_cooling_device(&name, device, recorder);
            }
        }
        Ok(())
    }
}

impl Thermal {
    fn read_zone(&self, name: &str, zone: &str, recorder: &mut Recorder) {
        let path = |file: &str| format!("{CLASS}/{name}/{file}");
        if recorder.is_full() {
            return recorder.drop_one();
        }
        // A zone that is switched off answers EINVAL, which is no failure of the sensor; old kernels have no `mode`.
        if self.sysfs.attribute(path("mode")).is_ok_and(|mode| mode == "disabled") {
            return;
        }
        let kind = self.sysfs.attribute(path("type")).unwrap_or_default();
        let celsius = self.sysfs.measurement(path("temp"), 1e3);
        if celsius.as_ref().is_err_and(ReadError::is_refused) {
            return;
        }
        recorder.record(&ZONE, &[("zone", zone), ("type", &kind)], celsius);
        for number in 0..MAX_TRIPS {
            let trip = |what: &str| path(&format!("trip_point_{number}_{what}"));
            let Ok(action) = self.sysfs.attribute(trip("type")) else {
                break;
            };
            let number = number.to_string();
            let labels = [("zone", zone), ("trip", number.as_str()), ("action", action.as_str())];
            // One that is switched off is at a temperature that cannot be.
            match self.sysfs.measurement(trip("temp"), 1e3) {
                Ok(celsius) if TRIP.is_plausible(celsius) && !recorder.is_half_full() => {
                    recorder.push(&TRIP, &labels, celsius);
                }
                _ => {}
            }
        }
    }

    fn read_cooling_device(&self, name: &str, device: &str, recorder: &mut Recorder) {
        let path = |file: &str| format!("{CLASS}/{name}/{file}");
        if recorder.is_full() {
            return recorder.drop_one();
        }
        let kind = self.sysfs.attribute(path("type")).unwrap_or_default();
        let labels = [("name", device), ("type", kind.as_str())];
        recorder.record(&STATE, &labels, self.sysfs.number(path("cur_state")));
        recorder.record(&MAX_STATE, &labels, self.sysfs.number(path("max_state")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn trip_points_say_what_the_kernel_does_at_which_temperature() {
        let read = Machine::new(&[
            ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
            ("sys/class/thermal/thermal_zone0/temp", "48312\n"),
            ("sys/class/thermal/thermal_zone0/trip_point_0_type", "critical\n"),
            ("sys/class/thermal/thermal_zone0/trip_point_0_temp", "110000\n"),
            ("sys/class/thermal/thermal_zone0/trip_point_1_type", "active\n"),
            ("sys/class/thermal/thermal_zone0/trip_point_1_temp", "-274000\n"),
        ])
        .read(&COLLECTOR);
        assert!(read.errors.is_empty());
        assert_eq!(
            read.lines(),
            [
                "node_thermal_zone_temp{zone=0,type=cpu-thermal} 48.312",
                "edge_thermal_trip_celsius{zone=0,trip=0,action=critical} 110",
            ]
        );
    }

    #[test]
    fn what_no_zone_can_say_is_invalid_and_the_rest_is_kept() {
        let zones = [
            "48312",
            "-5500",
            "125000",
            "-274000",
            "-650788984",
            "2147483647",
            "-2147483648",
        ];
        let machine = Machine::new(&[]);
        for (number, millidegrees) in zones.iter().enumerate() {
            machine.write(&format!("sys/class/thermal/thermal_zone{number}/type"), "z\n");
            machine.write(&format!("sys/class/thermal/thermal_zone{number}/temp"), millidegrees);
        }
        let read = machine.read(&COLLECTOR);
        let values = ["48.312", "-5.5", "125", "invalid", "invalid", "invalid", "invalid"];
        for (zone, value) in values.into_iter().enumerate() {
            let series = format!("node_thermal_zone_temp{{zone={zone},type=z}}");
            assert_eq!(read.value(&series).as_deref(), Some(value), "{}", zones[zone]);
        }
        assert_eq!(
            read.errors[0].to_string(),
            "node_thermal_zone_temp{zone=3,type=z}: -274 cannot be: it is not within -273.15 and 2400"
        );
    }
}
