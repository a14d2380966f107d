//! The log of a process.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::thread;

use super::eventually;

/// What processes write to stderr.
#[derive(Clone)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    pub fn follow(stream: impl Read + Send + 'static) -> Self {
        let log = Self(Arc::default());
        log.add(stream);
        log
    }

    /// Adds what is read from another stream.
    pub fn add(&self, mut stream: impl Read + Send + 'static) {
        let shared = Arc::clone(&self.0);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                shared
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
    }

    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
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
