//! The page of a web site whose name points to the device reads it through its visitor's browser.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::common::{Answer, Service, Setup, ask_from_outside, only, users_file};

fn ask_as(service: &Service, path: &str, host: &str) -> Answer {
    service.request(&format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    ))
}

#[test]
fn a_name_of_others_is_refused_and_what_to_do_is_said() {
    let service = Service::start(&only(&["load"]));
    for path in ["/", "/metrics", "/sensor", "/d/edgewatch-overview", "/healthz", "/nope"] {
        let answer = ask_as(&service, path, "attacker.example:8000");
        assert_eq!(answer.status, 421, "{path}");
        assert!(answer.text().contains("http.hosts"), "{path}: {}", answer.text());
        assert!(!answer.text().contains("node_"), "{path}");
    }
    // A whole address in the request line is what counts (RFC 9112, 3.2.2).
    let whole = |target: &str, host: &str| {
        let request = format!("GET http://{target}/metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        service.request(&request).status
    };
    assert_eq!(whole("attacker.example", "127.0.0.1"), 421);
    assert_eq!(whole("127.0.0.1:8000", "attacker.example"), 200);
    let two = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n";
    assert!((400..500).contains(&service.request(two).status));
}

#[test]
fn addresses_localhost_and_the_names_of_the_device_are_answered() {
    let service = Setup::new(&format!("[http]\nhosts = [\"status.example\"]\n{}", only(&["load"])))
        .environment("EDGEWATCH__HTTP__HOSTS", "status.example")
        .start();
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let own = name.trim();
    for host in [
        service.address().to_string().as_str(),
        "[::1]:8000",
        "localhost:8000",
        own,
        format!("{}.local", own.split('.').next().unwrap()).as_str(),
        "status.example",
    ] {
        assert_eq!(ask_as(&service, "/metrics", host).status, 200, "{host}");
    }
    assert_eq!(service.request("GET /metrics HTTP/1.0\r\n\r\n").status, 200);
}

#[test]
fn a_password_stands_in_the_way_as_well_but_not_where_loopback_is_trusted() {
    let file = users_file(&[("operator", "correct horse")]);
    let auth = format!(
        "{}[http]\nlisten = [\"0.0.0.0:0\"]\n[auth]\nusers_file = {:?}\n",
        only(&["load"]),
        file.path()
    );
    let service = Service::start(&auth);
    let port = service.address().port();
    let there = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let request = b"GET /metrics HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n";
    assert_eq!(crate::common::ask(there, request).unwrap().status, 401);
    let service = Service::start(&(auth + "trust_loopback = true\n"));
    let there = std::net::SocketAddr::from(([127, 0, 0, 1], service.address().port()));
    assert_eq!(crate::common::ask(there, request).unwrap().status, 421);
    assert_eq!(ask_from_outside(there, request).unwrap().status, 401);
}

#[test]
fn whoever_comes_through_a_unix_socket_may_give_any_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("http.sock");
    let service = Setup::new(&format!(
        "[http]\nlisten = [\"unix:{}\"]\n{}",
        path.display(),
        only(&["load"])
    ))
    .start();
    let mut stream = UnixStream::connect(path).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    drop(service);
}

#[test]
fn no_answer_may_be_loaded_into_the_page_of_another_site() {
    let file = users_file(&[("operator", "correct horse")]);
    let open = Service::start("[simulated]\nenabled = true\n[[simulated.faults]]\nkind = \"route_panic\"\n");
    let closed = Service::start(&format!("[auth]\nusers_file = {:?}\n", file.path()));
    let answers = [
        (200, open.get("/")),
        (200, open.get("/metrics")),
        (200, open.get("/d/edgewatch-overview")),
        (404, open.get("/nope")),
        (
            405,
            open.request("POST / HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n"),
        ),
        (
            413,
            open.request("POST / HTTP/1.1\r\nHost: device\r\nContent-Length: 100000\r\n\r\n"),
        ),
        (421, ask_as(&open, "/", "attacker.example")),
        (500, open.get("/sensor")),
        (401, closed.get("/metrics")),
        (200, closed.get("/healthz")),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{}", answer.head);
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin"),
            "{status}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{status}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'"), "{status}: {policy}");
    }
}
