//! Registers of a real Modbus server, on TCP and on a serial line, and what becomes of devices that do not answer.

use crate::common;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::meter::Meter;
use common::{Service, eventually, only, skip};
use rustix::fs::{FlockOperation, flock};
use rustix::io::ioctl_fionread;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const REGISTERS: &str = r#"
[[modbus.buses.devices]]
unit = 1
labels = { meter = "cellar" }
registers = [
    { metric = "meter_voltage_volts", address = 0, scale = 0.1 },
    { metric = "meter_temperature_celsius", address = 1, encoding = "i16" },
    { metric = "meter_exact_volts", address = 2, encoding = "f32" },
    { metric = "meter_energy_joules_total", type = "counter", address = 4, encoding = "u32", order = "cdab", scale = 3600 },
    { metric = "meter_level_meters", address = 6, absent = 0xFFFF },
    { metric = "meter_none_meters", address = 7 },
    { metric = "meter_pulses_total", type = "counter", table = "input", address = 0, labels = { input = "1" } },
    { metric = "meter_relay", table = "coil", address = 0 },
    { metric = "meter_door", table = "discrete", address = 1 },
]
"#;

fn on_tcp(port: u16, more: &str) -> String {
    format!(
        "{}[sources.modbus]\nperiod = \"500ms\"\n[[modbus.buses]]\nname = \"meters\"\naddress = \"127.0.0.1:{port}\"\ntimeout = \"300ms\"\n{REGISTERS}{more}",
        only(&["modbus"])
    )
}

/// What the server's registers mean.
fn assert_is_read(service: &Service) {
    service.wait_for_metric("edge_modbus_up{bus=\"meters\",unit=\"1\"}", |value| value == Some(1.0));
    for (series, value) in [
        ("meter_voltage_volts{meter=\"cellar\"}", Some(230.5)),
        ("meter_temperature_celsius{meter=\"cellar\"}", Some(-10.0)),
        ("meter_exact_volts{meter=\"cellar\"}", Some(230.5)),
        ("meter_energy_joules_total{meter=\"cellar\"}", Some(252_000_000.0)),
        ("meter_level_meters{meter=\"cellar\"}", None),
        ("meter_none_meters{meter=\"cellar\"}", None),
        ("meter_pulses_total{meter=\"cellar\",input=\"1\"}", Some(4711.0)),
        ("meter_relay{meter=\"cellar\"}", Some(1.0)),
        ("meter_door{meter=\"cellar\"}", Some(1.0)),
    ] {
        assert_eq!(service.metric(series), value, "{series}");
    }
    // The register that the meter does not have is the only error.
    assert!(service.get("/").text().contains("meters unit 1: register 7"));
}

#[test]
fn registers_of_every_kind_are_read_over_tcp_and_one_that_is_not_there_costs_no_other() {
    let Some(meter) = Meter::start() else {
        return skip("modbus over tcp", "pymodbus cannot be had");
    };
    assert_is_read(&Service::start(&on_tcp(meter.port, "")));
}

#[test]
fn a_device_that_does_not_answer_costs_no_other_on_its_bus_and_a_bus_that_hangs_no_other_bus() {
    let Some(meter) = Meter::start() else {
        return skip("silent modbus devices", "pymodbus cannot be had");
    };
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!(
        "[[modbus.buses.devices]]\nunit = 2\nregisters = [{{ metric = \"other\", address = 0 }}, {{ metric = \"another\", address = 1 }}]\n\
         [[modbus.buses]]\nname = \"silent\"\naddress = \"{}\"\ntimeout = \"300ms\"\n\
         devices = [{{ unit = 1, registers = [{{ metric = \"third\", address = 0 }}] }}]\n",
        silent.local_addr().unwrap()
    );
    let service = Service::start(&on_tcp(meter.port, &more));
    assert_is_read(&service);
    service.wait_for_metric("edge_modbus_up{bus=\"silent\",unit=\"1\"}", |value| value == Some(0.0));
    service.wait_for_metric("edge_modbus_up{bus=\"meters\",unit=\"2\"}", |value| value == Some(0.0));
    service.wait_for_metric(
        "edge_source_errors_total{kind=\"timeout\",source=\"modbus\"}",
        |value| value > Some(1.0),
    );
    let metrics = service.metrics();
    assert!(
        !metrics.contains("\nother") && !metrics.contains("\nthird"),
        "{metrics}"
    );
}

