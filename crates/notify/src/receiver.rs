//! Those who are told: what each wants to have, and what it says to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use edgewatch_outbound::check;
use edgewatch_outbound::failure::{Failure, Kind};
use edgewatch_outbound::http::{self, ClientOptions, Reply, Server, SetupError};
use edgewatch_outbound::secret::Secret;

use crate::message::Message;
use crate::settings::Settings;

mod mail;
mod ntfy;
mod telegram;
mod webhook;

use mail::MailServer;
use ntfy::NtfyTopic;
use telegram::TelegramChat;
use webhook::WebhookTarget;

/// The kinds of receivers. A device has at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// ntfy.
    Ntfy,
    /// Telegram.
    Telegram,
    /// Mail.
    Mail,
    /// A program of somebody else.
    Webhook,
}

impl Name {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ntfy, Self::Telegram, Self::Mail, Self::Webhook];

    /// The name of its table, of its state and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ntfy => "ntfy",
            Self::Telegram => "telegram",
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    /// The file of its state, without `.json`.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Ntfy => "notify-ntfy",
            Self::Telegram => "notify-telegram",
            Self::Mail => "notify-mail",
            Self::Webhook => "notify-webhook",
        }
    }

    /// Bytes of a message, as each of them documents it, less some.
    pub const fn limit(self) -> usize {
        match self {
            // A longer one becomes a file to download.
            Self::Ntfy => 4000,
            // Of UTF-16 units, of which a text has no more than bytes.
            Self::Telegram => 4000,
            Self::Mail | Self::Webhook => 32 << 10,
        }
    }
}

/// A receiver, with what it needs to let us in. Holds secrets and certificates, so it lives only as long as there is something to send.
pub enum Receiver {
    /// ntfy.
    Ntfy(NtfyTopic),
    /// Telegram.
    Telegram(TelegramChat),
    /// Mail.
    Mail(Box<MailServer>),
    /// A program of somebody else.
    Webhook(WebhookTarget),
}

impl Receiver {
    /// Reads the files of the settings.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn new(name: Name, settings: &Settings) -> Result<Self, SetupError> {
        let missing = || SetupError::Other(format!("there is no [notify.{}]", name.as_str()));
        match name {
            Name::Ntfy => NtfyTopic::new(settings, settings.ntfy.as_ref().ok_or_else(missing)?).map(Self::Ntfy),
            Name::Telegram => {
                TelegramChat::new(settings, settings.telegram.as_ref().ok_or_else(missing)?).map(Self::Telegram)
            }
            Name::Mail => {
                let mail = MailServer::new(settings, settings.mail.as_ref().ok_or_else(missing)?)?;
                Ok(Self::Mail(Box::new(mail)))
            }
            Name::Webhook => {
                WebhookTarget::new(settings, settings.webhook.as_ref().ok_or_else(missing)?).map(Self::Webhook)
            }
        }
    }

    /// Sends a message of at most `limit` bytes, and gives what was answered. `is_retry` says that the attempt before has failed, or that there
    /// will be none after this one.
    ///
    /// # Errors
    /// It was not taken.
    pub fn send(&self, message: &Message<'_>, limit: usize, is_retry: bool) -> Result<String, Failure> {
        match self {
            Self::Ntfy(ntfy) => ntfy.send(message, limit),
            Self::Telegram(telegram) => telegram.send(message, limit),
            Self::Mail(mail) => mail.send(message, limit, is_retry),
            Self::Webhook(webhook) => webhook.send(message, limit),
        }
    }
}

/// How a receiver is reached. `table` is its own.
fn options<'a>(settings: &'a Settings, table: &'a str) -> ClientOptions<'a> {
    ClientOptions {
        table,
        timeout: settings.timeout,
        proxy: settings.proxy.as_deref(),
        ca_file: settings.ca_file.as_deref(),
        own_certificate: None,
    }
}

/// An address, from the settings or from a file, with what of it is a secret.
fn address(table: &str, url: Option<&String>, file: Option<&PathBuf>) -> Result<(String, Option<Secret>), SetupError> {
    let key = format!("{table}.url_file");
    match (url, file) {
        (Some(url), _) => Ok((url.clone(), None)),
        (None, Some(file)) => {
            let secret = Secret::read(&key, file)?;
            let schemes = ["http", "https"];
            match check::is_address(secret.reveal(), &schemes) {
                true => Ok((secret.reveal().to_owned(), Some(secret))),
                false => Err(SetupError::Address {
                    key,
                    allowed: check::forms(&schemes),
                }),
            }
        }
        (None, None) => Err(SetupError::Other(format!("{table}.url is not set"))),
    }
}

/// The server at an address of which only the origin is shown.
fn server(
    url: &str,
    options: &ClientOptions<'_>,
    secrets: impl IntoIterator<Item = Secret>,
) -> Result<Server, SetupError> {
    let mut server = Server::new(url, &http::origin(url), options)?;
    // The path of an address may be what lets in.
    let path = url.strip_prefix(&http::origin(url)).unwrap_or_default();
    if path.len() > 1 {
        server.hide(Secret::from(path.trim_start_matches('/').to_owned()));
    }
    for secret in secrets {
        server.hide(secret);
    }
    Ok(server)
}

/// A server that is asked for its address alone: a dead man's switch.
pub fn switch(settings: &Settings) -> Result<Server, SetupError> {
    let table = "notify.ping";
    let ping = settings.ping.as_ref().ok_or(SetupError::NoAddress("notify.ping.url"))?;
    let (url, secret) = address(table, ping.url.as_ref(), ping.url_file.as_ref())?;
    server(&url, &options(settings, table), secret)
}

/// What was answered, if it is JSON in which `is_well` holds: what else answers 200 is something in between.
fn expect_json(
    server: &Server,
    reply: &Reply,
    is_well: impl Fn(&serde_json::Value) -> bool,
) -> Result<String, Failure> {
    if !(200..300).contains(&reply.status) {
        return Err(server.refusal(reply));
    }
    match serde_json::from_slice(&reply.body) {
        Ok(value) if is_well(&value) => Ok(server.said(reply)),
        Ok(_) | Err(_) => Err(Failure::new(
            Kind::Protocol,
            format!(
                "{}; that is not how it answers: something in between did",
                server.said(reply)
            ),
        )),
    }
}

/// The key of a file in the settings, with its path.
fn file<'a>(path: Option<&'a PathBuf>, key: &'static str) -> Result<&'a Path, SetupError> {
    path.map(PathBuf::as_path).ok_or(SetupError::NoAddress(key))
}

/// Seconds that a body asks to wait.
fn seconds(value: &serde_json::Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
