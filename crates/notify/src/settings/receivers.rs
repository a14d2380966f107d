//! The tables below `[notify]`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use edgewatch_outbound::check::{self, Problems};
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

/// ntfy (<https://docs.ntfy.sh/publish/>).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ntfy {
    /// The address of the topic, such as `https://ntfy.sh/TOPIC`. Who knows it can read what is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// File with that address in its first line. This and the other files: a relative path is looked up among the unit's credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// User for HTTP Basic authentication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// File with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// File with an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
}

/// Telegram (<https://core.telegram.org/bots/api#sendmessage>).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telegram {
    /// File with the token of the bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// The chat: its number, or `@name` of a public channel.
    pub chat: String,
    /// The server of the bot API.
    pub url: String,
}

impl Default for Telegram {
    fn default() -> Self {
        Self {
            token_file: None,
            chat: String::new(),
            url: "https://api.telegram.org".to_owned(),
        }
    }
}

/// Mail (RFC 5321).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// `smtps://HOST` (TLS from the first byte, port 465), or `smtp://HOST` (STARTTLS, port 587), and `:PORT` behind it.
    pub server: String,
    /// True: `smtp://` without TLS (port 25), for a server in the own network; not with a password.
    pub plain: bool,
    /// User, with …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// … the file with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// The sender, `name@example.org` or `Name <name@example.org>`.
    pub from: String,
    /// Who gets it; at most 20.
    pub to: Vec<String>,
}

/// What a webhook gets.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Ours, docs/notifications.md.
    #[default]
    Edgewatch,
    /// Alertmanager's (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>), for what understands that.
    Alertmanager,
}

/// A program of somebody else, to which JSON is sent.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Where it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// File with that address, which may be a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// What is sent.
    pub format: Format,
    /// User for HTTP Basic authentication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// File with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// File with a token (RFC 6750).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
    /// Further headers.
    pub headers: BTreeMap<String, String>,
    /// Further headers whose values are the first lines of files.
    pub header_files: BTreeMap<String, PathBuf>,
}

/// A dead man's switch: an address that is asked for as long as all is well. When it is no longer, its owner tells.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ping {
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// File with that address, which is a secret with most services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// How often. 10 s to 1 d.
    #[serde(with = "humantime_serde")]
    pub every: Duration,
}

impl Default for Ping {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            every: Duration::from_secs(300),
        }
    }
}

const HTTP: &[&str] = &["http", "https"];

/// An address, or a file with it. It may be a secret, so it is not shown.
fn address(problems: &mut Problems, url: Option<&str>, url_file: Option<&PathBuf>) {
    match (url, url_file) {
        (Some(url), None) if url.contains('@') => problems.add(
            "url",
            "…@…",
            "an address without user and password; they belong into user and password_file",
        ),
        (Some(url), None) if !check::is_address(url, HTTP) => problems.add("url", "…", check::forms(HTTP)),
        (Some(_), None) | (None, Some(_)) => {}
        (Some(_), Some(_)) => problems.add("url_file", "set", "either url or url_file"),
        (None, None) => problems.add("url", "not set", format!("{}, or url_file", check::forms(HTTP))),
    }
}

/// The server and the topic of `https://SERVER/TOPIC`.
pub fn topic(url: &str) -> Option<(&str, &str)> {
    let (server, topic) = url.trim_end_matches('/').rsplit_once('/')?;
    let is_topic = !topic.is_empty()
        && topic.len() <= 64
        && topic
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    (is_topic && check::is_address(server, HTTP)).then_some((server, topic))
}

impl Ntfy {
    pub(super) fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        address(&mut problems, self.url.as_deref(), self.url_file.as_ref());
        if problems.0.is_empty() && self.url.as_deref().is_some_and(|url| topic(url).is_none()) {
            problems.add(
                "url",
                "…",
                "https://HOST/TOPIC, with a topic of at most 64 letters, digits, _ and -",
            );
        }
        problems.authentication(
            self.user.as_deref(),
            self.password_file.as_deref(),
            self.bearer_token_file.as_deref(),
        );
        problems
    }
}

impl Telegram {
    pub(super) fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        if self.token_file.is_none() {
            problems.add("token_file", "not set", "a file with the token that @BotFather gave");
        }
        let digits = self.chat.strip_prefix('-').unwrap_or(&self.chat);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = self.chat.starts_with('@') && self.chat.len() > 1;
        if !is_number && !is_name {
            problems.add(
                "chat",
                &self.chat,
                "the number of a chat in quotes, such as \"123456\", or \"@channel\"",
            );
        }
        problems.address("url", &self.url, HTTP, "token_file");
        problems
    }
}

impl Mail {
    pub(super) fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        problems.address("server", &self.server, &["smtps", "smtp"], "user and password_file");
        problems.authentication(self.user.as_deref(), self.password_file.as_deref(), None);
        if self.plain && self.server.starts_with("smtps:") {
            problems.add("plain", true, "false with smtps://, which is TLS from the first byte");
        }
        if self.plain && self.password_file.is_some() {
            problems.add(
                "plain",
                true,
                "false together with a password, which everybody in between could read",
            );
        }
        let is_address = |text: &str| text.parse::<Mailbox>().is_ok();
        if !is_address(&self.from) {
            problems.add("from", &self.from, "name@example.org or Name <name@example.org>");
        }
        if self.to.is_empty() || self.to.len() > 20 {
            problems.add("to", self.to.len(), "1 to 20 addresses");
        }
        for to in self.to.iter().filter(|to| !is_address(to)) {
            problems.add("to", to, "name@example.org or Name <name@example.org>");
        }
        problems
    }
}

impl Webhook {
    pub(super) fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        address(&mut problems, self.url.as_deref(), self.url_file.as_ref());
        problems.authentication(
            self.user.as_deref(),
            self.password_file.as_deref(),
            self.bearer_token_file.as_deref(),
        );
        problems.headers(&self.headers, &self.header_files, &[]);
        problems
    }
}

impl Ping {
    pub(super) fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        address(&mut problems, self.url.as_deref(), self.url_file.as_ref());
        problems.within("every", self.every, 10, 24 * 3600);
        problems
    }
}
