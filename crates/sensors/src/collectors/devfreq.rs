//! Clocks of graphics processors and memory (Documentation/ABI/testing/sysfs-class-devfreq).

use std::time::Duration;

use crate::collectors::attributes::{self, Attribute};
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "devfreq",
    needs: Some("a graphics processor or memory whose driver changes its clock"),
    collect: Collect::Standard,
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(1),
    open,
};

static CLOCKS: &[Attribute] = &[
    Attribute::new(
        "cur_freq",
        1.0,
        Metric::gauge("edge_devfreq_frequency_hertz", "hertz", "Clock of the device.").within(NOT_NEGATIVE),
    ),
    Attribute::optional(
        "max_freq",
        1.0,
        Metric::gauge(
            "edge_devfreq_frequency_max_hertz",
            "hertz",
            "Highest clock that the device may have now.",
        )
        .within(NOT_NEGATIVE),
    ),
];

const CLASS: &str = "class/devfreq";

struct Devfreq {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Devfreq {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Devfreq {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for device in self.sysfs.list(CLASS)? {
            let directory = format!("{CLASS}/{device}");
            attributes::record(&self.sysfs, &directory, CLOCKS, &[("device", &device)], recorder);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn a_graphics_processor_has_a_clock() {
        let read = Machine::new(&[
            ("sys/class/devfreq/fde60000.gpu/cur_freq", "800000000\n"),
            ("sys/class/devfreq/fde60000.gpu/max_freq", "x\n"),
            ("sys/class/devfreq/dmc/max_freq", "1560000000\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "edge_devfreq_frequency_max_hertz{device=dmc} 1560000000",
                "edge_devfreq_frequency_hertz{device=fde60000.gpu} 800000000",
                "edge_devfreq_frequency_max_hertz{device=fde60000.gpu} invalid",
            ]
        );
    }
}
