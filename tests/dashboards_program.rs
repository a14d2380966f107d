//! The program that shows dashboards, as a child of the service: whatever becomes of it, scrapes go on, its reader is told, and the next
//! request works.

use crate::common;

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::process::Process;
use common::upstream::{Reply, Upstream};
use common::{Service, ask, eventually, signal};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

const PROGRAM: &str = env!("CARGO_BIN_EXE_edgewatch-dashboards");
const EMPTY: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
/// What a page ends with.
const END: &str = "</body></html>\n";

/// The program that the service has started.
fn child_of(service: &Service) -> Option<u32> {
    Process::child_of(service.child.id()).map(|process| process.pid)
}

/// A Prometheus that takes a while for each answer.
fn slow() -> Upstream {
    Upstream::start(|_| {
        thread::sleep(Duration::from_millis(300));
        Reply::Json(200, EMPTY.to_owned())
    })
}

/// Opens a page, has `fault` happen to the program meanwhile, and scrapes all the time.
fn survives(what: &str, fault: impl Fn(u32)) {
    let upstream = slow();
    let service = Service::start(&upstream.settings());
    let address = service.address();
    let stop = Arc::new(AtomicBool::new(false));
    let scraper = thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let mut scrapes = 0;
            while !stop.load(Ordering::Relaxed) || scrapes < 100 {
                let scrape = ask(
                    address,
                    b"GET /metrics HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n",
                )
                .unwrap();
                assert_eq!(scrape.status, 200);
                assert!(scrape.text().ends_with('\n'));
                scrapes += 1;
                thread::sleep(Duration::from_millis(20));
            }
        }
    });
    let reader = thread::spawn(move || {
        ask(
            address,
            b"GET /d/edgewatch-overview HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n",
        )
    });
    assert!(
        eventually(|| upstream.asked().len() > 2),
        "{what}: nothing was asked for the page"
    );
    let pid = child_of(&service).unwrap();
    fault(pid);
    let page = reader.join().unwrap().unwrap();
    assert!(matches!(page.status, 200 | 502), "{what}: {}", page.status);
    assert!(page.text().ends_with(END), "{what}: {}", page.text());
    let next = service.get("/d/edgewatch-overview");
    assert_eq!(next.status, 200, "{what}: {}\n{}", next.text(), service.log.text());
    assert!(next.text().ends_with("</main></body></html>\n"), "{what}");
    stop.store(true, Ordering::Relaxed);
    scraper.join().unwrap();
    assert_ne!(child_of(&service), Some(pid), "{what}");
}

#[test]
fn killing_it_costs_no_scrape() {
    survives("SIGKILL", |pid| signal(pid, "KILL"));
}

#[test]
fn a_crash_of_it_costs_no_scrape() {
    survives("SIGABRT", |pid| signal(pid, "ABRT"));
}

#[test]
fn stopping_it_costs_no_scrape_and_it_is_replaced() {
    survives("SIGSTOP", |pid| signal(pid, "STOP"));
}

#[test]
fn a_want_of_memory_in_it_costs_no_scrape() {
    survives("no memory", |pid| {
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        prlimit(Pid::from_raw(pid.cast_signed()), Resource::As, none).unwrap();
        prlimit(Pid::from_raw(pid.cast_signed()), Resource::Data, none).unwrap();
        // It ends by itself.
    });
}

