//! What Prometheus meets at `/metrics`.

use crate::common;

use std::io::Read;

use common::{FakeSys, Service, ask_from_outside, assert_promtool_agrees};

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

fn service() -> (FakeSys, Service) {
    let sys = FakeSys::new();
    sys.zone(0, "48312\n");
    let service = Service::start(&sys.settings(&["thermal"]));
    (sys, service)
}

#[test]
fn the_content_type_is_exact_whatever_the_client_accepts() {
    let (_sys, service) = service();
    let accepts = [
        "*/*",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        "application/json",
        "nonsense",
    ];
    for accept in accepts {
        let answer = service.request(&format!(
            "GET /metrics HTTP/1.1\r\nHost: device\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.header("content-type"), Some(CONTENT_TYPE), "{accept}");
        assert_eq!(answer.header("content-encoding"), None, "{accept}");
    }
}

#[test]
fn a_reading_is_exported_in_its_base_unit() {
    let (_sys, service) = service();
    assert_eq!(
        service.metric("node_thermal_zone_temp{zone=\"0\",type=\"cpu-thermal\"}"),
        Some(48.312)
    );
}

#[test]
fn it_is_compressed_only_for_a_client_elsewhere_that_asks_for_gzip() {
    let (_sys, service) = service();
    let request = |accept: &str| {
        format!("GET /metrics HTTP/1.1\r\nHost: device\r\nAccept-Encoding: {accept}\r\nConnection: close\r\n\r\n")
    };
    let encoding = |accept: &str| {
        let answer = ask_from_outside(service.address(), request(accept).as_bytes()).unwrap();
        assert_eq!(answer.header("content-type"), Some(CONTENT_TYPE), "{accept}");
        let encoding = answer.header("content-encoding").map(ToOwned::to_owned);
        (encoding, answer.body)
    };
    for refused in ["identity", "br", "gzip;q=0", "deflate, br;q=0.5", "*;q=0", "?"] {
        assert_eq!(encoding(refused).0, None, "{refused}");
    }
    for asked in ["gzip", "deflate, gzip;q=0.5", "br, GZIP"] {
        let (encoding, body) = encoding(asked);
        assert_eq!(encoding.as_deref(), Some("gzip"), "{asked}");
        let mut text = String::new();
        flate2::read::GzDecoder::new(body.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        assert!(text.contains("node_thermal_zone_temp"), "{asked}");
        let local = service.request(&request(asked));
        assert_eq!(local.header("content-encoding"), None, "{asked}");
        assert!(local.text().contains("node_thermal_zone_temp"), "{asked}");
    }
}

#[test]
fn promtool_finds_nothing_to_complain_about_on_this_machine() {
    let service = Service::start("[simulated]\nenabled = true\n");
    assert_promtool_agrees("this machine", &service.metrics());
}

#[test]
fn a_scrape_changes_no_counter_but_those_of_scrapes() {
    let (_sys, service) = service();
    let counters = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.starts_with("sensor_") || line.starts_with("edge_source_errors"))
            .map(ToOwned::to_owned)
            .collect()
    };
    let before = counters(&service.metrics());
    for _ in 0..20 {
        service.metrics();
    }
    assert!(!before.is_empty());
    assert_eq!(before, counters(&service.metrics()));
}

#[test]
fn every_reason_of_failure_is_there_before_the_first_failure() {
    let (_sys, service) = service();
    for reason in [
        "cpu_spike",
        "route_error",
        "io",
        "not_ready",
        "invalid",
        "timeout",
        "panic",
    ] {
        let series = format!("sensor_failed_events_total{{reason=\"{reason}\"}}");
        assert_eq!(service.metric(&series), Some(0.0), "{reason}");
    }
}
