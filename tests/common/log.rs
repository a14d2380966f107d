//! The log of a process.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::eventually;

/// What processes write to stderr.
#[derive(Clone, Default)]
pub struct Log {
    text: Arc<Mutex<String>>,
    /// Streams that have not ended.
    open: Arc<AtomicUsize>,
}

impl Log {
    pub fn follow(stream: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        log.add(stream);
        log
    }

    /// Adds what is read from another stream.
    pub fn add(&self, mut stream: impl Read + Send + 'static) {
        let (shared, open) = (Arc::clone(&self.text), Arc::clone(&self.open));
        open.fetch_add(1, Ordering::Relaxed);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                shared
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
            open.fetch_sub(1, Ordering::Release);
        });
    }

    pub fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it, once those that write have ended: what they wrote last may not have been read when they are gone.
    pub fn whole(&self) -> String {
        assert!(
            eventually(|| self.open.load(Ordering::Acquire) == 0),
            "still written:\n{}",
            self.text()
        );
        self.text()
    }

    pub fn count(&self, text: &str) -> usize {
        self.text().matches(text).count()
    }

    pub fn wait_for(&self, text: &str) {
        assert!(
            eventually(|| self.text().contains(text)),
            "no {text:?} in:\n{}",
            self.text()
        );
    }
}
