//! Every query of every panel, against a real Prometheus that scrapes the real service with the shipped configuration and rules.

use crate::common;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use common::prometheus::{Prometheus, installed};
use common::{Service, eventually, tree};
use serde_json::Value;

const DASHBOARDS: [&str; 4] = ["overview", "hardware", "sensors", "budget"];

/// Metrics of Prometheus that Debian 12's 2.42 does not have.
const NEWER: [&str; 2] = [
    "prometheus_tsdb_head_chunks_storage_size_bytes",
    "prometheus_tsdb_wal_storage_size_bytes",
];

struct Panel {
    dashboard: &'static str,
    title: String,
    queries: Vec<String>,
    /// In a collapsed row: for hardware or a kernel that not every machine has.
    collapsed: bool,
}

fn load(dashboard: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("grafana-dashboards")
        .join(dashboard)
        .with_extension("json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn panels() -> Vec<Panel> {
    fn collect(dashboard: &'static str, panels: &Value, collapsed: bool, found: &mut Vec<Panel>) {
        for panel in panels.as_array().into_iter().flatten() {
            collect(dashboard, &panel["panels"], true, found);
            let targets = panel["targets"].as_array().into_iter().flatten();
            found.push(Panel {
                dashboard,
                title: panel["title"].as_str().unwrap().to_owned(),
                queries: targets
                    .map(|target| target["expr"].as_str().unwrap().to_owned())
                    .collect(),
                collapsed,
            });
        }
    }
    let mut found = Vec::new();
    for dashboard in DASHBOARDS {
        collect(dashboard, &load(dashboard)["panels"], false, &mut found);
    }
    found
}

/// What Grafana puts in place of its variables.
fn expand(query: &str) -> String {
    query
        .replace("$__rate_interval", "4s")
        .replace("$__range", "1m")
        .replace("$__interval", "1s")
        // One of its panels, which there are as many as there are kinds of readings.
        .replace("$reading", "node_hwmon_temp_celsius")
}

/// True if `prometheus` has data for the query.
fn has_data(prometheus: &Prometheus, panel: &Panel, query: &str) -> bool {
    match prometheus.try_query(&expand(query)) {
        Ok(values) => !values.is_empty(),
        Err(error) => panic!("{} / {}: {query}: {error}", panel.dashboard, panel.title),
    }
}

/// Tries `missing` until it finds nothing, or patience ends.
fn assert_nothing_missing(mut missing: impl FnMut() -> Vec<String>) {
    let mut last = Vec::new();
    eventually(|| {
        last = missing();
        last.is_empty()
    });
    assert!(last.is_empty(), "no data: {last:#?}");
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A machine of `tests/fixtures`, with simulated sensors for what none of them has, and files of other programs.
fn fixture(machine: &Path) -> Service {
    Service::start(&format!(
        "[simulated]\nenabled = true\n[paths]\nprocfs = {:?}\nsysfs = {:?}\n[textfile]\ndirectories = [{:?}]\n",
        machine.join("proc"),
        machine.join("sys"),
        fixtures().join("textfile")
    ))
}

#[test]
fn no_open_panel_is_without_data_on_this_machine() {
    let settings = "[simulated]\nenabled = true\n[cpu_spike]\nwindow = \"1s\"\n[sources.cpu]\nperiod = \"300ms\"\n";
    let service = Service::start(settings);
    let prometheus = Prometheus::start_shipped(&installed()[0], &[service.address()]);
    let panels = panels();
    let open: Vec<_> = panels
        .iter()
        .filter(|panel| !panel.collapsed && !panel.queries.is_empty())
        .collect();
    assert!(open.len() > 40);
    assert_nothing_missing(|| {
        // Latency has a value only once somebody has asked for a reading.
        service.get("/sensor");
        // It is good to have no alert.
        let needed = open.iter().filter(|panel| panel.title != "Active alerts");
        needed
            .filter(|panel| !panel.queries.iter().any(|query| has_data(&prometheus, panel, query)))
            .map(|panel| format!("{} / {}", panel.dashboard, panel.title))
            .collect()
    });
}

#[test]
fn every_query_has_data_on_a_machine_with_the_hardware_it_is_for() {
    let everything = tempfile::tempdir().unwrap();
    let described = std::fs::read_to_string(fixtures().join("every-sensor.tree")).unwrap();
    tree::unpack(&described, everything.path());
    let machines = [
        fixture(&fixtures().join("raspberry-pi-4")),
        fixture(&fixtures().join("x86-nuc")),
        fixture(everything.path()),
    ];
    let addresses: Vec<SocketAddr> = machines.iter().map(Service::address).collect();
    let program = installed().pop().expect("a Prometheus");
    let is_old = program == installed()[0];
    let prometheus = Prometheus::start_shipped(&program, &addresses);
    let panels = panels();
    assert_nothing_missing(|| {
        machines[0].get("/sensor");
        let queries = panels
            .iter()
            .flat_map(|panel| panel.queries.iter().map(move |query| (panel, query)));
        // The CPU of a fixture stands still; the panel is tried on this machine.
        queries
            .filter(|(panel, _)| panel.title != "CPU spike")
            .filter(|(_, query)| !(is_old && NEWER.contains(&query.as_str())))
            .filter(|(panel, query)| !has_data(&prometheus, panel, query))
            .map(|(panel, query)| format!("{} / {}: {query}", panel.dashboard, panel.title))
            .collect()
    });
}

#[test]
fn dashboards_can_be_imported_anywhere() {
    for name in DASHBOARDS {
        let dashboard = load(name);
        assert_eq!(dashboard["uid"], format!("edgewatch-{name}"));
        assert!(
            dashboard["id"].is_null() && dashboard["schemaVersion"].as_u64() >= Some(39),
            "{name}"
        );
        // No trace of the Grafana it came from: the data source is the one that the person chooses.
        assert!(dashboard.get("__inputs").is_none(), "{name}");
        let text = dashboard.to_string();
        let sources = text.matches("\"type\":\"prometheus\"").count();
        assert_eq!(sources, text.matches("\"uid\":\"${datasource}\"").count(), "{name}");
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    fn check(dashboard: &str, panels: &Value) {
        for panel in panels.as_array().into_iter().flatten() {
            let title = panel["title"].as_str().unwrap();
            check(dashboard, &panel["panels"]);
            if panel["type"] == "row" {
                continue;
            }
            assert!(
                panel["description"].as_str().is_some_and(|text| text.len() > 10),
                "{dashboard} / {title}"
            );
            assert!(
                panel["type"] == "table" || panel["fieldConfig"]["defaults"]["unit"].is_string(),
                "{dashboard} / {title} has no unit"
            );
        }
    }
    for name in DASHBOARDS {
        check(name, &load(name)["panels"]);
    }
}

/// A rate needs two scrapes: until then, words that say what the device lacks would be false.
#[test]
fn words_for_no_rate_tell_of_the_second_scrape() {
    fn check(dashboard: &str, panels: &Value) {
        for panel in panels.as_array().into_iter().flatten() {
            check(dashboard, &panel["panels"]);
            let words = panel["fieldConfig"]["defaults"]["noValue"].as_str();
            let mut queries = panel["targets"].as_array().into_iter().flatten();
            let has_rate = |query: &str| ["rate(", "increase("].iter().any(|function| query.contains(function));
            if let Some(words) = words.filter(|_| queries.any(|target| target["expr"].as_str().is_some_and(has_rate))) {
                assert!(
                    words.contains("second scrape"),
                    "{dashboard} {}: {words}",
                    panel["title"]
                );
            }
        }
    }
    for dashboard in DASHBOARDS {
        check(dashboard, &load(dashboard)["panels"]);
    }
}
