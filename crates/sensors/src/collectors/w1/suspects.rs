//! Temperatures of 1-Wire thermometers that may be none (Documentation/w1/slaves/w1_therm.rst), whether they are read there or as hwmon chips.

use std::collections::HashMap;

use crate::plausible::SWITCH;
use crate::reading::Metric;
use crate::sysfs::Root;

/// Of the thermometer `id`.
pub(crate) const SUSPECT: Metric = Metric::gauge(
    "edge_w1_suspect",
    "",
    "1 if the temperature may be none: 85 °C after power-on, 127.94 °C without a measurement.",
)
.within(SWITCH);

/// What a thermometer says that has lost its power since it was asked, in m°C.
const POWER_ON: f64 = 85_000.0;
/// What one says that has not been able to measure: all bits of the number.
const NO_CONVERSION: [f64; 2] = [127_937.0, 127_940.0];
/// Degrees by which a temperature cannot change from read to read.
const JUMP: f64 = 5.0;
/// Bit of `features`: the driver itself refuses a power-on value.
const CHECKS_POWER_ON: u32 = 1;

/// What judges them from read to read.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// The last temperature of each thermometer that was no suspect, in °C.
    last: HashMap<String, f64>,
}

impl Suspects {
    /// Forgets the thermometers that are gone.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.last.retain(|id, _| is_there(id));
    }

    /// Whether `millidegrees` of the thermometer `id`, which has its attributes in `directory`, may be no temperature.
    pub(crate) fn judge(&mut self, sysfs: &Root, directory: &str, id: &str, millidegrees: f64) -> bool {
        let celsius = millidegrees / 1e3;
        let is_near_the_last = self.last.get(id).is_some_and(|last| (last - celsius).abs() <= JUMP);
        let is_suspect = NO_CONVERSION.contains(&millidegrees)
            || millidegrees == POWER_ON && !is_near_the_last && !driver_checks(sysfs, directory);
        if !is_suspect {
            self.last.insert(id.to_owned(), celsius);
        }
        is_suspect
    }
}

fn driver_checks(sysfs: &Root, directory: &str) -> bool {
    let features = sysfs.attribute(format!("{directory}/features"));
    features.is_ok_and(|bits| bits.parse::<u32>().is_ok_and(|bits| bits & CHECKS_POWER_ON != 0))
}
