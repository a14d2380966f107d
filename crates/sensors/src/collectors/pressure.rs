//! Pressure stall information (Documentation/accounting/psi.rst).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "pressure",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const AVAILABLE: Metric = Metric::gauge(
    "edge_pressure_available",
    "",
    "1 if the kernel measures pressure (PSI), 0 if it is off (psi=1 on the kernel command line turns it on).",
);

const fn seconds(name: &'static str, help: &'static str) -> Metric {
    Metric::counter(name, "seconds", help)
}

/// File, line and metric. The line `full` of the CPU is undefined at the system level, and interrupts have no `some`.
static TOTALS: [(&str, &str, Metric); 6] = [
    (
        "pressure/cpu",
        "some",
        seconds(
            "node_pressure_cpu_waiting_seconds_total",
            "Time in which some task waited for a CPU.",
        ),
    ),
    (
        "pressure/memory",
        "some",
        seconds(
            "node_pressure_memory_waiting_seconds_total",
            "Time in which some task waited for memory.",
        ),
    ),
    (
        "pressure/memory",
        "full",
        seconds(
            "node_pressure_memory_stalled_seconds_total",
            "Time in which every task waited for memory.",
        ),
    ),
    (
        "pressure/io",
        "some",
        seconds(
            "node_pressure_io_waiting_seconds_total",
            "Time in which some task waited for I/O.",
        ),
    ),
    (
        "pressure/io",
        "full",
        seconds(
            "node_pressure_io_stalled_seconds_total",
            "Time in which every task waited for I/O.",
        ),
    ),
    (
        "pressure/irq",
        "full",
        seconds(
            "node_pressure_irq_stalled_seconds_total",
            "Time in which every task waited for interrupts.",
        ),
    ),
];

struct Pressure {
    procfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Pressure {
        procfs: Root::new(&settings.paths.procfs),
    }))
}

impl Collector for Pressure {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let mut available = false;
        for (file, line, metric) in &TOTALS {
            match self.procfs.table(file) {
                // A kernel without PSI has no such file; one that was booted with `psi=0` refuses to open it with `EOPNOTSUPP`.
                Err(error) if error.is_missing() => {}
                text => {
                    available = true;
                    recorder.record(metric, &[], text.and_then(|text| self.total(file, line, &text)));
                }
            }
        }
        recorder.push(&AVAILABLE, &[], f64::from(u8::from(available)));
        Ok(())
    }
}

impl Pressure {
    /// Seconds from a line such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=157656`, in µs.
    fn total(&self, file: &str, line: &str, text: &str) -> Result<f64, ReadError> {
        let total = text
            .lines()
            .find_map(|candidate| candidate.strip_prefix(line)?.split_once("total="))
            .map(|(_, total)| total);
        self.procfs.parse(file, total).map(|micros: u64| micros as f64 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn microseconds_become_seconds() {
        let line = "avg10=0.21 avg60=0.41 avg300=0.33 total=";
        let read =
            Machine::new(&[("proc/pressure/io", &format!("some {line}2500000\nfull {line}1\n"))]).read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "node_pressure_io_waiting_seconds_total{} 2.5",
                "node_pressure_io_stalled_seconds_total{} 0.000001",
                "edge_pressure_available{} 1"
            ]
        );
    }

    #[test]
    fn a_kernel_without_pressure_is_no_error() {
        let read = Machine::new(&[]).read(&COLLECTOR);
        assert_eq!(read.lines(), ["edge_pressure_available{} 0"]);
        assert!(read.errors.is_empty());
    }
}
