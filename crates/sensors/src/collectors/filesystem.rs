//! File systems: mounts from `/proc/1/mountinfo` (Documentation/filesystems/proc.rst), sizes from statvfs(3).

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{StatVfs, statvfs};

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "filesystem",
    needs: None,
    collect: Collect::Standard,
    // statvfs blocks on a dying card or a lost disk.
    schedule: Schedule::DedicatedThread,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(5),
    open,
};

const SIZE: Metric = Metric::gauge("node_filesystem_size_bytes", "bytes", "Size of the file system.");
const FREE: Metric = Metric::gauge("node_filesystem_free_bytes", "bytes", "Free space.");
const AVAILABLE: Metric = Metric::gauge(
    "node_filesystem_avail_bytes",
    "bytes",
    "Free space for users other than root.",
);
const FILES: Metric = Metric::gauge("node_filesystem_files", "", "Inodes.");
const FILES_FREE: Metric = Metric::gauge("node_filesystem_files_free", "", "Free inodes.");
const READONLY: Metric = Metric::gauge("node_filesystem_readonly", "", "1 if nothing can be written.");

const MAX_MOUNTS: usize = 16;
/// File systems that hold data without a block device in the table.
const DEVICELESS: [&str; 6] = ["bcachefs", "btrfs", "jffs2", "tmpfs", "ubifs", "zfs"];
/// Images that are always full.
const IMAGES: [&str; 4] = ["erofs", "iso9660", "squashfs", "udf"];
/// Mount points of devices, credentials and containers, which node_exporter excludes too: these and everything below …
const EXCLUDED: [&str; 3] = ["/dev", "/proc", "/sys"];
/// … and everything below these; a mount at the path itself is a disk for containers.
const EXCLUDED_BELOW: [&str; 3] = ["/run/credentials", "/var/lib/containers/storage", "/var/lib/docker"];
/// Options of a file system that cannot be written to: mounted so; ext4 since Linux 6.15 after `errors=remount-ro`, while it goes on saying
/// `rw`; ext4 and XFS after they were shut down.
const READ_ONLY: [&str; 3] = ["ro", "emergency_ro", "shutdown"];

struct Filesystem {
    procfs: Root,
    rootfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Filesystem {
        procfs: Root::new(&settings.paths.procfs),
        rootfs: Root::new(&settings.paths.rootfs),
    }))
}

impl Collector for Filesystem {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        // The mounts of process 1: our own namespace is that of a sandbox. Only root may read it.
        let text = self
            .procfs
            .table("1/mountinfo")
            .or_else(|_| self.procfs.table("self/mountinfo"))?;
        let mut mounts = mounts(&text);
        for _ in mounts.drain(mounts.len().min(MAX_MOUNTS)..) {
            recorder.drop_one();
        }
        for mount in &mounts {
            // statvfs blocks on a disk that is gone, or a root on the network.
            if recorder.begin_part(&mount.point) {
                self.read_mount(mount, recorder);
            }
        }
        Ok(())
    }
}

impl Filesystem {
    fn read_mount(&self, mount: &Mount, recorder: &mut Recorder) {
        let labels = [
            ("device", mount.device.as_str()),
            ("fstype", mount.kind.as_str()),
            ("mountpoint", mount.point.as_str()),
        ];
        let path = self.rootfs.path(mount.point.trim_start_matches('/'));
        match statvfs(&path) {
            Ok(StatVfs {
                f_frsize,
                f_blocks,
                f_bfree,
                f_bavail,
                f_files,
                f_ffree,
                ..
            }) => {
                let bytes = |blocks: u64| blocks as f64 * f_frsize as f64;
                recorder.push(&SIZE, &labels, bytes(f_blocks));
                recorder.push(&FREE, &labels, bytes(f_bfree));
                recorder.push(&AVAILABLE, &labels, bytes(f_bavail));
                recorder.push(&FILES, &labels, f_files as f64);
                recorder.push(&FILES_FREE, &labels, f_ffree as f64);
                recorder.push(&READONLY, &labels, f64::from(u8::from(mount.is_readonly)));
            }
            Err(error) => recorder.record(
                &SIZE,
                &labels,
                Err(ReadError::Io {
                    path,
                    source: error.into(),
                }),
            ),
        }
    }
}

#[derive(Debug, PartialEq)]
struct Mount {
    /// `major:minor`, the same for every mount of a file system.
    number: String,
    /// False for a bind mount of a part of it.
    is_whole: bool,
    point: String,
    kind: String,
    device: String,
    is_readonly: bool,
}

