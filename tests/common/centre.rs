//! A centre that takes remote_write and is strict: what is not as the specification says is a problem that the test sees. It misbehaves when
//! a test wants it.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use edgewatch_forward::encode::WriteRequest;
use prost::Message;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{header, read_request};

/// What it does with requests.
#[derive(Clone, Debug)]
pub enum Conduct {
    /// Takes them.
    Take,
    /// Takes them, and answers after this time.
    Slow(Duration),
    /// Answers with this status, these header lines and this text, and takes nothing.
    Answer(u16, String, String),
    /// Answers 413 to bodies above so many bytes, and takes the others.
    AtMost(usize),
    /// Answers this status to what is not compressed with snappy, and takes the others.
    Snappy(u16),
    /// What it answers is no HTTP.
    Garbage,
    /// Closes the connection when the request is there.
    Close,
    /// Answers nothing for half a minute.
    Hang,
}

/// Values by time, of each series.
pub type Samples = BTreeMap<String, BTreeMap<i64, u64>>;

#[derive(Default)]
struct State {
    conduct: Option<Conduct>,
    samples: Samples,
    problems: Vec<String>,
    requests: usize,
    /// Requests that wait for their answers.
    waiting: usize,
    heads: Vec<String>,
    /// Of all requests, heads included.
    bytes: usize,
}

/// The centre; ends with the test.
pub struct Centre {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Centre {
    pub fn start(conduct: Conduct) -> Self {
        Self::launch(conduct, None)
    }

    /// Over TLS, by the name `localhost`.
    pub fn start_tls(conduct: Conduct, config: ServerConfig) -> Self {
        Self::launch(conduct, Some(Arc::new(config)))
    }

    fn launch(conduct: Conduct, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            conduct: Some(conduct),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                thread::spawn(move || match tls {
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(connection, stream), &shared);
                    }
                    None => serve(stream, &shared),
                });
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    pub fn behave(&self, conduct: Conduct) {
        self.state.lock().unwrap().conduct = Some(conduct);
    }

    /// What was taken: the bits of the values, so that NaN equals itself.
    pub fn samples(&self) -> Samples {
        self.state.lock().unwrap().samples.clone()
    }

    pub fn taken(&self) -> usize {
        self.state.lock().unwrap().samples.values().map(BTreeMap::len).sum()
    }

    /// From now on only what comes from now on.
    pub fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        state.samples.clear();
        state.bytes = 0;
    }

    /// Bytes of all requests, heads included.
    pub fn bytes(&self) -> usize {
        self.state.lock().unwrap().bytes
    }

    pub fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    /// Heads of the requests, in lower case but for values.
    pub fn heads(&self) -> Vec<String> {
        self.state.lock().unwrap().heads.clone()
    }

    /// Fails if a request was not as specified.
    pub fn assert_all_was_well(&self) {
        let problems = &self.state.lock().unwrap().problems;
        assert!(problems.is_empty(), "{problems:#?}");
    }
}

