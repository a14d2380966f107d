//! CPU time, and what else `/proc/stat` counts (Documentation/filesystems/proc.rst, "Miscellaneous kernel statistics").

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::collectors::{Definition, Pace, Source};
use crate::counters::CPU_SPIKE;
use crate::error::ReadError;
use crate::reading::{Metric, Sample};
use crate::settings::{CpuSpike, Settings};
use crate::sysfs::Root;
use edgewatch_program::error::Failure;

/// The source.
pub const SOURCE: Definition = Definition {
    name: "cpu",
    pace: Pace::AtScrape,
    // Spikes are looked for at each read.
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(1),
    open,
};

const SECONDS: Metric = Metric::counter("node_cpu_seconds_total", "seconds", "Time each CPU spent in each mode.");
const SPIKE: Metric = Metric::gauge(
    "sensor_cpu_spike",
    "",
    "1 while the CPU is busier than cpu_spike.threshold over cpu_spike.window, until it falls below cpu_spike.clear.",
);
static TOTALS: [(&str, Metric); 5] = [
    (
        "ctxt",
        Metric::counter("node_context_switches_total", "", "Context switches."),
    ),
    (
        "processes",
        Metric::counter("node_forks_total", "", "Processes and threads created."),
    ),
    (
        "btime",
        Metric::gauge("node_boot_time_seconds", "seconds", "Unix time of the boot."),
    ),
    (
        "procs_running",
        Metric::gauge("node_procs_running", "", "Processes that can run."),
    ),
    (
        "procs_blocked",
        Metric::gauge("node_procs_blocked", "", "Processes that wait for I/O."),
    ),
];

const STAT: &str = "stat";
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const IDLE: usize = 3;
const IOWAIT: usize = 4;

/// Seconds in each of [`MODES`].
type Times = [f64; 8];

struct Cpu {
    procfs: Root,
    ticks_per_second: f64,
    held: BTreeMap<String, Times>,
    spike: SpikeDetector,
}

fn open(settings: &Settings) -> Result<Box<dyn Source>, Failure> {
    Ok(Box::new(Cpu {
        procfs: Root::new(&settings.paths.procfs),
        ticks_per_second: rustix::param::clock_ticks_per_second() as f64,
        held: BTreeMap::new(),
        spike: SpikeDetector::new(&settings.cpu_spike),
    }))
}

impl Source for Cpu {
    fn read(&mut self, sample: &mut Sample) -> Result<(), ReadError> {
        let text = self.procfs.table(STAT)?;
        let (cpus, totals): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("cpu"));
        for line in totals {
            let mut fields = line.split_ascii_whitespace();
            let name = fields.next().unwrap_or_default();
            if let Some((_, metric)) = TOTALS.iter().find(|(total, _)| *total == name) {
                let value = self.procfs.parse(STAT, fields.next()).map(|number: u64| number as f64);
                sample.record(metric, &[], value);
            }
        }
        for line in cpus {
            if let Err(error) = self.read_cpu(line, sample) {
                sample.fail(error);
            }
        }
        Ok(())
    }
}

impl Cpu {
    fn read_cpu(&mut self, line: &str, sample: &mut Sample) -> Result<(), ReadError> {
        let mut fields = line.split_ascii_whitespace();
        let cpu = fields.next().unwrap_or_default().trim_start_matches("cpu");
        let mut times = Times::default();
        for time in &mut times {
            let ticks: u64 = self.procfs.parse(STAT, fields.next())?;
            *time = ticks as f64 / self.ticks_per_second;
        }
        if cpu.is_empty() {
            if let Some(change) = self.spike.observe(Instant::now(), &times) {
                sample.push(&SPIKE, &[], f64::from(u8::from(change.spiking)));
                if change.began {
                    sample.event(CPU_SPIKE);
                }
            }
            return Ok(());
        }
        if sample.is_full() {
            sample.drop_one();
            return Ok(());
        }
        let held = self.held.entry(cpu.to_owned()).or_insert(times);
        hold(held, &times);
        for (mode, seconds) in MODES.into_iter().zip(*held) {
            sample.push(&SECONDS, &[("cpu", cpu), ("mode", mode)], seconds);
        }
        Ok(())
    }
}

/// Takes over new times, without letting a counter go back: the kernel's iowait, idle and steal do at times, and Prometheus
/// would take that for a restart from 0. A CPU that was taken out and put back does start anew; its idle time shows that.
fn hold(held: &mut Times, times: &Times) {
    const HOTPLUG: f64 = 3.0;
    if held[IDLE] - times[IDLE] > HOTPLUG {
        *held = *times;
        return;
    }
    for (held, time) in held.iter_mut().zip(times) {
        *held = held.max(*time);
    }
}

