//! Clocks of the CPUs, and how often heat has slowed them down (Documentation/admin-guide/pm/cpufreq.rst,
//! Documentation/ABI/testing/sysfs-devices-system-cpu).

use std::collections::BTreeMap;
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
    name: "cpufreq",
    needs: Some("nothing; virtual machines have none"),
    collect: Collect::Standard,
    // Some kernels measure the clock while it is read.
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(1),
    open,
};

const CORE_THROTTLES: Metric = Metric::counter(
    "node_cpu_core_throttles_total",
    "",
    "How often the core was slowed down by heat.",
)
.within(NOT_NEGATIVE);
const PACKAGE_THROTTLES: Metric = Metric::counter(
    "node_cpu_package_throttles_total",
    "",
    "How often the package was slowed down by heat.",
)
.within(NOT_NEGATIVE);

const fn clock(file: &'static str, name: &'static str, help: &'static str) -> Attribute {
    let metric = Metric::gauge(name, "hertz", help).within((0.0, 1e11));
    // In kilohertz. What the hardware itself says is for root only on some devices.
    Attribute::optional(file, 1.0, metric).times(1e3)
}

static CLOCKS: &[Attribute] = &[
    clock(
        "scaling_cur_freq",
        "node_cpu_scaling_frequency_hertz",
        "Clock that the kernel has chosen for the CPU.",
    ),
    clock(
        "scaling_max_freq",
        "node_cpu_scaling_frequency_max_hertz",
        "Highest clock that the kernel may choose now.",
    ),
];

/// What else there is, with `collect = "full"`.
static MORE_CLOCKS: &[Attribute] = &[
    clock(
        "cpuinfo_cur_freq",
        "node_cpu_frequency_hertz",
        "Clock that the CPU has.",
    ),
    clock(
        "cpuinfo_avg_freq",
        "node_cpu_frequency_avg_hertz",
        "Average clock of the CPU.",
    ),
    clock(
        "cpuinfo_min_freq",
        "node_cpu_frequency_min_hertz",
        "Lowest clock that the CPU can have.",
    ),
    clock(
        "cpuinfo_max_freq",
        "node_cpu_frequency_max_hertz",
        "Highest clock that the CPU can have.",
    ),
    clock(
        "scaling_min_freq",
        "node_cpu_scaling_frequency_min_hertz",
        "Lowest clock that the kernel may choose now.",
    ),
];
const GOVERNOR: Metric = Metric::gauge(
    "node_cpu_scaling_governor",
    "",
    "1 for the way in which the kernel chooses the clock, 0 for the others that there are.",
);

const CPUS: &str = "devices/system/cpu";

struct Cpufreq {
    sysfs: Root,
    collect: Collect,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Cpufreq {
        sysfs: Root::new(&settings.paths.sysfs),
        collect: settings.collect,
    }))
}

impl Collector for Cpufreq {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let entries = self.sysfs.list(CPUS)?;
        let mut cpus: Vec<u32> = entries
            .iter()
            .filter_map(|entry| entry.strip_prefix("cpu")?.parse().ok())
            .collect();
        cpus.sort_unstable();
        for cpu in &cpus {
            let directory = format!("{CPUS}/cpu{cpu}/cpufreq");
            let cpu = cpu.to_string();
            attributes::record(&self.sysfs, &directory, CLOCKS, &[("cpu", &cpu)], recorder);
            if self.collect == Collect::Full {
                attributes::record(&self.sysfs, &directory, MORE_CLOCKS, &[("cpu", &cpu)], recorder);
                self.read_governor(&directory, &cpu, recorder);
            }
        }
        self.read_throttles(&cpus, recorder);
        Ok(())
    }
}

impl Cpufreq {
    fn read_governor(&self, directory: &str, cpu: &str, recorder: &mut Recorder) {
        let text = |file: &str| self.sysfs.attribute(format!("{directory}/{file}"));
        let (Ok(current), Ok(available)) = (text("scaling_governor"), text("scaling_available_governors")) else {
            return;
        };
        for governor in available.split_ascii_whitespace() {
            if recorder.has_room() {
                let value = f64::from(u8::from(governor == current));
                recorder.push(&GOVERNOR, &[("cpu", cpu), ("governor", governor)], value);
            }
        }
    }

