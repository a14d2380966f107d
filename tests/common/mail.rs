//! A real mail server: aiosmtpd.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// A running server; killed when dropped.
pub struct MailServer {
    child: Child,
    pub port: u16,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl MailServer {
    /// With options of `tests/smtpd.py`. `None`, with a line that says why, where `scripts/setup` could not get aiosmtpd.
    pub fn start(test: &str, options: &[&str]) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/tools/bin/python");
        let has_it = Command::new(&python).args(["-c", "import aiosmtpd"]).status();
        if !has_it.is_ok_and(|status| status.success()) {
            super::skip(test, "no aiosmtpd: scripts/setup test gets it");
            return None;
        }
        let mut child = Command::new(python)
            .arg(root.join("tests/smtpd.py"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&mails);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                record.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { child, port, mails })
    }

    /// What it took.
    pub fn mails(&self) -> Vec<Value> {
        self.mails.lock().unwrap().clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