#[test]
fn a_bus_that_hangs_leaves_the_pace_of_another_alone() {
    static QUESTIONS: AtomicUsize = AtomicUsize::new(0);
    let talking = liar(|question| {
        QUESTIONS.fetch_add(1, Ordering::Relaxed);
        frame(question, &[3, 2, 0, 7])
    });
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let bus = |name: &str, address: SocketAddr| {
        format!(
            "[[modbus.buses]]\nname = \"{name}\"\naddress = \"{address}\"\ntimeout = \"5s\"\n\
             devices = [{{ unit = 1, registers = [{{ metric = \"{name}\", address = 0 }}] }}]\n"
        )
    };
    // The one that hangs comes first.
    let buses = bus("silent", silent.local_addr().unwrap()) + &bus("talking", talking);
    let service = Service::start(&format!(
        "{}[sources.modbus]\nperiod = \"500ms\"\n{buses}",
        only(&["modbus"])
    ));
    service.wait_for_metric("talking", |value| value == Some(7.0));
    let before = QUESTIONS.load(Ordering::Relaxed);
    thread::sleep(Duration::from_secs(4));
    let asked = QUESTIONS.load(Ordering::Relaxed) - before;
    // 8 on an idle machine; one after the other it would be 1.
    assert!(asked >= 4, "{asked} questions in 4 s");
}

#[test]
fn a_meter_that_goes_and_comes_back_is_read_again() {
    let Some(meter) = Meter::start() else {
        return skip("modbus meter that goes", "pymodbus cannot be had");
    };
    let port = meter.port;
    let service = Service::start(&on_tcp(port, ""));
    assert_is_read(&service);
    drop(meter);
    service.wait_for_metric("edge_modbus_up{bus=\"meters\",unit=\"1\"}", |value| value == Some(0.0));
    assert_eq!(service.metric("meter_voltage_volts{meter=\"cellar\"}"), None);
    let _meter = Meter::start_at(port);
    assert_is_read(&service);
}

/// A device that answers each question with what `answer` makes of its twelve bytes.
fn liar(answer: fn(&[u8; 12]) -> Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut question = [0; 12];
            while stream.read_exact(&mut question).is_ok() {
                if stream.write_all(&answer(&question)).is_err() {
                    break;
                }
            }
        }
    });
    address
}

/// The frame that answers `question`, with this behind the number of the unit.
fn frame(question: &[u8; 12], data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 1).unwrap().to_be_bytes();
    [&question[..4], &length, &question[6..7], data].concat()
}

#[test]
fn an_answer_that_is_none_is_counted_by_kind_and_takes_no_value() {
    type Answer = fn(&[u8; 12]) -> Vec<u8>;
    // What comes, how it is counted, whether the device is up.
    let answers: [(&str, Answer, &str, f64); 7] = [
        ("busy", |question| frame(question, &[0x83, 6]), "not_ready", 1.0),
        ("unreachable", |question| frame(question, &[0x83, 11]), "timeout", 0.0),
        ("refused", |question| frame(question, &[0x83, 2]), "io", 1.0),
        ("short", |question| frame(question, &[3, 2, 0, 7]), "invalid", 0.0),
        (
            "long",
            |question| frame(question, &[3, 6, 0, 7, 0, 7, 0, 7]),
            "invalid",
            0.0,
        ),
        (
            "foreign",
            |question| frame(question, &[4, 4, 0, 7, 0, 7]),
            "invalid",
            0.0,
        ),
        // A length that never comes, and no end.
        (
            "endless",
            |question| [&question[..4], &[0xFF; 100_000]].concat(),
            "invalid",
            0.0,
        ),
    ];
    for (name, answer, kind, up) in answers {
        let settings = format!(
            "{}[[modbus.buses]]\nname = \"b\"\naddress = \"{}\"\ntimeout = \"300ms\"\n\
             devices = [{{ unit = 1, registers = [{{ metric = \"never\", address = 0, encoding = \"u32\" }}] }}]\n",
            only(&["modbus"]),
            liar(answer)
        );
        let service = Service::start(&settings);
        service.wait_for_metric("edge_modbus_up{bus=\"b\",unit=\"1\"}", |value| value == Some(up));
        let errors = format!("edge_source_errors_total{{kind=\"{kind}\",source=\"modbus\"}}");
        assert_eq!(service.metric(&errors), Some(1.0), "{name}: {}", service.metrics());
        assert!(!service.metrics().contains("\nnever"), "{name}");
    }
}

