//! The log of a process.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::thread;

use super::eventually;

/// What the service writes to stderr.
#[derive(Clone)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    pub fn follow(mut stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&text);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                shared
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        Self(text)
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
