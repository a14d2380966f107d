//! A process that belongs to us: it ends when we end, and its last words are kept.

use std::fs::File;
use std::io::{self, PipeReader, pipe};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
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

use super::terminal;
use edgewatch_program::error::Failure;

/// Time to end after SIGTERM. Prometheus writes its last samples out, which takes a while on an SD card.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of output that are kept, whatever the process writes.
const WORDS: usize = 8 << 10;
/// Lines of them that are shown.
const LINES: usize = 20;

/// A running process.
pub struct Child {
    name: &'static str,
    process: Process,
    pid: Pid,
    words: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Child {
    /// Starts `command` with `lock` held. Must be called on the main thread: the kernel ends the process with the *thread* that
    /// started it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(name: &'static str, mut command: Command, lock: &File) -> Result<Self, Failure> {
        let fail = |error: io::Error| Failure::because(format!("cannot start {name}"), error);
        let (output, input) = pipe().map_err(fail)?;
        command
            .stdin(lock.try_clone().map_err(fail)?)
            .stdout(input.try_clone().map_err(fail)?)
            .stderr(input)
            // A Ctrl-C at the terminal goes to the foreground group. It is for us to stop things, in order.
            .process_group(0);
        end_with_us(&mut command);
        let process = command.spawn().map_err(fail)?;
        // The command holds the writing end, and as long as it does, the reader sees no end.
        drop(command);
        let pid = process
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()))
            .ok_or_else(|| fail(Errno::SRCH.into()))?;
        let words = Arc::default();
        let reader = tokio::spawn(keep_last(output, Arc::clone(&words)));
        Ok(Self {
            name,
            process,
            pid,
            words,
            reader,
        })
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().cast_unsigned()
    }

    /// Waits until it ends by itself, and tells how, with its last words.
    pub async fn ended(&mut self) -> Failure {
        let how = match self.process.wait().await {
            Ok(status) => explain(status),
            Err(error) => error.to_string(),
        };
        // What it wrote just before is still in the pipe. A process that it left behind may hold the other end.
        let _ = timeout(Duration::from_secs(1), &mut self.reader).await;
        Failure(format!("{} ended ({how}){}", self.name, self.last_words()))
    }

    /// Asks it to end, and kills it if it does not.
    pub async fn stop(mut self) {
        if self.process.id().is_some() {
            // Fails if it ends in this moment.
            let _ = kill_process(self.pid, Signal::TERM);
        }
        if timeout(PATIENCE, self.process.wait()).await.is_err() {
            terminal::warn(format!("{} does not end within {PATIENCE:?}: killing it", self.name));
            // Dropping it does that.
        }
    }

    /// The end of its output, one indented line each.
    fn last_words(&self) -> String {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&words);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..]
            .iter()
            .flat_map(|line| ["\n  ", line])
            .collect()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Not if it has been collected: by now the number may be another's.
        if self.process.id().is_some() {
            // With what it started itself. Fails if it ends in this moment.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }
}

/// Has the kernel send SIGTERM to the process when we end in whatever way.
fn end_with_us(command: &mut Command) {
    let parent = getpid();
    // SAFETY: between fork and exec only system calls are made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::TERM))?;
            // We may have ended before that took effect.
            if getppid() != Some(parent) {
                return Err(Errno::SRCH.into());
            }
            Ok(())
        });
    }
}

async fn keep_last(output: PipeReader, words: Arc<Mutex<Vec<u8>>>) {
    let Ok(mut output) = Receiver::from_owned_fd(output.into()) else {
        return;
    };
    let mut chunk = [0; 1024];
    while let Ok(length @ 1..) = output.read(&mut chunk).await {
        let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
        words.extend_from_slice(&chunk[..length]);
        let surplus = words.len().saturating_sub(WORDS);
        words.drain(..surplus);
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
    async fn the_end_is_told_with_the_last_words() {
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
        assert!(child.words.lock().unwrap().len() <= WORDS);
        assert_eq!(message.lines().count(), 1 + LINES);
        assert!(message.ends_with("\n  line 50"), "{message}");
    }

    #[tokio::test]
    async fn it_is_asked_to_end_and_the_group_goes_with_it_when_dropped() {
        let child = shell("sleep 600 & wait");
        let pid = child.pid();
        let began = Instant::now();
        child.stop().await;
        assert!(began.elapsed() < PATIENCE && !is_alive(pid));

        let child = shell("trap '' TERM; sleep 600 & echo $!; wait");
        while child.words.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let grandchild: u32 = child.last_words().trim().parse().unwrap();
        drop(child);
        let began = Instant::now();
        while is_alive(grandchild) {
            assert!(began.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
