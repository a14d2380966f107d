//! Limits and events of the kernel as a whole: files, connections, memory that was short (Documentation/admin-guide/sysctl/fs.rst,
//! Documentation/networking/nf_conntrack-sysctl.rst, proc_vmstat(5)), and which boot it is (random(4)).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::{Root, quote};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "kernel",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const FILES: Metric =
    Metric::gauge("node_filefd_allocated", "", "Files that are open, by all processes.").within(NOT_NEGATIVE);
const MAX_FILES: Metric =
    Metric::gauge("node_filefd_maximum", "", "Files that may be open, by all processes.").within(NOT_NEGATIVE);
/// What tells two devices apart that a copied card gave the same name and machine id: at the centre of a fleet one name then has two of
/// these at once, while a device that restarts has one after the other.
const BOOT: Metric = Metric::gauge(
    "edge_boot_info",
    "",
    "Always 1; boot is another one after each boot, and on each device.",
);

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::gauge(name, "", help).within(NOT_NEGATIVE)
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric::counter(name, "", help).within(NOT_NEGATIVE)
}

/// Files with one number.
static NUMBERS: [(Collect, &str, Metric); 5] = [
    (
        Collect::Standard,
        "sys/net/netfilter/nf_conntrack_count",
        gauge("node_nf_conntrack_entries", "Connections that the firewall follows."),
    ),
    (
        Collect::Standard,
        "sys/net/netfilter/nf_conntrack_max",
        gauge(
            "node_nf_conntrack_entries_limit",
            "Connections that the firewall can follow.",
        ),
    ),
    (
        Collect::Full,
        "sys/kernel/random/entropy_avail",
        gauge("node_entropy_available_bits", "Bits of entropy that there are."),
    ),
    (
        Collect::Full,
        "sys/kernel/random/poolsize",
        gauge("node_entropy_pool_size_bits", "Bits of entropy that there can be."),
    ),
    (
        Collect::Full,
        "sys/kernel/hung_task_detect_count",
        counter(
            "node_kernel_hung_tasks_total",
            "Tasks that did not run for two minutes.",
        ),
    ),
];

/// Lines of `/proc/vmstat`.
static EVENTS: [(Collect, &str, Metric); 7] = [
    (
        Collect::Standard,
        "oom_kill",
        counter("node_vmstat_oom_kill", "Processes killed because memory was short."),
    ),
    (
        Collect::Standard,
        "pgmajfault",
        counter(
            "node_vmstat_pgmajfault",
            "Pages that had to be read from disk when they were needed.",
        ),
    ),
    (
        Collect::Standard,
        "pswpin",
        counter("node_vmstat_pswpin", "Pages read from swap."),
    ),
    (
        Collect::Standard,
        "pswpout",
        counter("node_vmstat_pswpout", "Pages written to swap."),
    ),
    (
        Collect::Full,
        "pgfault",
        counter(
            "node_vmstat_pgfault",
            "Pages that were not mapped when they were needed.",
        ),
    ),
    (
        Collect::Full,
        "pgpgin",
        counter("node_vmstat_pgpgin", "Kibibytes read from disks."),
    ),
    (
        Collect::Full,
        "pgpgout",
        counter("node_vmstat_pgpgout", "Kibibytes written to disks."),
    ),
];

const FILE_NR: &str = "sys/fs/file-nr";
const VMSTAT: &str = "vmstat";
const BOOT_ID: &str = "sys/kernel/random/boot_id";
/// Digits of the boot id that are shown: enough for two to differ.
const BOOT_DIGITS: usize = 8;

struct Kernel {
    procfs: Root,
    collect: Collect,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Kernel {
        procfs: Root::new(&settings.paths.procfs),
        collect: settings.collect,
    }))
}

impl Collector for Kernel {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        match self.procfs.attribute(FILE_NR) {
            Ok(text) => {
                // Open, of these unused (always 0), limit.
                let fields: Vec<_> = text.split_ascii_whitespace().collect();
                for (position, metric) in [(0, &FILES), (2, &MAX_FILES)] {
                    let value = self.procfs.parse(FILE_NR, fields.get(position).copied());
                    recorder.record(metric, &[], value.map(|number: u64| number as f64));
                }
            }
            Err(error) => recorder.record(&FILES, &[], Err(error)),
        }
        match self.procfs.attribute(BOOT_ID) {
            Ok(id) => match id
                .get(..BOOT_DIGITS)
                .filter(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
            {
                Some(part) => recorder.push(&BOOT, &[("boot", part)], 1.0),
                None => recorder.fail(ReadError::invalid(
                    &self.procfs.path(BOOT_ID),
                    format!("{} is no boot id", quote(&id)),
                )),
            },
            Err(error) if error.is_missing() => {}
            Err(error) => recorder.fail(error),
        }
        for (_, file, metric) in NUMBERS.iter().filter(|(least, ..)| self.collect >= *least) {
            recorder.record(metric, &[], self.procfs.number(file));
        }
        if let Some(table) = recorder.present(self.procfs.table(VMSTAT)) {
            self.read_events(&table, recorder);
        }
        Ok(())
    }
}

impl Kernel {
    fn read_events(&self, table: &str, recorder: &mut Recorder) {
        for (name, number) in table.lines().filter_map(|line| line.split_once(' ')) {
            let event = EVENTS
                .iter()
                .find(|(least, event, _)| *event == name && self.collect >= *least);
            if let Some((.., metric)) = event {
                let value = self.procfs.parse(VMSTAT, Some(number.trim()));
                recorder.record(metric, &[], value.map(|number: u64| number as f64));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn files_connections_and_events_are_read_and_a_kernel_without_a_firewall_has_none() {
        let mut machine = Machine::new(&[
            ("proc/sys/fs/file-nr", "1056\t0\t9223372036854775807\n"),
            ("proc/sys/kernel/random/entropy_avail", "256\n"),
            ("proc/vmstat", "nr_free_pages 5\npgfault 9\noom_kill 2\npswpin x\n"),
        ]);
        let standard = [
            "node_filefd_allocated{} 1056",
            "node_filefd_maximum{} 9223372036854776000",
            "node_vmstat_oom_kill{} 2",
            "node_vmstat_pswpin{} invalid",
        ];
        assert_eq!(machine.read(&COLLECTOR).lines(), standard);
        machine.settings.collect = Collect::Full;
        let full = machine.read(&COLLECTOR);
        assert_eq!(full.value("node_entropy_available_bits{}").as_deref(), Some("256"));
        assert_eq!(full.value("node_vmstat_pgfault{}").as_deref(), Some("9"));
    }
    #[test]
    fn a_boot_is_told_by_a_part_of_its_id_and_no_other_text_becomes_a_label() {
        let id = "proc/sys/kernel/random/boot_id";
        let lines = |text| Machine::new(&[(id, text)]).read(&COLLECTOR).lines();
        let boot = |text| lines(text).into_iter().find(|line| line.contains("boot"));
        let told = boot("3f2a9c1e-7c1b-4d52-9f0e-0b8f2f3a6d11\n");
        assert_eq!(told.as_deref(), Some("edge_boot_info{boot=3f2a9c1e} 1"));
        for text in ["3f2a\n", "not-an-identifier\n", "3f2a9c\u{e9}e-7c1b\n"] {
            assert_eq!(boot(text), None, "{text}");
            let read = Machine::new(&[(id, text)]).read(&COLLECTOR);
            let failures: Vec<String> = read.errors.iter().map(ToString::to_string).collect();
            assert!(
                failures.iter().any(|error| error.contains("no boot id")),
                "{failures:?}"
            );
        }
    }
}
