//! A meter that answers to Modbus: pymodbus, of `scripts/setup`.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::eventually;
use super::prometheus::free_port;

/// A running meter; killed when dropped.
pub struct Meter {
    child: Child,
    pub port: u16,
}

/// The Python that has pymodbus, if `scripts/setup` could install it.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/python");
    let has = Command::new(&python)
        .args(["-c", "import pymodbus, serial"])
        .stderr(Stdio::null())
        .status();
    has.is_ok_and(|status| status.success()).then_some(python)
}

fn run(kind: &str, place: &str) -> Option<Child> {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modbus/server.py");
    let child = Command::new(python()?)
        .arg(server)
        .args([kind, place])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Some(child.unwrap())
}

impl Meter {
    /// On TCP.
    pub fn start() -> Option<Self> {
        Self::start_at(free_port())
    }

    /// On TCP, at a known port.
    pub fn start_at(port: u16) -> Option<Self> {
        let child = run("tcp", &port.to_string())?;
        assert!(
            eventually(|| TcpStream::connect(("127.0.0.1", port)).is_ok()),
            "no meter"
        );
        Some(Self { child, port })
    }

    /// On a serial line.
    pub fn start_on(line: &str) -> Option<Self> {
        Some(Self {
            child: run("rtu", line)?,
            port: 0,
        })
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