/// The mounts to export, each file system once.
fn mounts(text: &str) -> Vec<Mount> {
    // A later mount hides an earlier one at the same mount point.
    let by_point: BTreeMap<String, Mount> = text
        .lines()
        .filter_map(Mount::parse)
        .map(|mount| (mount.point.clone(), mount))
        .collect();
    let mut mounts: Vec<Mount> = by_point.into_values().filter(Mount::is_exported).collect();
    // A sandbox bind-mounts parts of a file system elsewhere; `/` may be a part itself (a subvolume, a deployment of ostree).
    mounts.sort_by_key(|mount| (!mount.is_root(), !mount.is_whole));
    let mut seen = HashSet::new();
    mounts.retain(|mount| seen.insert(mount.number.clone()));
    mounts
}

impl Mount {
    /// `36 35 98:0 /subtree /mount/point rw,noatime master:1 - ext3 /dev/root rw,errors=continue`, where the optional fields
    /// before the dash may be any number.
    fn parse(line: &str) -> Option<Self> {
        let (place, what) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(2);
        let (number, subtree, point) = (place.next()?, place.next()?, place.next()?);
        let mut what = what.split(' ');
        let (kind, device, options) = (what.next()?, what.next()?, what.next()?);
        Some(Self {
            number: number.to_owned(),
            is_whole: subtree == "/",
            point: unescape(point),
            kind: kind.to_owned(),
            device: unescape(device),
            // The option of the superblock; that of the mount is "ro" for everything in a sandbox.
            is_readonly: options.split(',').any(|option| READ_ONLY.contains(&option)),
        })
    }

    fn is_root(&self) -> bool {
        self.point == "/"
    }

    /// True if it holds data of this device: statvfs of a network file system may hang, and that of an automount mounts it. `/` is exported
    /// whatever it is: an overlay, memory, the network.
    fn is_exported(&self) -> bool {
        let kind = self.kind.as_str();
        let is_local = self.device.starts_with("/dev/") || DEVICELESS.contains(&kind);
        let point = Path::new(&self.point);
        let is_excluded = EXCLUDED.iter().any(|path| point.starts_with(path))
            || EXCLUDED_BELOW
                .iter()
                .any(|path| point.starts_with(path) && point != Path::new(path));
        self.is_root() || is_local && kind != "autofs" && !IMAGES.contains(&kind) && !is_excluded
    }
}

/// Decodes the octal escapes of space, tab, newline and backslash (`\040`).
fn unescape(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        decoded.push_str(before);
        match after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if byte.is_ascii() => {
                decoded.push(char::from(byte));
                rest = &after[3..];
            }
            _ => {
                decoded.push('\\');
                rest = after;
            }
        }
    }
    decoded + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    const TABLE: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 179:2 / / ro,noatime shared:1 - ext4 /dev/mmcblk0p2 rw,errors=remount-ro
