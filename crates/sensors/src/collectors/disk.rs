//! Disks, from `/proc/diskstats` (Documentation/admin-guide/iostats.rst).

use std::time::Duration;

use crate::collectors::attributes;
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "disk",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

/// Sectors in a byte: a sector is 512 bytes here, independent of the device.
const SECTORS: f64 = 1.0 / 512.0;
/// Milliseconds in a second. Divided by, since a product with 0.001 would not come out as the nearest number.
const MILLISECONDS: f64 = 1e3;
const MAX_DISKS: usize = 16;
const IO_NOW: Metric = Metric::gauge("node_disk_io_now", "", "I/Os in flight.");
const DISKSTATS: &str = "diskstats";
const INFO: Metric = Metric::gauge("node_disk_info", "", "What the disk is; always 1.");
/// Labels of it and the attributes that they come from: of SCSI and ATA, and of NVMe.
const TEXTS: [(&str, &str); 6] = [
    ("model", "device/model"),
    ("revision", "device/rev"),
    ("revision", "device/firmware_rev"),
    ("rotational", "queue/rotational"),
    ("serial", "device/serial"),
    ("vendor", "device/vendor"),
];

/// The columns after the name: from which `collect` on, how many of their unit make the base unit, and metric. Discards came with Linux 4.18,
/// flushes with 5.5.
static COLUMNS: [(Collect, f64, Metric); 17] = [
    (
        Collect::Standard,
        1.0,
        Metric::counter("node_disk_reads_completed_total", "", "Reads completed."),
    ),
    (
        Collect::Full,
        1.0,
        Metric::counter(
            "node_disk_reads_merged_total",
            "",
            "Reads that were merged with another.",
        ),
    ),
    (
        Collect::Standard,
        SECTORS,
        Metric::counter("node_disk_read_bytes_total", "bytes", "Bytes read."),
    ),
    (
        Collect::Standard,
        MILLISECONDS,
        Metric::counter(
            "node_disk_read_time_seconds_total",
            "seconds",
            "Time spent by all reads.",
        ),
    ),
    (
        Collect::Standard,
        1.0,
        Metric::counter("node_disk_writes_completed_total", "", "Writes completed."),
    ),
    (
        Collect::Full,
        1.0,
        Metric::counter(
            "node_disk_writes_merged_total",
            "",
            "Writes that were merged with another.",
        ),
    ),
    (
        Collect::Standard,
        SECTORS,
        Metric::counter("node_disk_written_bytes_total", "bytes", "Bytes written."),
    ),
    (
        Collect::Standard,
        MILLISECONDS,
        Metric::counter(
            "node_disk_write_time_seconds_total",
            "seconds",
            "Time spent by all writes.",
        ),
    ),
    (Collect::Standard, 1.0, IO_NOW),
    (
        Collect::Standard,
        MILLISECONDS,
        Metric::counter("node_disk_io_time_seconds_total", "seconds", "Time with I/O in flight."),
    ),
    (
        Collect::Full,
        MILLISECONDS,
        Metric::counter(
            "node_disk_io_time_weighted_seconds_total",
            "seconds",
            "Time spent by all I/O, those in flight included.",
        ),
    ),
    (
        Collect::Full,
        1.0,
        Metric::counter("node_disk_discards_completed_total", "", "Discards completed."),
    ),
    (
        Collect::Full,
        1.0,
        Metric::counter(
            "node_disk_discards_merged_total",
            "",
            "Discards that were merged with another.",
        ),
    ),
    (
        Collect::Full,
        1.0,
        Metric::counter("node_disk_discarded_sectors_total", "", "Sectors discarded."),
    ),
    (
        Collect::Full,
        MILLISECONDS,
        Metric::counter(
            "node_disk_discard_time_seconds_total",
            "seconds",
            "Time spent by all discards.",
        ),
    ),
    (
        Collect::Full,
        1.0,
        Metric::counter("node_disk_flush_requests_total", "", "Flushes completed."),
    ),
    (
        Collect::Full,
        MILLISECONDS,
        Metric::counter(
            "node_disk_flush_requests_time_seconds_total",
            "seconds",
            "Time spent by all flushes.",
        ),
    ),
];
/// Columns that every kernel has.
const LEAST_COLUMNS: usize = 11;

