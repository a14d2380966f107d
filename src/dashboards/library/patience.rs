//! Work with files that may never come back: a directory may lie on a network share, and nothing ends a read from one whose server
//! has gone.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a page waits for files.
const PATIENCE: Duration = Duration::from_secs(2);
/// Threads at work at once: as many as pages and pictures are worked on. One that hangs never ends.
const MOST: usize = 4;

/// Does work in threads that may hang, and does not wait for those that do.
#[derive(Default)]
pub struct Patience {
    /// Held once by each thread at work.
    at_work: Arc<()>,
}

impl Patience {
    /// What `work` brings. It goes on by itself if it takes too long.
    ///
    /// # Errors
    /// For people: it takes too long, or as much as is allowed hangs already.
    pub fn with<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
        if Arc::strong_count(&self.at_work) > MOST {
            return Err("earlier reads of the directories still hang: is a network share gone?".to_owned());
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let held = Arc::clone(&self.at_work);
        let thread = thread::Builder::new()
            .name("dashboard-files".to_owned())
            .spawn(move || {
                let done = work();
                drop(held);
                // Nobody listens any more if it took too long.
                let _ = sender.send(done);
            });
        thread.map_err(|error| format!("cannot start a thread: {error}"))?;
        receiver.recv_timeout(PATIENCE).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => {
                format!(
                    "does not answer within {} s: is a network share gone?",
                    PATIENCE.as_secs()
                )
            }
            mpsc::RecvTimeoutError::Disconnected => "internal error: the log says more".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_hangs_is_left_alone_and_counted_until_it_ends() {
        let patience = Patience::default();
        assert_eq!(patience.with(|| 1), Ok(1));
        let (free, hang) = channel::<()>();
        let hang = Arc::new(std::sync::Mutex::new(hang));
        thread::scope(|scope| {
            for _ in 0..MOST {
                scope.spawn(|| {
                    let hang = Arc::clone(&hang);
                    let stuck = patience.with(move || hang.lock().unwrap().recv());
                    assert!(stuck.unwrap_err().contains("does not answer"));
                });
            }
        });
        let start = Instant::now();
        assert!(patience.with(|| 1).unwrap_err().contains("still hang"));
        assert!(start.elapsed() < PATIENCE);
        drop(free);
        while patience.with(|| 1).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30));
            thread::sleep(Duration::from_millis(10));
        }
    }
}
