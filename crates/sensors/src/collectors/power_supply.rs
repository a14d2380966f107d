//! Batteries, mains and chargers (Documentation/ABI/testing/sysfs-class-power), under the names of node_exporter.

mod quantities;

use std::time::Duration;

use crate::collectors::attributes;
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;
use quantities::ATTRIBUTES;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "power_supply",
    needs: Some("a battery or charger and the driver of its fuel gauge"),
    collect: Collect::Standard,
    // Fuel gauges sit on a slow bus.
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(2),
    open,
};

const INFO: Metric = Metric::gauge(
    "node_power_supply_info",
    "",
    "What the power supply is and how it is; always 1.",
);

/// Labels of the info and the attributes that they come from.
const TEXTS: [(&str, &str); 11] = [
    ("capacity_level", "capacity_level"),
    ("charge_type", "charge_type"),
    ("health", "health"),
    ("manufacturer", "manufacturer"),
    ("model_name", "model_name"),
    ("scope", "scope"),
    ("serial_number", "serial_number"),
    ("status", "status"),
    ("technology", "technology"),
    ("type", "type"),
    ("usb_type", "usb_type"),
];

const CLASS: &str = "class/power_supply";

struct PowerSupply {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(PowerSupply {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for PowerSupply {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for name in self.sysfs.list(CLASS)? {
            if !recorder.has_room() || !recorder.begin_part(&name) {
                continue;
            }
            let directory = format!("{CLASS}/{name}");
            let device = ("power_supply", name.as_str());
            attributes::record_info(&self.sysfs, &directory, &INFO, Some(device), &TEXTS, recorder);
            attributes::record(&self.sysfs, &directory, ATTRIBUTES, &[device], recorder);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn a_battery_is_read_in_base_units_and_mains_say_whether_they_feed() {
        let read = Machine::new(&[
            ("sys/class/power_supply/battery/type", "Battery\n"),
            ("sys/class/power_supply/battery/status", "Discharging\n"),
            ("sys/class/power_supply/battery/capacity", "83\n"),
            ("sys/class/power_supply/battery/voltage_now", "3912500\n"),
            ("sys/class/power_supply/battery/current_now", "-412000\n"),
            ("sys/class/power_supply/battery/temp", "251\n"),
            ("sys/class/power_supply/battery/charge_full", "2750000\n"),
            ("sys/class/power_supply/battery/cycle_count", "41\n"),
            ("sys/class/power_supply/battery/time_to_full_now", "\n"),
            ("sys/class/power_supply/mains/type", "Mains\n"),
            ("sys/class/power_supply/mains/online", "0\n"),
        ])
        .read(&COLLECTOR);
        assert!(read.errors.is_empty(), "{:?}", read.errors);
        assert_eq!(
            read.lines(),
            [
                "node_power_supply_info{power_supply=battery,status=Discharging,type=Battery} 1",
                "node_power_supply_capacity{power_supply=battery} 83",
                "node_power_supply_voltage_volt{power_supply=battery} 3.9125",
                "node_power_supply_current_ampere{power_supply=battery} -0.412",
                "node_power_supply_temp_celsius{power_supply=battery} 25.1",
                "node_power_supply_charge_full{power_supply=battery} 2.75",
                "node_power_supply_cyclecount{power_supply=battery} 41",
                "node_power_supply_info{power_supply=mains,type=Mains} 1",
                "node_power_supply_online{power_supply=mains} 0",
            ]
        );
    }

    #[test]
    fn what_cannot_be_is_invalid_and_what_is_measured_but_has_no_value_is_not_ready() {
        let read = Machine::new(&[
            ("sys/class/power_supply/b/capacity", "255\n"),
            ("sys/class/power_supply/b/voltage_now", "\n"),
            ("sys/class/power_supply/b/temp", "-2147483648\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "node_power_supply_capacity{power_supply=b} invalid",
                "node_power_supply_voltage_volt{power_supply=b} not_ready",
                "node_power_supply_temp_celsius{power_supply=b} invalid",
            ]
        );
    }
    #[test]
    fn a_battery_above_100_percent_is_exported_as_its_fuel_gauge_tells() {
        let charge = |percent: &str| {
            let read = Machine::new(&[("sys/class/power_supply/b/capacity", percent)]).read(&COLLECTOR);
            read.value("node_power_supply_capacity{power_supply=b}")
        };
        assert_eq!(charge("101\n").as_deref(), Some("101"));
        assert_eq!(charge("111\n").as_deref(), Some("111"));
    }
}
