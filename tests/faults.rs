//! Sensors that fail: the sample goes, an error is counted, the age grows, everything else stays.

use crate::common;

use std::time::{Duration, Instant};

use common::{FakeSys, Service, eventually};

const ZONE_0: &str = "node_thermal_zone_temp{zone=\"0\",type=\"cpu-thermal\"}";
const ZONE_1: &str = "node_thermal_zone_temp{zone=\"1\",type=\"cpu-thermal\"}";
const QUICK: &str = "[sources.thermal]\nperiod = \"100ms\"\ndeadline = \"200ms\"\n";

fn errors(kind: &str) -> String {
    format!("edge_source_errors_total{{kind=\"{kind}\",source=\"thermal\"}}")
}

fn two_zones() -> (FakeSys, Service) {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    sys.zone(1, "50000\n");
    let service = Service::start(&(sys.settings(&["thermal", "load"]) + QUICK));
    assert_eq!(
        (service.metric(ZONE_0), service.metric(ZONE_1)),
        (Some(40.0), Some(50.0))
    );
    (sys, service)
}

#[test]
fn a_sensor_with_eio_goes_and_comes_back_and_its_neighbour_stays() {
    let (sys, service) = two_zones();
    sys.break_file("class/thermal/thermal_zone0/temp");
    service.wait_for_metric(&errors("io"), |count| count >= Some(3.0));
    assert_eq!((service.metric(ZONE_0), service.metric(ZONE_1)), (None, Some(50.0)));
    assert_eq!(service.metric("edge_source_success{source=\"thermal\"}"), Some(0.0));
    assert!(service.metric("edge_source_age_seconds{source=\"thermal\"}") > Some(0.2));
    assert!(service.metric("sensor_failed_events_total{reason=\"io\"}") >= Some(3.0));
    let readings = service.get("/sensor").json()["readings"].clone();
    let broken = readings
        .as_array()
        .unwrap()
        .iter()
        .find(|reading| reading["labels"]["zone"] == "0")
        .unwrap();
    assert!(broken["value"].is_null() && broken["error"] == "io", "{broken}");
    assert!(service.get("/").text().contains("thermal_zone0/temp"));
    std::fs::remove_file(sys.path().join("class/thermal/thermal_zone0/temp")).unwrap();
    sys.zone(0, "41000\n");
    service.wait_for_metric(ZONE_0, |value| value == Some(41.0));
    assert_eq!(service.metric("edge_source_success{source=\"thermal\"}"), Some(1.0));
    // Once when it failed, once when it recovered: not once a read.
    assert_eq!(service.log.count("source fails"), 1, "{}", service.log.text());
    assert_eq!(service.log.count("source recovered"), 1, "{}", service.log.text());
    assert_eq!(
        service.log.count(" more)"),
        0,
        "nothing else failed: {}",
        service.log.text()
    );
}

#[test]
fn a_sensor_that_blocks_delays_neither_a_scrape_nor_another_source() {
    let (sys, service) = two_zones();
    sys.block_file("class/thermal/thermal_zone0/temp");
    service.wait_for_metric(&errors("timeout"), |count| count == Some(1.0));
    let threads = service.process().status("Threads");
    for _ in 0..20 {
        let began = Instant::now();
        let metrics = service.metrics();
        // The limit is that of the wait for fresh readings, and what a busy machine adds.
        assert!(
            began.elapsed() < Duration::from_millis(500),
            "a scrape took {:?}",
            began.elapsed()
        );
        assert!(common::value_of(&metrics, "node_load1").is_some());
        assert_eq!(common::value_of(&metrics, ZONE_0), None);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(
        service.metric(&errors("timeout")),
        Some(1.0),
        "one stuck read is one error"
    );
    assert_eq!(service.process().status("Threads"), threads, "stuck reads pile up");
    assert!(service.metric("edge_source_age_seconds{source=\"thermal\"}") > Some(1.0));
    assert!(
        service
            .metric("edge_source_age_seconds{source=\"load\"}")
            .is_some_and(|age| age < 5.0)
    );
    // A writer opens the pipe and closes it: the read ends, and the sensor is there again.
    let pipe = sys.path().join("class/thermal/thermal_zone0/temp");
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    sys.zone(0, "42000\n");
    drop(writer);
    service.wait_for_metric(ZONE_0, |value| value == Some(42.0));
    assert!(
        eventually(|| service.process().status("Threads") < threads),
        "the stuck thread stays"
    );
}

#[test]
fn empty_and_hostile_files_are_errors_and_not_readings() {
    let (sys, service) = two_zones();
    let huge = "9".repeat(10_000_000);
    for (content, kind) in [
        ("", "not_ready"),
        ("\0\0\0\n", "not_ready"),
        ("nan\n", "invalid"),
        ("inf\n", "invalid"),
        ("99999999999999999999999\n", "invalid"),
        ("48000\n49000\n", "invalid"),
        ("\u{202e}00084\n", "invalid"),
        (huge.as_str(), "invalid"),
    ] {
        let before = service.metric(&errors(kind)).unwrap_or_default();
        sys.zone(0, content);
        service.wait_for_metric(&errors(kind), |count| count > Some(before));
        assert_eq!((service.metric(ZONE_0), service.metric(ZONE_1)), (None, Some(50.0)));
    }
}

#[test]
fn a_hostile_label_cannot_break_the_exposition() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    let label = [
        b"a\"b\\c\nnode_load1 666\n\xff\xfe\x07<script>".as_slice(),
        &[b'x'; 3000],
    ]
    .concat();
    sys.write("class/thermal/thermal_zone0/type", &label);
    let service = Service::start(&sys.settings(&["thermal"]));
    let metrics = service.metrics();
    let lines: Vec<&str> = metrics.lines().filter(|line| line.starts_with("node_")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with("\"} 40") && lines[0].len() < 300, "{lines:?}");
    assert!(!service.get("/").text().contains("<script>"));
    assert_eq!(service.get("/sensor").json()["readings"][0]["value"], 40.0);
}

