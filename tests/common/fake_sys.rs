//! A directory that stands for /sys.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::only;

/// A directory that stands for /sys, filled by the test.
pub struct FakeSys(pub TempDir);

impl FakeSys {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Like the kernel's, the file is never seen half written.
        let new = self.path().join("new");
        std::fs::write(&new, content).unwrap();
        std::fs::rename(new, path).unwrap();
    }

    /// A thermal zone that reads `millidegrees`.
    pub fn zone(&self, number: usize, millidegrees: &str) {
        self.write(&format!("class/thermal/thermal_zone{number}/type"), "cpu-thermal\n");
        self.write(&format!("class/thermal/thermal_zone{number}/temp"), millidegrees);
    }

    /// Makes every read of `file` fail with `EIO`, by the one file that does so everywhere: address 0 of the reader's memory.
    pub fn break_file(&self, file: &str) {
        let path = self.path().join(file);
        let _ = std::fs::remove_file(&path);
        std::os::unix::fs::symlink("/proc/self/mem", path).unwrap();
    }

    /// Makes every read of `file` block: a pipe that nobody writes to.
    pub fn block_file(&self, file: &str) {
        let path = self.path().join(file);
        let _ = std::fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    /// Settings that read the given sources below this directory.
    pub fn settings(&self, sources: &[&str]) -> String {
        format!("{}[paths]\nsysfs = {:?}\n", only(sources), self.path())
    }
}
