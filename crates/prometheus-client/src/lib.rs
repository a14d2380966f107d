//! A client of HTTP servers, and of Prometheus' query API: blocking, plain HTTP, bounded in time and size.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod labels;
pub mod prometheus;
pub mod scrapes;

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ureq::http::uri::{Authority, Scheme};
use ureq::http::{Response, Uri};
use ureq::{Body, BodyReader, Error};

use edgewatch_program::error::Failure;
use edgewatch_program::listen::is_loopback;

/// Timeout of one request, from name resolution to the last byte.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a response body that are read; a longer one is an error.
const MAX_BODY: u64 = 4 << 20;
/// Bytes of a query string, percent-encoded. A longer one is sent as the body of a POST: the client's buffer for the head of a request has
/// 16 KiB, and many servers accept no more than 8.
pub const MAX_QUERY: usize = 4 << 10;

/// Name and password for HTTP Basic authentication (RFC 7617).
#[derive(Clone)]
pub struct Credentials {
    header: String,
}

impl Credentials {
    /// Takes the password from the first line of `password_file`: arguments of a command are visible to other users.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(user: &str, password_file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(password_file)
            .map_err(|error| Failure::because(format!("password file {}", password_file.display()), error))?;
        let password = text.lines().next().unwrap_or_default();
        Ok(Self {
            header: format!("Basic {}", BASE64.encode(format!("{user}:{password}"))),
        })
    }
}

/// A response of any status, with its body as text.
#[derive(Clone, Debug)]
pub struct TextResponse {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty if there is none.
    pub content_type: String,
    /// At most 4 MiB.
    pub body: String,
}

/// A response of any status, whose body is still to be read.
pub struct StreamingResponse {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty if there is none.
    pub content_type: String,
    /// Not bounded in size; a read fails after the timeout.
    pub body: BodyReader<'static>,
}

/// A client of one HTTP server. Follows no redirects and uses no proxy: the server is on this device, or was named by a person.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    /// `HOST:PORT` of `base`.
    address: Authority,
    credentials: Option<Credentials>,
    timeout: Duration,
}

impl Client {
    /// A client of the server at `base`, such as `http://127.0.0.1:9090`.
    ///
    /// # Errors
    /// `base` is no such address.
    pub fn new(base: &str) -> Result<Self, Failure> {
        let uri = base.parse::<Uri>().ok();
        let address = uri
            .filter(|uri| uri.scheme() == Some(&Scheme::HTTP))
            .and_then(|uri| uri.authority().cloned())
            .filter(|address| !address.as_str().contains('@'))
            .ok_or_else(|| {
                Failure(format!(
                    "{base:?} is no address; allowed is http://HOST:PORT, and a path behind it"
                ))
            })?;
        Ok(Self {
            agent: agent(TIMEOUT),
            base: base.trim_end_matches('/').to_owned(),
            address,
            credentials: None,
            timeout: TIMEOUT,
        })
    }

