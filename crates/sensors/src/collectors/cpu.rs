//! CPU time, and the other counters of `/proc/stat` (Documentation/filesystems/proc.rst, "Miscellaneous kernel statistics").

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgewatch_program::lock::lock;

use crate::collectors::lasting::Lasting;
use crate::collectors::{Collector, Definition, Schedule};
use crate::counters::CPU_SPIKE;
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, CpuSpike, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "cpu",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    // Spikes are detected at each read.
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
const GUEST: Metric = Metric::counter(
    "node_cpu_guest_seconds_total",
    "seconds",
    "Time each CPU spent in virtual machines, by the mode under which it counts too.",
);
static TOTALS: [(&str, Metric); 6] = [
    ("intr", Metric::counter("node_intr_total", "", "Interrupts.")),
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
/// What was exported of each CPU.
type Exported = BTreeMap<String, Times>;

struct Cpu {
    procfs: Root,
    ticks_per_second: f64,
    exported: Arc<Mutex<Exported>>,
    collect: Collect,
    spike: Arc<Mutex<SpikeDetector>>,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    static EXPORTED: Lasting<PathBuf, Mutex<Exported>> = Lasting::new();
    static SPIKE: Lasting<(PathBuf, CpuSpike), Mutex<SpikeDetector>> = Lasting::new();
    let procfs = &settings.paths.procfs;
    Ok(Box::new(Cpu {
        procfs: Root::new(procfs),
        ticks_per_second: rustix::param::clock_ticks_per_second() as f64,
        exported: EXPORTED.get(procfs.clone(), Mutex::default),
        collect: settings.collect,
        spike: SPIKE.get((procfs.clone(), settings.cpu_spike.clone()), || {
            Mutex::new(SpikeDetector::new(&settings.cpu_spike))
        }),
    }))
}

impl Collector for Cpu {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let text = self.procfs.table(STAT)?;
        let (cpus, totals): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("cpu"));
        for line in totals {
            let mut fields = line.split_ascii_whitespace();
            let name = fields.next().unwrap_or_default();
            if let Some((_, metric)) = TOTALS.iter().find(|(total, _)| *total == name) {
                let value = self.procfs.parse(STAT, fields.next()).map(|number: u64| number as f64);
                recorder.record(metric, &[], value);
            }
        }
        for line in cpus {
            if let Err(error) = self.read_cpu(line, recorder) {
                recorder.fail(error);
            }
        }
        Ok(())
    }
}

impl Cpu {
    fn read_cpu(&mut self, line: &str, recorder: &mut Recorder) -> Result<(), ReadError> {
        let mut fields = line.split_ascii_whitespace();
        let cpu = fields.next().unwrap_or_default().trim_start_matches("cpu");
        let mut times = Times::default();
        for time in &mut times {
            let ticks: u64 = self.procfs.parse(STAT, fields.next())?;
            *time = ticks as f64 / self.ticks_per_second;
        }
        if cpu.is_empty() {
            if let Some(change) = lock(&self.spike).observe(Instant::now(), &times) {
                recorder.push(&SPIKE, &[], f64::from(u8::from(change.spiking)));
                if change.began {
                    recorder.event(CPU_SPIKE);
                }
            }
            return Ok(());
        }
        if recorder.is_full() {
            recorder.drop_one();
            return Ok(());
        }
        let mut exported = lock(&self.exported);
        let exported = exported.entry(cpu.to_owned()).or_insert(times);
        advance(exported, &times);
        for (mode, seconds) in MODES.into_iter().zip(*exported) {
            recorder.push(&SECONDS, &[("cpu", cpu), ("mode", mode)], seconds);
        }
        if self.collect == Collect::Full {
            for (mode, field) in ["user", "nice"].into_iter().zip(fields) {
                let ticks = self.procfs.parse::<u64>(STAT, Some(field));
                let seconds = ticks.map(|ticks| ticks as f64 / self.ticks_per_second);
                recorder.record(&GUEST, &[("cpu", cpu), ("mode", mode)], seconds);
            }
        }
        Ok(())
    }
}

