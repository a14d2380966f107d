//! A fake machine of a few files, for unit tests of collectors.

use std::fs;

use tempfile::TempDir;

use super::{Collector, Definition};
use crate::reading::{Collected, Recorder, RecorderLimits};
use crate::settings::Settings;

/// A directory with `proc` and `sys` in it.
pub struct Machine {
    directory: TempDir,
    /// Settings that show this machine.
    pub settings: Settings,
}

impl Machine {
    /// With these files, such as `("proc/loadavg", "…")`.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let mut settings = Settings::default();
        settings.paths.procfs = directory.path().join("proc");
        settings.paths.sysfs = directory.path().join("sys");
        let machine = Self { directory, settings };
        for (path, content) in files {
            machine.write(path, content);
        }
        machine
    }

    /// Writes a file, and the directories above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Makes `path` a symbolic link to `target`, both within the machine.
    pub fn link(&self, path: &str, target: &str) {
        let target = self.directory.path().join(target);
        let path = self.directory.path().join(path);
        fs::create_dir_all(&target).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// Opens the collector and reads it once.
    pub fn read(&self, definition: &Definition) -> Collected {
        self.read_from((definition.open)(&self.settings).unwrap().as_mut())
    }

    /// Reads an open collector once.
    pub fn read_from(&self, collector: &mut dyn Collector) -> Collected {
        let limits = RecorderLimits {
            readings: self.settings.limits.readings_per_source,
            label_length: self.settings.limits.label_length,
        };
        let mut recorder = Recorder::new(limits, Box::new(|_| true));
        collector.collect(&mut recorder).unwrap();
        recorder.finish()
    }
}

impl Collected {
    /// The readings as `name{label=value} number`, in the order in which they were read.
    pub fn lines(&self) -> Vec<String> {
        self.readings
            .iter()
            .map(|reading| {
                let labels: Vec<_> = reading
                    .labels
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let value = reading
                    .value
                    .map_or_else(|kind| kind.name().to_owned(), |value| value.to_string());
                format!("{}{{{}}} {value}", reading.metric.name, labels.join(","))
            })
            .collect()
    }

    /// The value of a line as [`Collected::lines`] writes it.
    pub fn value(&self, series: &str) -> Option<String> {
        let found = self
            .lines()
            .into_iter()
            .find(|line| line.starts_with(&format!("{series} ")));
        found.map(|line| line[series.len() + 1..].to_owned())
    }
}
