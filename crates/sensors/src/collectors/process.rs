//! The service itself, from `/proc/self` (Documentation/filesystems/proc.rst), independent of `paths.procfs`.
//!
//! The collector of the `prometheus` crate cuts CPU time down to whole seconds, which shows nothing of a service that uses
//! some milliseconds a minute.

use std::time::Duration;

use crate::collectors::clock;
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "process",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const CPU: Metric = Metric::counter(
    "process_cpu_seconds_total",
    "seconds",
    "User and system CPU time of the service.",
);
const RESIDENT: Metric = Metric::gauge(
    "process_resident_memory_bytes",
    "bytes",
    "Resident memory of the service.",
);
const VIRTUAL: Metric = Metric::gauge(
    "process_virtual_memory_bytes",
    "bytes",
    "Virtual memory of the service.",
);
const FDS: Metric = Metric::gauge("process_open_fds", "", "Open file descriptors.");
const MAX_FDS: Metric = Metric::gauge("process_max_fds", "", "Limit of open file descriptors.");
const THREADS: Metric = Metric::gauge("process_threads", "", "Threads.");
const START: Metric = Metric::gauge(
    "process_start_time_seconds",
    "seconds",
    "Unix time of the start of the service.",
);

const STAT: &str = "stat";
const LIMITS: &str = "limits";

struct Process {
    own: Root,
    ticks_per_second: f64,
    page: f64,
}

fn open(_: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Process {
        own: Root::new("/proc/self"),
        ticks_per_second: rustix::param::clock_ticks_per_second() as f64,
        page: rustix::param::page_size() as f64,
    }))
}

impl Collector for Process {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        self.read_stat(recorder)?;
        // One of them is the directory that is being listed.
        let open = self.own.list("fd").map(|names| names.len().saturating_sub(1) as f64);
        recorder.record(&FDS, &[], open);
        let limits = self.own.table(LIMITS)?;
        let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        let soft = files.and_then(|limits| limits.split_ascii_whitespace().next());
        if soft != Some("unlimited") {
            recorder.record(
                &MAX_FDS,
                &[],
                self.own.parse(LIMITS, soft).map(|number: u64| number as f64),
            );
        }
        Ok(())
    }
}

impl Process {
    fn read_stat(&self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let text = self.own.table(STAT)?;
        // The second field is the name of the program in parentheses, which may itself contain spaces and parentheses.
        let fields: Vec<&str> = text
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace()
            .collect();
        let number = |field: usize| -> Result<f64, ReadError> {
            let number: u64 = self.own.parse(STAT, fields.get(field - 3).copied())?;
            Ok(number as f64)
        };
        let (user, system, started) = (number(14)?, number(15)?, number(22)?);
        recorder.push(&CPU, &[], (user + system) / self.ticks_per_second);
        recorder.record(&THREADS, &[], number(20));
        // In whole seconds, like the kernel's `btime`, so that the value does not change with each adjustment of the clock.
        recorder.push(
            &START,
            &[],
            clock::boot_time().floor() + started / self.ticks_per_second,
        );
        recorder.record(&VIRTUAL, &[], number(23));
        recorder.record(&RESIDENT, &[], number(24).map(|pages| pages * self.page));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;
    use edgewatch_program::time::unix_time;

    #[test]
    fn the_numbers_are_those_of_this_process() {
        let read = Machine::new(&[]).read(&COLLECTOR);
        assert!(read.errors.is_empty());
        let value = |name: &str| read.value(&format!("{name}{{}}")).unwrap().parse::<f64>().unwrap();
        assert!((1e6..1e10).contains(&value("process_resident_memory_bytes")));
        assert!((3.0..500.0).contains(&value("process_open_fds")));
        assert!(value("process_max_fds") >= value("process_open_fds"));
        let age = unix_time() - value("process_start_time_seconds");
        assert!((-1.0..3600.0).contains(&age), "{age}");
    }

    #[test]
    fn memory_is_told_in_bytes_whatever_the_size_of_a_page_and_beyond_32_bits() {
        let stat = "1 (a) b) S 0 1 1 0 -1 0 0 0 0 0 250 50 0 0 20 0 3 0 100 8589934593 2\n";
        let limits = "Max open files            1024                 4096                 files\n";
        let machine = Machine::new(&[("proc/self/stat", stat), ("proc/self/limits", limits)]);
        for page in [4096.0, 16384.0, 65536.0] {
            let read = machine.read_from(&mut Process {
                own: Root::new(machine.settings.paths.procfs.join("self")),
                ticks_per_second: 100.0,
                page,
            });
            let resident = read.value("process_resident_memory_bytes{}");
            assert_eq!(resident, Some((2.0 * page).to_string()), "{:#?}", read.lines());
            let size = read.value("process_virtual_memory_bytes{}");
            assert_eq!(size.as_deref(), Some("8589934593"), "{:#?}", read.lines());
        }
    }
}
