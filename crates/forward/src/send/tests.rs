use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use std::time::Duration;

use edgewatch_outbound::failure::Kind;

use crate::compression::Compression;

use super::*;

/// Answers one request with these bytes, and gives what it was sent; keeps the connection if there is no answer.
fn answering(bytes: &'static str) -> (SocketAddr, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        // The body of these tests ends so.
        while !request.ends_with(b"END") {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => request.extend_from_slice(&buffer[..count]),
            }
        }
        sender.send(request).unwrap();
        match bytes {
            "hang" => thread::sleep(Duration::from_secs(30)),
            _ => stream.write_all(bytes.as_bytes()).unwrap(),
        }
    });
    (address, receiver)
}

fn settings(address: SocketAddr) -> Settings {
    Settings {
        url: Some(format!("http://{address}/api/v1/write?token=hunter2")),
        // On a busy machine.
        timeout: Duration::from_secs(30),
        ..Settings::default()
    }
}

fn body() -> Body {
    Body {
        bytes: b"samples END".to_vec(),
        compression: Compression::Snappy,
        samples: 1,
    }
}

fn send(answer: &'static str) -> Result<Answer, Failure> {
    let (address, _requests) = answering(answer);
    let mut settings = settings(address);
    if answer == "hang" {
        settings.timeout = Duration::from_millis(300);
    }
    Receiver::new(&settings).unwrap().send(&body())
}

#[test]
fn every_answer_is_taken_for_what_it_is() {
    for taken in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        // What it says beside 2xx does not matter, nor that it ends early, nor how that is called.
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\n\r\nhalf",
    ] {
        assert_eq!(send(taken), Ok(Answer::Taken), "{taken}");
    }
    let refused = send("HTTP/1.1 400 Bad Request\r\nContent-Length: 12\r\n\r\nout of order").unwrap();
    assert!(
        matches!(&refused, Answer::Refused(why) if why.ends_with("answered 400: out of order")),
        "{refused:?}"
    );
    for (answer, kind) in [
        (
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            Kind::Unauthorized,
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            Kind::Unauthorized,
        ),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Kind::ClientError),
        ("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", Kind::TooLarge),
        (
            "HTTP/1.1 415 Unsupported Media Type\r\nContent-Length: 0\r\n\r\n",
            Kind::Encoding,
        ),
        (
            "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
            Kind::Throttled,
        ),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", Kind::ServerError),
        ("HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", Kind::ServerError),
        (
            "HTTP/1.1 307 There\r\nLocation: http://elsewhere.example/write?key=1\r\nContent-Length: 0\r\n\r\n",
            Kind::Redirect,
        ),
        ("HTTP/1.1 301 There\r\nContent-Length: 0\r\n\r\n", Kind::Redirect),
        ("garbage\r\n\r\n", Kind::Protocol),
        // The login page of a network in between, called one or not, and one that ends early.
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>",
            Kind::Protocol,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n\n<!DOCTYPE HTML>\n",
            Kind::Protocol,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: Text/HTML\r\nContent-Length: 900\r\n\r\n<HTML>",
            Kind::Protocol,
        ),
        // nginx, to a client without its certificate and to http on the port of https.
        (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 43\r\n\r\n<html>\r\n<head><title>400 The SSL certificate",
            Kind::Protocol,
        ),
        ("", Kind::Closed),
        ("hang", Kind::Timeout),
    ] {
        let failure = send(answer).unwrap_err();
        assert_eq!(failure.kind, kind, "{answer}: {failure}");
        assert!(failure.message.contains("http://127.0.0.1:"), "{failure}");
        assert!(
            !failure.message.contains("hunter2") && !failure.message.contains("key=1"),
            "{failure}"
        );
    }
}

#[test]
fn what_an_old_prometheus_calls_too_old_is_refused_and_another_fault_of_it_is_not() {
    for refused in [
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 15\r\n\r\ntoo old sample\n",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 14\r\n\r\nout of bounds\n",
    ] {
        assert!(matches!(send(refused), Ok(Answer::Refused(_))), "{refused}");
    }
    for later in [
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 42\r\n\r\nindex out of bounds: the length is 3 but..",
        "HTTP/1.1 503 Unavailable\r\nContent-Length: 14\r\n\r\ntoo old sample",
    ] {
        assert_eq!(send(later).unwrap_err().kind, Kind::ServerError, "{later}");
    }
}

