//! Values that come through a real broker, and what becomes of them when it goes, refuses, or sends nonsense.

use crate::common;

use std::io::Write;

use common::broker::Broker;
use common::{Service, eventually, only};

/// A service that subscribes to `url` with more settings.
fn settings(url: &str, more: &str) -> String {
    format!("{}[mqtt]\nurl = {url:?}\n{more}", only(&["mqtt"]))
}

fn at(broker: &Broker) -> String {
    format!("mqtt://127.0.0.1:{}", broker.port)
}

fn wait_until_connected(service: &Service) {
    service.wait_for_metric("edge_mqtt_connected", |value| value == Some(1.0));
}

const ZIGBEE: &str = "presets = [\"zigbee2mqtt\"]\n";
const TEMPERATURE: &str = "edge_mqtt_temperature_celsius{device=\"attic\",sensor=\"\"}";
const AGE: &str = "edge_mqtt_age_seconds{topic=\"zigbee2mqtt/attic\"}";

#[test]
fn what_devices_publish_is_exported_with_its_age_and_what_the_broker_kept_without() {
    let broker = Broker::start();
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":21.5,"humidity":40}"#, &["-r"]);
    let subscription = "[[mqtt.subscriptions]]\ntopic = \"meter/+\"\nmetric = \"water_liters_total\"\ntype = \"counter\"\n\
        labels = { meter = \"$1\" }\nscale = 1000\n";
    let service = Service::start(&settings(&at(&broker), &format!("{ZIGBEE}{subscription}")));
    service.wait_for_metric(TEMPERATURE, |value| value == Some(21.5));
    assert_eq!(
        service.metric("edge_mqtt_humidity_ratio{device=\"attic\",sensor=\"\"}"),
        Some(0.4)
    );
    assert_eq!(service.metric(AGE), None);
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":22}"#, &[]);
    broker.publish("meter/cellar", "12.5", &[]);
    service.wait_for_metric(TEMPERATURE, |value| value == Some(22.0));
    service.wait_for_metric("water_liters_total{meter=\"cellar\"}", |value| value == Some(12_500.0));
    assert!(service.metric(AGE).is_some_and(|age| age < 60.0));
    assert_eq!(service.metric("edge_mqtt_messages_total{result=\"taken\"}"), Some(3.0));
    assert_eq!(service.metric("edge_source_success{source=\"mqtt\"}"), Some(1.0));
}

#[test]
fn a_family_of_the_service_keeps_its_name() {
    let broker = Broker::start();
    broker.publish("load", "12", &["-r"]);
    let service = Service::start(&format!(
        "{}[mqtt]\nurl = {:?}\n[[mqtt.subscriptions]]\ntopic = \"load\"\nmetric = \"node_uname_info\"\n",
        only(&["mqtt", "uname"]),
        at(&broker)
    ));
    service.wait_for_metric("edge_source_readings_dropped{source=\"mqtt\"}", |value| {
        value == Some(1.0)
    });
    let metrics = service.metrics();
    assert!(metrics.contains("\nnode_uname_info{"), "{metrics}");
    assert!(!metrics.contains("\nnode_uname_info 12"), "{metrics}");
}

#[test]
fn a_broker_that_goes_is_an_error_until_it_is_back_and_values_stay_until_they_are_stale() {
    let mut broker = Broker::start();
    let service = Service::start(&settings(&at(&broker), &format!("{ZIGBEE}stale_after = \"15s\"\n")));
    wait_until_connected(&service);
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":21.5}"#, &[]);
    service.wait_for_metric(TEMPERATURE, |value| value == Some(21.5));
    broker.kill();
    service.wait_for_metric("edge_mqtt_connected", |value| value == Some(0.0));
    assert_eq!(service.metric(TEMPERATURE), Some(21.5));
    assert_eq!(service.metric("edge_source_success{source=\"mqtt\"}"), Some(0.0));
    service.wait_for_metric("edge_source_errors_total{kind=\"io\",source=\"mqtt\"}", |value| {
        value > Some(0.0)
    });
    service.wait_for_metric(TEMPERATURE, |value| value.is_none());
    broker.restart();
    wait_until_connected(&service);
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":20}"#, &[]);
    service.wait_for_metric(TEMPERATURE, |value| value == Some(20.0));
    service.wait_for_metric("edge_source_success{source=\"mqtt\"}", |value| value == Some(1.0));
}

