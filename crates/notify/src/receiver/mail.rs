//! Mail (RFC 5322), handed to a server by SMTP (RFC 5321) with TLS (RFC 8314).

use std::error::Error as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use edgewatch_outbound::failure::{Failure, Kind};
use edgewatch_outbound::http::{self, SetupError};
use edgewatch_outbound::secret::{self, Secret};
use edgewatch_program::host;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{self, SmtpTransportBuilder};
use lettre::{SmtpTransport, Transport};

use crate::alert::Severity;
use crate::message::Message;
use crate::settings::{Mail, Settings};

mod guard;

const TABLE: &str = "notify.mail";
/// Requests of an exchange: from the greeting to the answer to the mail, for the time that one of them has.
const REQUESTS: u32 = 4;

/// A mail server, and who gets what it is handed.
pub struct MailServer {
    transport: SmtpTransportBuilder,
    host: String,
    port: u16,
    shown: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    secrets: Vec<Secret>,
    timeout: Duration,
}

impl MailServer {
    /// Reads the files of the settings.
    pub(super) fn new(settings: &Settings, mail: &Mail) -> Result<Self, SetupError> {
        let other = |what: &str| SetupError::Other(format!("{TABLE}.{what}"));
        let (is_wrapped, host, port) = host(&mail.server).ok_or_else(|| other("server: no address"))?;
        let tls = match (is_wrapped, mail.plain) {
            (true, _) => Tls::Wrapper(parameters(host, settings.ca_file.as_ref())?),
            (false, false) => Tls::Required(parameters(host, settings.ca_file.as_ref())?),
            (false, true) => Tls::None,
        };
        let port = port.unwrap_or(match (is_wrapped, mail.plain) {
            (true, _) => 465,
            (false, false) => 587,
            (false, true) => 25,
        });
        // By way of the guard.
        let mut transport = SmtpTransport::builder_dangerous(Ipv4Addr::LOCALHOST.to_string())
            .tls(tls)
            .timeout(Some(settings.timeout));
        let name = host::name();
        if !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        {
            transport = transport.hello_name(ClientId::Domain(name));
        }
        let mut secrets = Vec::new();
        if let (Some(user), Some(file)) = (&mail.user, &mail.password_file) {
            let password = Secret::read(&format!("{TABLE}.password_file"), file)?;
            transport = transport.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
            // As it is sent (RFC 4616, and LOGIN), which a server may give back.
            let plain = BASE64.encode(format!("\0{user}\0{}", password.reveal()));
            let login = BASE64.encode(password.reveal());
            secrets.extend([Secret::from(plain), Secret::from(login), password]);
        }
        let mailbox = |text: &String| text.parse::<Mailbox>().map_err(|_| other("to or from: no address"));
        Ok(Self {
            transport,
            host: host.to_owned(),
            port,
            shown: format!(
                "{}:{port}",
                http::origin(&mail.server).trim_end_matches(&format!(":{port}"))
            ),
            from: mailbox(&mail.from)?,
            to: mail.to.iter().map(mailbox).collect::<Result<_, _>>()?,
            secrets,
            timeout: settings.timeout,
        })
    }