#[test]
fn nothing_there_is_told_apart_from_no_such_host() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = Receiver::new(&settings(free)).unwrap().send(&body()).unwrap_err();
    assert_eq!(failure.kind, Kind::Connect);
    let nowhere = Settings {
        url: Some("http://nowhere.invalid/write".to_owned()),
        ..settings(free)
    };
    assert_eq!(
        Receiver::new(&nowhere).unwrap().send(&body()).unwrap_err().kind,
        Kind::Connect
    );
}

#[test]
fn the_centre_is_asked_with_what_the_settings_say_and_secrets_are_shown_nowhere() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "correct-horse\n").unwrap();
    // A centre that repeats what it was sent.
    let (address, requests) = answering(
        "HTTP/1.1 500 No\r\nContent-Length: 60\r\n\r\nnot you: correct-horse b3BlcmF0b3I6Y29ycmVjdC1ob3JzZQ== !!!!!\n",
    );
    let mut with_password = Settings {
        user: Some("operator".to_owned()),
        password_file: Some(file.path().to_owned()),
        ..settings(address)
    };
    with_password
        .headers
        .insert("X-Scope-OrgID".to_owned(), "tenant".to_owned());
    with_password
        .header_files
        .insert("X-Api-Key".to_owned(), file.path().to_owned());
    let failure = Receiver::new(&with_password).unwrap().send(&body()).unwrap_err();
    let request = String::from_utf8(requests.recv().unwrap())
        .unwrap()
        .to_ascii_lowercase();
    for line in [
        "post /api/v1/write?token=hunter2 http/1.1",
        "content-encoding: snappy",
        "content-type: application/x-protobuf",
        "x-prometheus-remote-write-version: 0.1.0",
        "x-scope-orgid: tenant",
        "x-api-key: correct-horse",
        "authorization: basic b3blcmf0b3i6y29ycmvjdc1ob3jzzq==",
    ] {
        assert_eq!(
            request.matches(&format!("{line}\r\n")).count(),
            1,
            "{line} in {request}"
        );
    }
    assert!(request.contains("user-agent: edgewatch/"), "{request}");
    assert_eq!(failure.message.matches("[hidden]").count(), 2, "{failure}");
    assert!(!failure.message.contains("horse"), "{failure}");
    let (address, requests) = answering("HTTP/1.1 204 No Content\r\n\r\n");
    let with_token = Settings {
        bearer_token_file: Some(file.path().to_owned()),
        ..settings(address)
    };
    Receiver::new(&with_token).unwrap().send(&body()).unwrap();
    let request = String::from_utf8(requests.recv().unwrap()).unwrap();
    assert!(
        request
            .to_ascii_lowercase()
            .contains("authorization: bearer correct-horse\r\n"),
        "{request}"
    );
}

#[test]
fn files_that_cannot_serve_are_named_with_their_key() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no certificate\n").unwrap();
    let path = || Some(file.path().to_owned());
    // A machine that builds packages trusts nobody.
    let authority = tempfile::NamedTempFile::new().unwrap();
    let certificate = rcgen::generate_simple_self_signed(["centre.example".to_owned()]).unwrap();
    std::fs::write(authority.path(), certificate.cert.pem()).unwrap();
    let https = || Settings {
        url: Some("https://centre.example/write".to_owned()),
        ca_file: Some(authority.path().to_owned()),
        ..Settings::default()
    };
    for (settings, said) in [
        (
            Settings {
                ca_file: path(),
                ..https()
            },
            "forward.ca_file = ",
        ),
        (
            Settings {
                certificate_file: path(),
                key_file: path(),
                ..https()
            },
            "forward.certificate_file = ",
        ),
        (
            Settings {
                bearer_token_file: Some(PathBuf::from("/nonexistent/token")),
                ..https()
            },
            "forward.bearer_token_file = /nonexistent/token: No such file",
        ),
    ] {
        let error = Receiver::new(&settings).err().unwrap().to_string();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn how_long_the_centre_asks_to_wait_is_kept() {
    let (address, _requests) = answering("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    let failure = Receiver::new(&settings(address)).unwrap().send(&body()).unwrap_err();
    assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
}
