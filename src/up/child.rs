//! A child process: it ends when we end, and the end of its output is kept.

use std::fs::File;
use std::io::{self, PipeReader, pipe};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, getpid, getppid, kill_process, kill_process_group, set_parent_process_death_signal,
};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child as Process, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::error::{ChildExit, UpError};
use super::terminal;

use edgewatch_program::lock::lock;

/// Time to end after SIGTERM. Prometheus writes its last samples out, which takes a while on an SD card.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of output that are kept.
const MAX_OUTPUT: usize = 8 << 10;
/// Lines of them that are shown.
const MAX_LINES: usize = 20;

pub(crate) struct Child {
    name: &'static str,
    process: Process,
    pid: Pid,
    output: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Child {
    /// Starts `command` with `lock` held. Must be called on the main thread: the kernel ends the process with the *thread* that
    /// started it.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(name: &'static str, mut command: Command, lock: &File) -> Result<Self, UpError> {
        let fail = |source: io::Error| UpError::Start { name, source };
        let (read_end, write_end) = pipe().map_err(fail)?;
        command
            .stdin(lock.try_clone().map_err(fail)?)
            .stdout(write_end.try_clone().map_err(fail)?)
            .stderr(write_end)
            // Ctrl-C at the terminal signals the foreground group: the children are stopped by us, in order.
            .process_group(0);
        end_with_us(&mut command);
        let process = command.spawn().map_err(fail)?;
        // The command holds the write end, without whose last copy closed the reader sees no end of file.
        drop(command);
        let pid = process
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()))
            .ok_or_else(|| fail(Errno::SRCH.into()))?;
        let output = Arc::default();
        let reader = tokio::spawn(keep_last(read_end, Arc::clone(&output)));
        Ok(Self {
            name,
            process,
            pid,
            output,
            reader,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().cast_unsigned()
    }

    /// Waits until it ends by itself, and gives its exit status and last output.
    pub(crate) async fn ended(&mut self) -> ChildExit {
        let status = match self.process.wait().await {
            Ok(status) => explain(status),
            Err(error) => error.to_string(),
        };
        // Its last output may still be in the pipe. With a timeout: a process that it left behind may hold the write end.
        let _ = timeout(Duration::from_secs(1), &mut self.reader).await;
        ChildExit {
            name: self.name,
            status,
            output: self.last_output(),
        }
    }

    /// Stops it with SIGTERM, and kills it after a timeout.
    pub(crate) async fn stop(mut self) {
        if self.process.id().is_some() {
            // Fails if it ends at this moment.
            let _ = kill_process(self.pid, Signal::TERM);
        }
        if timeout(STOP_TIMEOUT, self.process.wait()).await.is_err() {
            terminal::warn(format!(
                "{} does not end within {STOP_TIMEOUT:?}: killing it",
                self.name
            ));
            // `Drop` kills it.
        }
    }

    /// The end of its output, one indented line each.
    fn last_output(&self) -> String {
        let output = lock(&self.output);
        let text = String::from_utf8_lossy(&output);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(MAX_LINES)..]
            .iter()
            .flat_map(|line| ["\n  ", line])
            .collect()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Not if it has been reaped: the process ID may have been reused.
        if self.process.id().is_some() {
            // The whole process group. Fails if it ends at this moment.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }
}

/// Has the kernel send SIGTERM to the process when we end in any way.
fn end_with_us(command: &mut Command) {
    let parent = getpid();
    // SAFETY: between fork and exec only system calls are made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::TERM))?;
            // The parent may have ended before that took effect.
            if getppid() != Some(parent) {
                return Err(Errno::SRCH.into());
            }
            Ok(())
        });
    }
}

async fn keep_last(pipe: PipeReader, output: Arc<Mutex<Vec<u8>>>) {
    let Ok(mut pipe) = Receiver::from_owned_fd(pipe.into()) else {
        return;
    };
    let mut chunk = [0; 1024];
    while let Ok(length @ 1..) = pipe.read(&mut chunk).await {
        let mut output = lock(&output);
        output.extend_from_slice(&chunk[..length]);
        let surplus = output.len().saturating_sub(MAX_OUTPUT);
        output.drain(..surplus);
    }
}

fn explain(status: ExitStatus) -> String {
    match status.signal() {
        Some(libc::SIGKILL) => format!("{status}: by somebody, or by the kernel for want of memory"),
        _ => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Child::start("the script", command, &tempfile::tempfile().unwrap()).unwrap()
    }

    fn is_alive(pid: u32) -> bool {
        super::super::processes::resident_set(pid).is_ok()
    }

    #[tokio::test]
    async fn the_end_is_reported_with_the_last_output() {
        let message = shell("echo to stdout; echo to stderr >&2; exit 3")
            .ended()
            .await
            .to_string();
        assert_eq!(message, "the script ended (exit status: 3)\n  to stdout\n  to stderr");
        let message = shell("ulimit -c 0; kill -SEGV $$").ended().await.to_string();
        assert_eq!(message, "the script ended (signal: 11 (SIGSEGV))");
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let mut child = shell("head -c 300000 /dev/zero | tr '\\0' x; for i in $(seq 50); do echo line $i; done");
        let message = child.ended().await.to_string();
        assert!(child.output.lock().unwrap().len() <= MAX_OUTPUT);
        assert_eq!(message.lines().count(), 1 + MAX_LINES);
        assert!(message.ends_with("\n  line 50"), "{message}");
    }

    #[tokio::test]
    async fn it_is_stopped_and_its_group_killed_when_dropped() {
        let child = shell("sleep 600 & wait");
        let pid = child.pid();
        let began = Instant::now();
        child.stop().await;
        assert!(began.elapsed() < STOP_TIMEOUT && !is_alive(pid));

        let child = shell("trap '' TERM; sleep 600 & echo $!; wait");
        while child.output.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let grandchild: u32 = child.last_output().trim().parse().unwrap();
        drop(child);
        let began = Instant::now();
        while is_alive(grandchild) {
            assert!(began.elapsed() < STOP_TIMEOUT);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
