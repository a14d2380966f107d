//! Pulse counters and encoders of the counter subsystem (Documentation/ABI/testing/sysfs-bus-counter), as for meters of water and power.

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "counter",
    needs: Some("a counter in the device tree, such as interrupt-counter"),
    collect: Collect::Standard,
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(1),
    open,
};

const PULSES: Metric = Metric::counter(
    "edge_pulses_total",
    "",
    "Pulses since the counter was reset; it wraps at its ceiling.",
)
.within(NOT_NEGATIVE);
const POSITION: Metric = Metric::gauge(
    "edge_encoder_position",
    "",
    "Position of an encoder, or of a counter that counts down.",
);

const DEVICES: &str = "bus/counter/devices";

struct Counter {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Counter {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Counter {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for device in self.sysfs.list(DEVICES)? {
            if recorder.begin_part(&device)
                && let Err(error) = self.read(&device, recorder)
            {
                recorder.fail(error);
            }
        }
        Ok(())
    }
}

impl Counter {
    fn read(&self, device: &str, recorder: &mut Recorder) -> Result<(), ReadError> {
        for entry in self.sysfs.list(format!("{DEVICES}/{device}"))? {
            let directory = format!("{DEVICES}/{device}/{entry}");
            if !entry.starts_with("count") || !self.sysfs.exists(format!("{directory}/count")) || !recorder.has_room() {
                continue;
            }
            let text = |file: &str| self.sysfs.attribute(format!("{directory}/{file}"));
            let name = text("name").unwrap_or_default();
            let labels = [("device", device), ("count", entry.as_str()), ("name", &name)];
            let metric = match text("function").as_deref() {
                Ok("increase" | "pulse-direction") | Err(_) => &PULSES,
                Ok(_) => &POSITION,
            };
            recorder.record(metric, &labels, self.sysfs.number(format!("{directory}/count")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn pulses_only_grow_and_a_position_goes_both_ways() {
        let read = Machine::new(&[
            ("sys/bus/counter/devices/counter0/count0/count", "4711\n"),
            ("sys/bus/counter/devices/counter0/count0/function", "increase\n"),
            ("sys/bus/counter/devices/counter0/count0/name", "Channel 0 Count\n"),
            ("sys/bus/counter/devices/counter0/count1/count", "-12\n"),
            ("sys/bus/counter/devices/counter0/count1/function", "quadrature x4\n"),
            ("sys/bus/counter/devices/counter0/signal0/signal", "low\n"),
            ("sys/bus/counter/devices/counter0/name", "interrupt-cnt\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "edge_pulses_total{device=counter0,count=count0,name=Channel 0 Count} 4711",
                "edge_encoder_position{device=counter0,count=count1,name=} -12",
            ]
        );
    }

    #[test]
    fn a_counter_that_cannot_be_read_takes_nothing_of_the_others_with_it() {
        // A file in place of a directory cannot be listed.
        let read = Machine::new(&[
            ("sys/bus/counter/devices/counter0", ""),
            ("sys/bus/counter/devices/counter1/count0/count", "7\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(read.errors.len(), 1, "{:?}", read.errors);
        assert_eq!(
            read.lines(),
            ["edge_pulses_total{device=counter1,count=count0,name=} 7"]
        );
    }
}
