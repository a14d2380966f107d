//! What the kernel charges the stack for, against the budget.

use std::net::SocketAddr;

use serde_json::Value;

use super::{INTERVAL, check, verdict};
use crate::common::prometheus::{Prometheus, free_port, installed};
use crate::common::{FakeSys, Service, eventually};

/// Settings of a service that is charged, with the others of the stack, for what [`charge`] says.
fn charged(sys: &FakeSys) -> String {
    sys.write("proc/self/cgroup", "0::/edgewatch.slice/edgewatch.service\n");
    sys.write("fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
    let procfs = format!("procfs = {:?}\n", sys.path().join("proc"));
    sys.settings(&["cgroup"]) + &procfs
}

/// What the kernel says of a cgroup below the slice's, memory in MB.
fn charge(sys: &FakeSys, path: &str, max: u64, current: u64, kills: u64) {
    let file = |name: &str, content: String| sys.write(&format!("fs/cgroup/edgewatch.slice/{path}{name}"), content);
    file("memory.max", format!("{}\n", max << 20));
    file("memory.current", format!("{}\n", current << 20));
    file("memory.peak", format!("{}\n", (current + 1) << 20));
    file("memory.stat", format!("anon {}\nfile 0\n", current << 20));
    file("memory.events", format!("high 0\nmax 0\noom 0\noom_kill {kills}\n"));
    file("cpu.stat", "usage_usec 1000000\n".to_owned());
}

#[test]
fn what_the_kernel_charges_is_judged_against_the_budget() {
    let sys = FakeSys::new();
    let settings = charged(&sys);
    let unit = |path, max, current, kills| charge(&sys, path, max, current, kills);
    unit("", 300, 100, 1);
    unit("edgewatch.service/", 11, 10, 0);
    unit("prometheus.service/", 76, 60, 1);
    let service = Service::start(&settings);
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (status, json, _) = check(service.address(), closed, &["--json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status, 2, "{json}");
    for (subject, status, found) in [
        ("enforcement", "ok", "the kernel holds edgewatch.slice to 300 MB"),
        ("memory edgewatch.slice", "ok", "101.0 MB at peak, limit 300.0 MB"),
        ("memory edgewatch.service", "warning", "10.0 MB now"),
        ("memory edgewatch-dashboards.service", "skipped", "not running"),
        ("memory edgewatch-outbound.service", "skipped", "not running"),
        ("memory prometheus.service", "ok", "60.0 MB now"),
        ("memory grafana.service", "skipped", "not running"),
        ("oom kills", "failed", "1 in prometheus.service"),
    ] {
        let verdict = verdict(&report, subject);
        assert_eq!(verdict["status"], status, "{verdict}");
        assert!(verdict["found"].as_str().unwrap().contains(found), "{verdict}");
    }
}

#[test]
fn a_kill_is_a_failure_while_it_is_recent_and_a_warning_from_then_on() {
    for program in installed() {
        let sys = FakeSys::new();
        let settings = charged(&sys);
        let killed = |kills| charge(&sys, "", 300, 100, kills);
        killed(1);
        charge(&sys, "edgewatch.service/", 11, 5, 0);
        let service = Service::start(&settings);
        let prometheus = Prometheus::start_stack(&program, service.address(), INTERVAL);
        let status_is = |status: &str| {
            let mut last = Value::Null;
            let held = eventually(|| {
                let (_, json, _) = check(service.address(), prometheus.address, &["--json"]);
                last = verdict(&serde_json::from_str(&json).unwrap(), "oom kills").clone();
                last["status"] == status
            });
            assert!(held, "{last}");
        };
        status_is("warning");
        assert!(eventually(|| prometheus
            .query("edge_unit_memory_events_total == 1")
            .len()
            == 1));
        killed(2);
        status_is("failed");
        status_is("warning");
    }
}
