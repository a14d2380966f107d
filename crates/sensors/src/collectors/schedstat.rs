//! How long CPUs ran tasks, and tasks waited for them (Documentation/scheduler/sched-stats.rst).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "schedstat",
    needs: None,
    collect: Collect::Full,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

/// The last three numbers of a CPU (nanoseconds, nanoseconds, and a count), with what makes their unit the base unit.
static COLUMNS: [(f64, Metric); 3] = [
    (
        1e9,
        Metric::counter(
            "node_schedstat_running_seconds_total",
            "seconds",
            "Time in which the CPU ran tasks.",
        )
        .within(NOT_NEGATIVE),
    ),
    (
        1e9,
        Metric::counter(
            "node_schedstat_waiting_seconds_total",
            "seconds",
            "Time in which tasks waited for the CPU.",
        )
        .within(NOT_NEGATIVE),
    ),
    (
        1.0,
        Metric::counter(
            "node_schedstat_timeslices_total",
            "",
            "Time slices that tasks had on the CPU.",
        )
        .within(NOT_NEGATIVE),
    ),
];
const FILE: &str = "schedstat";

struct Schedstat {
    procfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Schedstat {
        procfs: Root::new(&settings.paths.procfs),
    }))
}

impl Collector for Schedstat {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for line in self.procfs.table(FILE)?.lines() {
            let mut fields = line.split_ascii_whitespace();
            let cpu = fields.next().and_then(|name| name.strip_prefix("cpu"));
            let Some(cpu) = cpu.filter(|cpu| cpu.bytes().all(|byte| byte.is_ascii_digit())) else {
                continue;
            };
            // Before them stand six counts of the scheduler's own calls.
            let numbers: Vec<&str> = fields.skip(6).collect();
            for (index, (units, metric)) in COLUMNS.iter().enumerate() {
                let value = self.procfs.parse(FILE, numbers.get(index).copied());
                recorder.record(metric, &[("cpu", cpu)], value.map(|number: u64| number as f64 / units));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn each_cpu_has_its_times_and_domains_are_none() {
        let table = "version 15\ntimestamp 4294\ncpu0 498494191 0 3533438552 2553969831 3853684107 2465731542 2045936778163 343796328169 4767485306\n\
            domain0 00000000,00000003 212499247\ncpu1 1 2 3 4 5 6 7\n";
        let machine = Machine::new(&[("proc/schedstat", table)]);
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            [
                "node_schedstat_running_seconds_total{cpu=0} 2045.936778163",
                "node_schedstat_waiting_seconds_total{cpu=0} 343.796328169",
                "node_schedstat_timeslices_total{cpu=0} 4767485306",
                "node_schedstat_running_seconds_total{cpu=1} 0.000000007",
                "node_schedstat_waiting_seconds_total{cpu=1} invalid",
                "node_schedstat_timeslices_total{cpu=1} invalid",
            ]
        );
    }
}
