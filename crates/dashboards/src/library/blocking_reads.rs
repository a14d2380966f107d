//! Reads of files with a timeout: a directory may be on a network share, and a read from one whose server is gone blocks for good.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::FileError;

/// Timeout of one file, or of the list of a directory.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Concurrent threads: as many as render. One that hangs never ends.
const MAX_THREADS: usize = 4;

/// Runs reads in threads that may hang, and abandons those that do.
#[derive(Default)]
pub(crate) struct BlockingReads {
    /// A clone for each running thread.
    running: Arc<()>,
}

impl BlockingReads {
    /// The result of `work`, which calls its argument after each step. If a step takes too long, the thread is abandoned.
    ///
    /// # Errors
    /// A step has timed out, or as many threads as are allowed hang already.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Fn()) -> T + Send + 'static,
    ) -> Result<T, FileError> {
        if Arc::strong_count(&self.running) > MAX_THREADS {
            return Err(FileError::TooManyHang);
        }
        // The messages of an abandoned thread are dropped.
        let (sender, receiver) = mpsc::channel();
        let running = Arc::clone(&self.running);
        let thread = thread::Builder::new().name("dashboard-files".to_owned());
        let thread = thread.spawn(move || {
            let result = work(&|| drop(sender.send(None)));
            drop(running);
            drop(sender.send(Some(result)));
        });
        thread.map_err(|error| FileError::Thread(Arc::new(error)))?;
        loop {
            match receiver.recv_timeout(TIMEOUT) {
                Ok(Some(result)) => return Ok(result),
                Ok(None) => {}
                Err(mpsc::RecvTimeoutError::Timeout) => return Err(FileError::Timeout),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(FileError::Panicked),
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
    fn threads_that_hang_are_abandoned_and_counted_until_they_end() {
        let reads = BlockingReads::default();
        assert_eq!(reads.run(|_| 1).unwrap(), 1);
        let (free, hang) = channel::<()>();
        let hang = Arc::new(std::sync::Mutex::new(hang));
        thread::scope(|scope| {
            for _ in 0..MAX_THREADS {
                scope.spawn(|| {
                    let hang = Arc::clone(&hang);
                    let stuck = reads.run(move |_| hang.lock().unwrap().recv());
                    assert!(stuck.unwrap_err().to_string().contains("does not answer"));
                });
            }
        });
        let start = Instant::now();
        assert!(reads.run(|_| 1).unwrap_err().to_string().contains("still hang"));
        assert!(start.elapsed() < TIMEOUT);
        drop(free);
        while reads.run(|_| 1).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30));
            thread::sleep(Duration::from_millis(10));
        }
    }
}
