//! The centre, to which requests are sent one at a time.

use edgewatch_outbound::failure::Failure;
use edgewatch_outbound::http::{ClientOptions, Server, SetupError};

use crate::encode::Body;
use crate::settings::Settings;

/// What the centre says to a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx: it has the samples.
    Taken,
    /// It will never take at least some of them, and this is what it says.
    Refused(String),
}

/// The centre, with what it needs to let us in. Holds secrets and certificates, so it lives only as long as there is something to send.
pub struct Receiver(Server);

impl Receiver {
    /// Reads the files of the settings.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let url = settings.url.as_deref().ok_or(SetupError::NoAddress("forward.url"))?;
        let options = ClientOptions {
            table: "forward",
            timeout: settings.timeout,
            proxy: settings.proxy.as_deref(),
            ca_file: settings.ca_file.as_deref(),
            own_certificate: settings.certificate_file.as_deref().zip(settings.key_file.as_deref()),
        };
        // A query may hold a token.
        let mut server = Server::new(url, url.split('?').next().unwrap_or_default(), &options)?;
        for (name, text) in &settings.headers {
            server.header(name, text)?;
        }
        for (name, file) in &settings.header_files {
            server.header_file(&format!("forward.header_files.{name}"), name, file)?;
        }
        server.authenticate(
            settings.user.as_deref(),
            settings.password_file.as_ref(),
            settings.bearer_token_file.as_ref(),
        )?;
        Ok(Self(server))
    }

    /// The address, without what may be secret in it.
    pub fn shown(&self) -> &str {
        self.0.shown()
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// No answer, or one after which the same request may succeed later.
    pub fn send(&self, body: &Body) -> Result<Answer, Failure> {
        let headers = [
            ("Content-Encoding", body.compression.name()),
            ("Content-Type", "application/x-protobuf"),
            ("X-Prometheus-Remote-Write-Version", "0.1.0"),
        ];
        let reply = self.0.post(&headers, &body.bytes)?;
        match reply.status {
            // What it says beside that does not matter.
            200..300 if !reply.is_page => Ok(Answer::Taken),
            // With a page a server in front refuses the connection, such as for a certificate that has expired: the samples are as good as ever.
            400 if !reply.is_page => Ok(Answer::Refused(self.0.said(&reply))),
            500 if is_too_old(&reply.body) => Ok(Answer::Refused(self.0.said(&reply))),
            _ => Err(self.0.refusal(&reply)),
        }
    }
}

/// What Prometheus before 2.50 answers with 500, though it will never take the samples: the texts of its `storage.ErrTooOldSample` and
/// `storage.ErrOutOfBounds`, in which the answer ends.
fn is_too_old(body: &[u8]) -> bool {
    let text = body.trim_ascii_end();
    text.ends_with(b"too old sample") || text.ends_with(b"out of bounds")
}

#[cfg(test)]
mod tests;
