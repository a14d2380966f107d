//! Errors that file systems have met: ext4 (Documentation/ABI/testing/sysfs-fs-ext4) and btrfs (Documentation of btrfs-device). XFS does not
//! count them.

use crate::collectors::attributes::{self, Attribute};
use crate::error::ReadError;
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::sysfs::Root;

static EXT4: &[Attribute] = &[
    Attribute::new(
        "errors_count",
        1.0,
        Metric::counter(
            "edge_ext4_errors_total",
            "",
            "Errors in the file system since it was last checked.",
        )
        .within(NOT_NEGATIVE),
    ),
    Attribute::new(
        "lifetime_write_kbytes",
        1.0,
        Metric::counter(
            "edge_ext4_lifetime_written_bytes_total",
            "bytes",
            "Bytes written since the file system was made.",
        )
        .within(NOT_NEGATIVE),
    )
    .times(1024.0),
];
const LAST_ERROR: Metric = Metric::gauge(
    "edge_ext4_last_error_time_seconds",
    "seconds",
    "Unix time of the last error in the file system; absent if there was none.",
)
.within(NOT_NEGATIVE);
const BTRFS: Metric = Metric::counter(
    "edge_btrfs_errors_total",
    "",
    "Errors of a device of the file system since they were last reset.",
)
.within(NOT_NEGATIVE);

pub fn record_ext4(sysfs: &Root, recorder: &mut Recorder) -> Result<(), ReadError> {
    const ROOT: &str = "fs/ext4";
    for device in sysfs.list(ROOT)? {
        let directory = format!("{ROOT}/{device}");
        // `features` is a directory too.
        if !sysfs.exists(format!("{directory}/errors_count")) {
            continue;
        }
        let labels = [("device", device.as_str())];
        attributes::record(sysfs, &directory, EXT4, &labels, recorder);
        if recorder.has_room() {
            match sysfs.number(format!("{directory}/last_error_time")) {
                Ok(0.0) => {}
                time => recorder.record(&LAST_ERROR, &labels, time),
            }
        }
    }
    Ok(())
}

pub fn record_btrfs(sysfs: &Root, recorder: &mut Recorder) -> Result<(), ReadError> {
    const ROOT: &str = "fs/btrfs";
    for uuid in sysfs.list(ROOT)? {
        let devices = format!("{ROOT}/{uuid}/devinfo");
        for device in recorder.present(sysfs.list(&devices)).unwrap_or_default() {
            let path = format!("{devices}/{device}/error_stats");
            let Some(text) = recorder.present(sysfs.attribute(&path)) else {
                continue;
            };
            // "write_errs 0", and so on for read, flush, corruption and generation.
            for line in text.lines() {
                let (kind, count) = line.trim().split_once(' ').unwrap_or((line, ""));
                if let Some(kind) = kind.strip_suffix("_errs")
                    && recorder.has_room()
                {
                    let labels = [("uuid", uuid.as_str()), ("devid", &device), ("type", kind)];
                    let count = sysfs.parse::<u64>(&path, Some(count.trim()));
                    recorder.record(&BTRFS, &labels, count.map(|count| count as f64));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::collectors::storage::COLLECTOR;
    use crate::collectors::testing::Machine;

    #[test]
    fn errors_of_file_systems_are_counted_by_device() {
        let read = Machine::new(&[
            ("sys/fs/ext4/features/lazy_itable_init", "supported\n"),
            ("sys/fs/ext4/mmcblk0p2/errors_count", "3\n"),
            ("sys/fs/ext4/mmcblk0p2/last_error_time", "1760000000\n"),
            ("sys/fs/ext4/mmcblk0p2/lifetime_write_kbytes", "52428800\n"),
            ("sys/fs/ext4/sda1/errors_count", "0\n"),
            ("sys/fs/ext4/sda1/last_error_time", "0\n"),
            (
                "sys/fs/btrfs/5a/devinfo/1/error_stats",
                "write_errs 0\nread_errs 2\nflush_errs 0\ncorruption_errs 7\ngeneration_errs x\n",
            ),
            ("sys/fs/btrfs/features/acl", "1\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "edge_ext4_errors_total{device=mmcblk0p2} 3",
                "edge_ext4_lifetime_written_bytes_total{device=mmcblk0p2} 53687091200",
                "edge_ext4_last_error_time_seconds{device=mmcblk0p2} 1760000000",
                "edge_ext4_errors_total{device=sda1} 0",
                "edge_btrfs_errors_total{uuid=5a,devid=1,type=write} 0",
                "edge_btrfs_errors_total{uuid=5a,devid=1,type=read} 2",
                "edge_btrfs_errors_total{uuid=5a,devid=1,type=flush} 0",
                "edge_btrfs_errors_total{uuid=5a,devid=1,type=corruption} 7",
                "edge_btrfs_errors_total{uuid=5a,devid=1,type=generation} invalid",
            ]
        );
    }

    #[test]
    fn a_file_system_that_cannot_be_read_takes_nothing_of_the_others_with_it() {
        // A file in place of a directory cannot be listed.
        let read = Machine::new(&[
            ("sys/fs/btrfs/5a/devinfo", ""),
            ("sys/fs/btrfs/5b/devinfo/1/error_stats", "read_errs 2\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(read.errors.len(), 1, "{:?}", read.errors);
        assert_eq!(read.lines(), ["edge_btrfs_errors_total{uuid=5b,devid=1,type=read} 2"]);
    }
}
