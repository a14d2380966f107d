//! `edgewatch check` against a real service and a real Prometheus.

mod budget;

use crate::common;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::prometheus::{Prometheus, free_port, installed};
use common::small_disk::SmallDisk;
use common::upstream::{Reply, Upstream};
use common::{FakeSys, Service, Setup, run};
use serde_json::Value;

const INTERVAL: Duration = Duration::from_millis(500);

/// A service with one thermal zone and its own process, and nothing of the machine that the test runs on.
fn service() -> (FakeSys, Service) {
    let sys = FakeSys::new();
    sys.zone(0, "48312\n");
    let service = Service::start(&sys.settings(&["thermal", "process"]));
    (sys, service)
}

fn debian() -> PathBuf {
    installed().into_iter().next().expect("Prometheus is installed")
}

/// Exit status, standard output and standard error of `edgewatch check`.
fn check(service: SocketAddr, prometheus: SocketAddr, options: &[&str]) -> (i32, String, String) {
    let urls = [service, prometheus].map(|address| format!("http://{address}"));
    let grafana = format!("http://127.0.0.1:{}", free_port());
    let mut arguments = vec!["check", "--service", &urls[0], "--prometheus", &urls[1]];
    arguments.extend(["--window", "10s"]);
    if !options.contains(&"--grafana") {
        arguments.extend(["--grafana", &grafana]);
    }
    arguments.extend(options);
    let (status, stdout, stderr) = run(&arguments, &[]);
    (status.code().expect("no signal ended it"), stdout, stderr)
}

/// The verdict on `subject`.
fn verdict<'a>(report: &'a Value, subject: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["subject"] == subject)
        .unwrap_or_else(|| panic!("no {subject} in {report:#}"))
}

/// `budget.toml` with room for the service as it is built for tests, which is several times as large as the one on a device.
fn roomy_budget(directory: &Path) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("budget.toml");
    let mut budget = std::fs::read_to_string(shipped).unwrap();
    for (shipped, roomy) in [
        ("\"11M\"", "\"80M\""),
        ("\"180M\"", "\"110M\""),
        ("\"170M\"", "\"109M\""),
    ] {
        assert_eq!(budget.matches(shipped).count(), 1, "{shipped}");
        budget = budget.replace(shipped, roomy);
    }
    let file = directory.join("budget.toml");
    std::fs::write(&file, budget).unwrap();
    file
}

#[test]
fn a_well_stack_gives_0_as_soon_as_it_is_well() {
    let directory = tempfile::tempdir().unwrap();
    let budget = roomy_budget(directory.path());
    let budget = budget.to_str().unwrap();
    for program in installed() {
        let (_sys, service) = service();
        let prometheus = Prometheus::start_stack(&program, service.address(), INTERVAL);
        let started = Instant::now();
        let (status, table, errors) = check(
            service.address(),
            prometheus.address,
            &["--wait", "60s", "--budget", budget],
        );
        assert_eq!((status, &*errors), (0, ""), "{table}");
        assert!(started.elapsed() < Duration::from_secs(30), "{table}");
        assert!(table.lines().last().unwrap().starts_with("well: "), "{table}");
        assert!(!table.contains('\x1b'), "no colours but on a terminal: {table}");

        let (status, json, _) = check(service.address(), prometheus.address, &["--json", "--budget", budget]);
        let report: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((status, &report["status"]), (0, &Value::from("ok")), "{json}");
        for subject in [
            "service",
            "metrics",
            "readings",
            "prometheus",
            "target sensor",
            "scrapes sensor",
        ] {
            assert_eq!(verdict(&report, subject)["status"], "ok", "{subject}: {json}");
        }
        for (unit, limit) in [("edgewatch.service", "80.0 MB"), ("prometheus.service", "76.0 MB")] {
            let memory = verdict(&report, &format!("memory {unit}"));
            let found = memory["found"].as_str().unwrap();
            assert!(
                found.ends_with(&format!("resident, not enforced; limit {limit}")),
                "{found}"
            );
        }
        let enforcement = verdict(&report, "enforcement");
        let found = enforcement["found"].as_str().unwrap();
        assert_eq!(enforcement["status"], "skipped", "no silent pass: {found}");
        assert!(found.starts_with("nothing holds the stack to 300 MB"), "{found}");
    }
}

#[test]
fn a_dead_prometheus_is_named_and_waiting_gives_up_in_time() {
    let (_sys, service) = service();
    let prometheus = Prometheus::start_stack(&debian(), service.address(), INTERVAL);
    let address = prometheus.address;
    drop(prometheus);
    let started = Instant::now();
    let (status, table, _) = check(service.address(), address, &["--wait", "2s"]);
    let waited = started.elapsed();
    assert_eq!(status, 2, "{table}");
    let line = table
        .lines()
        .find(|line| line.starts_with("FAIL  prometheus "))
        .unwrap();
    assert!(line.contains(&format!("nothing listens on {address}")), "{table}");
    assert!(
        table.lines().last().unwrap().starts_with("not well: 1 failed"),
        "{table}"
    );
    assert!(
        waited > Duration::from_secs(2) && waited < Duration::from_secs(15),
        "{waited:?}"
    );
}