#[test]
fn a_series_that_several_buses_or_files_have_is_exported_once_and_the_others_are_counted() {
    // Slow, so that each bus gets a reader of its own.
    let slow = || {
        liar(|question| {
            thread::sleep(Duration::from_millis(50));
            frame(question, &[3, 2, 0, 7])
        })
    };
    let bus = |name: &str, address: SocketAddr| {
        format!(
            "[[modbus.buses]]\nname = \"{name}\"\naddress = \"{address}\"\n\
             devices = [{{ unit = 1, registers = [{{ metric = \"shared_watts\", address = 0 }}] }}]\n"
        )
    };
    let text = tempfile::tempdir().unwrap();
    fs::write(text.path().join("a.prom"), "shared_watts 33\n").unwrap();
    let service = Service::start(&format!(
        "{}[sources.modbus]\nperiod = \"500ms\"\n{}{}[textfile]\ndirectories = [{:?}]\n",
        only(&["modbus", "textfile"]),
        bus("a", slow()),
        bus("b", slow()),
        text.path()
    ));
    for source in ["modbus", "textfile"] {
        let dropped = format!("edge_source_readings_dropped{{source=\"{source}\"}}");
        service.wait_for_metric(&dropped, |value| value == Some(1.0));
    }
    let metrics = service.metrics();
    assert_eq!(metrics.matches("\nshared_watts ").count(), 1, "{metrics}");
    assert_eq!(common::value_of(&metrics, "shared_watts"), Some(7.0));
}

/// A pseudoterminal: its first end, and the name of the other, which a program opens as a serial port.
fn line() -> (File, String) {
    let first = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&first).unwrap();
    unlockpt(&first).unwrap();
    let name = ptsname(&first, Vec::new()).unwrap().into_string().unwrap();
    (File::from(first), name)
}

/// Passes on what comes, as a cable does.
fn connect(mut from: File, mut to: File) {
    thread::spawn(move || {
        let mut buffer = [0; 256];
        // Nobody has opened the other end yet: EIO.
        loop {
            match from.read(&mut buffer) {
                Ok(count) if to.write_all(&buffer[..count]).is_ok() => {}
                _ => thread::sleep(std::time::Duration::from_millis(20)),
            }
        }
    });
}

/// A serial port, and the meter at the other end of its line.
fn serial_meter() -> Option<(String, Meter)> {
    let ((near, port), (far, server)) = (line(), line());
    connect(near.try_clone().unwrap(), far.try_clone().unwrap());
    connect(far, near);
    Some((port, Meter::start_on(&server)?))
}

#[test]
fn a_serial_line_is_read_as_tcp_is() {
    let Some((port, _meter)) = serial_meter() else {
        return skip("modbus on a serial line", "pymodbus cannot be had");
    };
    let settings = format!(
        "{}[sources.modbus]\nperiod = \"500ms\"\n[[modbus.buses]]\nname = \"meters\"\nport = {port:?}\nparity = \"none\"\n{REGISTERS}",
        only(&["modbus"])
    );
    assert_is_read(&Service::start(&settings));
}

