//! `[forward]`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::http::Uri;
use ureq::http::header::{HeaderName, HeaderValue};

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
    "resource",
    "rtc",
    "rule_group",
    "scope",
    "sensor",
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
    "version",
    "zone",
];
/// Headers that the protocol needs, or that hold secrets.
const OWN_HEADERS: [&str; 12] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "transfer-encoding",
    "user-agent",
    "x-prometheus-remote-write-version",
];
/// Parts of names of headers whose values nobody should read in a settings file.
const SECRET_NAMES: [&str; 6] = ["auth", "cookie", "key", "password", "secret", "token"];

/// Where the history is sent, and how. Nothing is without `url`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the centre takes remote_write, such as `https://centre.example/api/v1/write`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Which series are sent.
    pub profile: Profile,
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
    /// A proxy, `http://HOST:PORT` or `socks5://HOST:PORT`.
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

/// A value that is not allowed.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key below `forward`.
    pub key: String,
    /// The value, unless there may be a password in it.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

impl Settings {
    /// The length of a window.
    pub fn window(&self) -> Duration {
        self.window.unwrap_or(self.profile.window())
    }

    /// The labels of all series that are sent.
    pub fn external_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.entry(EDGE.to_owned()).or_insert_with(default_edge);
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
        if let Some(proxy) = &self.proxy {
            problems.address(
                "proxy",
                proxy,
                &["http", "socks5"],
                "nothing: proxies with passwords are not supported",
            );
        }
        problems.within("window", self.window(), 1, 3600);
        problems.within("lag", self.lag, 1, 600);
        problems.within("timeout", self.timeout, 1, 300);
        if let Some(directory) = self.directory.as_ref().filter(|directory| directory.is_relative()) {
            problems.add("directory", directory.display(), "an absolute path");
        }
        self.authentication(&mut problems);
        for (name, value) in &self.labels {
            problems.label(name, value);
        }
        for (name, value) in &self.headers {
            problems.header("headers", name);
            let lower = name.to_ascii_lowercase();
            if SECRET_NAMES.iter().any(|part| lower.contains(part)) {
                problems.add(
                    "headers",
                    name,
                    "names that hold no secret; header_files takes the value from a file",
                );
            } else if HeaderValue::from_str(value).is_err() {
                problems.add("headers", name, "values of printable ASCII characters");
            }
        }
        for name in self.header_files.keys() {
            problems.header("header_files", name);
        }
        problems.0
    }

    fn authentication(&self, problems: &mut Problems) {
        if self.user.is_some() != self.password_file.is_some() {
            problems.add(
                "user",
                self.user.as_deref().unwrap_or("not set"),
                "user and password_file together, or neither",
            );
        }
        if self
            .user
            .as_ref()
            .is_some_and(|user| user.contains(':') || user.bytes().any(|byte| byte < b' '))
        {
            problems.add(
                "user",
                "…",
                "a name without a colon (RFC 7617) and without control characters",
            );
        }
        if self.user.is_some() && self.bearer_token_file.is_some() {
            problems.add("bearer_token_file", "set", "either it or user and password_file");
        }
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

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, key: &str, value: impl ToString, allowed: impl Into<String>) {
        self.0.push(Problem {
            key: key.to_owned(),
            value: value.to_string(),
            allowed: allowed.into(),
        });
    }

    fn within(&mut self, key: &str, value: Duration, min: u64, max: u64) {
        let (min, max) = (Duration::from_secs(min), Duration::from_secs(max));
        if !(min..=max).contains(&value) {
            self.add(key, format!("{value:?}"), format!("{min:?} to {max:?}"));
        }
    }

    fn address(&mut self, key: &str, text: &str, schemes: &[&str], instead: &str) {
        // Not even if it is no address otherwise: what stands before the @ is not shown.
        if text.contains('@') {
            self.add(
                key,
                "…@…",
                format!("an address without user and password; they belong into {instead}"),
            );
            return;
        }
        let uri = text.parse::<Uri>().ok();
        let is_address = uri.is_some_and(|uri| {
            uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        if !is_address {
            let forms: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://HOST:PORT/…")).collect();
            self.add(key, text, forms.join(" or "));
        }
    }

    fn label(&mut self, name: &str, value: &str) {
        let mut bytes = name.bytes();
        let is_name = bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || name.starts_with("__") {
            self.add("labels", name, "names of letters, digits and _, without __ in front");
        } else if LABELS_OF_SERIES.contains(&name) {
            self.add(
                "labels",
                name,
                format!("a name that no series has itself, such as {EDGE}, site or customer: a series keeps its own {name}, and would be of no device"),
            );
        }
        if value.is_empty() || value.len() > 256 || value.chars().any(char::is_control) {
            self.add("labels", name, "values of 1 to 256 bytes without control characters");
        }
    }

    fn header(&mut self, key: &str, name: &str) {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            self.add(key, name, "names of headers (RFC 9110, 5.1)");
        } else if OWN_HEADERS.contains(&&*name.to_ascii_lowercase()) {
            self.add(
                key,
                name,
                "other headers: this one is the protocol's, or made of user and password_file or of bearer_token_file",
            );
        }
    }
}

/// The host name, and of the machine id (machine-id(5)) as much as tells some thousand devices of one name apart; the rest stays unknown.
fn default_edge() -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match id.trim() {
        id if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => format!("{host}-{}", &id[..8]),
        // Before the first boot has made one.
        _ => host.into_owned(),
    }
}

#[cfg(test)]
mod tests;
