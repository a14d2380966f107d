//! Work with files that may never come back: a directory may lie on a network share, and nothing ends a read from one whose server
//! has gone.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a page waits for one file, or for the list of a directory.
const PATIENCE: Duration = Duration::from_secs(5);
/// Threads at work at once: as many as pages and pictures are worked on. One that hangs never ends.
const MOST: usize = 4;

/// Does work in threads that may hang, and does not wait for those that do.
#[derive(Default)]
pub struct Patience {
    /// Held once by each thread at work.
    at_work: Arc<()>,
}

impl Patience {
    /// What `work` brings, which calls what it is given whenever it has come a step further. If a step takes too long, it goes on by
    /// itself.
    ///
    /// # Errors
    /// For people: it takes too long, or as much as is allowed hangs already.
    pub fn with<T: Send + 'static>(&self, work: impl FnOnce(&dyn Fn()) -> T + Send + 'static) -> Result<T, String> {
        if Arc::strong_count(&self.at_work) > MOST {
            return Err("earlier reads of the directories still hang: is a network share gone?".to_owned());
        }
        // A thread that took too long talks to nobody.
        let (sender, receiver) = mpsc::channel();
        let held = Arc::clone(&self.at_work);
        let thread = thread::Builder::new().name("dashboard-files".to_owned());
        let thread = thread.spawn(move || {
            let done = work(&|| drop(sender.send(None)));
            drop(held);
            drop(sender.send(Some(done)));
        });
        thread.map_err(|error| format!("cannot start a thread: {error}"))?;
        loop {
            match receiver.recv_timeout(PATIENCE) {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => {}
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(format!(
                        "does not answer within {} s: is a network share gone?",
                        PATIENCE.as_secs()
                    ));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err("internal error: the log says more".to_owned()),
            }
        }
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
        assert_eq!(patience.with(|_| 1), Ok(1));
        let (free, hang) = channel::<()>();
        let hang = Arc::new(std::sync::Mutex::new(hang));
        thread::scope(|scope| {
            for _ in 0..MOST {
                scope.spawn(|| {
                    let hang = Arc::clone(&hang);
                    let stuck = patience.with(move |_| hang.lock().unwrap().recv());
                    assert!(stuck.unwrap_err().contains("does not answer"));
                });
            }
        });
        let start = Instant::now();
        assert!(patience.with(|_| 1).unwrap_err().contains("still hang"));
        assert!(start.elapsed() < PATIENCE);
        drop(free);
        while patience.with(|_| 1).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30));
            thread::sleep(Duration::from_millis(10));
        }
    }
}
