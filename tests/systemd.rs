//! What systemd and the service tell each other.

use crate::common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use common::{FakeSys, Service, Setup, ask};

#[test]
fn it_is_ready_after_the_first_sample_and_says_what_it_does() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    sys.block_file("class/thermal/thermal_zone0/temp");
    let service = Setup::new(&format!(
        "{}[sources.thermal]\ndeadline = \"2s\"\n",
        sys.settings(&["thermal"])
    ))
    .spawn();
    thread::sleep(Duration::from_millis(700));
    assert_eq!(service.manager.count("READY=1"), 0, "ready before the first sample");
    // A sensor that does not answer holds the start up no longer than its deadline.
    let ready = service.manager.wait_for("READY=1");
    assert!(ready.contains("STATUS=") && ready.contains("1 failing"), "{ready}");
}

#[test]
fn it_takes_over_a_tcp_and_a_unix_socket() {
    let directory = tempfile::tempdir().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(directory.path().join("http.sock")).unwrap();
    // The address in the settings is not used: it could not even be bound.
    let service = Setup::new("[http]\nlisten = [\"127.0.0.1:1\"]\n")
        .socket(&tcp)
        .unix_socket(&unix)
        .start();
    let answer = ask(tcp.local_addr().unwrap(), b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(answer.status, 200);
    let mut stream = UnixStream::connect(directory.path().join("http.sock")).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(
        text.starts_with("HTTP/1.0 200") || text.starts_with("HTTP/1.1 200"),
        "{text}"
    );
    drop(service);
}

#[test]
fn an_inherited_socket_that_strangers_reach_is_refused_without_authentication() {
    let tcp = TcpListener::bind("0.0.0.0:0").unwrap();
    let mut service = Setup::new("").socket(&tcp).spawn();
    assert!(!service.wait().success());
    service.log.wait_for("refusing to listen on 0.0.0.0");
    let open = Setup::new("[http]\ninsecure = true\n").socket(&tcp).start();
    open.log.wait_for("everybody in the network can read");
    assert!(open.get("/").text().contains("Everybody in the network"));
}

#[test]
fn the_watchdog_is_fed_while_all_is_well() {
    let service = Setup::new("").watchdog(Duration::from_millis(600)).start();
    service.manager.wait_for_nth("WATCHDOG=1", 5);
}

#[test]
fn the_watchdog_is_fed_while_one_of_the_sources_is_stuck() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    sys.block_file("class/thermal/thermal_zone0/temp");
    let settings = sys.settings(&["thermal", "load"]) + "[sources.thermal]\ndeadline = \"100ms\"\n";
    let service = Setup::new(&settings).watchdog(Duration::from_millis(600)).start();
    service.wait_for_metric(
        "edge_source_errors_total{kind=\"timeout\",source=\"thermal\"}",
        |count| count == Some(1.0),
    );
    let fed = service.manager.count("WATCHDOG=1");
    service.manager.wait_for_nth("WATCHDOG=1", fed + 3);
}

#[test]
fn the_watchdog_starves_when_the_sampler_is_stuck_though_http_answers() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    sys.block_file("class/thermal/thermal_zone0/temp");
    let settings = sys.settings(&["thermal"]) + "[sources.thermal]\ndeadline = \"100ms\"\n";
    let service = Setup::new(&settings).watchdog(Duration::from_millis(400)).start();
    service.log.wait_for("the watchdog is not fed: every source is stuck");
    let fed = service.manager.count("WATCHDOG=1");
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(service.manager.count("WATCHDOG=1"), fed, "fed though nothing is read");
    assert_eq!(service.get("/healthz").status, 200);
    let ready = service.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("stuck"));
}

/// The thread of the service that answers requests, stopped as a debugger does; all others go on.
struct Frozen(libc::pid_t);

impl Frozen {
    fn worker(service: &Service) -> Self {
        // It is there once something has been answered.
        assert_eq!(service.get("/healthz").status, 200);
        let threads = std::fs::read_dir(format!("/proc/{}/task", service.child.id())).unwrap();
        let worker = threads
            .map(|thread| thread.unwrap().path())
            .find(|thread| {
                // Others may end meanwhile.
                let name = std::fs::read_to_string(thread.join("comm")).unwrap_or_default();
                name.starts_with("actix-rt")
            })
            .expect("a worker");
        let id: libc::pid_t = worker.file_name().unwrap().to_str().unwrap().parse().unwrap();
        for request in [libc::PTRACE_SEIZE, libc::PTRACE_INTERRUPT] {
            // SAFETY: neither reads or writes memory of this process.
            let done = unsafe { libc::ptrace(request, id, 0, 0) };
            assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
        }
        let mut status = 0;
        // SAFETY: `status` is there until it returns.
        let stopped = unsafe { libc::waitpid(id, &raw mut status, libc::__WALL) };
        assert_eq!(stopped, id, "{}", std::io::Error::last_os_error());
        Self(id)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // SAFETY: it reads and writes no memory of this process.
        unsafe { libc::ptrace(libc::PTRACE_DETACH, self.0, 0, 0) };
    }
}

#[test]
fn the_watchdog_starves_only_while_the_worker_is_stuck() {
    let service = Setup::new("").watchdog(Duration::from_secs(8)).start();
    let frozen = Frozen::worker(&service);
    service
        .log
        .wait_for("the watchdog is not fed: the HTTP server does not answer");
    let fed = service.manager.count("WATCHDOG=1");
    thread::sleep(Duration::from_secs(5));
    assert_eq!(service.manager.count("WATCHDOG=1"), fed, "fed though nobody answers");
    let released = Instant::now();
    drop(frozen);
    service.manager.wait_for_nth("WATCHDOG=1", fed + 1);
    let after = released.elapsed();
    assert!(
        after < Duration::from_secs(4),
        "fed {after:?} later, when the time is up"
    );
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn the_watchdog_is_fed_though_strangers_hold_every_connection() {
    let settings = "[http]\nmax_connections = 1\nclient_timeout = \"60s\"\n";
    let service = Setup::new(settings).watchdog(Duration::from_secs(2)).start();
    let mut stream = std::net::TcpStream::connect(service.address()).unwrap();
    stream.write_all(b"GET /slow").unwrap();
    let fed = service.manager.count("WATCHDOG=1");
    service.manager.wait_for_nth("WATCHDOG=1", fed + 3);
    assert_eq!(service.log.count("not fed"), 0);
}

#[test]
fn a_watchdog_of_a_microsecond_floods_neither_the_log_nor_systemd() {
    let service = Setup::new("").watchdog(Duration::from_micros(1)).start();
    thread::sleep(Duration::from_secs(1));
    let (lines, fed) = (service.log.text().lines().count(), service.manager.count("WATCHDOG=1"));
    assert!(lines < 10 && (1..=40).contains(&fed), "{lines} lines, {fed} times");
}

#[test]
fn it_says_when_it_stops() {
    let mut service = Service::start("");
    service.signal("TERM");
    service.manager.wait_for("STOPPING=1");
    assert!(service.wait().success());
}

#[test]
fn a_taken_address_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut service = Setup::new(&format!("[http]\nlisten = [\"{address}\"]\n")).spawn();
    assert!(!service.wait().success());
    service.log.wait_for(&format!("cannot listen on {address}"));
}
