//! A thread that works until it is stopped. Nothing that happens in it reaches the rest of the program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use edgewatch_program::lock::lock;

use crate::backoff::{self, Backoff};
use crate::failure::{Failure, Kind};

/// What a thread needs: buffers are on the heap, the rest are handshakes.
const STACK: usize = 1 << 20;

/// A thread while it runs.
#[derive(Debug)]
pub struct Worker {
    stop: Arc<Stop>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    /// Starts a thread of this name. It begins when those of `before`, which have its state, have ended.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        name: &str,
        before: Vec<JoinHandle<()>>,
        work: impl FnOnce(&Stop) + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let thread_stop = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK)
            .spawn(move || {
                for thread in before {
                    // A panic of it was told when it happened.
                    let _ = thread.join();
                }
                work(&thread_stop);
            })?;
        Ok(Self {
            stop,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Ends the thread, at the latest after the request in flight, and gives it to wait for.
    pub fn stop(&self) -> Option<JoinHandle<()>> {
        self.stop.set();
        lock(&self.thread).take()
    }
}

/// Works until it is stopped; after a failure, or a panic, which is a fault of ours, anew from what was kept. `what` begins the lines of the
/// log, `failed` counts.
pub fn supervise(what: &str, stop: &Stop, failed: impl Fn(Kind), work: impl Fn() -> Result<(), Failure>) {
    let mut pauses = Backoff::default();
    loop {
        let began = Instant::now();
        let failure = match catch_unwind(AssertUnwindSafe(&work)) {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure,
            Err(_) => Failure::new(
                Kind::Panic,
                "a fault of edgewatch: please report it with the lines before",
            ),
        };
        failed(failure.kind);
        if began.elapsed() > backoff::LONGEST {
            pauses.reset();
        }
        let pause = pauses.pause(backoff::random(), None);
        tracing::error!("{what} cannot go on: {failure}; tried again in {} s", pause.as_secs());
        if stop.wait(pause) {
            return;
        }
    }
}

/// A flag that ends all waiting.
#[derive(Debug, Default)]
pub struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn set(&self) {
        *lock(&self.is_set) = true;
        self.changed.notify_all();
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        *lock(&self.is_set)
    }

    /// Waits; true if it was set meanwhile.
    pub fn wait(&self, time: Duration) -> bool {
        let guard = lock(&self.is_set);
        match self.changed.wait_timeout_while(guard, time, |is_set| !*is_set) {
            Ok((guard, _)) => *guard,
            Err(poisoned) => *poisoned.into_inner().0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_wait_ends_when_it_is_stopped_and_not_before() {
        let stop = Arc::new(Stop::default());
        assert!(!stop.wait(Duration::from_millis(20)));
        let (waiting, began) = (Arc::clone(&stop), Instant::now());
        let thread = thread::spawn(move || waiting.wait(Duration::from_secs(60)));
        stop.set();
        assert!(thread.join().unwrap());
        assert!(stop.is_set() && began.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn work_goes_on_after_a_panic_and_ends_by_itself() {
        let (stop, rounds, panics) = (Stop::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        supervise(
            "testing",
            &stop,
            |kind| {
                assert_eq!(kind, Kind::Panic);
                panics.fetch_add(1, Ordering::Relaxed);
            },
            || match rounds.fetch_add(1, Ordering::Relaxed) {
                0 => panic!("on purpose"),
                _ => Ok(()),
            },
        );
        assert_eq!((rounds.into_inner(), panics.into_inner()), (2, 1));
    }
}
