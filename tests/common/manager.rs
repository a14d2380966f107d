//! The notification socket of systemd.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use super::PATIENCE;

/// Plays systemd: keeps the notifications.
pub struct Manager {
    pub path: PathBuf,
    received: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Manager {
    pub fn start(directory: &Path) -> Self {
        let path = directory.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let received = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let shared = Arc::clone(&received);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length) = socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                shared.0.lock().unwrap().push(text);
                shared.1.notify_all();
            }
        });
        Self { path, received }
    }

    /// All notifications so far.
    pub fn received(&self) -> Vec<String> {
        self.received.0.lock().unwrap().clone()
    }

    /// The number of notifications that hold `text`.
    pub fn count(&self, text: &str) -> usize {
        self.received().iter().filter(|message| message.contains(text)).count()
    }

    /// Waits for the first notification that holds `text`.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_nth(text, 1)
    }

    /// Waits for the nth notification that holds `text`.
    pub fn wait_for_nth(&self, text: &str, nth: usize) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut messages = self.received.0.lock().unwrap();
        loop {
            if let Some(message) = messages.iter().filter(|message| message.contains(text)).nth(nth - 1) {
                return message.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {text} among {messages:?}");
            messages = self.received.1.wait_timeout(messages, left).unwrap().0;
        }
    }
}