struct Disk {
    procfs: Root,
    sysfs: Root,
    collect: Collect,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Disk {
        procfs: Root::new(&settings.paths.procfs),
        sysfs: Root::new(&settings.paths.sysfs),
        collect: settings.collect,
    }))
}

impl Collector for Disk {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let table = self.procfs.table(DISKSTATS)?;
        let rows = table
            .lines()
            .map(|line| line.split_ascii_whitespace().skip(2).collect());
        let mut disks: Vec<Vec<&str>> = rows
            .filter(|row: &Vec<&str>| row.first().is_some_and(|name| self.is_disk(name)))
            .collect();
        // Used disks first: modules such as nbd create idle ones by the dozen.
        disks.sort_by_key(|row| !is_used(&row[1..]));
        for (number, row) in disks.iter().enumerate() {
            if number >= MAX_DISKS {
                recorder.drop_one();
                continue;
            }
            let fields = &row[1..];
            for (position, (least, units, metric)) in COLUMNS.iter().enumerate() {
                let is_there = position < fields.len().max(LEAST_COLUMNS);
                if self.collect >= *least && is_there {
                    let field = fields.get(position).copied();
                    self.read_column(*units, metric, &[("device", row[0])], field, recorder);
                }
            }
            if self.collect == Collect::Full {
                let device = ("device", row[0]);
                attributes::record_info(&self.sysfs, &directory(row[0]), &INFO, Some(device), &TEXTS, recorder);
            }
        }
        Ok(())
    }
}

/// Where sysfs has a disk: a slash in its name is an exclamation mark there.
fn directory(name: &str) -> String {
    format!("class/block/{}", name.replace('/', "!"))
}

/// True if anything was ever read or written.
fn is_used(counters: &[&str]) -> bool {
    counters.iter().any(|counter| *counter != "0")
}

impl Disk {
    fn read_column(
        &self,
        units: f64,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        field: Option<&str>,
        recorder: &mut Recorder,
    ) {
        // The kernel sums the requests in flight without a lock, so the number is negative now and then, written as such or as an unsigned
        // number of 32 bits. That is no error.
        let is_below_zero = |count: i64| count < 0 || (i64::from(i32::MAX)..=u32::MAX.into()).contains(&count);
        if *metric == IO_NOW && field.and_then(|count| count.parse().ok()).is_some_and(is_below_zero) {
            return;
        }
        let value = self.procfs.parse::<u64>(DISKSTATS, field);
        recorder.record(metric, labels, value.map(|number| number as f64 / units));
    }