28 27 179:2 /var/lib /mnt/bound rw - ext4 /dev/mmcblk0p2 rw
29 27 179:1 / /boot/firmware rw - vfat /dev/mmcblk0p1 ro
30 27 0:25 / /run rw - tmpfs tmpfs rw
31 27 0:25 /systemd/inaccessible/dir /home ro - tmpfs tmpfs rw
32 27 7:0 / /snap/core ro - squashfs /dev/loop0 ro
33 27 0:40 / /net rw - autofs systemd-1 rw
34 27 0:41 / /net/share rw - nfs4 server:/share rw
35 27 8:1 / /media/my\\040stick\\\\x rw - exfat /dev/sda1 rw
36 27 0:50 / /devices rw - tmpfs tmpfs rw
broken line
";

    #[test]
    fn each_file_system_of_the_device_appears_once_at_its_own_place() {
        let mounts = mounts(TABLE);
        let points: Vec<_> = mounts.iter().map(|mount| mount.point.as_str()).collect();
        assert_eq!(
            points,
            ["/", "/boot/firmware", "/devices", "/media/my stick\\\\x", "/run"]
        );
        assert!(!mounts[0].is_readonly && mounts[1].is_readonly);
    }

    /// `point` and whether it is read-only, of each mount that is exported.
    fn exported(table: &str) -> Vec<(String, bool)> {
        mounts(table)
            .into_iter()
            .map(|mount| (mount.point, mount.is_readonly))
            .collect()
    }

    fn points(table: &str) -> Vec<String> {
        exported(table).into_iter().map(|(point, _)| point).collect()
    }

    #[test]
    fn what_cannot_be_written_to_is_read_only_however_the_kernel_says_it() {
        let table = "\
27 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw,errors=remount-ro,emergency_ro
28 27 8:1 / /a rw - ext4 /dev/sda1 ro,errors=remount-ro
29 27 8:2 / /b rw - xfs /dev/sda2 rw,attr2,shutdown,noquota
30 27 8:3 / /c ro - ext4 /dev/sda3 rw,errors=remount-ro
";
        let [root, a, b, c] = exported(table).try_into().unwrap();
        assert_eq!(
            [root, a, b, c].map(|(_, is_readonly)| is_readonly),
            [true, true, true, false]
        );
    }

    #[test]
    fn a_disk_for_containers_is_exported_and_what_they_mount_is_not() {
        let table = "\
27 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw
28 27 8:1 / /var/lib/docker rw - ext4 /dev/sda1 rw
29 28 8:17 / /var/lib/docker/overlay2/x rw - xfs /dev/sdb1 rw
30 27 8:33 / /var/lib/containers/storage rw - ext4 /dev/sdc1 rw
31 27 0:30 / /run/credentials/x.service ro - tmpfs tmpfs rw
32 27 0:31 / /var/lib/dockerish rw - tmpfs tmpfs rw
";
        assert_eq!(
            points(table),
            [
                "/",
                "/var/lib/containers/storage",
                "/var/lib/docker",
                "/var/lib/dockerish"
            ]
        );
    }

    #[test]
    fn the_root_is_exported_at_its_place_whatever_it_is() {
        let btrfs = "\
27 1 0:22 /@ / rw - btrfs /dev/nvme0n1p2 rw,subvol=/@
28 27 0:22 /@home /home rw - btrfs /dev/nvme0n1p2 rw,subvol=/@home
29 27 0:22 / /mnt/pool rw - btrfs /dev/nvme0n1p2 rw,subvol=/
";
        assert_eq!(points(btrfs), ["/"]);
        let ostree = "\
27 1 179:2 /ostree/deploy/os/deploy/abc.0 / ro - ext4 /dev/mmcblk0p2 rw
28 27 179:2 / /sysroot ro - ext4 /dev/mmcblk0p2 rw
29 27 179:2 /ostree/deploy/os/var /var rw - ext4 /dev/mmcblk0p2 rw
";
        assert_eq!(points(ostree), ["/"]);
        let read_only_card = "\
21 1 0:24 / / rw - overlay overlayroot rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay
22 21 179:2 / /media/root-ro ro - ext4 /dev/mmcblk0p2 ro
23 21 0:23 / /media/root-rw rw - tmpfs tmpfs-root rw
";
        assert_eq!(points(read_only_card), ["/", "/media/root-ro", "/media/root-rw"]);
        for root in [
            "nfs4 server:/srv/pi rw",
            "9p share rw",
            "virtiofs root rw",
            "squashfs /dev/loop0 ro",
        ] {
            assert_eq!(points(&format!("21 1 0:24 / / rw - {root}\n")), ["/"]);
        }
    }

    #[test]
    fn the_root_is_not_crowded_out() {
        let disks: String = (0..20)
            .map(|n| format!("{} 1 8:{n} / /!{n} rw - ext4 /dev/sd{n} rw\n", n + 30))
            .collect();
        assert_eq!(points(&format!("{disks}27 1 0:22 /@ / rw - btrfs /dev/x rw\n"))[0], "/");
    }

    #[test]
    fn escapes_are_decoded_and_broken_ones_kept() {
        assert_eq!(unescape(r"a\040b\134c\011"), "a b\\c\t");
        assert_eq!(unescape(r"\04 \999 \é\"), r"\04 \999 \é\");
    }

    #[test]
    fn sizes_are_read_below_the_root_of_the_settings() {
        let mut machine = Machine::new(&[("proc/self/mountinfo", TABLE), ("run/x", "")]);
        machine.settings.paths.rootfs = machine.settings.paths.procfs.join("..");
        let read = machine.read(&COLLECTOR);
        // Of the other mounts no directory exists below that root.
        assert_eq!(read.lines().len(), 2 * 6);
        assert!(read.errors.is_empty());
        let readonly = "node_filesystem_readonly{device=/dev/mmcblk0p2,fstype=ext4,mountpoint=/}";
        assert_eq!(read.value(readonly).as_deref(), Some("0"));
    }
}