#[test]
fn the_page_says_that_its_rest_is_missing() {
    let upstream = slow();
    let service = Service::start(&upstream.settings());
    let address = service.address();
    let (mut client, mut page) = (std::net::TcpStream::connect(address).unwrap(), String::new());
    let request = b"GET /d/edgewatch-overview HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n";
    client.write_all(request).unwrap();
    let mut piece = [0; 4096];
    while !page.contains("class=\"grid\"") {
        let read = client.read(&mut piece).unwrap();
        assert!(read > 0, "{page}");
        page.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    signal(child_of(&service).unwrap(), "KILL");
    client.read_to_string(&mut page).unwrap();
    assert!(page.contains("ended in the middle of this page"), "{page}");
}

#[test]
fn nothing_of_it_is_left_when_nobody_looks() {
    let service = Service::start("");
    assert_eq!(child_of(&service), None, "before anybody looked");
    assert_eq!(service.get("/dashboards.json").status, 200);
    let pid = child_of(&service).unwrap();
    let begun = Instant::now();
    while child_of(&service).is_some() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it stays");
        thread::sleep(Duration::from_secs(1));
    }
    assert_eq!(service.get("/dashboards.json").status, 200);
    assert_ne!(child_of(&service), Some(pid));
}

#[test]
fn it_goes_with_the_service() {
    let service = Service::start("");
    assert_eq!(service.get("/dashboards.json").status, 200);
    let pid = child_of(&service).unwrap();
    drop(service);
    assert!(eventually(|| !fs::exists(format!("/proc/{pid}")).unwrap()));
}

#[test]
fn a_program_that_cannot_be_reached_is_told() {
    let service = Service::start("[dashboards]\nsocket = \"/nonexistent/dashboards.sock\"\n");
    let page = service.get("/d/edgewatch-overview");
    assert_eq!(page.status, 503);
    assert!(page.text().contains("cannot be reached"), "{}", page.text());
    assert_eq!(service.get("/render/d/edgewatch-overview.png").status, 503);
    assert_eq!(service.get("/metrics").status, 200);
}

#[test]
fn it_answers_nobody_but_the_service() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let mut program = Command::new(PROGRAM)
        .arg("serve")
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .spawn()
        .unwrap();
    let ask = |request: &str| {
        let (mut stream, mut answer) = (UnixStream::connect(&path).unwrap(), String::new());
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 204 "));
    for settings in [
        "",
        "edgewatch-settings: {\"unknown\": 1}\r\n",
        "edgewatch-settings: x\r\n",
    ] {
        let answer = ask(&format!("GET /dashboards HTTP/1.1\r\nHost: x\r\n{settings}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{settings}: {answer}");
    }
    assert!(ask("GET /dashboards HTTP/1.1\r\nHost: x\r\nedgewatch-settings: {}\r\n\r\n").starts_with("HTTP/1.1 200 "));
    signal(program.id(), "TERM");
    assert!(common::wait(&mut program).success());
}

#[test]
fn without_a_socket_it_says_who_starts_it() {
    let output = Command::new(PROGRAM)
        .arg("serve")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("the service starts this program"), "{complaint}");
}

#[test]
fn its_socket_is_for_its_owner_alone_and_gone_after_a_stop_while_a_page_waits() {
    let upstream = Upstream::start(|_| {
        thread::sleep(Duration::from_secs(5));
        Reply::Json(200, EMPTY.to_owned())
    });
    let mut service = Service::start(&format!(
        "[http]\nshutdown_timeout = \"1500ms\"\n{}",
        upstream.settings()
    ));
    let directories = |service: &Service| -> Vec<fs::DirEntry> {
        let entries = fs::read_dir(service.file.parent().unwrap())
            .unwrap()
            .map(Result::unwrap);
        let is_ours = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("edgewatch-");
        entries.filter(is_ours).collect()
    };
    let address = service.address();
    let page = b"GET /d/edgewatch-overview HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n";
    thread::spawn(move || ask(address, page));
    assert!(
        eventually(|| !upstream.asked().is_empty()),
        "nothing was asked for the page"
    );
    let [directory] = &directories(&service)[..] else {
        panic!("one directory");
    };
    assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let began = Instant::now();
    service.signal("TERM");
    assert!(service.wait().success());
    assert!(
        began.elapsed() > Duration::from_millis(1500),
        "the page had {:?}",
        began.elapsed()
    );
    assert!(directories(&service).is_empty());
}