#[test]
fn nonsense_takes_its_own_value_away_is_named_and_costs_no_other() {
    let broker = Broker::start();
    let service = Service::start(&settings(&at(&broker), ZIGBEE));
    wait_until_connected(&service);
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":21.5}"#, &[]);
    broker.publish("zigbee2mqtt/cellar", r#"{"temperature":8}"#, &[]);
    service.wait_for_metric(TEMPERATURE, |value| value == Some(21.5));
    broker.publish("zigbee2mqtt/attic", "\u{0}\u{1}{nonsense", &[]);
    service.wait_for_metric(TEMPERATURE, |value| value.is_none());
    service.wait_for_metric("edge_source_errors_total{kind=\"invalid\",source=\"mqtt\"}", |value| {
        value > Some(0.0)
    });
    let other = "edge_mqtt_temperature_celsius{device=\"cellar\",sensor=\"\"}";
    assert_eq!(service.metric(other), Some(8.0));
    assert!(service.get("/").text().contains("zigbee2mqtt/attic: not JSON"));
    // The log is read beside the answers.
    assert!(eventually(|| service.log.count("source fails") > 0));
    // Kept by the broker and longer than anything that is taken: were it sent, each connection would end with it.
    broker.publish("zigbee2mqtt/map", "x".repeat(1_000_000), &["-r"]);
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":21}"#, &[]);
    service.wait_for_metric(TEMPERATURE, |value| value == Some(21.0));
    assert_eq!(service.log.count("source fails"), 1, "once: {}", service.log.text());
    let again = Service::start(&settings(&at(&broker), ZIGBEE));
    wait_until_connected(&again);
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":20}"#, &[]);
    again.wait_for_metric(TEMPERATURE, |value| value == Some(20.0));
}

#[test]
fn topics_without_end_leave_memory_and_series_bounded() {
    let broker = Broker::start();
    let service = Service::start(&settings(&at(&broker), ZIGBEE));
    wait_until_connected(&service);
    for number in 0..400 {
        broker.publish(
            &format!("zigbee2mqtt/{number}"),
            r#"{"temperature":20,"humidity":40}"#,
            &[],
        );
    }
    service.wait_for_metric("edge_mqtt_messages_total{result=\"dropped\"}", |value| {
        value > Some(100.0)
    });
    let metrics = service.metrics();
    let series = metrics.lines().filter(|line| line.starts_with("edge_mqtt_")).count();
    assert!(series <= 256, "{series}");
    assert!(metrics.contains("edge_source_readings_dropped{source=\"mqtt\"}"));
}

#[test]
fn topics_and_names_of_any_length_leave_memory_bounded() {
    let broker = Broker::start();
    let subscription =
        "[[mqtt.subscriptions]]\ntopic = \"names/+\"\nmetric = \"x\"\npointer = \"/*\"\nlabels = { name = \"$2\" }\n";
    let service = Service::start(&settings(&at(&broker), &format!("{ZIGBEE}{subscription}")));
    wait_until_connected(&service);
    let before = service.process().status("RssAnon");
    // As long as MQTT, and what is asked for of a message, allow; kept, so that a restart would not help.
    let long = "x".repeat(60_000);
    for number in 0..200 {
        broker.publish(&format!("zigbee2mqtt/{long}{number}"), r#"{"temperature":20}"#, &["-r"]);
        broker.publish(
            &format!("names/{number}"),
            format!(r#"{{"{number}{long}":1}}"#),
            &["-r"],
        );
    }
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":21.5}"#, &[]);
    service.wait_for_metric(TEMPERATURE, |value| value == Some(21.5));
    let grown = service.process().status("RssAnon").saturating_sub(before);
    assert!(grown < 4096, "{grown} KiB");
    assert_eq!(
        service.metric("edge_mqtt_messages_total{result=\"dropped\"}"),
        Some(200.0)
    );
    assert_eq!(service.metrics().matches("\nx{").count(), 200);
}

#[test]
fn a_reload_that_leaves_the_subscriptions_alone_keeps_what_was_published() {
    let broker = Broker::start();
    let before = settings(&at(&broker), ZIGBEE);
    let service = Service::start(&before);
    wait_until_connected(&service);
    // Not kept by the broker: a device on a battery says it once an hour.
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":21.5}"#, &[]);
    service.wait_for_metric(TEMPERATURE, |value| value == Some(21.5));
    service.reload(&format!("{before}[cpu_spike]\nthreshold = 0.8\n"));
    let metrics = service.metrics();
    for (series, value) in [(TEMPERATURE, 21.5), ("edge_mqtt_connected", 1.0)] {
        assert_eq!(common::value_of(&metrics, series), Some(value), "{metrics}");
    }
    assert!(common::value_of(&metrics, AGE).is_some(), "{metrics}");
    broker.publish("zigbee2mqtt/attic", r#"{"temperature":20}"#, &[]);
    service.wait_for_metric(TEMPERATURE, |value| value == Some(20.0));
    // Where the settings are others, what the old ones took is not theirs.
    service.reload(&settings(&at(&broker), "presets = [\"tasmota\"]\n"));
    wait_until_connected(&service);
    assert_eq!(service.metric(TEMPERATURE), None);
}

#[test]
fn a_password_lets_in_and_a_wrong_one_is_told() {
    let broker = Broker::start_with_password("edgewatch", "right");
    let file = tempfile::NamedTempFile::new().unwrap();
    let write = |password: &str| file.as_file().write_all_at(password);
    write("wrong\n");
    let login = format!("username = \"edgewatch\"\npassword_file = {:?}\n{ZIGBEE}", file.path());
    let service = Service::start(&settings(&at(&broker), &login));
    service.wait_for_metric("edge_mqtt_connected", |value| value == Some(0.0));
    let page = service.get("/").text();
    assert!(
        page.contains("NotAuthorized") || page.contains("BadUserNamePassword"),
        "{page}"
    );
    write("right\n");
    wait_until_connected(&service);
}

#[test]
fn a_pipe_in_place_of_a_password_is_told_and_holds_nothing_up() {
    let broker = Broker::start_with_password("edgewatch", "right");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    let login = format!("username = \"edgewatch\"\npassword_file = {file:?}\n{ZIGBEE}");
    let service = Service::start(&settings(&at(&broker), &login));
    service.wait_for_metric("edge_mqtt_connected", |value| value == Some(0.0));
    let page = service.get("/").text();
    assert!(page.contains("no regular file"), "{page}");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "right\n").unwrap();
    wait_until_connected(&service);
}

/// Replaces what is at the beginning of a file.
trait WriteAllAt {
    fn write_all_at(&self, text: &str);
}

impl WriteAllAt for std::fs::File {
    fn write_all_at(&self, text: &str) {
        use std::io::Seek;
        let mut file = self;
        file.rewind().unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
}

#[test]
fn a_broker_with_tls_is_asked_only_if_its_certificate_is_signed_as_it_should() {
    let broker = Broker::start_with_tls();
    let url = format!("mqtts://localhost:{}", broker.port);
    let stranger = Broker::start_with_tls();
    let with =
        |authority: &std::path::Path| Service::start(&settings(&url, &format!("ca_file = {authority:?}\n{ZIGBEE}")));
    wait_until_connected(&with(&broker.authority()));
    let refused = with(&stranger.authority());
    refused.wait_for_metric("edge_mqtt_connected", |value| value == Some(0.0));
    let page = refused.get("/").text();
    assert!(page.contains("invalid peer certificate"), "{page}");
}

#[test]
fn settings_that_cannot_work_are_refused_with_what_would() {
    for (bad, remedy) in [
        ("url = \"broker\"\n", "mqtt://HOST"),
        ("presets = [\"zigbee2mqtt\"]\n", "mqtt.url"),
        ("url = \"mqtt://broker\"\n", "presets"),
        ("url = \"mqtt://broker\"\npresets = [\"zigbee\"]\n", "zigbee2mqtt"),
        (
            "url = \"mqtt://broker\"\n[[mqtt.subscriptions]]\ntopic = \"a/#/b\"\nmetric = \"x\"\n",
            "subscriptions[0]",
        ),
        (
            "url = \"mqtt://broker\"\n[[mqtt.subscriptions]]\ntopic = \"a\"\nmetric = \"edge_x\"\n",
            "edge_",
        ),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("[mqtt]\n{bad}")).unwrap();
        let (status, _, stderr) = common::run(&["serve", "--check", "--config", file.path().to_str().unwrap()], &[]);
        assert!(!status.success() && stderr.contains(remedy), "{bad}: {stderr}");
    }
}

#[test]
fn without_a_broker_there_is_no_thread_for_one() {
    let service = Service::start(&only(&["mqtt"]));
    let threads = std::fs::read_dir(format!("/proc/{}/task", service.process().pid)).unwrap();
    let names = threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).unwrap());
    assert!(names.into_iter().all(|name| name.trim() != "mqtt"));
    assert!(!service.metrics().contains("mqtt"));
}
