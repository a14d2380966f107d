//! ntfy: a message as JSON (<https://docs.ntfy.sh/publish/#publish-as-json>).

use edgewatch_outbound::failure::Failure;
use edgewatch_outbound::http::{Server, SetupError};
use serde_json::json;

use super::{address, expect_json, options, server};
use crate::alert::Severity;
use crate::message::Message;
use crate::settings::{Ntfy, Settings, topic};

/// A topic at a server.
pub struct NtfyTopic {
    server: Server,
    topic: String,
}

impl NtfyTopic {
    /// Reads the files of the settings.
    pub(super) fn new(settings: &Settings, ntfy: &Ntfy) -> Result<Self, SetupError> {
        let table = "notify.ntfy";
        let (url, secret) = address(table, ntfy.url.as_ref(), ntfy.url_file.as_ref())?;
        let (base, topic) = topic(&url).ok_or_else(|| SetupError::Address {
            key: format!("{table}.url_file"),
            allowed: "https://HOST/TOPIC".to_owned(),
        })?;
        let topic_secret = edgewatch_outbound::secret::Secret::from(topic.to_owned());
        let mut server = server(
            &format!("{base}/"),
            &options(settings, table),
            secret.into_iter().chain([topic_secret]),
        )?;
        server.authenticate(
            ntfy.user.as_deref(),
            ntfy.password_file.as_ref(),
            ntfy.bearer_token_file.as_ref(),
        )?;
        Ok(Self {
            server,
            topic: topic.to_owned(),
        })
    }

    /// Sends a message.
    pub(super) fn send(&self, message: &Message<'_>, limit: usize) -> Result<String, Failure> {
        let digest = message.digest;
        // From 1 to 5, where 3 is usual and 5 sounds until it is seen.
        let (priority, tag) = match (digest.is_firing(), digest.severity()) {
            (true, Severity::Critical) => (5, "rotating_light"),
            (true, Severity::Warning) => (4, "warning"),
            (true, Severity::Info) => (3, "information_source"),
            (false, _) => (3, "white_check_mark"),
        };
        let mut body = json!({
            "topic": self.topic,
            "title": message.subject(),
            "message": message.text(limit),
            "priority": priority,
            "tags": [tag],
        });
        if !message.device.link.is_empty() {
            body["click"] = json!(message.device.link);
        }
        let reply = self
            .server
            .post(&[("Content-Type", "application/json")], body.to_string().as_bytes())?;
        expect_json(&self.server, &reply, |answer| answer["id"].is_string())
    }
}
