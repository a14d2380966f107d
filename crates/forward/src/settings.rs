//! `[forward]`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use edgewatch_outbound::check::{self, Problem, Problems};
use serde::{Deserialize, Serialize};

use crate::compression::Compression;
use crate::profile::Profile;

/// The label that tells devices apart.
pub const EDGE: &str = "edge";
/// Labels that series have themselves: an external label does not apply to those series, and at the centre they would be of no device
/// (<https://github.com/prometheus/prometheus/issues/12265>). A test holds them against what the service exports and the rules make.
pub const LABELS_OF_SERIES: &[&str] = &[
    "action",
    "address",
    "adminstate",
    "alertname",
    "alertstate",
    "boot",
    "broadcast",
    "bus",
    "capacity_level",
    "channel",
    "charge_type",
    "chip",
    "chip_name",
    "code",
    "collector",
    "controller",
    "core",
    "count",
    "cpu",
    "csrow",
    "date",
    "device",
    "devices",
    "devid",
    "duplex",
    "event",
    "governor",
    "handler",
    "health",
    "id",
    "identity",
    "ifalias",
    "index",
    "info",
    "instance",
    "ip",
    "job",
    "kind",
    "label",
    "le",
    "led",
    "limit",
    "manfid",
    "manufacturer",
    "master",
    "mode",
    "model",
    "model_name",
    "name",
    "oemid",
    "operstate",
    "options",
    "package",
    "path",
    "power_supply",
    "pretimeout_governor",
    "quantile",
    "queue",
    "reason",
    "receiver",
    "resource",
    "revision",
    "rotational",
    "rtc",
    "rule_group",
    "scope",
    "sensor",
    "serial",
    "serial_number",
    "severity",
    "source",
    "state",
    "status",
    "technology",
    "trip",
    "type",
    "unit",
    "usb_type",
    "uuid",
    "vendor",
    "version",
    "zone",
];
/// Headers that the protocol needs.
const OWN_HEADERS: &[&str] = &["x-prometheus-remote-write-version"];

/// Where the history is sent, and how. Nothing is without `url`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the centre takes remote_write, such as `https://centre.example/api/v1/write`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Which series are sent.
    pub profile: Profile,
    /// How requests are compressed. A centre that does not take `zstd` gets snappy all the same.
    pub compression: Compression,
    /// Length of a window, which is sent as a whole; that of the profile if not set. 1 s to 1 h.
    #[serde(with = "humantime_serde::option", skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// Time after the end of a window in which its last samples are stored. 1 s to 10 min.
    #[serde(with = "humantime_serde")]
    pub lag: Duration,
    /// Time for one request. 1 s to 5 min.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Where the cursor is kept; `$STATE_DIRECTORY` (systemd.exec(5)) if not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// User for HTTP Basic authentication (RFC 7617).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// File with the password in its first line. This and the other files: a relative path is looked up among the unit's credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// File with a token (RFC 6750) in its first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that may vouch for the centre, instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The device's own certificate (PEM), with its chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<PathBuf>,
    /// The key (PEM) of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// A proxy, `http://HOST:PORT` or `socks5://HOST:PORT`; `socks5h://` leaves the resolving of names to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Labels of all series that are sent. `edge` is the host name and a part of the machine id, if not set.
    pub labels: BTreeMap<String, String>,
    /// Further headers, such as `X-Scope-OrgID`.
    pub headers: BTreeMap<String, String>,
    /// Further headers whose values are the first lines of files.
    pub header_files: BTreeMap<String, PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: None,
            profile: Profile::default(),
            compression: Compression::default(),
            window: None,
            lag: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
            directory: None,
            user: None,
            password_file: None,
            bearer_token_file: None,
            ca_file: None,
            certificate_file: None,
            key_file: None,
            proxy: None,
            labels: BTreeMap::new(),
            headers: BTreeMap::new(),
            header_files: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// The length of a window.
    pub fn window(&self) -> Duration {
        self.window.unwrap_or(self.profile.window())
    }

    /// The labels of all series that are sent.
    pub fn external_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.entry(EDGE.to_owned()).or_insert_with(check::device_name);
        labels
    }

    /// What is wrong with the values; whether the files can be read is not looked at.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        match &self.url {
            None if *self == Self::default() => return Vec::new(),
            None => problems.add(
                "url",
                "not set",
                "where the centre takes remote_write; without it nothing is sent",
            ),
            Some(url) => problems.address(
                "url",
                url,
                &["http", "https"],
                "password_file, bearer_token_file or header_files",
            ),
        }
        problems.proxy("proxy", self.proxy.as_deref());
        problems.within("window", self.window(), 1, 3600);
        problems.within("lag", self.lag, 1, 600);
        problems.within("timeout", self.timeout, 1, 300);
        problems.absolute("directory", self.directory.as_deref());
        problems.authentication(
            self.user.as_deref(),
            self.password_file.as_deref(),
            self.bearer_token_file.as_deref(),
        );
        self.certificates(&mut problems);
        for (name, value) in &self.labels {
            label(&mut problems, name, value);
        }
        problems.headers(&self.headers, &self.header_files, OWN_HEADERS);
        problems.0
    }

    fn certificates(&self, problems: &mut Problems) {
        if self.certificate_file.is_some() != self.key_file.is_some() {
            problems.add(
                "certificate_file",
                "alone",
                "certificate_file and key_file together, or neither",
            );
        }
        let is_plain = self.url.as_ref().is_some_and(|url| url.starts_with("http://"));
        if is_plain && (self.certificate_file.is_some() || self.ca_file.is_some()) {
            problems.add("url", "http://…", "https://… together with ca_file or certificate_file");
        }
    }
}

fn label(problems: &mut Problems, name: &str, value: &str) {
    let mut bytes = name.bytes();
    let is_name = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name || name.starts_with("__") {
        problems.add("labels", name, "names of letters, digits and _, without __ in front");
    } else if LABELS_OF_SERIES.contains(&name) {
        problems.add(
            "labels",
            name,
            format!("a name that no series has itself, such as {EDGE}, site or customer: a series keeps its own {name}, and would be of no device"),
        );
    }
    if value.is_empty() || value.len() > 256 || value.chars().any(char::is_control) {
        problems.add("labels", name, "values of 1 to 256 bytes without control characters");
    }
}

#[cfg(test)]
mod tests;
