//! What a real Prometheus does not do when a test wants it: odd answers, and a record of what it was asked.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::read_request;

/// Answers requests as `answer` says. Ends with the test.
pub struct Upstream {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// An answer.
#[derive(Clone)]
pub enum Reply {
    /// `application/json`
    Json(u16, String),
    /// `text/html`
    Html(u16, &'static str),
    /// The connection stays open, and nothing comes.
    Silence,
    /// The beginning of an answer, and nothing more.
    Half,
    /// The answer of another server.
    Forward(SocketAddr),
}

impl Upstream {
    pub fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (record, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &record, &*answer));
            }
        });
        Self { address, asked }
    }

    /// Paths with queries, decoded, in the order in which they came.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }

    /// Settings with which the service asks it.
    pub fn settings(&self) -> String {
        format!("[prometheus]\nurl = \"http://{}\"\n", self.address)
    }
}

/// One request a connection.
fn serve(mut stream: TcpStream, record: &Mutex<Vec<String>>, answer: &dyn Fn(&str) -> Reply) {
    // A form holds what else stands behind the `?`.
    let Some((head, form)) = read_request(&mut BufReader::new(&stream)) else {
        return;
    };
    let target = match form.is_empty() {
        true => head.split(' ').nth(1).unwrap_or_default().to_owned(),
        false => format!(
            "{}?{}",
            head.split(' ').nth(1).unwrap_or_default(),
            String::from_utf8_lossy(&form).replace('+', " ")
        ),
    };
    let decoded = decode(&target);
    record.lock().unwrap().push(decoded.clone());
    let (status, kind, body) = match answer(&decoded) {
        Reply::Json(status, body) => (status, "application/json", body),
        Reply::Html(status, body) => (status, "text/html; charset=utf-8", body.to_owned()),
        Reply::Silence => {
            thread::sleep(Duration::from_secs(60));
            return;
        }
        Reply::Half => {
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"status\":\"succ",
            );
            thread::sleep(Duration::from_secs(60));
            return;
        }
        Reply::Forward(address) => {
            let mut other = TcpStream::connect(address).unwrap();
            let request = format!("GET {target} HTTP/1.0\r\nHost: prometheus\r\n\r\n");
            other.write_all(request.as_bytes()).unwrap();
            let mut bytes = Vec::new();
            other.read_to_end(&mut bytes).unwrap();
            let _ = stream.write_all(&bytes);
            return;
        }
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// A query string as people read it.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