/// Requests of one connection.
fn serve(stream: impl Read + Write, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    loop {
        let Some((head, body)) = read_request(&mut reader) else {
            return;
        };
        let conduct = {
            let mut state = state.lock().unwrap();
            state.requests += 1;
            state.waiting += 1;
            if state.waiting > 1 {
                state
                    .problems
                    .push("another request before the answer to one".to_owned());
            }
            state.bytes += head.len() + body.len();
            state.heads.push(head.clone());
            let conduct = state.conduct.clone().unwrap();
            let is_snappy = header(&head, "content-encoding") == Some("snappy");
            let is_taken = match &conduct {
                Conduct::Take | Conduct::Slow(_) => true,
                Conduct::AtMost(bytes) => body.len() <= *bytes,
                Conduct::Snappy(_) => is_snappy,
                _ => false,
            };
            match check(&head, &body) {
                Ok(samples) if is_taken => {
                    for (series, values) in samples {
                        state.samples.entry(series).or_default().extend(values);
                    }
                }
                Ok(_) => {}
                Err(problem) => state.problems.push(problem),
            }
            match conduct {
                Conduct::AtMost(bytes) if body.len() > bytes => {
                    Conduct::Answer(413, String::new(), "too large".to_owned())
                }
                Conduct::Snappy(status) if !is_snappy => {
                    Conduct::Answer(status, String::new(), "snappy: corrupt input".to_owned())
                }
                Conduct::AtMost(_) | Conduct::Snappy(_) => Conduct::Take,
                other => other,
            }
        };
        if let Conduct::Slow(time) = conduct {
            thread::sleep(time);
        }
        state.lock().unwrap().waiting -= 1;
        let answer = match conduct {
            Conduct::Take | Conduct::Slow(_) | Conduct::AtMost(_) | Conduct::Snappy(_) => {
                "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
            }
            Conduct::Answer(status, headers, text) => {
                format!(
                    "HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n\r\n{text}",
                    text.len()
                )
            }
            Conduct::Garbage => "220 mail.example ESMTP\r\n\r\n".to_owned(),
            Conduct::Close => return,
            Conduct::Hang => {
                thread::sleep(Duration::from_secs(30));
                return;
            }
        };
        // Through TLS the rest goes out with the flush.
        let stream = reader.get_mut();
        if stream.write_all(answer.as_bytes()).is_err() || stream.flush().is_err() {
            return;
        }
    }
}

/// The samples of a request, or what is wrong with it (<https://prometheus.io/docs/specs/prw/remote_write_spec/>).
fn check(head: &str, body: &[u8]) -> Result<Samples, String> {
    if !head.starts_with("POST /api/v1/write HTTP/1.1\r\n") {
        return Err(format!("no POST: {head}"));
    }
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ] {
        if header(head, name) != Some(value) {
            return Err(format!("{name} is {:?}", header(head, name)));
        }
    }
    if !header(head, "user-agent").is_some_and(|agent| agent.starts_with("edgewatch/")) {
        return Err(format!("no User-Agent: {head}"));
    }
    let message = match header(head, "content-encoding") {
        Some("snappy") => snap::raw::Decoder::new()
            .decompress_vec(body)
            .map_err(|error| error.to_string())?,
        Some("zstd") => zstd::decode_all(body).map_err(|error| error.to_string())?,
        other => return Err(format!("content-encoding is {other:?}")),
    };
    let request = WriteRequest::decode(&*message).map_err(|error| error.to_string())?;
    if request.timeseries.is_empty() {
        return Err("an empty request".to_owned());
    }
    let mut samples = Samples::new();
    for series in request.timeseries {
        let names: Vec<&str> = series.labels.iter().map(|label| &*label.name).collect();
        if !names.is_sorted_by(|one, other| one < other) {
            return Err(format!("labels are not sorted, or twice: {names:?}"));
        }
        if !names.contains(&"__name__")
            || !names.contains(&"edge")
            || series.labels.iter().any(|label| label.value.is_empty())
        {
            return Err(format!("labels are missing or empty: {:?}", series.labels));
        }
        if series.samples.is_empty()
            || !series
                .samples
                .is_sorted_by(|one, other| one.timestamp < other.timestamp)
        {
            return Err(format!("samples are missing or not in order: {:?}", series.samples));
        }
        let labels = series.labels.into_iter().map(|label| (label.name, label.value));
        let values = series
            .samples
            .into_iter()
            .map(|sample| (sample.timestamp, sample.value.to_bits()));
        samples.entry(name_of(labels)).or_default().extend(values);
    }
    Ok(samples)
}

/// One text for a series: its labels without `edge`, sorted.
pub fn name_of(labels: impl Iterator<Item = (String, String)>) -> String {
    let mut labels: Vec<String> = labels
        .filter(|(name, _)| name != "edge")
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    labels.sort();
    labels.join(",")
}
