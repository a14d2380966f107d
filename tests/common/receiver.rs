//! Receivers of notifications: they take what their documents allow, field by field, and behave as a test wants.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::centre::Conduct;
use super::{header, read_request};

/// Whose documents count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// <https://docs.ntfy.sh/publish/#publish-as-json>
    Ntfy,
    /// <https://core.telegram.org/bots/api#sendmessage>
    Telegram,
    /// Ours, docs/notifications.md.
    Webhook,
    /// <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>
    Alertmanager,
    /// A dead man's switch.
    Ping,
}

#[derive(Default)]
struct State {
    conduct: Option<Conduct>,
    taken: Vec<Value>,
    heads: Vec<String>,
    problems: Vec<String>,
}

/// A receiver that listens. Ends with the test.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub fn start(kind: Kind, conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            conduct: Some(conduct),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(stream, kind, &shared));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn behave(&self, conduct: Conduct) {
        self.state.lock().unwrap().conduct = Some(conduct);
    }

    /// The bodies that were taken.
    pub fn taken(&self) -> Vec<Value> {
        self.state.lock().unwrap().taken.clone()
    }

    /// Heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.state.lock().unwrap().heads.clone()
    }

    /// Fails if a request was not as documented.
    pub fn assert_all_was_well(&self) {
        let problems = &self.state.lock().unwrap().problems;
        assert!(problems.is_empty(), "{problems:#?}");
    }
}

fn serve(stream: TcpStream, kind: Kind, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let Some((head, body)) = read_request(&mut reader) else {
            return;
        };
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (conduct, said) = {
            let mut state = state.lock().unwrap();
            let checked = check(kind, &head, &body);
            state.problems.extend(checked.err());
            state.heads.push(head);
            let said = success(kind, &body);
            let conduct = match state.conduct.clone().unwrap() {
                Conduct::AtMost(bytes) if body.to_string().len() > bytes => {
                    Conduct::Answer(413, String::new(), "too large".to_owned())
                }
                Conduct::AtMost(_) | Conduct::Snappy(_) | Conduct::Slow(_) => Conduct::Take,
                other => other,
            };
            if matches!(conduct, Conduct::Take) {
                state.taken.push(body);
            }
            (conduct, said)
        };
        let (status, headers, text) = match conduct {
            Conduct::Take | Conduct::AtMost(_) | Conduct::Snappy(_) | Conduct::Slow(_) => {
                (200, format!("Content-Type: {}\r\n", content_type(kind)), said)
            }
            Conduct::Answer(status, headers, text) => (status, headers, text),
            Conduct::Garbage => {
                let _ = stream.write_all(b"220 mail.example ESMTP\r\n\r\n");
                return;
            }
            Conduct::Close => return,
            Conduct::Hang => {
                thread::sleep(Duration::from_secs(30));
                return;
            }
        };
        let length = text.len();
        let answer = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n\r\n{text}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// What each of them says when it has taken something: ntfy and Telegram repeat all of it, Telegram with what is not ASCII escaped and with
/// entities for what looks like an address.
fn success(kind: Kind, body: &Value) -> String {
    match kind {
        Kind::Ntfy => {
            let mut message = body.clone();
            message["id"] = json!("xE73Iyuabi");
            message["time"] = json!(1_673_542_291);
            message["expires"] = json!(1_673_585_491);
            message["event"] = json!("message");
            message.to_string() + "\n"
        }
        Kind::Telegram => {
            let text = &body["text"];
            let entities: Vec<_> = (0..text.as_str().map_or(0, |text| text.matches("://").count()).min(100))
                .map(|number| json!({"offset": number, "length": 17, "type": "url"}))
                .collect();
            let answer = json!({"ok": true, "result": {
                "message_id": 1, "date": 1_673_542_291, "text": text, "entities": entities,
                "from": {"id": 12345, "is_bot": true, "first_name": "gate", "username": "gate_bot"},
                "chat": {"id": -100_123, "title": "gates", "type": "supergroup"},
            }});
            escaped(&answer.to_string())
        }
        Kind::Webhook | Kind::Alertmanager | Kind::Ping => "OK".to_owned(),
    }
}

/// How each of them calls it: a program that says no type has what Flask, PHP and Express say for it.
const fn content_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Ntfy | Kind::Telegram => "application/json",
        Kind::Webhook | Kind::Alertmanager | Kind::Ping => "text/html; charset=utf-8",
    }
}

/// JSON with what is not ASCII as UTF-16 units.
fn escaped(json: &str) -> String {
    let mut text = String::new();
    for character in json.chars() {
        match character.is_ascii() {
            true => text.push(character),
            false => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .map(|object| object.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// What is wrong with a request.
fn check(kind: Kind, head: &str, body: &Value) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {head}{body}"));
    let line = match kind {
        Kind::Ntfy => "POST / HTTP/1.1\r\n",
        Kind::Telegram => "POST /bot12345:correct-horse/sendMessage HTTP/1.1\r\n",
        Kind::Webhook | Kind::Alertmanager => "POST /hook HTTP/1.1\r\n",
        Kind::Ping => "GET /ping HTTP/1.1\r\n",
    };
    if !head.starts_with(line) {
        return wrong("another line");
    }
    if !header(head, "user-agent").is_some_and(|agent| agent.starts_with("edgewatch/")) {
        return wrong("no User-Agent");
    }
    if kind != Kind::Ping && header(head, "content-type") != Some("application/json") {
        return wrong("another type");
    }
    let text = |value: &Value, max: usize| value.as_str().is_some_and(|text| !text.is_empty() && text.len() <= max);
    match kind {
        Kind::Ntfy => {
            let known = ["click", "message", "priority", "tags", "title", "topic"].into();
            if keys(body) != known || body["topic"] != "gate-7" || body["click"] != "http://gate-7/" {
                return wrong("other fields");
            }
            let is_priority = body["priority"]
                .as_u64()
                .is_some_and(|number| (1..=5).contains(&number));
            let is_tags = body["tags"]
                .as_array()
                .is_some_and(|tags| tags.iter().all(Value::is_string));
            // Longer messages become files.
            if !is_priority || !is_tags || !text(&body["message"], 4096) || !text(&body["title"], 1024) {
                return wrong("odd values");
            }
        }
        Kind::Telegram => {
            let known = ["chat_id", "disable_notification", "link_preview_options", "text"].into();
            if keys(body) != known || body["chat_id"] != "-100123" || !body["disable_notification"].is_boolean() {
                return wrong("other fields");
            }
            let units = body["text"].as_str().unwrap_or_default().encode_utf16().count();
            if !(1..=4096).contains(&units) {
                return wrong("no such text");
            }
        }
        Kind::Webhook => {
            let known = [
                "alerts", "device", "firing", "link", "more", "severity", "subject", "text", "version",
            ]
            .into();
            if keys(body) != known || body["version"] != 1 || body["device"] != "gate-7" {
                return wrong("other fields");
            }
        }
        Kind::Alertmanager => {
            let known = [
                "alerts",
                "commonAnnotations",
                "commonLabels",
                "externalURL",
                "groupKey",
                "groupLabels",
                "receiver",
                "status",
                "truncatedAlerts",
                "version",
            ];
            let of_alert = [
                "annotations",
                "endsAt",
                "fingerprint",
                "generatorURL",
                "labels",
                "startsAt",
                "status",
            ]
            .into();
            let alerts = body["alerts"].as_array().cloned().unwrap_or_default();
            if keys(body) != known.into() || alerts.iter().any(|alert| keys(alert) != of_alert) {
                return wrong("other fields");
            }
        }
        Kind::Ping => {}
    }
    Ok(())
}
