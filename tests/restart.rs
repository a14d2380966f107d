//! Restarts and stops lose no scrape: the listening socket belongs to systemd, and requests in flight are finished.

use crate::common;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::prometheus::{Prometheus, installed};
use common::{Service, Setup, ask, only};

const METRICS: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n";

/// Clients that ask one after the other until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(address: SocketAddr, clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let clients = (0..clients)
            .map(|_| {
                let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
                thread::spawn(move || {
                    let mut failures = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        match ask(address, METRICS) {
                            Ok(answer) if answer.status == 200 && answer.text().ends_with('\n') => {
                                answered.fetch_add(1, Ordering::Relaxed);
                            }
                            Ok(answer) => failures.push(format!("status {}", answer.status)),
                            Err(error) => failures.push(error.to_string()),
                        }
                        thread::sleep(Duration::from_millis(5));
                    }
                    failures
                })
            })
            .collect();
        Self {
            stop,
            answered,
            clients,
        }
    }

    /// Ends the clients; gives the number of good answers and what went wrong.
    fn finish(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self
            .clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect();
        (self.answered.load(Ordering::Relaxed), failures)
    }
}

#[test]
fn fifty_restarts_with_socket_activation_miss_no_scrape() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let program = installed().pop().expect("a Prometheus");
    let mut service = Setup::new("").socket(&listener).start();
    let prometheus = Prometheus::start(&program, &[address], Duration::from_secs(1));
    let load = Load::start(address, 2);
    for _ in 0..50 {
        service.signal("TERM");
        assert!(service.wait().success());
        service = Setup::new("").socket(&listener).start();
    }
    let (answered, failures) = load.finish();
    assert!(failures.is_empty(), "{} of {answered}: {failures:?}", failures.len());
    assert!(answered > 100, "only {answered} scrapes");
    let scrapes = prometheus.value("count_over_time(up[10m])");
    assert!(scrapes >= 10.0, "only {scrapes} scrapes by Prometheus");
    assert_eq!(
        prometheus.value("min_over_time(up[10m])"),
        1.0,
        "of {scrapes} scrapes one failed"
    );
}

#[test]
fn a_kill_misses_no_scrape_either_if_nobody_is_being_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..5 {
        let mut service = Setup::new("").socket(&listener).start();
        service.signal("KILL");
        service.wait();
        let waiting = thread::spawn(move || ask(address, METRICS).map(|answer| answer.status));
        thread::sleep(Duration::from_millis(50));
        let _service = Setup::new("").socket(&listener).start();
        assert_eq!(waiting.join().unwrap().unwrap(), 200);
    }
}

#[test]
fn requests_in_flight_are_finished_when_it_is_told_to_stop_under_load() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut service = Setup::new("").socket(&listener).start();
    let load = Load::start(address, 8);
    thread::sleep(Duration::from_millis(500));
    service.signal("TERM");
    service.manager.wait_for("STOPPING=1");
    assert!(service.wait().success());
    // The rest is answered by the next one, as after `systemctl restart`.
    let _next = Setup::new("").socket(&listener).start();
    thread::sleep(Duration::from_millis(500));
    let (answered, failures) = load.finish();
    assert!(failures.is_empty(), "{} of {answered}: {failures:?}", failures.len());
}

#[test]
fn a_source_that_hangs_delays_no_stop_whether_the_service_starts_or_reloads() {
    let hangs = only(&["simulated"])
        + "[simulated]\nenabled = true\n[[simulated.faults]]\nkind = \"hang\"\nsensor = \"*\"\n[sources.simulated]\ndeadline = \"25s\"\n";
    let stop = |mut service: Service, name: &str| {
        let began = Instant::now();
        service.signal(name);
        assert!(service.wait().success(), "{}", service.log.text());
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    };
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let starting = Setup::new(&hangs).socket(&socket).spawn();
    assert_eq!(ask(socket.local_addr().unwrap(), METRICS).unwrap().status, 200);
    stop(starting, "INT");
    let reloading = Service::start(&only(&["load"]));
    reloading.configure(&hangs);
    reloading.signal("HUP");
    reloading.manager.wait_for("RELOADING=1");
    stop(reloading, "TERM");
}
