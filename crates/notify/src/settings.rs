//! `[notify]`.

use std::path::PathBuf;
use std::time::Duration;

use edgewatch_outbound::check::{Problem, Problems};
use edgewatch_program::host;
use serde::{Deserialize, Serialize};

use crate::alert::Matcher;
use crate::receiver::Name;

mod receivers;

pub use receivers::{Format, Mail, Ntfy, Ping, Telegram, Webhook, topic};

/// The table of these settings.
pub const TABLE: &str = "notify";
/// The key that names the directory of the state.
pub const DIRECTORY: &str = "notify.directory";

/// Who is told of alerts, and when. Nobody is without a receiver.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name of this device in messages: `forward.labels.edge` if that is set, else the host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The page of this device, for messages; the host name and the port of `http.listen` if not set, nothing if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// How long is waited for further alerts, so that one message tells of them all. 0 s to 1 h.
    #[serde(with = "humantime_serde")]
    pub grouping: Duration,
    /// After what time an alert that still fires is told again; never if 0. 10 min to 30 d.
    #[serde(with = "humantime_serde")]
    pub repeat: Duration,
    /// Alerts that nobody is told of: `label=value`, or several of them separated by commas, all of which must hold.
    pub silence: Vec<String>,
    /// Time for one request. 1 s to 5 min.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Where is kept what was told; `$STATE_DIRECTORY` (systemd.exec(5)) if not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that may vouch for receivers, instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// A proxy for all but mail, `http://HOST:PORT` or `socks5://HOST:PORT`; `socks5h://` leaves the resolving of names to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// A light below `/sys/class/leds` that shows the highest severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub led: Option<String>,
    /// ntfy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntfy: Option<Ntfy>,
    /// Telegram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telegram: Option<Telegram>,
    /// Mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
    /// A program of somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// A dead man's switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping: Option<Ping>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            device: None,
            link: None,
            grouping: Duration::from_secs(30),
            repeat: Duration::from_secs(24 * 3600),
            silence: vec!["severity=info".to_owned()],
            timeout: Duration::from_secs(30),
            directory: None,
            ca_file: None,
            proxy: None,
            led: None,
            ntfy: None,
            telegram: None,
            mail: None,
            webhook: None,
            ping: None,
        }
    }
}

impl Settings {
    /// The receivers of messages.
    pub fn receivers(&self) -> Vec<Name> {
        let is_set = |name: &Name| match name {
            Name::Ntfy => self.ntfy.is_some(),
            Name::Telegram => self.telegram.is_some(),
            Name::Mail => self.mail.is_some(),
            Name::Webhook => self.webhook.is_some(),
        };
        Name::ALL.into_iter().filter(is_set).collect()
    }

    /// Whether there is nothing to do.
    pub fn is_off(&self) -> bool {
        self.receivers().is_empty() && self.ping.is_none() && self.led.is_none()
    }

    /// Whom nobody is told of. What cannot be read matches nothing; [`Self::problems`] says so before.
    pub fn matchers(&self) -> Vec<Matcher> {
        self.silence.iter().filter_map(|text| Matcher::parse(text)).collect()
    }

    /// What is wrong with the values; whether the files can be read is not looked at.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        if self.is_off() && *self != Self::default() {
            problems.add(
                "ntfy",
                "not set",
                "a receiver: [notify.ntfy], telegram, mail, webhook or ping; without one nobody is told",
            );
        }
        let is_line = |text: &String| !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control);
        if let Some(device) = self.device.as_ref().filter(|device| !is_line(device)) {
            problems.add(
                "device",
                device.escape_debug(),
                "1 to 100 bytes without control characters",
            );
        }
        if let Some(link) = self.link.as_ref().filter(|link| !link.is_empty()) {
            problems.address("link", link, &["http", "https"], "no message");
        }
        problems.within("grouping", self.grouping, 0, 3600);
        if !self.repeat.is_zero() {
            problems.within("repeat", self.repeat, 600, 30 * 24 * 3600);
        }
        problems.within("timeout", self.timeout, 1, 300);
        for text in self.silence.iter().filter(|text| Matcher::parse(text).is_none()) {
            problems.add(
                "silence",
                text,
                "label=value, or several separated by commas, such as severity=info,alertname=CpuSpike",
            );
        }
        problems.absolute("directory", self.directory.as_deref());
        problems.proxy("proxy", self.proxy.as_deref());
        if let Some(led) = self
            .led
            .as_ref()
            .filter(|led| led.is_empty() || led.contains('/') || led.starts_with('.'))
        {
            problems.add("led", led, "a name in /sys/class/leds, such as ACT");
        }
        self.receiver_problems(&mut problems);
        problems.0
    }

    fn receiver_problems(&self, problems: &mut Problems) {
        if let Some(ntfy) = &self.ntfy {
            problems.nest("ntfy", ntfy.problems());
        }
        if let Some(telegram) = &self.telegram {
            problems.nest("telegram", telegram.problems());
        }
        if let Some(mail) = &self.mail {
            problems.nest("mail", mail.problems());
        }
        if let Some(webhook) = &self.webhook {
            problems.nest("webhook", webhook.problems());
        }
        if let Some(ping) = &self.ping {
            problems.nest("ping", ping.problems());
        }
    }
}

/// What messages say of the device, after the settings of others have been asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Its page; nothing if empty.
    pub link: String,
}

impl Device {
    /// Of these settings, with `edge` of forwarding and where the pages are: `http` or `https`, and the port.
    pub fn new(settings: &Settings, edge: Option<&str>, scheme: &str, port: u16) -> Self {
        let named = settings.device.as_deref().or(edge);
        Self {
            name: named.map_or_else(host::name, ToOwned::to_owned),
            link: settings
                .link
                .clone()
                .unwrap_or_else(|| format!("{scheme}://{}:{port}/", host::name())),
        }
    }
}

#[cfg(test)]
mod tests;