/// Such as the service before and after a reload, or beside `edgewatch sensors`.
#[test]
fn who_reads_the_same_serial_line_waits_for_its_turn() {
    let Some((port, _meter)) = serial_meter() else {
        return skip("two programs on a serial line", "pymodbus cannot be had");
    };
    let registers: Vec<String> = (0..7)
        .map(|number| format!("{{ metric = \"value{number}\", address = {number} }}"))
        .collect();
    let settings = format!(
        "{}[sources.modbus]\nperiod = \"100ms\"\n[[modbus.buses]]\nname = \"meters\"\nport = {port:?}\nparity = \"none\"\n\
         devices = [{{ unit = 1, registers = [{}] }}]\n",
        only(&["modbus"]),
        registers.join(", ")
    );
    let services = [Service::start(&settings), Service::start(&settings)];
    // The meter may not have been up when the first of them asked.
    let failures = services.each_ref().map(|service| {
        service.wait_for_metric("edge_modbus_up{bus=\"meters\",unit=\"1\"}", |value| value == Some(1.0));
        service.log.count("source fails")
    });
    thread::sleep(Duration::from_secs(3));
    for (service, before) in services.iter().zip(failures) {
        assert_eq!(service.log.count("source fails"), before, "{}", service.log.text());
    }
}

#[test]
fn a_serial_port_that_another_program_holds_is_left_alone_and_read_once_it_is_free() {
    let (mut near, port) = line();
    let held = File::open(&port).unwrap();
    flock(&held, FlockOperation::LockExclusive).unwrap();
    let service = Service::start(&format!(
        "{}[sources.modbus]\nperiod = \"500ms\"\n[[modbus.buses]]\nname = \"b\"\nport = {port:?}\nparity = \"none\"\n\
         devices = [{{ unit = 1, registers = [{{ metric = \"x\", address = 0 }}] }}]\n",
        only(&["modbus"])
    ));
    service.wait_for_metric("edge_modbus_up{bus=\"b\",unit=\"1\"}", |value| value == Some(0.0));
    assert!(service.get("/").text().contains("in use by another program"));
    assert_eq!(ioctl_fionread(&near).unwrap(), 0);
    // It stays open, so that there is somebody at the other end all the time.
    flock(&held, FlockOperation::Unlock).unwrap();
    assert!(eventually(|| ioctl_fionread(&near).unwrap() >= 8));
    let mut question = [0; 8];
    near.read_exact(&mut question).unwrap();
    assert_eq!(question[..6], [1, 3, 0, 0, 0, 1]);
}

#[test]
fn settings_that_cannot_work_are_refused_with_what_would() {
    let bus = "[[modbus.buses]]\nname = \"b\"\n";
    for (bad, remedy) in [
        (format!("{bus}devices = []\n"), "address of TCP"),
        (
            format!("{bus}port = \"/dev/ttyS0\"\nstop_bits = 3\n{REGISTERS}"),
            "stop_bits",
        ),
        (
            format!("limits.readings_per_source = 5\n{bus}port = \"/dev/ttyS0\"\n{REGISTERS}"),
            "at least 10",
        ),
        (format!("{bus}address = \"meter:502\"\ndevices = []\n"), "address"),
        (
            format!("{bus}address = \"127.0.0.1:502\"\ndevices = []\n"),
            "no devices",
        ),
        (
            format!("{bus}address = \"127.0.0.1:502\"\ntimeout = \"1ms\"\n{REGISTERS}"),
            "timeout",
        ),
        (
            format!("{bus}address = \"127.0.0.1:502\"\n{REGISTERS}{bus}address = \"127.0.0.1:503\"\n{REGISTERS}"),
            "name",
        ),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bad).unwrap();
        let (status, _, stderr) = common::run(&["serve", "--check", "--config", file.path().to_str().unwrap()], &[]);
        assert!(!status.success() && stderr.contains(remedy), "{bad}: {stderr}");
    }
}
