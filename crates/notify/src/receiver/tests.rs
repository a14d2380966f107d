use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use jiff::tz::TimeZone;
use serde_json::json;

use super::*;
use crate::digest::Digest;
use crate::settings::{Device, Mail, Ntfy, Ping, Telegram, Webhook};

/// Answers every request with this status and text.
fn answering(status: u16, text: &'static str) -> SocketAddr {
    answering_as(status, "application/json", text)
}

/// The same, of a type.
fn answering_as(status: u16, kind: &'static str, text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            // A head, and a body that is an object.
            while !request.ends_with(b"}") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => request.extend_from_slice(&buffer[..count]),
                }
            }
            let length = text.len();
            let head = format!("HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n");
            let answer = format!("{head}Connection: close\r\n\r\n{text}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

fn secret(text: &str) -> (tempfile::NamedTempFile, Option<PathBuf>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let path = Some(file.path().to_owned());
    (file, path)
}

fn send(name: Name, settings: &Settings) -> Result<String, Failure> {
    let device = Device {
        name: "gate-7".to_owned(),
        link: String::new(),
    };
    let message = Message {
        digest: &Digest::test(1_700_000_000_000),
        device: &device,
        zone: &TimeZone::UTC,
    };
    Receiver::new(name, settings)
        .unwrap()
        .send(&message, name.limit(), false)
}

fn ntfy(address: SocketAddr) -> Settings {
    Settings {
        ntfy: Some(Ntfy {
            url: Some(format!("http://{address}/hunter2")),
            ..Ntfy::default()
        }),
        ..Settings::default()
    }
}

#[test]
fn an_answer_that_the_receiver_never_gives_is_no_success() {
    let well = r#"{"id":"xE73Iyuabi","time":1673542291,"event":"message"}"#;
    assert!(
        send(Name::Ntfy, &ntfy(answering(200, well)))
            .unwrap()
            .contains("answered 200")
    );
    // The login page of a network in between, or another server.
    for odd in ["", "<html>", "{}", "null", r#"{"id":7}"#] {
        let failure = send(Name::Ntfy, &ntfy(answering(200, odd))).unwrap_err();
        assert_eq!(failure.kind, Kind::Protocol, "{odd}: {failure}");
    }
}

/// Whose servers repeat the whole message, which is then longer than what was sent.
#[test]
fn an_answer_that_repeats_the_longest_message_is_a_success() {
    let ntfy_answer =
        json!({"id": "xE73Iyuabi", "event": "message", "message": "\"".repeat(Name::Ntfy.limit())}).to_string();
    assert!(send(Name::Ntfy, &ntfy(answering(200, ntfy_answer.leak()))).is_ok());
    let (_token, token_file) = secret("12345:abc\n");
    let entity = json!({"offset": 1234, "length": 123, "type": "phone_number"});
    // Escapes three times as long as what they stand for.
    let escaped = "\\u00e4".repeat(Name::Telegram.limit() / 2);
    let entities = json!(vec![entity; 100]);
    let answer = format!(r#"{{"ok":true,"result":{{"message_id":1,"text":"{escaped}","entities":{entities}}}}}"#);
    let settings = Settings {
        telegram: Some(Telegram {
            token_file,
            chat: "1".to_owned(),
            url: format!("http://{}", answering(200, answer.leak())),
        }),
        ..Settings::default()
    };
    assert!(send(Name::Telegram, &settings).is_ok());
}

#[test]
fn what_may_be_of_the_content_is_told_apart_from_a_receiver_that_is_not_there() {
    let page = "<html><title>400 The SSL certificate error</title>";
    for (status, text, may_be) in [
        (400, "Bad Request: message is too long", true),
        (413, "", true),
        (415, "", true),
        (422, "", true),
        (400, page, false),
        (401, "", false),
        (404, "", false),
        (405, "", false),
        (410, "", false),
        (500, "", false),
        (200, page, false),
    ] {
        let failure = send(Name::Ntfy, &ntfy(answering(status, text))).unwrap_err();
        assert_eq!(failure.may_be_of_content, may_be, "{status}: {failure}");
    }
}

#[test]
fn a_program_may_call_its_answer_a_page_and_a_page_is_no_answer_whatever_it_is_called() {
    let hook = |kind, text| {
        let settings = Settings {
            webhook: Some(Webhook {
                url: Some(format!("http://{}/hook", answering_as(200, kind, text))),
                ..Webhook::default()
            }),
            ..Settings::default()
        };
        send(Name::Webhook, &settings)
    };
    for taken in ["ok", "", "{}"] {
        assert!(hook("text/html; charset=utf-8", taken).is_ok(), "{taken}");
    }
    for kind in ["text/html", "Text/HTML", "application/xhtml+xml", "text/plain"] {
        let failure = hook(kind, "\n<!DOCTYPE html><title>Welcome</title>").unwrap_err();
        assert_eq!(failure.kind, Kind::Protocol, "{kind}: {failure}");
    }
}

#[test]
fn what_is_secret_in_an_address_is_shown_in_no_error() {
    let said = "no hunter2 here";
    let (_token, token_file) = secret("12345:hunter2\n");
    let (_hook, url_file) = secret(&format!("http://{}/hunter2?key=hunter2\n", answering(500, said)));
    let settings = Settings {
        telegram: Some(Telegram {
            token_file,
            chat: "1".to_owned(),
            url: format!("http://{}", answering(500, "no 12345:hunter2 here")),
        }),
        webhook: Some(Webhook {
            url_file: url_file.clone(),
            ..Webhook::default()
        }),
        ping: Some(Ping {
            url_file,
            ..Ping::default()
        }),
        ..ntfy(answering(500, said))
    };
    for name in [Name::Ntfy, Name::Telegram] {
        let failure = send(name, &settings).unwrap_err();
        assert!(failure.message.contains("no [hidden] here"), "{failure}");
    }
    let webhook = send(Name::Webhook, &settings).unwrap_err();
    assert!(
        webhook.message.starts_with("http://127.0.0.1:") && !webhook.message.contains("/h"),
        "{webhook}"
    );
    // Where nobody listens.
    let nowhere = send(Name::Ntfy, &ntfy(SocketAddr::from(([127, 0, 0, 1], 1)))).unwrap_err();
    assert!(
        nowhere.kind == Kind::Connect && !nowhere.message.contains("hunter2"),
        "{nowhere}"
    );
    assert!(!format!("{:?}", switch(&settings).unwrap()).contains("hunter2"));
}

#[test]
fn telegram_says_in_the_body_how_long_to_wait_and_that_there_is_no_such_bot() {
    let (_token, token_file) = secret("12345:abc\n");
    let answered = |status, text| {
        let settings = Settings {
            telegram: Some(Telegram {
                token_file: token_file.clone(),
                chat: "1".to_owned(),
                url: format!("http://{}/", answering(status, text)),
            }),
            ..Settings::default()
        };
        send(Name::Telegram, &settings)
    };
    assert!(answered(200, r#"{"ok":true,"result":{"message_id":1}}"#).is_ok());
    let slow = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#;
    let failure = answered(429, slow).unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry_after),
        (Kind::Throttled, Some(Duration::from_secs(7)))
    );
    let unknown = answered(404, r#"{"ok":false,"error_code":404,"description":"Not Found"}"#).unwrap_err();
    assert_eq!(unknown.kind, Kind::Unauthorized);
    assert_eq!(answered(200, r#"{"ok":false}"#).unwrap_err().kind, Kind::Protocol);
}

/// A mail server that says these lines, one for each that it is sent, and the first at once; it hangs then, or closes at `close`.
fn speaking(lines: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        for line in lines {
            if *line == "close" {
                return;
            }
            reader.get_mut().write_all(line.as_bytes()).unwrap();
            reader.read_line(&mut String::new()).unwrap();
        }
        thread::sleep(Duration::from_secs(30));
    });
    address
}

#[test]
fn every_answer_of_a_mail_server_is_taken_for_what_it_is_and_shows_no_password() {
    let lines: [(&'static [&'static str], Kind); 9] = [
        (&["close"], Kind::Closed),
        (&[], Kind::Timeout),
        (&["HTTP/1.1 400 Bad Request\r\n"], Kind::Protocol),
        (&["\0\u{7f}\r\n"], Kind::Protocol),
        (&["421 too busy\r\n"], Kind::ServerError),
        (&["554 not you\r\n"], Kind::ClientError),
        (&["220 mail\r\n", "250 mail\r\n", "452 full\r\n"], Kind::ServerError),
        (&["220 mail\r\n", "250 mail\r\n", "552 too large\r\n"], Kind::TooLarge),
        (&["220 mail\r\n", "250 mail\r\n", "close"], Kind::Closed),
    ];
    let settings = |address: SocketAddr| Settings {
        mail: Some(Mail {
            server: format!("smtp://{address}"),
            plain: true,
            from: "a@example.org".to_owned(),
            to: vec!["b@example.org".to_owned()],
            ..Mail::default()
        }),
        timeout: Duration::from_millis(1500),
        ..Settings::default()
    };
    for (lines, kind) in lines {
        let failure = send(Name::Mail, &settings(speaking(lines))).unwrap_err();
        assert_eq!(failure.kind, kind, "{lines:?}: {failure}");
        assert_eq!(
            failure.may_be_of_content,
            lines.last().is_some_and(|line| line.starts_with("55"))
        );
        assert!(failure.message.starts_with("smtp://127.0.0.1:"), "{failure}");
    }
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    assert_eq!(send(Name::Mail, &settings(nowhere)).unwrap_err().kind, Kind::Connect);
    let (_password, password_file) = secret("hunter2\n");
    let mut with_password = settings(speaking(&[
        "220 mail\r\n",
        "250-mail\r\n250 AUTH PLAIN\r\n",
        "535 no AG1lAGh1bnRlcjI= nor hunter2\r\n",
    ]));
    with_password.mail = with_password.mail.map(|mail| Mail {
        user: Some("me".to_owned()),
        password_file,
        ..mail
    });
    let failure = send(Name::Mail, &with_password).unwrap_err();
    assert_eq!(failure.kind, Kind::Unauthorized, "{failure}");
    assert!(failure.message.contains("no [hidden] nor [hidden]"), "{failure}");
}

#[test]
fn files_that_cannot_serve_are_named_with_their_key_and_not_shown() {
    let (_file, path) = secret("hunter2 / and more\n");
    let with = |change: fn(&mut Settings, Option<PathBuf>)| {
        let mut settings = Settings::default();
        change(&mut settings, path.clone());
        settings
    };
    for (name, settings, said) in [
        (
            Name::Telegram,
            with(|settings, token_file| {
                settings.telegram = Some(Telegram {
                    token_file,
                    ..Telegram::default()
                });
            }),
            "notify.telegram.token_file: no token",
        ),
        (
            Name::Ntfy,
            with(|settings, url_file| {
                settings.ntfy = Some(Ntfy {
                    url_file,
                    ..Ntfy::default()
                });
            }),
            "notify.ntfy.url_file: no address",
        ),
        (
            Name::Webhook,
            with(|settings, _| {
                settings.webhook = Some(Webhook {
                    url_file: Some(PathBuf::from("/nonexistent/hook")),
                    ..Webhook::default()
                });
            }),
            "notify.webhook.url_file = /nonexistent/hook: No such file",
        ),
    ] {
        let error = Receiver::new(name, &settings).err().unwrap().to_string();
        assert!(error.starts_with(said) && !error.contains("hunter2"), "{error}");
    }
}
