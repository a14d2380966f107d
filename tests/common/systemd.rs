//! A stand-in for systemd on a message bus of its own, which a real dbus-daemon runs.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Service, eventually};

/// A message bus with a manager of units on it; both are killed when it is dropped.
pub struct System {
    directory: TempDir,
    pub bus: Child,
    pub manager: Child,
}

impl System {
    /// With units of a file as tests/systemd_units/manager.py reads it.
    pub fn start(units: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let directory = tempfile::tempdir().unwrap();
        let address = format!("unix:path={}", directory.path().join("bus").display());
        let settings = format!(
            "<busconfig><type>system</type><listen>{address}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/>\
             <allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>"
        );
        let file = directory.path().join("bus.conf");
        fs::write(&file, settings).unwrap();
        fs::write(directory.path().join("units"), units).unwrap();
        let bus = Command::new("dbus-daemon")
            .arg("--nofork")
            .arg(format!("--config-file={}", file.display()))
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon: scripts/setup test installs it");
        assert!(eventually(|| directory.path().join("bus").exists()), "no bus");
        let manager = Command::new(root.join("target/tools/bin/python"))
            .arg(root.join("tests/systemd_units/manager.py"))
            .arg(address)
            .arg(directory.path().join("units"))
            .spawn()
            .expect("target/tools: scripts/setup test makes it");
        Self {
            directory,
            bus,
            manager,
        }
    }

    /// Other units from now on.
    pub fn set_units(&self, units: &str) {
        let path = self.directory.path().join("units");
        fs::write(path.with_extension("new"), units).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    }

    /// A service that looks at them each second.
    pub fn service(&self) -> Service {
        service(&self.directory.path().join("bus"))
    }
}

impl Drop for System {
    fn drop(&mut self) {
        for child in [&mut self.manager, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A service that looks each second at the bus with that socket.
pub fn service(socket: &Path) -> Service {
    Service::start(&format!(
        "[paths]\nsystem_bus = {socket:?}\n[sources.systemd]\nperiod = \"1s\"\n"
    ))
}