    /// Sends a message. A refusal for now may be over soon: only a retry lets others be told without the one whom it is of.
    pub(super) fn send(&self, message: &Message<'_>, limit: usize, is_retry: bool) -> Result<String, Failure> {
        let mut letter = Letter::builder()
            .from(self.from.clone())
            .subject(message.subject())
            .message_id(None)
            // Without it what follows may be taken for US-ASCII (RFC 2045, 4).
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            // That no absence is answered with (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if message.digest.is_firing() && message.digest.severity() == Severity::Critical {
            let urgent = HeaderValue::new(HeaderName::new_from_ascii_str("X-Priority"), "1".to_owned());
            letter = letter.raw_header(urgent);
        }
        for to in &self.to {
            letter = letter.to(to.clone());
        }
        let letter = letter
            .body(message.text(limit))
            .map_err(|error| Failure::new(Kind::Protocol, format!("{}: {error}", self.shown)))?;
        let (envelope, text) = (letter.envelope(), letter.formatted());
        let may_be_of_recipient = |kind| match kind {
            // As a full mailbox is answered, too: 552.
            Kind::ClientError | Kind::TooLarge => true,
            Kind::ServerError => is_retry,
            _ => false,
        };
        match self.hand_over(envelope, &text) {
            Err(failure) if self.to.len() > 1 && may_be_of_recipient(failure.kind) => {
                self.hand_over_to_each(envelope, &text, failure)
            }
            handed => handed,
        }
    }

    /// What was refused as a whole, to each recipient by itself: one that the server does not know, or whose mailbox has been full for weeks,
    /// must not keep the others from being told. It is told if one of them is; the answer names those that are not.
    fn hand_over_to_each(&self, envelope: &Envelope, letter: &[u8], refusal: Failure) -> Result<String, Failure> {
        let (mut answer, mut others) = (None, String::new());
        for to in envelope.to() {
            let own = Envelope::new(envelope.from().cloned(), vec![to.clone()])
                .map_err(|error| Failure::new(Kind::Protocol, error));
            match own.and_then(|own| self.hand_over(&own, letter)) {
                Ok(taken) => answer = Some(taken),
                Err(failure) => others += &format!("; {to} is not told: {failure}"),
            }
        }
        answer.map(|answer| answer + &others).ok_or(refusal)
    }

    /// In one transaction, which fails as a whole with the first recipient that is refused.
    fn hand_over(&self, envelope: &Envelope, letter: &[u8]) -> Result<String, Failure> {
        let longest = self.timeout.saturating_mul(REQUESTS);
        let local = guard::connect(&self.host, self.port, self.timeout, longest).map_err(|error| {
            let (kind, text) = http::io_kind(&error);
            Failure::new(kind, format!("{}: {text}", self.shown))
        })?;
        match self.transport.clone().port(local).build().send_raw(envelope, letter) {
            Ok(response) => {
                let text: Vec<&str> = response.message().collect();
                let text = http::printable(&text.join(" "), &self.secrets);
                Ok(format!("{} answered {}: {text}", self.shown, response.code()))
            }
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn failure(&self, error: &smtp::Error) -> Failure {
        let status = error.status().map(|code| code.to_string());
        let (kind, remedy) = match status.as_deref() {
            Some("530" | "534" | "535") => (Kind::Unauthorized, "; look at user and password_file in [notify.mail]"),
            Some("552") => (Kind::TooLarge, ""),
            Some(code) if code.starts_with('5') => (Kind::ClientError, ""),
            Some(_) => (Kind::ServerError, ""),
            None => (connection_kind(error), ""),
        };
        let text = match kind {
            Kind::Timeout => format!("no answer within {:?}", self.timeout),
            _ => http::printable(&error.to_string(), &self.secrets),
        };
        Failure {
            // Too large (RFC 1870), and a transaction that failed, as filters of content answer.
            may_be_of_content: matches!(status.as_deref(), Some("552" | "554")),
            ..Failure::new(kind, format!("{}: {text}{remedy}", self.shown))
        }
    }
}

/// Why there is no answer with a status.
fn connection_kind(error: &smtp::Error) -> Kind {
    if error.is_tls() {
        return Kind::Tls;
    }
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<std::io::Error>() {
            return http::io_kind(inner).0;
        }
        source = inner.source();
    }
    // "incomplete response" is its word for a connection that ended.
    match error.to_string().contains("incomplete response") {
        true => Kind::Closed,
        false => Kind::Protocol,
    }
}

/// Whether TLS begins with the first byte, the host, and the port of `smtps://HOST:PORT`.
fn host(server: &str) -> Option<(bool, &str, Option<u16>)> {
    let (is_wrapped, rest) = match server.split_once("://")? {
        ("smtps", rest) => (true, rest),
        ("smtp", rest) => (false, rest),
        _ => return None,
    };
    let authority = rest.split('/').next()?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let host = host.trim_matches(['[', ']']);
    (!host.is_empty()).then_some((is_wrapped, host, port))
}

/// TLS with a server of this name.
fn parameters(host: &str, ca_file: Option<&PathBuf>) -> Result<TlsParameters, SetupError> {
    let other = |error: smtp::Error| SetupError::Other(format!("{TABLE}.server: {error}"));
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(file) = ca_file {
        let key = "notify.ca_file";
        let certificate = Certificate::from_pem(secret::read(key, file)?.as_bytes());
        let certificate = certificate.map_err(|error| SetupError::Other(format!("{key}: {error}")))?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build().map_err(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_with_its_kind_of_tls_and_its_port() {
        for (text, parts) in [
            ("smtps://mail.example.org", Some((true, "mail.example.org", None))),
            ("smtp://10.0.0.1:2525/", Some((false, "10.0.0.1", Some(2525)))),
            ("smtp://[fd00::1]:25", Some((false, "fd00::1", Some(25)))),
            ("smtp://[fd00::1]", Some((false, "fd00::1", None))),
            ("smtp://host:no", None),
            ("smtp://", None),
            ("http://host", None),
            ("host:25", None),
        ] {
            assert_eq!(host(text), parts, "{text}");
        }
    }
}
