//! A real Prometheus scrapes the real service.

use crate::common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::prometheus::{Prometheus, installed};
use common::{Service, ask, eventually};

#[test]
fn the_target_is_up_in_every_prometheus_there_is() {
    let service = Service::start("[simulated]\nenabled = true\n");
    for program in installed() {
        let prometheus = Prometheus::start(&program, &[service.address()], Duration::from_secs(1));
        let up = eventually(|| prometheus.targets().iter().all(|target| target["health"] == "up"));
        assert!(up, "{}: {:?}", program.display(), prometheus.targets());
        // What has been scraped is found by queries a moment later.
        assert!(eventually(|| prometheus.query("up") == [1.0]));
        assert!(prometheus.value("count({job=\"sensor\"})") > 100.0);
        assert_eq!(
            prometheus
                .query("node_hwmon_temp_celsius{chip=\"simulated\",sensor=\"temp1\"}")
                .len(),
            1
        );
    }
}

#[test]
fn two_hundred_scrapes_a_second_apart_all_succeed_while_sensor_is_under_load() {
    let service = Service::start("[simulated]\nenabled = true\n");
    let address = service.address();
    let prometheus: Vec<Prometheus> = installed()
        .iter()
        .map(|program| Prometheus::start(program, &[address], Duration::from_secs(1)))
        .collect();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let mut answered = 0;
                while !stop.load(Ordering::Relaxed) {
                    let answer = ask(
                        address,
                        b"GET /sensor HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n",
                    )
                    .unwrap();
                    assert_eq!(answer.status, 200);
                    answered += 1;
                    // Some hundred requests a second: a load for the service, not for the machine that runs the other tests.
                    thread::sleep(Duration::from_millis(10));
                }
                answered
            })
        })
        .collect();
    // On a busy machine Prometheus leaves one out now and then, which is not what this is about.
    let scrapes = |one: &Prometheus| one.query("count_over_time(up[10m])").first().copied().unwrap_or(0.0);
    let begun = Instant::now();
    while prometheus.iter().any(|one| scrapes(one) < 200.0) {
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "fewer than 200 scrapes in 300 s"
        );
        thread::sleep(Duration::from_secs(1));
    }
    stop.store(true, Ordering::Relaxed);
    let answered: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
    assert!(answered > 10_000, "only {answered} requests");
    for one in &prometheus {
        let scrapes = scrapes(one);
        assert_eq!(
            one.value("min_over_time(up[10m])"),
            1.0,
            "of {scrapes} scrapes one failed"
        );
    }
}
