//! Telegram: `sendMessage` of the bot API (<https://core.telegram.org/bots/api#sendmessage>).

use edgewatch_outbound::failure::{Failure, Kind};
use edgewatch_outbound::http::{Server, SetupError};
use edgewatch_outbound::secret::Secret;
use serde_json::{Value, json};

use super::{expect_json, file, options, seconds, server};
use crate::message::Message;
use crate::settings::{Settings, Telegram};

/// A chat with a bot.
pub struct TelegramChat {
    server: Server,
    chat: String,
}

impl TelegramChat {
    /// Reads the files of the settings.
    pub(super) fn new(settings: &Settings, telegram: &Telegram) -> Result<Self, SetupError> {
        let table = "notify.telegram";
        let path = file(telegram.token_file.as_ref(), "notify.telegram.token_file")?;
        let token = Secret::read("notify.telegram.token_file", path)?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-');
        // It becomes a part of the address.
        if !token.reveal().bytes().all(is_token) {
            return Err(SetupError::Other(
                "notify.telegram.token_file: no token, which is letters, digits, :, _ and -".to_owned(),
            ));
        }
        let url = format!(
            "{}/bot{}/sendMessage",
            telegram.url.trim_end_matches('/'),
            token.reveal()
        );
        Ok(Self {
            server: server(&url, &options(settings, table), [token])?,
            chat: telegram.chat.clone(),
        })
    }

    /// Sends a message.
    pub(super) fn send(&self, message: &Message<'_>, limit: usize) -> Result<String, Failure> {
        let subject = message.subject();
        let text = message.text(limit.saturating_sub(subject.len() + 2));
        let body = json!({
            "chat_id": self.chat,
            "text": format!("{subject}\n\n{text}"),
            // What has ended wakes nobody.
            "disable_notification": !message.digest.is_firing(),
            "link_preview_options": {"is_disabled": true},
        });
        let reply = self
            .server
            .post(&[("Content-Type", "application/json")], body.to_string().as_bytes())?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        expect_json(&self.server, &reply, |answer| answer["ok"] == true).map_err(|failure| Failure {
            retry_after: seconds(&answer["parameters"]["retry_after"]).or(failure.retry_after),
            // It answers so when there is no bot with this token.
            kind: if reply.status == 404 {
                Kind::Unauthorized
            } else {
                failure.kind
            },
            ..failure
        })
    }
}