/// Watches the busy share of all CPUs over a window of time.
struct SpikeDetector {
    settings: CpuSpike,
    /// From about a window ago until now.
    seen: VecDeque<Observation>,
    spiking: bool,
}

#[derive(Clone, Copy)]
struct Observation {
    at: Instant,
    idle: f64,
    total: f64,
}

#[derive(Debug, PartialEq)]
struct Change {
    spiking: bool,
    began: bool,
}

impl SpikeDetector {
    fn new(settings: &CpuSpike) -> Self {
        Self {
            settings: settings.clone(),
            seen: VecDeque::new(),
            spiking: false,
        }
    }

    /// What is known with the times of all CPUs at `at`; nothing before a whole window has passed, or if no time was counted.
    fn observe(&mut self, at: Instant, times: &Times) -> Option<Change> {
        let now = Observation {
            at,
            idle: times[IDLE] + times[IOWAIT],
            total: times.iter().sum(),
        };
        let window = self.settings.window;
        // The youngest observation that is as old as the window begins it.
        while self.seen.get(1).is_some_and(|second| second.at + window <= at) {
            self.seen.pop_front();
        }
        // Scrapes come at any rate; observations close to each other are not kept, so the memory is bounded.
        if self.seen.back().is_none_or(|last| last.at + window / 32 <= at) {
            self.seen.push_back(now);
        }
        let begin = self.seen.front().filter(|first| first.at + window <= at)?;
        let total = now.total - begin.total;
        if total <= 0.0 {
            return None;
        }
        let busy = 1.0 - (now.idle - begin.idle) / total;
        let was_spiking = self.spiking;
        self.spiking = busy > self.settings.threshold || (was_spiking && busy >= self.settings.clear);
        Some(Change {
            spiking: self.spiking,
            began: self.spiking && !was_spiking,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn a_counter_never_goes_back() {
        let mut held = [1.0, 0.0, 2.0, 100.0, 5.0, 0.0, 0.0, 1.0];
        hold(&mut held, &[1.5, 0.0, 2.0, 99.5, 4.0, 0.0, 0.0, 0.0]);
        assert_eq!(held, [1.5, 0.0, 2.0, 100.0, 5.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_cpu_that_was_unplugged_starts_anew() {
        let mut held = [1.0, 0.0, 2.0, 100.0, 5.0, 0.0, 0.0, 1.0];
        let anew = [0.0, 0.0, 0.1, 3.0, 0.0, 0.0, 0.0, 0.0];
        hold(&mut held, &anew);
        assert_eq!(held, anew);
    }

    #[test]
    fn a_spike_begins_above_the_threshold_and_ends_below_clear() {
        let mut detector = SpikeDetector::new(&CpuSpike::default());
        let start = Instant::now();
        let (mut busy, mut idle) = (0.0, 0.0);
        let mut observe = |second: u64, share: f64| {
            busy += share * 15.0;
            idle += (1.0 - share) * 15.0;
            detector.observe(
                start + Duration::from_secs(second),
                &[busy, 0.0, 0.0, idle, 0.0, 0.0, 0.0, 0.0],
            )
        };
        let change = |spiking, began| Some(Change { spiking, began });
        assert_eq!(observe(0, 1.0), None);
        assert_eq!(observe(15, 0.8), change(false, false));
        assert_eq!(observe(30, 0.95), change(true, true));
        assert_eq!(observe(45, 0.8), change(true, false));
        assert_eq!(observe(60, 0.6), change(false, false));
        assert_eq!(observe(75, 0.8), change(false, false));
        assert_eq!(observe(90, 0.95), change(true, true));
    }

    #[test]
    fn frequent_reads_take_no_more_memory_and_a_part_of_the_window_says_nothing() {
        let mut detector = SpikeDetector::new(&CpuSpike::default());
        let start = Instant::now();
        for step in 0..10_000_u32 {
            let at = start + Duration::from_millis(10) * step;
            let seconds = f64::from(step) / 100.0;
            let change = detector.observe(at, &[seconds, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            assert_eq!(change.is_some(), step >= 1500, "step {step}");
        }
        assert!(detector.seen.len() <= 34, "{}", detector.seen.len());
    }

    #[test]
    fn a_line_with_too_few_fields_costs_only_itself() {
        let machine = Machine::new(&[("proc/stat", "cpu  1 2\ncpu0 1 0 0 1 0 0 0 0\nctxt 7\nprocesses x\n")]);
        let read = machine.read(&SOURCE);
        assert_eq!(read.errors.len(), 2);
        assert_eq!(read.value("node_context_switches_total{}").as_deref(), Some("7"));
        assert_eq!(read.lines().len(), 2 + 8);
    }
}
