//! A client of HTTP servers, and of Prometheus' query API: blocking, plain HTTP, bounded in time and size.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod alerts;
pub mod error;
pub mod labels;
pub mod prometheus;
pub mod scrapes;
pub mod stream;

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ureq::http::uri::{Authority, Scheme};
use ureq::http::{Response, Uri};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::TcpConnector;
use ureq::{Body, BodyReader};

use edgewatch_program::listen::is_loopback;
use edgewatch_program::output::without_credentials;
use error::{Error, RequestError};

/// Timeout of one request, from name resolution to the last byte.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a response body that are read; a longer one is an error.
const MAX_BODY: u64 = 4 << 20;
/// Bytes of a query string, percent-encoded. A longer one is sent as the body of a POST: the client's buffer for the head of a request has
/// 16 KiB, and many servers accept no more than 8.
pub const MAX_QUERY: usize = 4 << 10;
/// Bytes of an error of the API that are read.
const MAX_ERROR: u64 = 16 << 10;
/// Bytes of a body's first line that are shown with the status.
const MAX_DETAIL: usize = 200;

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
    pub fn read(user: &str, password_file: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(password_file).map_err(|source| Error::PasswordFile {
            path: password_file.to_owned(),
            source,
        })?;
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

/// An error of Prometheus' API.
#[derive(Deserialize)]
struct ApiError {
    error: String,
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
    pub fn new(base: &str) -> Result<Self, Error> {
        let uri = base.parse::<Uri>().ok();
        let address = uri
            .filter(|uri| uri.scheme() == Some(&Scheme::HTTP))
            .and_then(|uri| uri.authority().cloned())
            .filter(|address| !address.as_str().contains('@'))
            .ok_or_else(|| Error::Address(without_credentials(base).into_owned()))?;
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
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<TextResponse, Error> {
        let fail = |error| self.error(path, self.request_error(error));
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
    pub fn open(&self, path: &str, query: &[(&str, &str)]) -> Result<StreamingResponse, RequestError> {
        let response = match encoded_length(query) {
            0..=MAX_QUERY => self.call(path, query),
            _ => self.send(path, query),
        };
        let response = response.map_err(|error| self.request_error(error))?;
        Ok(StreamingResponse {
            status: response.status().as_u16(),
            content_type: content_type(&response),
            body: response.into_body().into_reader(),
        })
    }

    /// The body, still to be read, of the response to a request to Prometheus' API, which must have status 200.
    ///
    /// # Errors
    /// As [`Self::open`], or another status, with what the API says of it.
    pub fn open_ok(&self, path: &str, query: &[(&str, &str)]) -> Result<BodyReader<'static>, Error> {
        let response = self.open(path, query).map_err(|error| self.error(path, error))?;
        if response.status == 200 {
            return Ok(response.body);
        }
        let error = serde_json::from_reader::<_, ApiError>(response.body.take(MAX_ERROR));
        let detail = error.map_or_else(|_| String::new(), |body| body.error);
        Err(self.status_error(path, response.status, &detail))
    }

    fn call(&self, path: &str, query: &[(&str, &str)]) -> Result<Response<Body>, ureq::Error> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.get(&url).query_pairs(query.iter().copied());
        if let Some(credentials) = &self.credentials {
            request = request.header(AUTHORIZATION, &credentials.header);
        }
        request.call()
    }

    fn send(&self, path: &str, form: &[(&str, &str)]) -> Result<Response<Body>, ureq::Error> {
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
    pub fn get_ok(&self, path: &str) -> Result<TextResponse, Error> {
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
    pub fn get_text(&self, path: &str) -> Result<String, Error> {
        self.get_ok(path).map(|response| response.body)
    }

    /// The body of `GET path`, read as JSON.
    ///
    /// # Errors
    /// As [`Self::get_ok`], or the body has another shape than `T`.
    pub fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.parse(path, &self.get_text(path)?)
    }

    fn parse<T: DeserializeOwned>(&self, path: &str, body: &str) -> Result<T, Error> {
        serde_json::from_str(body).map_err(|error| self.error(path, error.into()))
    }

    fn error(&self, path: &str, source: RequestError) -> Error {
        Error::Request {
            url: format!("{}{path}", self.base),
            source,
        }
    }

    fn status_error(&self, path: &str, status: u16, body: &str) -> Error {
        let line = body.lines().next().map(str::trim);
        let source = match status {
            401 => RequestError::Unauthorized {
                has_credentials: self.credentials.is_some(),
            },
            _ => RequestError::Status {
                status,
                detail: line
                    .filter(|line| !line.is_empty() && line.len() <= MAX_DETAIL)
                    .map(str::to_owned),
            },
        };
        self.error(path, source)
    }

    /// The error for a body of `path` that has ended early, or is something else.
    pub fn decode_error(&self, path: &str, error: serde_json::Error) -> Error {
        let error = match error.is_io() {
            true => self.body_error(error.into()),
            false => RequestError::Malformed(error),
        };
        self.error(path, error)
    }

    /// The error for a body that could not be read to its end.
    pub fn body_error(&self, error: io::Error) -> RequestError {
        match error.downcast::<ureq::Error>() {
            Ok(error) => self.request_error(error),
            Err(error) => RequestError::Io(error),
        }
    }

    fn request_error(&self, error: ureq::Error) -> RequestError {
        match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                RequestError::Refused(self.address.to_string())
            }
            ureq::Error::Timeout(_) => RequestError::Timeout(self.timeout),
            ureq::Error::HostNotFound => RequestError::HostNotFound,
            ureq::Error::BodyExceedsLimit(limit) => RequestError::TooLarge(limit),
            // The library's enum is not exhaustive.
            other => RequestError::Http(Box::new(other)),
        }
    }
}

/// With small buffers: the library's defaults of 128 KiB would be a fiftieth of the service's memory.
fn agent(timeout: Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .max_idle_connections(2)
        .input_buffer_size(8 << 10)
        .output_buffer_size(16 << 10)
        .user_agent(concat!("edgewatch/", env!("CARGO_PKG_VERSION")))
        .build();
    // Without TLS, which other crates of the workspace may have the library built with.
    ureq::Agent::with_parts(config, TcpConnector::default(), DefaultResolver::default())
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
mod tests;
