//! What a process costs.

use std::fs;
use std::ops::Range;
use std::time::Duration;

/// A process of this machine.
pub struct Process {
    pub pid: u32,
}

impl Process {
    /// The first child of a process, whichever of its threads has started it.
    pub fn child_of(pid: u32) -> Option<Self> {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let children = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
        let pid = children
            .collect::<String>()
            .split_whitespace()
            .find_map(|pid| pid.parse().ok())?;
        Some(Self { pid })
    }

    /// From now on `VmHWM` is the most that is resident from now on (proc_pid_clear_refs(5)).
    pub fn reset_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.pid), "5").unwrap();
    }

    /// KiB of the pages of its program, of which a debug build has ten times as many.
    pub fn file_pages(&self) -> u64 {
        self.status("RssFile")
    }

    /// The most memory of its own since [`Self::reset_peak`], in KiB, when there were `file_pages`. The kernel knows only the peak of both
    /// together, and the pages of the program come and go.
    pub fn peak_beside(&self, file_pages: u64) -> u64 {
        self.status("VmHWM").saturating_sub(self.file_pages().max(file_pages))
    }

    /// CPU time that it has used so far.
    pub fn cpu(&self) -> Duration {
        self.ticks(11..13).unwrap()
    }

    /// CPU time that it and its children have used so far, those that have ended and been waited for included: it never falls.
    pub fn cpu_with_children(&self) -> Duration {
        loop {
            let ended = self.ticks(13..15).unwrap();
            // A child may end here, and then counts among the others.
            let running = Self::child_of(self.pid).map_or(Some(Duration::ZERO), |child| child.ticks(11..13));
            let own = self.cpu();
            if let (Some(running), true) = (running, self.ticks(13..15) == Some(ended)) {
                return own + running + ended;
            }
        }
    }

    /// Fields of proc_pid_stat(5), which are hundredths of a second, counted from the one behind the name in parentheses: 14 and 15 are its
    /// own, 16 and 17 those of the children that it has waited for.
    fn ticks(&self, fields: Range<usize>) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let values: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks: u64 = values[fields].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        Some(Duration::from_millis(ticks * 10))
    }

    /// A field of `/proc/PID/status` in KiB, or a plain number.
    pub fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}
