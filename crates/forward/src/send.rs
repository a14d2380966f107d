//! The centre, to which requests are sent one at a time.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;
use ureq::http::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, InvalidHeaderName, InvalidHeaderValue, LOCATION, RETRY_AFTER,
};
use ureq::http::{HeaderMap, Response};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::{Body as ResponseBody, Proxy};

use crate::encode::Body;
use crate::error::{Failure, Kind};
use crate::secret::{self, Secret, SecretError, SecretProblem};
use crate::settings::Settings;

/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 4 << 10;
/// Characters of its first line that are shown.
const MAX_DETAIL: usize = 200;

/// What the centre says to a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx: it has the samples.
    Taken,
    /// 400: it will never take at least some of them, and this is what it says.
    Refused(String),
}

/// Why there is no way to the centre.
#[derive(Debug, Error)]
pub enum SetupError {
    /// A file of the settings cannot be used.
    #[error(transparent)]
    File(#[from] SecretError),
    /// The system trusts nobody.
    #[error("the system has no certificates of authorities to trust: install ca-certificates, or set forward.ca_file")]
    NoAuthorities,
    /// A value that no header can have; the settings refuse those that they see.
    #[error("forward.headers: {0}")]
    Value(#[from] InvalidHeaderValue),
    /// A name that no header can have; so.
    #[error("forward.headers: {0}")]
    Name(#[from] InvalidHeaderName),
    /// The proxy is none.
    #[error("forward.proxy: no address of a proxy")]
    Proxy,
    /// There is no address to send to.
    #[error("forward.url is not set")]
    NoAddress,
}

/// The centre, with what it needs to let us in. Holds secrets and certificates, so it lives only as long as there is something to send.
pub struct Receiver {
    agent: ureq::Agent,
    url: String,
    /// The address as it is shown: a query may hold a token.
    shown: String,
    headers: HeaderMap,
    secrets: Vec<Secret>,
    timeout: Duration,
}

impl Receiver {
    /// Reads the files of the settings.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let url = settings.url.clone().ok_or(SetupError::NoAddress)?;
        let (headers, secrets) = headers(settings)?;
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(settings.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(1)
            .input_buffer_size(8 << 10)
            .output_buffer_size(16 << 10)
            .user_agent(concat!("edgewatch/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &settings.proxy {
            config = config.proxy(Some(Proxy::new(proxy).map_err(|_| SetupError::Proxy)?));
        }
        if url.starts_with("https:") {
            config = config.tls_config(tls(settings)?);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            shown: url.split('?').next().unwrap_or_default().to_owned(),
            url,
            headers,
            secrets,
            timeout: settings.timeout,
        })
    }

    /// The address, without what may be secret in it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// No answer, or one after which the same request may succeed later.
    pub fn send(&self, body: &Body) -> Result<Answer, Failure> {
        let mut request = self
            .agent
            .post(&self.url)
            .header("Content-Encoding", "snappy")
            .header("Content-Type", "application/x-protobuf")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0");
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
        }
        let response = request.send(&*body.bytes).map_err(|error| self.no_answer(error))?;
        self.answer(response)
    }

    fn answer(&self, response: Response<ResponseBody>) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.map(|address| self.printable(address.split('?').next().unwrap_or_default()));
        let is_page = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        // Read to its end, so that the connection can be used again. What a 2xx says beside that does not matter.
        let mut text = Vec::new();
        let read = response
            .into_body()
            .into_reader()
            .take(MAX_ANSWER)
            .read_to_end(&mut text);
        if (200..300).contains(&status) && !is_page {
            return Ok(Answer::Taken);
        }
        let text = match read {
            Ok(_) => self.printable(&String::from_utf8_lossy(&text)),
            Err(_) => String::new(),
        };
        let detail = if text.is_empty() { text } else { format!(": {text}") };
        let (kind, remedy) = match status {
            // A hotel's network that wants a room number, a proxy that wants a click: nobody has the samples.
            ..300 => (
                Kind::Protocol,
                "; a web page is no answer of a centre: something in between gave it, or forward.url is another address".to_owned(),
            ),
            400 => return Ok(Answer::Refused(format!("{} answered 400{detail}", self.shown))),
            300..400 => (
                Kind::Redirect,
                format!(
                    "; redirects are not followed: set forward.url to {}",
                    location.as_deref().unwrap_or("where it is")
                ),
            ),
            401 | 403 | 407 => (Kind::Unauthorized, "; look at the credentials in [forward]".to_owned()),
            413 => (Kind::TooLarge, String::new()),
            429 => (Kind::Throttled, String::new()),
            402..500 => (
                Kind::ClientError,
                "; is forward.url the address for remote_write?".to_owned(),
            ),
            _ => (Kind::ServerError, String::new()),
        };
        Err(Failure {
            kind,
            message: format!("{} answered {status}{detail}{remedy}", self.shown),
            retry_after,
        })
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

    /// The first line of a text from outside, without secrets that it may repeat, and without control characters.
    fn printable(&self, text: &str) -> String {
        let mut line = text.trim().lines().next().unwrap_or_default().to_owned();
        for secret in &self.secrets {
            line = secret.hide_in(&line);
        }
        line.chars()
            .filter(|character| !character.is_control())
            .take(MAX_DETAIL)
            .collect()
    }
}

fn io_kind(error: &std::io::Error) -> (Kind, String) {
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

/// Headers of the settings, and the secrets among them.
fn headers(settings: &Settings) -> Result<(HeaderMap, Vec<Secret>), SetupError> {
    let (mut headers, mut secrets) = (HeaderMap::new(), Vec::new());
    for (name, text) in &settings.headers {
        insert(&mut headers, name, text)?;
    }
    for (name, file) in &settings.header_files {
        let secret = Secret::read(&format!("forward.header_files.{name}"), file)?;
        insert(&mut headers, name, secret.reveal())?;
        secrets.push(secret);
    }
    if let (Some(user), Some(file)) = (&settings.user, &settings.password_file) {
        let password = Secret::read("forward.password_file", file)?;
        let pair = Secret::from(BASE64.encode(format!("{user}:{}", password.reveal())));
        insert(
            &mut headers,
            AUTHORIZATION.as_str(),
            &format!("Basic {}", pair.reveal()),
        )?;
        secrets.extend([pair, password]);
    } else if let Some(file) = &settings.bearer_token_file {
        let token = Secret::read("forward.bearer_token_file", file)?;
        insert(
            &mut headers,
            AUTHORIZATION.as_str(),
            &format!("Bearer {}", token.reveal()),
        )?;
        secrets.push(token);
    }
    Ok((headers, secrets))
}

fn insert(headers: &mut HeaderMap, name: &str, text: &str) -> Result<(), SetupError> {
    let name = HeaderName::from_bytes(name.as_bytes())?;
    let mut value = HeaderValue::from_str(text)?;
    // Libraries do not log it then.
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn tls(settings: &Settings) -> Result<TlsConfig, SetupError> {
    let roots = match &settings.ca_file {
        Some(file) => certificates("forward.ca_file", file)?,
        None => rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect(),
    };
    if roots.is_empty() {
        return Err(SetupError::NoAuthorities);
    }
    let mut tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if let (Some(certificate), Some(key_file)) = (&settings.certificate_file, &settings.key_file) {
        let chain = certificates("forward.certificate_file", certificate)?;
        let key = PrivateKey::from_pem(secret::read("forward.key_file", key_file)?.as_bytes());
        let key = key.map_err(|_| no_pem("forward.key_file", key_file, "key"))?;
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Ok(tls.build())
}

fn certificates(key: &str, file: &std::path::Path) -> Result<Vec<Certificate<'static>>, SetupError> {
    let text = secret::read(key, file)?;
    let items: Result<Vec<PemItem>, _> = parse_pem(text.as_bytes()).collect();
    let certificates: Vec<_> = items
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    match certificates.is_empty() {
        true => Err(no_pem(key, file, "certificate")),
        false => Ok(certificates),
    }
}

fn no_pem(key: &str, file: &std::path::Path, what: &'static str) -> SetupError {
    SetupError::File(SecretError {
        key: key.to_owned(),
        path: edgewatch_program::credential::path(file),
        source: SecretProblem::NoPem(what),
    })
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    SystemTime::from(date.timestamp()).duration_since(now).ok()
}

#[cfg(test)]
mod tests;
