//! The client against a server of one connection.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::*;

/// Serves one connection with `response` and returns the request.
fn server(response: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(response.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (base, thread)
}

#[test]
fn a_closed_port_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = format!("http://127.0.0.1:{port}/");
    let error = Client::new(&base)
        .unwrap()
        .get_text("/healthz")
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!("http://127.0.0.1:{port}/healthz: nothing listens on 127.0.0.1:{port}")
    );
}

#[test]
fn credentials_come_from_the_first_line_of_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "open sesame\n").unwrap();
    let (base, thread) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok");
    let client = Client::new(&base)
        .unwrap()
        .with_credentials(Some(Credentials::read("Aladdin", file.path()).unwrap()));
    let response = client.get("/a", &[("query", "up{job=\"x\"} & 1")]).unwrap();
    assert_eq!(
        (response.status, &*response.content_type, &*response.body),
        (200, "text/plain", "ok")
    );
    let request = thread.join().unwrap();
    assert!(
        request.contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"),
        "the example of RFC 7617, section 2, in {request}"
    );
    assert!(
        request.starts_with("GET /a?query=up%7Bjob%3D%22x%22%7D%20%26%201 "),
        "{request}"
    );
}

#[test]
fn refusals_say_what_to_do() {
    let (base, thread) = server("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    let error = Client::new(&base)
        .unwrap()
        .get_text("/metrics")
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("answered 401: pass --user and --password-file"),
        "{error}"
    );
    thread.join().unwrap();
}

#[test]
fn only_plain_http_addresses_are_taken_and_local_ones_are_known() {
    for (base, local) in [
        ("http://127.0.0.1:8000", true),
        ("http://localhost:8000/", true),
        ("http://[::1]:8000/prefix", true),
        ("http://[::1]", true),
        ("http://pi.local", false),
        ("http://192.168.0.5:80", false),
    ] {
        assert_eq!(Client::new(base).unwrap().is_local(), local, "{base}");
    }
    for odd in [
        "",
        "127.0.0.1:8000",
        "https://pi.local",
        "http://",
        "http://a b",
        "http://name:password@pi.local",
    ] {
        assert!(Client::new(odd).is_err(), "{odd}");
    }
}
