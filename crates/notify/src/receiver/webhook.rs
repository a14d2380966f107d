//! A program of somebody else, which is sent JSON.

use edgewatch_outbound::failure::Failure;
use edgewatch_outbound::http::{Server, SetupError};

use super::{address, options, server};
use crate::message::Message;
use crate::payload;
use crate::settings::{Format, Settings, Webhook};

/// Bytes of an alert in a payload, about.
const BYTES_OF_ALERT: usize = 1500;

/// Where it is sent, and how.
pub struct WebhookTarget {
    server: Server,
    format: Format,
}

impl WebhookTarget {
    /// Reads the files of the settings.
    pub(super) fn new(settings: &Settings, webhook: &Webhook) -> Result<Self, SetupError> {
        let table = "notify.webhook";
        let (url, secret) = address(table, webhook.url.as_ref(), webhook.url_file.as_ref())?;
        let mut server = server(&url, &options(settings, table), secret)?;
        for (name, text) in &webhook.headers {
            server.header(name, text)?;
        }
        for (name, file) in &webhook.header_files {
            server.header_file(&format!("{table}.header_files.{name}"), name, file)?;
        }
        server.authenticate(
            webhook.user.as_deref(),
            webhook.password_file.as_ref(),
            webhook.bearer_token_file.as_ref(),
        )?;
        Ok(Self {
            server,
            format: webhook.format,
        })
    }

    /// Sends a message.
    pub(super) fn send(&self, message: &Message<'_>, limit: usize) -> Result<String, Failure> {
        // A program can take all of them; fewer only after it refused so much, and one at least: nobody is told by none.
        let all = payload::most(message.digest);
        let alerts = if limit >= super::Name::Webhook.limit() {
            all
        } else {
            all.min((limit / BYTES_OF_ALERT).max(1))
        };
        let body = match self.format {
            Format::Edgewatch => payload::edgewatch(message, alerts),
            Format::Alertmanager => payload::alertmanager(message, alerts),
        };
        let reply = self
            .server
            .post(&[("Content-Type", "application/json")], body.to_string().as_bytes())?;
        match reply.status {
            200..300 if !reply.is_page => Ok(self.server.said(&reply)),
            _ => Err(self.server.refusal(&reply)),
        }
    }
}
