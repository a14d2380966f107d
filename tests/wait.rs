//! `edgewatch wait` against servers that answer, begin to answer, or do not.

use crate::common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use common::run;

/// Answers each request with the next status; then with the last one.
fn server(statuses: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut next = statuses.iter();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let status = next.next().or(statuses.last()).unwrap();
            let _ = stream.read(&mut [0; 1024]).unwrap();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
        }
    });
    format!("http://{address}/api/health")
}

#[test]
fn it_ends_as_soon_as_the_server_answers_well() {
    let url = server(&["503 Service Unavailable", "404 Not Found", "200 OK"]);
    let started = Instant::now();
    let (status, _, stderr) = run(&["wait", &url], &[]);
    assert!(status.success(), "{stderr}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn it_gives_up_and_says_what_it_saw() {
    let url = server(&["503 Service Unavailable"]);
    let (status, _, stderr) = run(&["wait", "--timeout", "500ms", &url], &[]);
    assert_eq!(status.code(), Some(3));
    assert!(stderr.contains(&url) && stderr.contains("503"), "{stderr}");
    let (status, _, stderr) = run(&["wait", "--timeout", "0s", "http://127.0.0.1:1/"], &[]);
    assert_eq!(status.code(), Some(3));
    assert!(stderr.contains("nothing listens"), "{stderr}");
    // Nobody was asked, so nothing is known of a server.
    let (status, _, stderr) = run(&["wait", "ftp://127.0.0.1/"], &[]);
    assert_eq!(status.code(), Some(1), "{stderr}");
}

/// What the probe of Prometheus asks before it kills: one behind a path, a password or TLS lives as well.
#[test]
fn an_answer_of_any_status_is_a_sign_of_life_where_that_is_asked() {
    const ANSWERS: [&[&str]; 3] = [&["404 Not Found"], &["401 Unauthorized"], &["400 Bad Request"]];
    for answer in ANSWERS {
        let url = server(answer);
        let (status, _, stderr) = run(&["wait", "--any-status", "--timeout", "0s", &url], &[]);
        assert!(status.success(), "{answer:?}: {stderr}");
    }
    let nobody = ["wait", "--any-status", "--timeout", "0s", "http://127.0.0.1:1/"];
    let (status, _, stderr) = run(&nobody, &[]);
    assert_eq!(status.code(), Some(3), "{stderr}");
}
