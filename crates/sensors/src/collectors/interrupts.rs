//! Interrupts by line and CPU, from `/proc/interrupts` (proc_interrupts(5)).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "interrupts",
    needs: None,
    collect: Collect::Full,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const INTERRUPTS: Metric = Metric::counter(
    "node_interrupts_total",
    "",
    "Interrupts that the CPU has served; lines that it never served are left out.",
)
.within(NOT_NEGATIVE);
const FILE: &str = "interrupts";

struct Interrupts {
    procfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Interrupts {
        procfs: Root::new(&settings.paths.procfs),
    }))
}

impl Collector for Interrupts {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let table = self.procfs.table(FILE)?;
        let mut lines = table.lines();
        // CPUs that are switched off have no column.
        let head = lines.next().unwrap_or_default().split_ascii_whitespace();
        let cpus: Vec<&str> = head.filter_map(|name| name.strip_prefix("CPU")).collect();
        for (line, rest) in lines.filter_map(|line| line.split_once(':')) {
            let line = line.trim();
            let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
            // Counts of errors have one number, and say nothing of a CPU.
            let Some((counts, about)) = fields
                .split_at_checked(cpus.len())
                .filter(|(_, about)| !about.is_empty())
            else {
                continue;
            };
            // The controller of a numbered line stands before its devices; of others there is a description.
            let is_numbered = line.bytes().all(|byte| byte.is_ascii_digit());
            let (info, devices) = about.split_at(if is_numbered { 1 } else { about.len() });
            let (info, devices) = (info.join(" "), devices.join(" "));
            for (cpu, count) in cpus.iter().zip(counts).filter(|(_, count)| **count != "0") {
                if recorder.has_room() {
                    let count = self.procfs.parse(FILE, Some(count)).map(|count: u64| count as f64);
                    let labels = [("cpu", *cpu), ("type", line), ("info", &info), ("devices", &devices)];
                    recorder.record(&INTERRUPTS, &labels, count);
                }
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
    fn each_line_that_a_cpu_has_served_is_counted_with_its_controller_and_its_devices() {
        let table = "           CPU0       CPU2\n  9:         12          0  GICv3  25 Level     arch_timer, other\n\
            IPI0:         3          4       Rescheduling interrupts\nErr:          7\n 10:          x          1  GICv3\n";
        let read = Machine::new(&[("proc/interrupts", table)]).read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "node_interrupts_total{cpu=0,type=9,info=GICv3,devices=25 Level arch_timer, other} 12",
                "node_interrupts_total{cpu=0,type=IPI0,info=Rescheduling interrupts,devices=} 3",
                "node_interrupts_total{cpu=2,type=IPI0,info=Rescheduling interrupts,devices=} 4",
                "node_interrupts_total{cpu=0,type=10,info=GICv3,devices=} invalid",
                "node_interrupts_total{cpu=2,type=10,info=GICv3,devices=} 1",
            ]
        );
    }
}
