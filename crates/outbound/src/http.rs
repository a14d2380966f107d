//! Requests to a server that is not ours, one at a time. Redirects are not followed, and nothing that is secret is shown.

mod page;
mod tls;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;
use ureq::http::header::{
    AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderName, InvalidHeaderValue, LOCATION, RETRY_AFTER,
};
use ureq::http::{HeaderMap, Response};
use ureq::{Body, Proxy};

use crate::failure::{Failure, Kind};
use crate::secret::{Secret, SecretError};

/// Bytes of an answer that are read. Services repeat the message: of Telegram's 4000 bytes escapes make up to 12000, beside 100 entities.
const MAX_ANSWER: u64 = 32 << 10;
/// Characters of its first line that are shown.
const MAX_DETAIL: usize = 200;

/// Why there is no way to the server.
#[derive(Debug, Error)]
pub enum SetupError {
    /// A file of the settings cannot be used.
    #[error(transparent)]
    File(#[from] SecretError),
    /// The system trusts nobody.
    #[error("the system has no certificates of authorities to trust: install ca-certificates, or set {0}.ca_file")]
    NoAuthorities(String),
    /// A value that no header can have; the settings refuse those that they see.
    #[error("header: {0}")]
    Value(#[from] InvalidHeaderValue),
    /// A name that no header can have; so.
    #[error("header: {0}")]
    Name(#[from] InvalidHeaderName),
    /// The proxy is none.
    #[error("{0}.proxy: no address of a proxy")]
    Proxy(String),
    /// There is no address to send to.
    #[error("{0} is not set")]
    NoAddress(&'static str),
    /// The address in a file is none.
    #[error("{key}: no address in it; allowed is {allowed}")]
    Address {
        /// The key that names the file.
        key: String,
        /// How addresses look.
        allowed: String,
    },
    /// What the settings refuse as well.
    #[error("{0}")]
    Other(String),
}

/// How a server is reached.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions<'a> {
    /// The table of the settings, such as `forward`, for what is said of its keys.
    pub table: &'a str,
    /// Time for one request.
    pub timeout: Duration,
    /// A proxy, `http://HOST:PORT` or `socks5://HOST:PORT`; `socks5h://` leaves the resolving of names to it.
    pub proxy: Option<&'a str>,
    /// Certificates (PEM) of the authorities that may vouch for the server, instead of the system's.
    pub ca_file: Option<&'a Path>,
    /// The device's own certificate (PEM) and its key.
    pub own_certificate: Option<(&'a Path, &'a Path)>,
}

/// A server, with what it needs to let us in. Holds secrets and certificates, so it lives only as long as there is something to send.
pub struct Server {
    agent: ureq::Agent,
    table: String,
    url: String,
    /// The address as it is shown: the rest may hold a token.
    shown: String,
    headers: HeaderMap,
    secrets: Vec<Secret>,
    timeout: Duration,
}

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Where a redirect leads, without its query.
    location: Option<String>,
    /// Whether it is a page for people, by its text.
    pub is_page: bool,
    /// At most the first 32 KiB; empty if it ended early. May repeat secrets.
    pub body: Vec<u8>,
}

impl Server {
    /// Reads the certificates. Of the address only `shown` is ever shown.
    ///
    /// # Errors
    /// A file cannot be used, or the proxy is none.
    pub fn new(url: &str, shown: &str, options: &ClientOptions<'_>) -> Result<Self, SetupError> {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(options.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(1)
            .input_buffer_size(8 << 10)
            .output_buffer_size(16 << 10)
            .user_agent(concat!("edgewatch/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = options.proxy {
            let proxy = Proxy::new(proxy).map_err(|_| SetupError::Proxy(options.table.to_owned()))?;
            config = config.proxy(Some(proxy));
        }
        if url.starts_with("https:") {
            config = config.tls_config(tls::config(options)?);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            table: options.table.to_owned(),
            url: url.to_owned(),
            shown: shown.to_owned(),
            headers: HeaderMap::new(),
            secrets: Vec::new(),
            timeout: options.timeout,
        })
    }

    /// The address, without what may be secret in it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// A header of every request.
    ///
    /// # Errors
    /// No header can be so.
    pub fn header(&mut self, name: &str, text: &str) -> Result<(), SetupError> {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        let mut value = HeaderValue::from_str(text)?;
        // Libraries do not log it then.
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }

    /// A header whose value is in a file that `key` names.
    ///
    /// # Errors
    /// The file cannot be read, or no header can be so.
    pub fn header_file(&mut self, key: &str, name: &str, file: &Path) -> Result<(), SetupError> {
        let secret = Secret::read(key, file)?;
        self.header(name, secret.reveal())?;
        self.secrets.push(secret);
        Ok(())
    }

    /// Authenticates with a user and the password in a file (RFC 7617), or with the token in one (RFC 6750).
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn authenticate(
        &mut self,
        user: Option<&str>,
        password_file: Option<&PathBuf>,
        token_file: Option<&PathBuf>,
    ) -> Result<(), SetupError> {
        if let (Some(user), Some(file)) = (user, password_file) {
            let password = Secret::read(&format!("{}.password_file", self.table), file)?;
            let pair = Secret::from(BASE64.encode(format!("{user}:{}", password.reveal())));
            self.header(AUTHORIZATION.as_str(), &format!("Basic {}", pair.reveal()))?;
            self.secrets.extend([pair, password]);
        } else if let Some(file) = token_file {
            let token = Secret::read(&format!("{}.bearer_token_file", self.table), file)?;
            self.header(AUTHORIZATION.as_str(), &format!("Bearer {}", token.reveal()))?;
            self.secrets.push(token);
        }
        Ok(())
    }

    /// That this is shown nowhere.
    pub fn hide(&mut self, secret: Secret) {
        self.secrets.push(secret);
    }

    /// `POST`s a body and waits for the answer.
    ///
    /// # Errors
    /// There is no complete head of an answer in time.
    pub fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply, Failure> {
        let mut request = self.agent.post(&self.url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(own) = request.headers_mut() {
            own.extend(self.headers.clone());
        }
        let response = request.send(body).map_err(|error| self.no_answer(error))?;
        Ok(self.reply(response))
    }

    /// `GET`s and waits for the answer.
    ///
    /// # Errors
    /// There is no complete head of an answer in time.
    pub fn get(&self) -> Result<Reply, Failure> {
        let mut request = self.agent.get(&self.url);
        if let Some(own) = request.headers_mut() {
            own.extend(self.headers.clone());
        }
        let response = request.call().map_err(|error| self.no_answer(error))?;
        Ok(self.reply(response))
    }

    fn reply(&self, response: Response<Body>) -> Reply {
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let (status, retry_after) = (
            response.status().as_u16(),
            header(RETRY_AFTER).and_then(|text| retry_after(text, SystemTime::now())),
        );
        let location = header(LOCATION).map(|address| self.printable(address.split('?').next().unwrap_or_default()));
        // Read to its end, so that the connection can be used again.
        let mut body = Vec::new();
        let reader = response.into_body().into_reader();
        let read = reader.take(MAX_ANSWER).read_to_end(&mut body);
        // A page that ends early is one as well.
        let is_page = page::is_page(&body);
        if read.is_err() {
            body.clear();
        }
        Reply {
            status,
            retry_after,
            location,
            is_page,
            body,
        }
    }

    /// What an answer other than 2xx says, for people: the address, the status, the first line, and what to do.
    pub fn refusal(&self, reply: &Reply) -> Failure {
        let table = &self.table;
        let (kind, remedy) = match reply.status {
            // A hotel's network that wants a room number, a proxy that wants a click, a server in front that wants a certificate: nobody has it.
            status if status < 300 || (status == 400 && reply.is_page) => (
                Kind::Protocol,
                format!(
                    "; a web page is no answer to this: something in between gave it, {table}.url is another address, or it wants https: or a certificate"
                ),
            ),
            300..400 => (
                Kind::Redirect,
                format!(
                    "; redirects are not followed: set {table}.url to {}",
                    reply.location.as_deref().unwrap_or("where it is")
                ),
            ),
            401 | 403 | 407 => (Kind::Unauthorized, format!("; look at the credentials in [{table}]")),
            413 => (Kind::TooLarge, String::new()),
            415 => (Kind::Encoding, String::new()),
            429 => (Kind::Throttled, String::new()),
            404 | 405 => (Kind::ClientError, format!("; is {table}.url the right address?")),
            400..500 => (Kind::ClientError, String::new()),
            _ => (Kind::ServerError, String::new()),
        };
        Failure {
            kind,
            message: format!("{}{remedy}", self.said(reply)),
            retry_after: reply.retry_after,
            may_be_of_content: matches!(reply.status, 400 | 413 | 415 | 422) && kind != Kind::Protocol,
        }
    }

    /// What an answer says: the address, the status, and the first line.
    pub fn said(&self, reply: &Reply) -> String {
        let text = self.printable(&String::from_utf8_lossy(&reply.body));
        let detail = if text.is_empty() { text } else { format!(": {text}") };
        format!("{} answered {}{detail}", self.shown, reply.status)
    }

    fn no_answer(&self, error: ureq::Error) -> Failure {
        let (kind, what) = match error {
            ureq::Error::HostNotFound => (Kind::Connect, "no such host".to_owned()),
            ureq::Error::ConnectionFailed => (Kind::Connect, "cannot connect".to_owned()),
            ureq::Error::Timeout(_) => (Kind::Timeout, format!("no answer within {:?}", self.timeout)),
            ureq::Error::Io(error) => io_kind(&error),
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => (Kind::Tls, error.to_string()),
            // The library's enum is not exhaustive.
            other => (Kind::Protocol, other.to_string()),
        };
        Failure::new(kind, format!("{}: {}", self.shown, self.printable(&what)))
    }

    fn printable(&self, text: &str) -> String {
        printable(text, &self.secrets)
    }
}

/// The first line of a text from outside, without secrets that it may repeat, and without control characters.
pub fn printable(text: &str, secrets: &[Secret]) -> String {
    let mut line = text.trim().lines().next().unwrap_or_default().to_owned();
    for secret in secrets {
        line = secret.hide_in(&line);
    }
    line.chars()
        .filter(|character| !character.is_control())
        .take(MAX_DETAIL)
        .collect()
}

/// `SCHEME://HOST:PORT` of an address; its path may hold a token.
pub fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    format!("{scheme}://{}", rest.split(['/', '?', '#']).next().unwrap_or_default())
}

/// The kind of an error of a connection, and what it says.
pub fn io_kind(error: &std::io::Error) -> (Kind, String) {
    use std::io::ErrorKind;
    // Through the standard library's own types TLS has no kind of its own.
    let is_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    let kind = match error.kind() {
        _ if is_tls => Kind::Tls,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Kind::Timeout,
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => Kind::Closed,
        ErrorKind::InvalidData => Kind::Protocol,
        _ => Kind::Connect,
    };
    (kind, error.to_string())
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    SystemTime::from(date.timestamp()).duration_since(now).ok()
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_read_in_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 90);
        for (text, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(90)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", None),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn of_an_address_only_its_origin_is_shown() {
        for (url, shown) in [
            ("https://hc-ping.com/8f-secret", "https://hc-ping.com"),
            ("http://10.0.0.1:8080?token=x", "http://10.0.0.1:8080"),
            ("https://ntfy.sh#x", "https://ntfy.sh"),
        ] {
            assert_eq!(origin(url), shown);
        }
    }
}
