//! Energy that the processor counts (Documentation/power/powercap/powercap.rst), where more than root may read it, under the names of
//! node_exporter.

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "rapl",
    needs: Some("a processor of Intel or AMD; leave for the group edgewatch-sockets to read energy_uj, by a udev rule"),
    collect: Collect::Standard,
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    deadline: Duration::from_secs(1),
    open,
};

const fn joules(name: &'static str, help: &'static str) -> Metric {
    Metric::counter(name, "joules", help).within(NOT_NEGATIVE)
}

/// The zones there are, by what the kernel calls them.
static ZONES: [(&str, Metric); 5] = [
    (
        "package",
        joules("node_rapl_package_joules_total", "Energy that the package used."),
    ),
    (
        "core",
        joules("node_rapl_core_joules_total", "Energy that the cores used."),
    ),
    (
        "uncore",
        joules(
            "node_rapl_uncore_joules_total",
            "Energy that the rest of the package used.",
        ),
    ),
    (
        "dram",
        joules("node_rapl_dram_joules_total", "Energy that the memory used."),
    ),
    (
        "psys",
        joules("node_rapl_psys_joules_total", "Energy that the platform used."),
    ),
];

const CLASS: &str = "class/powercap";

struct Rapl {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Rapl {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Rapl {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let mut used = [0_u32; ZONES.len()];
        for entry in self.sysfs.list(CLASS)? {
            let directory = format!("{CLASS}/{entry}");
            let Ok(name) = self.sysfs.attribute(format!("{directory}/name")) else {
                continue;
            };
            // "package-0" has its number in its name; of two "dram" the first is 0.
            let (kind, number) = name.split_once('-').unwrap_or((&name, ""));
            let Some(position) = ZONES.iter().position(|(zone, _)| *zone == kind) else {
                continue;
            };
            if !recorder.has_room() {
                continue;
            }
            let index = number.parse().unwrap_or(used[position]);
            used[position] = index.saturating_add(1);
            let energy = self.sysfs.number(format!("{directory}/energy_uj"));
            // Since Linux 5.10 only root may read it: how much a processor uses tells what it computes (CVE-2020-8694).
            if energy.as_ref().is_err_and(ReadError::is_denied) {
                continue;
            }
            let path = self.sysfs.path(&directory);
            let labels = [
                ("index", index.to_string()),
                ("path", path.to_string_lossy().into_owned()),
            ];
            let labels = labels.each_ref().map(|(name, value)| (*name, value.as_str()));
            recorder.record(&ZONES[position].1, &labels, energy.map(|micro| micro / 1e6));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn zones_are_numbered_as_the_kernel_names_them_or_as_they_come() {
        let read = Machine::new(&[
            ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
            ("sys/class/powercap/intel-rapl:0/energy_uj", "240422366267\n"),
            ("sys/class/powercap/intel-rapl:0:0/name", "dram\n"),
            ("sys/class/powercap/intel-rapl:0:0/energy_uj", "1500000\n"),
            ("sys/class/powercap/intel-rapl:1:0/name", "dram\n"),
            ("sys/class/powercap/intel-rapl:1:0/energy_uj", "2500000\n"),
            ("sys/class/powercap/intel-rapl/enabled", "1\n"),
            ("sys/class/powercap/x/name", "package-9999999999\n"),
            ("sys/class/powercap/y/name", "package-4294967295\n"),
        ])
        .read(&COLLECTOR);
        let lines: Vec<_> = read
            .lines()
            .into_iter()
            .map(|line| {
                let (series, value) = line.split_once(",path=").unwrap();
                format!("{series} {}", value.split_once(' ').unwrap().1)
            })
            .collect();
        assert_eq!(
            lines,
            [
                "node_rapl_package_joules_total{index=0 240422.366267",
                "node_rapl_dram_joules_total{index=0 1.5",
                "node_rapl_dram_joules_total{index=1 2.5",
            ]
        );
    }
}
