//! Connections that any user of the device can open to Prometheus, which has no passwords. The probe must not kill it for them.

use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::common::prometheus::{Prometheus, installed};
use crate::common::{eventually, run, signal};

const INTERVAL: Duration = Duration::from_millis(500);

fn program() -> PathBuf {
    installed().into_iter().next().expect("Prometheus is installed")
}

/// Exit status and standard error of what the probe runs as root, in less time.
fn probe(prometheus: &Prometheus) -> (Option<i32>, String) {
    let url = format!("http://{}/-/healthy", prometheus.address);
    let (status, _, errors) = run(&["wait", "--any-status", "--timeout", "3s", &url], &[]);
    (status.code(), errors)
}

/// A Prometheus that takes as many connections as the budget says, and all of them, with some that wait.
fn crowded() -> (Prometheus, Vec<TcpStream>) {
    let limit = edgewatch_sensors::budget::Budget::load(None)
        .unwrap()
        .prometheus
        .web_max_connections;
    let prometheus = Prometheus::start_limited(&program(), INTERVAL, &[format!("--web.max-connections={limit}")]);
    assert_eq!(probe(&prometheus), (Some(0), String::new()));
    let crowd = (0..limit + 8)
        .map(|_| TcpStream::connect(prometheus.address).unwrap())
        .collect();
    (prometheus, crowd)
}

#[test]
fn a_prometheus_whose_connections_are_all_taken_is_not_taken_for_dead() {
    let (prometheus, crowd) = crowded();
    let (code, errors) = probe(&prometheus);
    assert_eq!(code, Some(0), "{errors}");
    // Go accepts the next connection before the kernel has forgotten the one that was closed, so that one more than the limit may be seen.
    let says = |open: usize| {
        errors.contains(&format!(
            "answers nobody: {open} connections are open, and it takes 32; it is alive"
        ))
    };
    assert!(says(32) || says(33), "{errors}");
    drop(crowd);
    assert!(eventually(|| probe(&prometheus) == (Some(0), String::new())));
}

#[test]
fn a_prometheus_that_stands_still_is_dead_however_many_are_connected() {
    let (prometheus, crowd) = crowded();
    signal(prometheus.pid(), "STOP");
    let (code, errors) = probe(&prometheus);
    assert_eq!(code, Some(3), "{errors}");
    drop(crowd);
    let (code, errors) = probe(&prometheus);
    assert_eq!(code, Some(3), "{errors}");
}