#[test]
fn a_target_that_is_down_gives_2_with_its_error() {
    let (_sys, service) = service();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let prometheus = Prometheus::start_stack(&debian(), nowhere, INTERVAL);
    assert!(common::eventually(|| prometheus
        .query("count_over_time(up{job=\"sensor\"}[1m]) > 2")
        .len()
        == 1));
    let (status, json, _) = check(service.address(), prometheus.address, &["--json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, &report["status"]), (2, &Value::from("failed")), "{json}");
    let target = verdict(&report, "target sensor");
    assert_eq!(target["status"], "failed");
    assert!(
        target["found"].as_str().unwrap().contains("connection refused"),
        "{target}"
    );
    assert!(
        target["remedy"]
            .as_str()
            .unwrap()
            .contains(&format!("http://{nowhere}")),
        "{target}"
    );
    assert_eq!(verdict(&report, "scrapes sensor")["status"], "failed");
    assert_eq!(verdict(&report, "target prometheus")["status"], "ok");
}

/// A Prometheus that has run for an hour and scrapes the sensor each second, as it says well, with `stored` samples of the last ten
/// seconds, the newest of them `age` seconds old.
fn prometheus_with(stored: u32, age: &'static str) -> Upstream {
    let data = |data: Value| {
        Reply::Json(
            200,
            serde_json::json!({ "status": "success", "data": data }).to_string(),
        )
    };
    let vector = move |value: &str| {
        let row = serde_json::json!({ "metric": { "job": "sensor", "instance": "a:1" }, "value": [0, value] });
        data(serde_json::json!({ "resultType": "vector", "result": [row] }))
    };
    Upstream::start(move |path| match path {
        "/-/ready" => Reply::Html(200, "ready"),
        "/api/v1/status/buildinfo" => data(serde_json::json!({ "version": "2.42.0" })),
        "/api/v1/status/runtimeinfo" => data(serde_json::json!({ "lastConfigTime": "1970-01-01T00:00:00Z" })),
        "/api/v1/targets?state=active" => data(serde_json::json!({ "activeTargets": [{
            "labels": { "job": "sensor", "instance": "a:1" },
            "health": "up",
            "lastError": "",
            "scrapeInterval": "1s",
        }] })),
        "/api/v1/query?query=time()" => data(serde_json::json!({ "resultType": "scalar", "result": [0, "3600"] })),
        path if path.contains("timestamp(up)") => vector(age),
        path if path.contains("/ sum by") => vector("1"),
        path if path.contains("count_over_time") => vector(&stored.to_string()),
        _ => data(serde_json::json!({ "resultType": "vector", "result": [] })),
    })
}

#[test]
fn scrapes_are_counted_against_those_that_were_due() {
    let (_sys, service) = service();
    for (stored, age, status, found) in [
        (10, "0.5", "ok", "100.0 % of 10 in 10s succeeded"),
        (8, "0.5", "ok", "100.0 % of 8 in 10s succeeded"),
        (3, "0.5", "warning", "4 that were due are not stored"),
        (
            7,
            "3.5",
            "failed",
            "nothing stored for 3s, though a scrape is due each 1s",
        ),
        (0, "400", "failed", "nothing stored for 6m 40s"),
    ] {
        let prometheus = prometheus_with(stored, age);
        let (code, json, _) = check(service.address(), prometheus.address, &["--json"]);
        let report: Value = serde_json::from_str(&json).unwrap();
        let scrapes = verdict(&report, "scrapes sensor");
        assert_eq!(scrapes["status"], status, "{stored} of 10, {age} s old: {scrapes}");
        assert!(scrapes["found"].as_str().unwrap().contains(found), "{scrapes}");
        assert_eq!(verdict(&report, "target sensor")["status"], "ok");
        assert_eq!(code, 2, "the job prometheus is missing");
    }
}

#[test]
fn a_prometheus_that_stores_nothing_on_a_full_disk_fails_until_it_does_again() {
    let test = "a_prometheus_that_stores_nothing_on_a_full_disk_fails_until_it_does_again";
    let Some(disk) = SmallDisk::new(test) else { return };
    let (_sys, service) = service();
    let prometheus = Prometheus::start_stack_in(disk.path(), &debian(), service.address(), INTERVAL);
    let scrapes = || {
        let (_, json, _) = check(service.address(), prometheus.address, &["--json"]);
        let report: Value = serde_json::from_str(&json).unwrap();
        verdict(&report, "scrapes sensor").clone()
    };
    assert!(common::eventually(|| scrapes()["status"] == "ok"), "{}", scrapes());
    disk.fill();
    let failed = common::eventually(|| scrapes()["status"] == "failed");
    let found = scrapes()["found"].as_str().unwrap().to_owned();
    assert!(failed && found.starts_with("nothing stored for"), "{found}");
    let remedy = scrapes()["remedy"].as_str().unwrap().to_owned();
    assert!(remedy.contains("df -h"), "{remedy}");
    disk.free();
    assert!(common::eventually(|| scrapes()["status"] != "failed"), "{}", scrapes());
}

#[test]
fn a_missing_job_fails() {
    let (_sys, service) = service();
    let prometheus = Prometheus::start(&debian(), &[service.address()], INTERVAL);
    let (status, table, _) = check(service.address(), prometheus.address, &[]);
    assert_eq!(status, 2, "{table}");
    assert!(table.contains("Prometheus has no job \"prometheus\""), "{table}");
}

#[test]
fn a_dead_service_gives_2_and_skips_what_only_it_knows() {
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (status, table, _) = check(closed, closed, &[]);
    assert_eq!(status, 2, "{table}");
    let line = table.lines().next().unwrap();
    assert!(
        line.starts_with("FAIL  service ") && line.ends_with(&format!("nothing listens on {closed}")),
        "{table}"
    );
    assert!(table.contains("skip  readings "), "{table}");
}

#[test]
fn a_service_that_does_not_answer_is_given_up_on() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let started = Instant::now();
    let (status, table, _) = check(address, address, &[]);
    assert_eq!(status, 2, "{table}");
    assert!(table.contains("timed out after 5 s"), "{table}");
    assert!(started.elapsed() < Duration::from_secs(20), "{table}");
}

#[test]
fn what_has_the_port_of_a_part_is_told_from_a_part_that_does_not_run() {
    let remedies = |address: SocketAddr| {
        let url = format!("http://{address}");
        let (_, json, _) = check(address, address, &["--json", "--grafana", &url]);
        let report: Value = serde_json::from_str(&json).unwrap();
        ["service", "prometheus", "grafana"].map(|subject| {
            let verdict = verdict(&report, subject);
            (verdict["status"].clone(), verdict["remedy"].to_string())
        })
    };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = Upstream::start(|_| Reply::Json(404, "{}".to_owned()));
    for address in [silent.local_addr().unwrap(), other.address] {
        for ((status, remedy), expected) in remedies(address).into_iter().zip(["failed", "failed", "warning"]) {
            assert_eq!(status, expected, "{remedy}");
            assert!(remedy.contains(&format!("sport = :{}", address.port())), "{remedy}");
        }
    }
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port()));
    for ((status, remedy), expected) in remedies(closed).into_iter().zip(["failed", "failed", "skipped"]) {
        assert_eq!(status, expected, "{remedy}");
        assert!(!remedy.contains("sport"), "{remedy}");
    }
}