    /// The counters of x86: each core and each package once, of whose CPUs all say the same.
    fn read_throttles(&self, cpus: &[u32], recorder: &mut Recorder) {
        let mut cores = BTreeMap::new();
        let mut packages = BTreeMap::new();
        for cpu in cpus {
            let directory = format!("{CPUS}/cpu{cpu}");
            let topology = |file: &str| self.sysfs.number(format!("{directory}/topology/{file}")).ok();
            let count = |file: &str| format!("{directory}/thermal_throttle/{file}");
            let (Some(package), Some(core)) = (topology("physical_package_id"), topology("core_id")) else {
                continue;
            };
            let (package, core) = (package.to_string(), core.to_string());
            cores
                .entry((package.clone(), core))
                .or_insert_with(|| count("core_throttle_count"));
            packages
                .entry(package)
                .or_insert_with(|| count("package_throttle_count"));
        }
        for ((package, core), file) in &cores {
            if recorder.has_room() {
                let labels = [("package", package.as_str()), ("core", core)];
                recorder.record(&CORE_THROTTLES, &labels, self.sysfs.number(file));
            }
        }
        for (package, file) in &packages {
            if recorder.has_room() {
                recorder.record(&PACKAGE_THROTTLES, &[("package", package)], self.sysfs.number(file));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn clocks_are_in_hertz_in_the_order_of_the_cpus() {
        let machine = Machine::new(&[("sys/devices/system/cpu/cpufreq/boost", "1\n")]);
        for cpu in [0, 2, 10] {
            let directory = format!("sys/devices/system/cpu/cpu{cpu}/cpufreq");
            machine.write(&format!("{directory}/scaling_cur_freq"), "600000\n");
            machine.write(&format!("{directory}/scaling_max_freq"), "1800000\n");
        }
        let read = machine.read(&COLLECTOR);
        assert_eq!(
            read.lines()[..3],
            [
                "node_cpu_scaling_frequency_hertz{cpu=0} 600000000",
                "node_cpu_scaling_frequency_max_hertz{cpu=0} 1800000000",
                "node_cpu_scaling_frequency_hertz{cpu=2} 600000000",
            ]
        );
        assert!(read.errors.is_empty());
    }

    #[test]
    fn what_chooses_the_clock_is_told_if_wanted() {
        let directory = "sys/devices/system/cpu/cpu0/cpufreq";
        let mut machine = Machine::new(&[]);
        machine.write(&format!("{directory}/cpuinfo_max_freq"), "1800000\n");
        machine.write(&format!("{directory}/scaling_governor"), "ondemand\n");
        machine.write(
            &format!("{directory}/scaling_available_governors"),
            "performance ondemand\n",
        );
        machine.settings.collect = Collect::Full;
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            [
                "node_cpu_frequency_max_hertz{cpu=0} 1800000000",
                "node_cpu_scaling_governor{cpu=0,governor=performance} 0",
                "node_cpu_scaling_governor{cpu=0,governor=ondemand} 1",
            ]
        );
    }

    #[test]
    fn a_clock_that_the_kernel_does_not_know_is_no_error() {
        let directory = "sys/devices/system/cpu/cpu0/cpufreq";
        let mut machine = Machine::new(&[]);
        machine.write(&format!("{directory}/cpuinfo_cur_freq"), "<unknown>\n");
        machine.write(&format!("{directory}/cpuinfo_max_freq"), "1800000\n");
        machine.settings.collect = Collect::Full;
        let read = machine.read(&COLLECTOR);
        assert!(read.errors.is_empty(), "{:?}", read.errors);
        assert_eq!(read.lines(), ["node_cpu_frequency_max_hertz{cpu=0} 1800000000"]);
    }

    #[test]
    fn each_core_and_package_counts_once() {
        let machine = Machine::new(&[]);
        for (cpu, core) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
            let directory = format!("sys/devices/system/cpu/cpu{cpu}");
            machine.write(&format!("{directory}/topology/physical_package_id"), "0\n");
            machine.write(&format!("{directory}/topology/core_id"), format!("{core}\n"));
            let count = format!("{}\n", 5 + core);
            machine.write(&format!("{directory}/thermal_throttle/core_throttle_count"), &count);
            machine.write(&format!("{directory}/thermal_throttle/package_throttle_count"), "9\n");
        }
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            [
                "node_cpu_core_throttles_total{package=0,core=0} 5",
                "node_cpu_core_throttles_total{package=0,core=1} 6",
                "node_cpu_package_throttles_total{package=0} 9",
            ]
        );
    }
}
