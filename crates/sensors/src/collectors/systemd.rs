//! The states of systemd's units, which it tells over D-Bus alone (org.freedesktop.systemd1(5)), under node_exporter's names.

mod bus;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bus::{Bus, BusError, Object};

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{ErrorKind, OpenError, ReadError};
use crate::plausible::SWITCH;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "systemd",
    needs: None,
    collect: Collect::Standard,
    // Another program answers, after milliseconds or never.
    schedule: Schedule::DedicatedThread,
    period: Duration::from_secs(60),
    deadline: Duration::from_secs(5),
    open,
};

const RUNNING: Metric = Metric::gauge(
    "node_systemd_system_running",
    "",
    "1 if the system has started and no unit has failed (\"running\"), 0 in all other states.",
)
.within(SWITCH);
const UNITS: Metric = Metric::gauge("node_systemd_units", "", "Units that systemd has loaded, by state.");
const UNIT_STATE: Metric = Metric::gauge("node_systemd_unit_state", "", "A unit that has failed; always 1.");
const RESTARTS: Metric = Metric::counter(
    "node_systemd_service_restart_total",
    "",
    "How often systemd has restarted a service of itself, since it was last started by hand; without those that it never has.",
);

/// States that are counted even where no unit is in them.
const STATES: [&str; 5] = ["activating", "active", "deactivating", "failed", "inactive"];
/// For all questions of one read; less than the deadline, so that the bus is named as what does not answer.
const LIMIT: Duration = Duration::from_secs(4);

const MANAGER: Object = Object {
    service: "org.freedesktop.systemd1",
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
};
struct Systemd {
    socket: PathBuf,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Systemd {
        socket: settings.paths.system_bus.clone(),
    }))
}

impl Collector for Systemd {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        match read(&self.socket, recorder) {
            Err(error) if !is_absent(&error) => Err(ReadError::Remote {
                kind: kind(&error),
                address: self.socket.display().to_string(),
                what: error.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

/// True where there is no bus, or no systemd on it: in a container, or on another init.
fn is_absent(error: &BusError) -> bool {
    match error {
        BusError::Io(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused),
        BusError::Answer(name) => matches!(
            &**name,
            "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner"
        ),
        BusError::Refused(_) | BusError::Malformed(_) => false,
    }
}

fn kind(error: &BusError) -> ErrorKind {
    match error {
        BusError::Io(error) => match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ErrorKind::Timeout,
            _ => ErrorKind::Io,
        },
        BusError::Refused(_) | BusError::Answer(_) => ErrorKind::Io,
        BusError::Malformed(_) => ErrorKind::Invalid,
    }
}

/// A unit as `ListUnits` tells it.
struct Unit {
    name: String,
    state: String,
    sub_state: String,
    path: String,
}

fn read(socket: &Path, recorder: &mut Recorder) -> Result<(), BusError> {
    let mut bus = Bus::connect(socket, LIMIT)?;
    let units = units(&mut bus)?;
    let mut states = BTreeMap::from(STATES.map(|state| (state, 0_u32)));
    for unit in &units {
        *states.entry(&unit.state).or_default() += 1;
    }
    for (state, count) in states {
        recorder.push(&UNITS, &[("state", state)], f64::from(count));
    }
    for unit in units.iter().filter(|unit| unit.state == "failed") {
        recorder.push(&UNIT_STATE, &[("name", &unit.name), ("state", "failed")], 1.0);
    }
    let state = property(&mut bus, &MANAGER, "SystemState", "s")?.string()?;
    recorder.push(&RUNNING, &[], f64::from(u8::from(state == "running")));
    // What has ended well is not restarted: most of them, of which one answer each would be asked for nothing.
    let may_restart = |unit: &&Unit| {
        unit.name.ends_with(".service")
            && unit.state != "inactive"
            && !(unit.state == "active" && unit.sub_state == "exited")
    };
    for unit in units.iter().filter(may_restart) {
        let service = Object {
            path: &unit.path,
            interface: "org.freedesktop.systemd1.Service",
            ..MANAGER
        };
        match property(&mut bus, &service, "NRestarts", "u") {
            Ok(mut count) => match count.u32()? {
                0 => {}
                count => recorder.push(&RESTARTS, &[("name", &unit.name)], f64::from(count)),
            },
            // It has gone since, or the bus does not let us ask: the others are asked all the same.
            Err(BusError::Answer(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn units(bus: &mut Bus) -> Result<Vec<Unit>, BusError> {
    let mut answer = bus.call(&MANAGER, "ListUnits", &[], "a(ssssssouso)")?;
    answer.u32()?;
    let mut units = Vec::new();
    loop {
        answer.align(8);
        if answer.is_at_end() {
            return Ok(units);
        }
        let name = answer.string()?;
        let (_description, _loaded) = (answer.string()?, answer.string()?);
        let (state, sub_state) = (answer.string()?, answer.string()?);
        let (_following, path) = (answer.string()?, answer.string()?);
        let _job = (answer.u32()?, answer.string()?, answer.string()?);
        units.push(Unit {
            name,
            state,
            sub_state,
            path,
        });
    }
}

/// A property whose type is `signature`.
fn property(bus: &mut Bus, object: &Object, name: &str, signature: &str) -> Result<bus::Body, BusError> {
    let properties = Object {
        interface: "org.freedesktop.DBus.Properties",
        ..*object
    };
    let mut answer = bus.call(&properties, "Get", &[object.interface, name], "v")?;
    match answer.signature()? == signature {
        true => Ok(answer),
        false => Err(BusError::Malformed("a property of another type")),
    }
}