#[test]
fn a_failing_sensor_is_named() {
    let sys = FakeSys::new();
    sys.zone(0, "48312\n");
    sys.zone(1, "48312\n");
    sys.break_file("class/thermal/thermal_zone1/temp");
    let service = Service::start(&sys.settings(&["thermal"]));
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (_, json, _) = check(service.address(), closed, &["--json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    let source = verdict(&report, "source thermal");
    assert_eq!(source["status"], "warning");
    assert!(source["found"].as_str().unwrap().contains("thermal_zone1"), "{source}");
}

#[test]
fn a_password_is_asked_for_and_taken() {
    let users = tempfile::NamedTempFile::new().unwrap();
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(users.path(), format!("pi:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
    std::fs::write(password.path(), "secret\n").unwrap();
    let sys = FakeSys::new();
    sys.zone(0, "48312\n");
    let settings = format!(
        "{}[auth]\nusers_file = {:?}\n",
        sys.settings(&["thermal"]),
        users.path()
    );
    let service = Setup::new(&settings).start();
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port()));

    let (status, table, _) = check(service.address(), closed, &[]);
    assert_eq!(status, 2, "{table}");
    assert!(
        table.contains("answered 401: pass --user and --password-file"),
        "{table}"
    );
    let file = password.path().to_str().unwrap();
    let (_, table, _) = check(service.address(), closed, &["--user", "pi", "--password-file", file]);
    assert!(table.contains("ok    metrics "), "{table}");
}

#[test]
fn options_that_cannot_be_used_give_2_and_say_why() {
    for (options, why) in [
        (["--service", "https://pi.local"], "is no address"),
        (["--budget", "/nonexistent"], "/nonexistent"),
        (["--window", "0s"], "1s to 365d"),
        (["--window", "1000000d"], "1s to 365d"),
        (["--wait", "soon"], "--wait"),
        (["--user", "pi"], "--password-file"),
    ] {
        let (status, stdout, stderr) = run(&["check", options[0], options[1]], &[]);
        assert_eq!((status.code(), &*stdout), (Some(2), ""), "{options:?}");
        assert!(stderr.contains(why), "{options:?}: {stderr}");
    }
}
