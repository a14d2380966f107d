//! The budget and the usage of the stack, from cgroup v2 (Documentation/admin-guide/cgroup-v2.rst).

use std::num::NonZeroU32;
use std::time::Duration;

use crate::budget::{Budget, GRAFANA, GRAFANA_OF_DEBIAN, SLICE};
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "cgroup",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const BUDGET_MEMORY: Metric = Metric::gauge(
    "edge_budget_memory_bytes",
    "bytes",
    "Memory that budget.toml grants the unit.",
);
const BUDGET_CPU: Metric = Metric::gauge("edge_budget_cpu_cores", "", "CPUs that budget.toml grants the unit.");
const ENFORCED: Metric = Metric::gauge(
    "edge_budget_enforced",
    "",
    "1 if the kernel holds edgewatch.slice to its budget, 0 if nothing does.",
);
const CONTROLLER: Metric = Metric::gauge(
    "edge_cgroup_controller_available",
    "",
    "1 if the controller works on this machine.",
);
const CURRENT: Metric = Metric::gauge(
    "edge_unit_memory_current_bytes",
    "bytes",
    "Memory charged to the unit now.",
);
const PEAK: Metric = Metric::gauge(
    "edge_unit_memory_peak_bytes",
    "bytes",
    "Most memory ever charged to the unit.",
);
const LIMIT: Metric = Metric::gauge(
    "edge_unit_memory_limit_bytes",
    "bytes",
    "Limit in force; absent if there is none.",
);
const TASKS: Metric = Metric::gauge("edge_unit_tasks", "", "Processes and threads in the unit.");
static MEMORY: Metric = Metric::gauge("edge_unit_memory_bytes", "bytes", "Memory by kind.");
static EVENTS: Metric = Metric::counter("edge_unit_memory_events_total", "", "Events of the memory controller.");
static REFAULTS: Metric = Metric::counter(
    "edge_unit_memory_refaults_total",
    "",
    "File pages read again after they were evicted.",
);
static CPU: Metric = Metric::counter("edge_unit_cpu_seconds_total", "seconds", "CPU time used.");
const QUOTA: Metric = Metric::gauge(
    "edge_unit_cpu_limit_cores",
    "",
    "CPU quota in force; absent if there is none.",
);
static THROTTLED: Metric = Metric::counter(
    "edge_unit_cpu_throttled_seconds_total",
    "seconds",
    "Time in which the CPU quota held the unit back.",
);

/// A line of a "flat keyed" file: its key, what it becomes, and how many of its unit make the base unit.
type Line = (&'static str, &'static Metric, Option<(&'static str, &'static str)>, f64);

static FLAT_KEYED: [(&str, &[Line]); 3] = [
    (
        "memory.events",
        &[
            ("high", &EVENTS, Some(("event", "high")), 1.0),
            ("max", &EVENTS, Some(("event", "max")), 1.0),
            ("oom", &EVENTS, Some(("event", "oom")), 1.0),
            ("oom_kill", &EVENTS, Some(("event", "oom_kill")), 1.0),
        ],
    ),
    (
        "memory.stat",
        &[
            ("anon", &MEMORY, Some(("kind", "anon")), 1.0),
            ("file", &MEMORY, Some(("kind", "file")), 1.0),
            ("kernel", &MEMORY, Some(("kind", "kernel")), 1.0),
            ("workingset_refault_file", &REFAULTS, None, 1.0),
        ],
    ),
    (
        "cpu.stat",
        &[
            ("usage_usec", &CPU, None, 1e6),
            ("throttled_usec", &THROTTLED, None, 1e6),
        ],
    ),
];

const CONTROLLERS: [&str; 4] = ["cpu", "io", "memory", "pids"];
const MAX_UNITS: usize = 16;

struct Cgroup {
    procfs: Root,
    sysfs: Root,
    budget: Budget,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Cgroup {
        procfs: Root::new(&settings.paths.procfs),
        sysfs: Root::new(&settings.paths.sysfs),
        budget: Budget::load(settings.paths.budget.as_deref())?,
    }))
}

impl Collector for Cgroup {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for (unit, memory, cores) in self.budget.units() {
            recorder.push(&BUDGET_MEMORY, &[("unit", unit)], memory.0 as f64);
            recorder.push(&BUDGET_CPU, &[("unit", unit)], cores.0);
        }
        let root = self.root();
        let available = match root {
            Some(root) => self.sysfs.table(format!("{root}/cgroup.controllers"))?,
            None => String::new(),
        };
        let is_available = |controller| available.split_ascii_whitespace().any(|name| name == controller);
        for controller in CONTROLLERS {
            let value = f64::from(u8::from(is_available(controller)));
            recorder.push(&CONTROLLER, &[("controller", controller)], value);
        }
        let mut is_enforced = false;
        if let Some(root) = root {
            let own = own_cgroup(&self.procfs.table("self/cgroup")?).to_owned();
            if let Some(slice) = slice_above(&own) {
                let directory = format!("{root}{slice}");
                let limit = self.limit(&directory, "memory.max")?;
                is_enforced =
                    is_available("memory") && limit.is_some_and(|limit| limit <= self.budget.total.memory_max.0 as f64);
                self.read_slice(&directory, recorder)?;
            } else if is_process_unit(&own) {
                self.read_unit(&format!("{root}{own}"), recorder);
            }
        }
        recorder.push(&ENFORCED, &[], f64::from(u8::from(is_enforced)));
        Ok(())
    }
}

