//! How many processes and threads there are, and may be (proc_pid_stat(5), Documentation/admin-guide/sysctl/kernel.rst).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "processes",
    needs: None,
    collect: Collect::Full,
    // A file for each process.
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(2),
    open,
};

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::gauge(name, "", help).within(NOT_NEGATIVE)
}

const STATE: Metric = gauge("node_processes_state", "Processes in each state, by its letter.");
const PIDS: Metric = gauge("node_processes_pids", "Processes.");
const THREADS: Metric = gauge("node_processes_threads", "Threads of all processes.");
const MAX_PIDS: Metric = gauge(
    "node_processes_max_processes",
    "One more than the highest number of a process.",
);
const MAX_THREADS: Metric = gauge("node_processes_max_threads", "Threads that there can be.");
/// The first process: who does not see it sees only some.
const FIRST: &str = "1/stat";

struct Processes {
    procfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Processes {
        procfs: Root::new(&settings.paths.procfs),
    }))
}

impl Collector for Processes {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        recorder.record(&MAX_PIDS, &[], self.procfs.number("sys/kernel/pid_max"));
        recorder.record(&MAX_THREADS, &[], self.procfs.number("sys/kernel/threads-max"));
        // The unit hides the processes of others (ProtectProc=): what is left would be a number of something else.
        if !self.procfs.exists(FIRST) {
            return Ok(());
        }
        let mut states: BTreeMap<char, usize> = BTreeMap::new();
        let mut threads = 0;
        for process in self.procfs.list("")? {
            if !process.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            match self.stat(&process) {
                Ok((state, count)) => {
                    *states.entry(state).or_default() += 1;
                    threads += count;
                }
                Err(error) if has_ended(&error) => {}
                Err(error) => return Err(error),
            }
        }
        recorder.push(&PIDS, &[], states.values().sum::<usize>() as f64);
        recorder.push(&THREADS, &[], threads as f64);
        for (state, count) in states {
            recorder.push(&STATE, &[("state", &state.to_string())], count as f64);
        }
        Ok(())
    }
}

impl Processes {
    /// State and number of threads.
    fn stat(&self, process: &str) -> Result<(char, u64), ReadError> {
        let file = format!("{process}/stat");
        let text = self.procfs.attribute(&file)?;
        // The name in front, in brackets, can hold anything.
        let mut fields = text
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_ascii_whitespace();
        let state = fields.next().and_then(|state| state.chars().next());
        let invalid = || ReadError::invalid(&self.procfs.path(&file), "it has no state");
        let state = state.filter(char::is_ascii_alphabetic).ok_or_else(invalid)?;
        // The third field is the state, the twentieth the number of threads.
        Ok((state, self.procfs.parse(&file, fields.nth(16))?))
    }
}

/// Between the list of all processes and the read of its file.
fn has_ended(error: &ReadError) -> bool {
    error.is_missing() || matches!(error, ReadError::Io { source, .. } if source.raw_os_error() == Some(libc::ESRCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    const LIMITS: [(&str, &str); 2] = [
        ("proc/sys/kernel/pid_max", "32768"),
        ("proc/sys/kernel/threads-max", "3000"),
    ];

    #[test]
    fn processes_are_counted_by_state_whatever_they_are_called() {
        let machine = Machine::new(&LIMITS);
        let stat = |name: &str, state: char, threads: u32| {
            format!("7 ({name}) {state} 0 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 {threads} 0 11\n")
        };
        machine.write("proc/1/stat", stat("init", 'S', 1));
        machine.write("proc/7/stat", stat("a) Z (b", 'S', 3));
        machine.write("proc/8/stat", stat("kworker/0:1", 'I', 1));
        machine.write("proc/self/stat", stat("x", 'R', 9));
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            [
                "node_processes_max_processes{} 32768",
                "node_processes_max_threads{} 3000",
                "node_processes_pids{} 3",
                "node_processes_threads{} 5",
                "node_processes_state{state=I} 1",
                "node_processes_state{state=S} 2",
            ]
        );
    }

    #[test]
    fn who_sees_only_his_own_processes_counts_none() {
        let machine = Machine::new(&LIMITS);
        machine.write("proc/7/stat", "7 (own) R 0\n");
        let read = machine.read(&COLLECTOR);
        assert_eq!(read.lines().len(), 2, "{:?}", read.lines());
        assert!(read.errors.is_empty());
    }
}
