//! A disk of some megabytes that can run full.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system in memory; gone when dropped.
pub struct SmallDisk {
    mount: TempDir,
}

impl SmallDisk {
    /// `None`, with a line that says why, where it cannot be mounted: that takes root.
    pub fn new(test: &str) -> Option<Self> {
        let mount = tempfile::tempdir().unwrap();
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
            .arg(mount.path())
            .output()
            .unwrap();
        if output.status.success() {
            return Some(Self { mount });
        }
        let why = String::from_utf8_lossy(&output.stderr);
        super::skip(test, &format!("no tmpfs can be mounted: {}", why.trim()));
        None
    }

    pub fn path(&self) -> &Path {
        self.mount.path()
    }

    /// Leaves no byte.
    pub fn fill(&self) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.filler())
            .unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
    }

    /// As the kernel leaves a card whose file system is damaged.
    pub fn make_read_only(&self) {
        let status = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Takes back what [`Self::fill`] put there.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that was just killed may still have files open.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