/// Takes over new times, keeping the counters monotonic: the kernel's iowait, idle and steal decrease at times, which Prometheus would
/// take for a counter reset. A CPU that was unplugged and plugged in again does start from 0; its idle time shows that.
fn advance(exported: &mut Times, times: &Times) {
    const HOTPLUG: f64 = 3.0;
    if exported[IDLE] - times[IDLE] > HOTPLUG {
        *exported = *times;
        return;
    }
    for (exported, time) in exported.iter_mut().zip(times) {
        *exported = exported.max(*time);
    }
}

/// Watches the busy share of all CPUs over a window of time.
struct SpikeDetector {
    settings: CpuSpike,
    /// From about a window ago until now.
    observations: VecDeque<Observation>,
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
            observations: VecDeque::new(),
            spiking: false,
        }
    }

    /// The state with the times of all CPUs at `at`; `None` before a whole window has passed, or if no time was counted.
    fn observe(&mut self, at: Instant, times: &Times) -> Option<Change> {
        let now = Observation {
            at,
            idle: times[IDLE] + times[IOWAIT],
            total: times.iter().sum(),
        };
        let window = self.settings.window;
        // The newest observation that is at least as old as the window begins it.
        while self.observations.get(1).is_some_and(|second| second.at + window <= at) {
            self.observations.pop_front();
        }
        // Scrapes come at any rate: observations close to each other are skipped, which bounds the memory.
        if self.observations.back().is_none_or(|last| last.at + window / 32 <= at) {
            self.observations.push_back(now);
        }
        let begin = self.observations.front().filter(|first| first.at + window <= at)?;
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
    use crate::reading::Collected;

    #[test]
    fn a_counter_never_goes_back() {
        let mut exported = [1.0, 0.0, 2.0, 100.0, 5.0, 0.0, 0.0, 1.0];
        advance(&mut exported, &[1.5, 0.0, 2.0, 99.5, 4.0, 0.0, 0.0, 0.0]);
        assert_eq!(exported, [1.5, 0.0, 2.0, 100.0, 5.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_counter_never_goes_back_at_a_reload_either() {
        let machine = Machine::new(&[("proc/stat", "cpu0 1 0 0 100 50 0 0 0\n")]);
        let waited = |read: &Collected| read.value("node_cpu_seconds_total{cpu=0,mode=iowait}");
        let mut before = (COLLECTOR.open)(&machine.settings).unwrap();
        machine.read_from(before.as_mut());
        machine.write("proc/stat", "cpu0 1 0 0 100 40 0 0 0\n");
        assert_eq!(waited(&machine.read(&COLLECTOR)).as_deref(), Some("0.5"));
        drop(before);
        assert_eq!(waited(&machine.read(&COLLECTOR)).as_deref(), Some("0.4"));
    }

    #[test]
    fn a_cpu_that_was_unplugged_starts_from_zero() {
        let mut exported = [1.0, 0.0, 2.0, 100.0, 5.0, 0.0, 0.0, 1.0];
        let restarted = [0.0, 0.0, 0.1, 3.0, 0.0, 0.0, 0.0, 0.0];
        advance(&mut exported, &restarted);
        assert_eq!(exported, restarted);
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
        assert!(detector.observations.len() <= 34, "{}", detector.observations.len());
    }

    #[test]
    fn a_line_with_too_few_fields_costs_only_itself() {
        let machine = Machine::new(&[("proc/stat", "cpu  1 2\ncpu0 1 0 0 1 0 0 0 0\nctxt 7\nprocesses x\n")]);
        let read = machine.read(&COLLECTOR);
        assert_eq!(read.errors.len(), 2);
        assert_eq!(read.value("node_context_switches_total{}").as_deref(), Some("7"));
        assert_eq!(read.lines().len(), 2 + 8);
    }
}