impl Cgroup {
    /// Where the hierarchy of cgroup v2 is mounted: alone, or beside those of v1 ("unified").
    fn root(&self) -> Option<&'static str> {
        ["fs/cgroup", "fs/cgroup/unified"]
            .into_iter()
            .find(|root| self.sysfs.exists(format!("{root}/cgroup.controllers")))
    }

    fn read_slice(&self, directory: &str, recorder: &mut Recorder) -> Result<(), ReadError> {
        self.read_unit(directory, recorder);
        let units = self
            .sysfs
            .list(directory)?
            .into_iter()
            .filter(|name| is_process_unit(name));
        for (number, unit) in units.enumerate() {
            if number < MAX_UNITS {
                self.read_unit(&format!("{directory}/{unit}"), recorder);
            } else {
                recorder.drop_one();
            }
        }
        Ok(())
    }

    /// The files of a disabled controller are missing, and so are some on older kernels.
    fn read_unit(&self, directory: &str, recorder: &mut Recorder) {
        let unit = match directory.rsplit('/').next().unwrap_or_default() {
            // So that one budget, one set of rules and one dashboard serve every distribution.
            GRAFANA_OF_DEBIAN => GRAFANA,
            unit => unit,
        };
        let labels = [("unit", unit)];
        for (file, metric) in [
            ("memory.current", &CURRENT),
            ("memory.peak", &PEAK),
            ("pids.current", &TASKS),
        ] {
            recorder.record(metric, &labels, self.sysfs.number(format!("{directory}/{file}")));
        }
        for limit in ["max", "high"] {
            if let Some(bytes) = self.limit(directory, &format!("memory.{limit}")).transpose() {
                recorder.record(&LIMIT, &[("unit", unit), ("limit", limit)], bytes);
            }
        }
        if let Some(cores) = self.quota(directory).transpose() {
            recorder.record(&QUOTA, &labels, cores);
        }
        for (file, lines) in &FLAT_KEYED {
            let file = format!("{directory}/{file}");
            if let Some(text) = recorder.present(self.sysfs.table(&file)) {
                self.read_flat_keyed(&file, &text, lines, unit, recorder);
            }
        }
    }

    fn read_flat_keyed(&self, file: &str, text: &str, lines: &[Line], unit: &str, recorder: &mut Recorder) {
        for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            if let Some((_, metric, label, units)) = lines.iter().find(|(known, ..)| *known == key) {
                let labels: Vec<_> = [("unit", unit)].into_iter().chain(*label).collect();
                let value = self
                    .sysfs
                    .parse(file, Some(value))
                    .map(|number: u64| number as f64 / units);
                recorder.record(metric, &labels, value);
            }
        }
    }

    /// Bytes; `None` if there is no limit.
    fn limit(&self, directory: &str, file: &str) -> Result<Option<f64>, ReadError> {
        let path = format!("{directory}/{file}");
        let Some(text) = self.unless_max(&path)? else {
            return Ok(None);
        };
        let bytes: u64 = self.sysfs.parse(&path, Some(&text))?;
        Ok(Some(bytes as f64))
    }

    /// CPUs, from `cpu.max`: the time that may be used and the period, both in microseconds; `None` if there is no limit.
    fn quota(&self, directory: &str) -> Result<Option<f64>, ReadError> {
        let path = format!("{directory}/cpu.max");
        let Some(text) = self.unless_max(&path)? else {
            return Ok(None);
        };
        let mut words = text.split_ascii_whitespace();
        let time: u32 = self.sysfs.parse(&path, words.next())?;
        let period: NonZeroU32 = self.sysfs.parse(&path, words.next())?;
        Ok(Some(f64::from(time) / f64::from(period.get())))
    }

    /// What the file of a limit contains; `None` if that begins with `max`, or the file does not exist.
    fn unless_max(&self, path: &str) -> Result<Option<String>, ReadError> {
        match self.sysfs.attribute(path) {
            Ok(text) if text.split_ascii_whitespace().next() == Some("max") => Ok(None),
            Ok(text) => Ok(Some(text)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The path in the line of cgroup v2, `0::/edgewatch.slice/edgewatch.service`; empty if there is none.
fn own_cgroup(text: &str) -> &str {
    let path = text
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .unwrap_or_default();
    // Outside of the cgroup namespace: `..` would lead out of /sys.
    if path.split('/').any(|name| name == "..") {
        ""
    } else {
        path
    }
}

/// The path down to `edgewatch.slice`, if it is in `path`.
fn slice_above(path: &str) -> Option<&str> {
    let mut end = 0;
    for name in path.split('/') {
        end += name.len();
        if name == SLICE {
            return path.get(..end);
        }
        end += 1;
    }
    None
}

/// True for the kinds of units that have processes of their own.
fn is_process_unit(path: &str) -> bool {
    path.ends_with(".service") || path.ends_with(".scope")
}

#[cfg(test)]
mod tests;
