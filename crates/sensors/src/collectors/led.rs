//! Lights of the device (Documentation/ABI/testing/sysfs-class-led).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::RATIO;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "led",
    needs: Some("lights with a driver"),
    collect: Collect::Full,
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const BRIGHTNESS: Metric =
    Metric::gauge("edge_led_brightness_ratio", "ratio", "Brightness of a light, 0 to 1.").within(RATIO);
/// A keyboard has three, a strip of lights hundreds.
const MAX_LIGHTS: usize = 16;

const CLASS: &str = "class/leds";

struct Led {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Led {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Led {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let mut lights = self.sysfs.list(CLASS)?;
        // Those of storage and keyboards come by the dozen and say nothing of the device.
        lights.retain(|light| !light.starts_with("input") && !light.starts_with("mmc"));
        for (number, light) in lights.iter().enumerate() {
            if number >= MAX_LIGHTS {
                recorder.drop_one();
                continue;
            }
            let value = |file: &str| self.sysfs.number(format!("{CLASS}/{light}/{file}"));
            let ratio = value("max_brightness").and_then(|max| Ok(value("brightness")? / max));
            recorder.record(&BRIGHTNESS, &[("led", light)], ratio);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn brightness_is_a_share_of_the_highest() {
        let read = Machine::new(&[
            ("sys/class/leds/ACT/brightness", "51\n"),
            ("sys/class/leds/ACT/max_brightness", "255\n"),
            ("sys/class/leds/PWR/brightness", "1\n"),
            ("sys/class/leds/PWR/max_brightness", "0\n"),
            ("sys/class/leds/input3::capslock/brightness", "1\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "edge_led_brightness_ratio{led=ACT} 0.2",
                "edge_led_brightness_ratio{led=PWR} invalid"
            ]
        );
    }
}