    /// The same client with another timeout than [`TIMEOUT`].
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self {
            agent: agent(timeout),
            timeout,
            ..self
        }
    }

    /// The same client, which authenticates.
    pub fn with_credentials(self, credentials: Option<Credentials>) -> Self {
        Self { credentials, ..self }
    }

    /// The address of the server, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// True if the server is on this device.
    pub fn is_local(&self) -> bool {
        let host = self.address.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(is_loopback)
    }

    /// The port of the server.
    pub fn port(&self) -> u16 {
        self.address.port_u16().unwrap_or(80)
    }

    /// The response to `GET path?name=value&…`.
    ///
    /// # Errors
    /// No response within the timeout, none at all, or one that is too large or not UTF-8.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<TextResponse, Failure> {
        let fail = |error| Failure::because(format!("{}{path}", self.base), self.explain(&error));
        let mut response = self.call(path, query).map_err(fail)?;
        Ok(TextResponse {
            status: response.status().as_u16(),
            content_type: content_type(&response),
            body: response
                .body_mut()
                .with_config()
                .limit(MAX_BODY)
                .read_to_string()
                .map_err(fail)?,
        })
    }

    /// The response to `GET path?name=value&…`, whose body is still to be read. A query above [`MAX_QUERY`] is sent as a form (`POST`), which
    /// Prometheus accepts as well.
    ///
    /// # Errors
    /// No response within the timeout, or none at all.
    pub fn open(&self, path: &str, query: &[(&str, &str)]) -> Result<StreamingResponse, String> {
        let response = match encoded_length(query) {
            0..=MAX_QUERY => self.call(path, query),
            _ => self.send(path, query),
        };
        let response = response.map_err(|error| self.explain(&error))?;
        Ok(StreamingResponse {
            status: response.status().as_u16(),
            content_type: content_type(&response),
            body: response.into_body().into_reader(),
        })
    }

    fn call(&self, path: &str, query: &[(&str, &str)]) -> Result<Response<Body>, Error> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.get(&url).query_pairs(query.iter().copied());
        if let Some(credentials) = &self.credentials {
            request = request.header(AUTHORIZATION, &credentials.header);
        }
        request.call()
    }

    fn send(&self, path: &str, form: &[(&str, &str)]) -> Result<Response<Body>, Error> {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        if let Some(credentials) = &self.credentials {
            request = request.header(AUTHORIZATION, &credentials.header);
        }
        request.send_form(form.iter().copied())
    }

    /// The response to `GET path`, which must have status 200.
    ///
    /// # Errors
    /// As [`Self::get`], or another status.
    pub fn get_ok(&self, path: &str) -> Result<TextResponse, Failure> {
        let response = self.get(path, &[])?;
        match response.status {
            200 => Ok(response),
            status => Err(self.status_error(path, status, &response.body)),
        }
    }

    /// The body of `GET path`.
    ///
    /// # Errors
    /// As [`Self::get_ok`].
    pub fn get_text(&self, path: &str) -> Result<String, Failure> {
        self.get_ok(path).map(|response| response.body)
    }

    /// The body of `GET path`, read as JSON.
    ///
    /// # Errors
    /// As [`Self::get_ok`], or the body has another shape than `T`.
    pub fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.parse(path, &self.get_text(path)?)
    }

    fn parse<T: DeserializeOwned>(&self, path: &str, body: &str) -> Result<T, Failure> {
        serde_json::from_str(body)
            .map_err(|error| Failure::because(format!("{}{path}", self.base), format!("unexpected answer: {error}")))
    }

    fn status_error(&self, path: &str, status: u16, body: &str) -> Failure {
        let why = match status {
            401 if self.credentials.is_none() => "answered 401: pass --user and --password-file".to_owned(),
            401 => "answered 401: wrong user or password".to_owned(),
            _ => match body.lines().next().map(str::trim) {
                Some(line) if !line.is_empty() && line.len() <= 200 => format!("answered {status}: {line}"),
                _ => format!("answered {status}"),
            },
        };
        Failure::because(format!("{}{path}", self.base), why)
    }

    /// Why a body could not be read to its end, for people.
    pub fn explain_io(&self, error: &io::Error) -> String {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(inner) => self.explain(inner),
            None => error.to_string(),
        }
    }

    fn explain(&self, error: &Error) -> String {
        match error {
            Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                format!("nothing listens on {}", self.address)
            }
            Error::Timeout(_) => format!("timed out after {} s", self.timeout.as_secs_f64()),
            Error::HostNotFound => "no such host".to_owned(),
            Error::BodyExceedsLimit(limit) => format!("answered more than {limit} bytes"),
            other => other.to_string(),
        }
    }
}

/// With small buffers: the library's defaults of 128 KiB would be a fiftieth of the service's memory.
fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .max_idle_connections(2)
        .input_buffer_size(8 << 10)
        .output_buffer_size(16 << 10)
        .user_agent(concat!("edgewatch/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// Upper bound of the bytes of a percent-encoded query string.
pub fn encoded_length(query: &[(&str, &str)]) -> usize {
    let of_text = |text: &str| -> usize {
        let bytes = text.bytes();
        bytes.map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum()
    };
    query
        .iter()
        .map(|(name, value)| of_text(name) + of_text(value) + 2)
        .sum()
}

fn content_type(response: &Response<Body>) -> String {
    response
        .headers()
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
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
}
