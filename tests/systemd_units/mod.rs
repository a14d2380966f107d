//! The states of units, from a stand-in for systemd on a real message bus. The real systemd answers in the booted machine (the scenario `well`).

use crate::common;

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use common::systemd::System;
use common::{Service, eventually};

/// The samples of systemd, without comments.
fn samples(service: &Service) -> Vec<String> {
    let metrics = service.metrics();
    let lines = metrics.lines().filter(|line| line.starts_with("node_systemd_"));
    lines.map(ToOwned::to_owned).collect()
}

const UNITS: &str = "ssh.service active running 0\n\
    loops.service activating auto-restart 7\n\
    broken.service failed failed 3\n\
    data.mount failed failed 0\n\
    once.service active exited 0\n\
    vanished.service active running gone\n\
    idle.service inactive dead 0\n\
    odd.service refreshing running 0\n";

#[test]
fn units_that_fail_and_services_that_are_restarted_are_told() {
    let system = System::start(UNITS);
    let service = system.service();
    let expected = [
        "node_systemd_service_restart_total{name=\"broken.service\"} 3",
        "node_systemd_service_restart_total{name=\"loops.service\"} 7",
        "node_systemd_system_running 0",
        "node_systemd_unit_state{name=\"broken.service\",state=\"failed\"} 1",
        "node_systemd_unit_state{name=\"data.mount\",state=\"failed\"} 1",
        "node_systemd_units{state=\"activating\"} 1",
        "node_systemd_units{state=\"active\"} 3",
        "node_systemd_units{state=\"deactivating\"} 0",
        "node_systemd_units{state=\"failed\"} 2",
        "node_systemd_units{state=\"inactive\"} 1",
        "node_systemd_units{state=\"refreshing\"} 1",
    ];
    let sorted = || {
        let mut lines = samples(&service);
        lines.sort();
        lines
    };
    assert!(eventually(|| sorted() == expected), "{:#?}", sorted());

    system.set_units("ssh.service active running 0\n");
    let is_well = || {
        let lines = sorted();
        lines.contains(&"node_systemd_system_running 1".to_owned())
            && !lines
                .iter()
                .any(|line| line.contains("_unit_state") || line.contains("_restart_total"))
    };
    assert!(eventually(is_well), "{:#?}", sorted());
}

#[test]
fn where_systemd_is_not_there_nothing_is_missed() {
    let mut system = System::start("ssh.service active running 0\n");
    let service = system.service();
    assert!(eventually(|| !samples(&service).is_empty()), "nothing was read");
    // A bus on which no systemd is, and then no bus.
    system.manager.kill().unwrap();
    assert!(eventually(|| samples(&service).is_empty()), "{:#?}", samples(&service));
    system.bus.kill().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let success = service.metric("edge_source_success{source=\"systemd\"}");
    assert_eq!((success, samples(&service)), (None, Vec::new()));
    let service = common::systemd::service(Path::new("/nonexistent/bus"));
    assert_eq!(service.metric("edge_source_success{source=\"systemd\"}"), None);
}

#[test]
fn a_systemd_that_does_not_answer_times_out_and_delays_nothing_else() {
    let system = System::start("hang\n");
    let service = system.service();
    let timeouts = "edge_source_errors_total{kind=\"timeout\",source=\"systemd\"}";
    assert!(eventually(|| service.metric(timeouts) > Some(0.0)), "no timeout");
    let ages =
        ["cpu", "memory"].map(|source| service.metric(&format!("edge_source_age_seconds{{source=\"{source}\"}}")));
    assert!(ages.iter().all(|age| age.is_some_and(|age| age < 6.0)), "{ages:?}");
}

/// Whatever a bus says: the kinds of nonsense, and how they count.
#[test]
fn a_bus_that_says_nonsense_or_hangs_up_is_an_error_of_that_source_alone() {
    for (introduction, answer, kind) in [
        (&b"REJECTED EXTERNAL\r\n"[..], &b""[..], "io"),
        (b"OK", b"", "io"),
        (b"OK 1234\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", "invalid"),
        (
            b"OK 1234\r\n",
            b"l\x02\x01\x01\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00",
            "invalid",
        ),
        (
            b"OK 1234\r\n",
            b"l\x02\x01\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00",
            "invalid",
        ),
        (
            b"OK 1234\r\n",
            b"l\x02\x01\x01\x00\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x05\x01u\x00\x01\x00",
            "io",
        ),
        (&[b'x'; 2000], b"", "invalid"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("bus");
        let listener = UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 64]);
                let _ = stream.write_all(introduction).and_then(|()| stream.write_all(answer));
                // Until it hangs up, or has said what it calls.
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        });
        let service = common::systemd::service(&socket);
        let counter = format!("edge_source_errors_total{{kind=\"{kind}\",source=\"systemd\"}}");
        assert!(
            eventually(|| service.metric(&counter) > Some(0.0)),
            "{answer:?} is no {kind}"
        );
        assert_eq!(service.metric("edge_source_success{source=\"memory\"}"), Some(1.0));
    }
}