    /// True for a whole disk: no partition, neither memory nor a file that is shown as a disk, and not empty as a reader without a card.
    fn is_disk(&self, name: &str) -> bool {
        let is_kind = |kind| {
            name.strip_prefix(kind)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let directory = directory(name);
        !["loop", "ram", "zram", "fd"].into_iter().any(is_kind)
            && !self.sysfs.exists(format!("{directory}/partition"))
            && !self
                .sysfs
                .number(format!("{directory}/size"))
                .is_ok_and(|sectors| sectors == 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn whole_disks_are_exported_in_base_units() {
        let read = Machine::new(&[
            (
                "proc/diskstats",
                " 7 0 loop0 1 2 3 4 5 6 7 8 9 10 11\n 179 0 mmcblk0 1 2 3 4 5 6 7 8 9 10 11\n \
                 179 1 mmcblk0p1 1 2 3 4 5 6 7 8 9 10 11\n",
            ),
            ("sys/class/block/mmcblk0p1/partition", "1\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(read.lines().len(), 8);
        for (series, value) in [
            ("node_disk_read_bytes_total{device=mmcblk0}", "1536"),
            ("node_disk_written_bytes_total{device=mmcblk0}", "3584"),
            ("node_disk_io_time_seconds_total{device=mmcblk0}", "0.01"),
        ] {
            assert_eq!(read.value(series).as_deref(), Some(value), "{series}");
        }
    }

    #[test]
    fn a_count_of_requests_below_zero_is_left_out_alone() {
        for negative in ["-1", "4294967295", "4294967290"] {
            let table = format!(" 8 0 sda 1 2 3 4 5 6 7 8 {negative} 10 11\n 8 16 sdb 1 2 3 4 5 6 7 8 3 10 11\n");
            let read = Machine::new(&[("proc/diskstats", &table)]).read(&COLLECTOR);
            assert!(read.errors.is_empty(), "{:?}", read.errors);
            assert_eq!(read.value("node_disk_io_now{device=sda}"), None, "{negative}");
            assert_eq!(read.value("node_disk_io_now{device=sdb}").as_deref(), Some("3"));
            assert_eq!(read.lines().len(), 2 * 8 - 1);
        }
    }

    #[test]
    fn all_columns_that_the_kernel_has_are_exported_if_wanted() {
        let rows = " 8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n 8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n";
        let mut machine = Machine::new(&[("proc/diskstats", rows)]);
        machine.settings.collect = Collect::Full;
        let read = machine.read(&COLLECTOR);
        assert!(read.errors.is_empty(), "{:?}", read.errors);
        assert_eq!(read.lines().len(), 17 + 11);
        for (series, value) in [
            ("node_disk_reads_merged_total{device=sda}", "2"),
            ("node_disk_io_time_weighted_seconds_total{device=sda}", "0.011"),
            ("node_disk_discarded_sectors_total{device=sda}", "14"),
            ("node_disk_flush_requests_time_seconds_total{device=sda}", "0.017"),
        ] {
            assert_eq!(read.value(series).as_deref(), Some(value), "{series}");
        }
    }

    #[test]
    fn a_disk_says_what_it_is_if_wanted() {
        let row = " 259 0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11\n";
        let mut machine = Machine::new(&[
            ("proc/diskstats", row),
            ("sys/class/block/nvme0n1/device/model", "ACME 970      \n"),
            ("sys/class/block/nvme0n1/device/serial", "S4EW\n"),
            ("sys/class/block/nvme0n1/device/firmware_rev", "2B2Q\n"),
            ("sys/class/block/nvme0n1/queue/rotational", "0\n"),
        ]);
        let info = "node_disk_info{device=nvme0n1,model=ACME 970,revision=2B2Q,rotational=0,serial=S4EW}";
        assert_eq!(machine.read(&COLLECTOR).value(info), None);
        machine.settings.collect = Collect::Full;
        assert_eq!(machine.read(&COLLECTOR).value(info).as_deref(), Some("1"));
    }

    #[test]
    fn a_disk_of_size_0_is_none() {
        let read = Machine::new(&[
            (
                "proc/diskstats",
                " 8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n 8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n",
            ),
            ("sys/class/block/sda/size", "0\n"),
            ("sys/class/block/sdb/size", "2048\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(read.value("node_disk_io_now{device=sda}"), None);
        assert_eq!(read.lines().len(), 8);
    }

    #[test]
    fn a_disk_in_use_is_not_crowded_out_by_idle_ones() {
        let mut table = " 179 0 mmcblk0 9 0 9 0 9 0 9 0 0 9 9\n".to_owned();
        for number in 0..16 {
            table.push_str(&format!(" 43 {number} nbd{number} 0 0 0 0 0 0 0 0 0 0 0\n"));
        }
        table.push_str(" 8 0 sda 77 0 77 0 77 0 77 0 0 77 77\n");
        let read = Machine::new(&[("proc/diskstats", &table)]).read(&COLLECTOR);
        let reads = |device: &str| read.value(&format!("node_disk_reads_completed_total{{device={device}}}"));
        assert_eq!(reads("mmcblk0").as_deref(), Some("9"));
        assert_eq!(reads("sda").as_deref(), Some("77"));
        assert_eq!(read.dropped, 2);
    }
}
