//! Disks, from `/proc/diskstats` (Documentation/admin-guide/iostats.rst).

use std::time::Duration;

use crate::config::Settings;
use crate::error::{Failure, ReadError};
use crate::reading::{Metric, Sample};
use crate::sources::{Definition, Pace, Source};
use crate::sysfs::Root;

/// The source.
pub const SOURCE: Definition = Definition {
    name: "disk",
    pace: Pace::AtScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

/// Sectors in a byte: a sector is 512 bytes here, whatever it is on the device.
const SECTORS: f64 = 1.0 / 512.0;
/// Milliseconds in a second. Divided by, since a product with 0.001 would not come out as the nearest number.
const MILLISECONDS: f64 = 1e3;
const DISKS: usize = 16;
const DISKSTATS: &str = "diskstats";

/// The columns after the name, how many of their unit make the base unit, and metric; `None` is not exported.
static COLUMNS: [Option<(f64, Metric)>; 10] = [
    Some((
        1.0,
        Metric::counter("node_disk_reads_completed_total", "", "Reads completed."),
    )),
    None,
    Some((
        SECTORS,
        Metric::counter("node_disk_read_bytes_total", "bytes", "Bytes read."),
    )),
    Some((
        MILLISECONDS,
        Metric::counter(
            "node_disk_read_time_seconds_total",
            "seconds",
            "Time spent by all reads.",
        ),
    )),
    Some((
        1.0,
        Metric::counter("node_disk_writes_completed_total", "", "Writes completed."),
    )),
    None,
    Some((
        SECTORS,
        Metric::counter("node_disk_written_bytes_total", "bytes", "Bytes written."),
    )),
    Some((
        MILLISECONDS,
        Metric::counter(
            "node_disk_write_time_seconds_total",
            "seconds",
            "Time spent by all writes.",
        ),
    )),
    Some((1.0, Metric::gauge("node_disk_io_now", "", "I/Os in flight."))),
    Some((
        MILLISECONDS,
        Metric::counter("node_disk_io_time_seconds_total", "seconds", "Time with I/O in flight."),
    )),
];

struct Disk {
    procfs: Root,
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Source>, Failure> {
    Ok(Box::new(Disk {
        procfs: Root::new(&settings.paths.procfs),
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Source for Disk {
    fn read(&mut self, sample: &mut Sample) -> Result<(), ReadError> {
        let mut disks = 0;
        for line in self.procfs.table(DISKSTATS)?.lines() {
            let mut fields = line.split_ascii_whitespace().skip(2);
            let Some(device) = fields.next().filter(|name| self.is_disk(name)) else {
                continue;
            };
            disks += 1;
            if disks > DISKS {
                sample.drop_one();
                continue;
            }
            for column in &COLUMNS {
                let field = fields.next();
                if let Some((units, metric)) = column {
                    let value = self.procfs.parse(DISKSTATS, field);
                    sample.record(
                        metric,
                        &[("device", device)],
                        value.map(|number: u64| number as f64 / units),
                    );
                }
            }
        }
        Ok(())
    }
}

impl Disk {
    /// True for a whole disk: no partition, and neither memory nor a file that is shown as a disk.
    fn is_disk(&self, name: &str) -> bool {
        let is_kind = |kind| {
            name.strip_prefix(kind)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        !["loop", "ram", "zram", "fd"].into_iter().any(is_kind)
            && !self.sysfs.exists(format!("class/block/{name}/partition"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::Machine;

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
        .read(&SOURCE);
        assert_eq!(read.lines().len(), 8);
        for (series, value) in [
            ("node_disk_read_bytes_total{device=mmcblk0}", "1536"),
            ("node_disk_written_bytes_total{device=mmcblk0}", "3584"),
            ("node_disk_io_time_seconds_total{device=mmcblk0}", "0.01"),
        ] {
            assert_eq!(read.value(series).as_deref(), Some(value), "{series}");
        }
    }
}