#[test]
fn five_thousand_sensors_are_capped_and_counted() {
    let sys = FakeSys::new();
    for number in 0..5000 {
        sys.zone(number, "40000\n");
    }
    let service = Service::start(&sys.settings(&["thermal"]));
    let metrics = service.metrics();
    let exported = metrics
        .lines()
        .filter(|line| line.starts_with("node_thermal_zone_temp{"))
        .count();
    assert_eq!(exported, 256);
    assert_eq!(
        service.metric("edge_source_readings_dropped{source=\"thermal\"}"),
        Some(4744.0)
    );
    assert!(service.get("/").text().contains("4744 left out"));
}

#[test]
fn hardware_that_is_absent_is_no_failure() {
    let sys = FakeSys::new();
    let service = Service::start(&sys.settings(&["thermal", "hwmon", "load"]));
    let metrics = service.metrics();
    assert!(
        !metrics.contains("edge_source_success{source=\"thermal\"}"),
        "{metrics}"
    );
    assert_eq!(service.get("/readyz").status, 200);
    assert_eq!(service.log.count("fails"), 0, "{}", service.log.text());
}

#[test]
fn a_sensor_that_is_unplugged_and_plugged_in_comes_back_as_the_same_series() {
    let (sys, service) = two_zones();
    let zone = sys.path().join("class/thermal/thermal_zone0");
    std::fs::rename(&zone, sys.path().join("away")).unwrap();
    service.wait_for_metric(ZONE_0, |value| value.is_none());
    assert_eq!(service.metric("edge_source_success{source=\"thermal\"}"), Some(1.0));
    std::fs::rename(sys.path().join("away"), &zone).unwrap();
    service.wait_for_metric(ZONE_0, |value| value == Some(40.0));
}

#[test]
fn a_source_that_panics_is_counted_and_read_again() {
    let faults = "[[simulated.faults]]\nkind = \"panic\"\nlasting = \"1s\"\n";
    let service = Service::start(&format!(
        "[simulated]\nenabled = true\n{faults}[sources.simulated]\nperiod = \"200ms\"\n"
    ));
    service.wait_for_metric(
        "edge_source_errors_total{kind=\"panic\",source=\"simulated\"}",
        |count| count >= Some(1.0),
    );
    assert!(service.metric("node_load1").is_some());
    assert_eq!(service.log.count("panicked"), 1, "{}", service.log.text());
}

#[test]
fn a_route_that_fails_or_panics_answers_500_says_nothing_and_is_counted() {
    let mut service = Service::start("[[simulated.faults]]\nkind = \"route_error\"\n");
    let answer = service.get("/sensor");
    assert_eq!((answer.status, answer.text().as_str()), (500, "internal error\n"));
    service.configure("[[simulated.faults]]\nkind = \"route_panic\"\n");
    service.signal("HUP");
    service.manager.wait_for_nth("READY=1", 2);
    let answer = service.get("/sensor");
    assert_eq!((answer.status, answer.text().as_str()), (500, "internal error\n"));
    assert_eq!(
        service.metric("sensor_failed_events_total{reason=\"route_error\"}"),
        Some(2.0)
    );
    assert_eq!(
        service.metric("edge_http_requests_total{code=\"5xx\",handler=\"sensor\"}"),
        Some(2.0)
    );
    assert!(service.child.try_wait().unwrap().is_none());
}

#[test]
fn sensor_is_503_with_a_reason_before_the_first_sample() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    sys.block_file("class/thermal/thermal_zone0/temp");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = sys.settings(&["thermal"]) + "[sources.thermal]\ndeadline = \"3s\"\n";
    let service = common::Setup::new(&settings).socket(&listener).spawn();
    let address = listener.local_addr().unwrap();
    let ask = |path: &str| common::ask(address, format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    let answer = ask("/sensor");
    assert_eq!(answer.status, 503);
    assert!(answer.json()["error"].as_str().unwrap().contains("first sample"));
    assert_eq!(ask("/readyz").status, 503);
    assert_eq!(ask("/healthz").status, 200);
    service.manager.wait_for("READY=1");
    assert_eq!(ask("/sensor").status, 200);
}
