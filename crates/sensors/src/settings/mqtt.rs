//! `[mqtt]`: values that devices publish through a broker.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ValueKind;

/// `[mqtt]`. Nothing is connected to without a `url`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mqtt {
    /// `mqtt://HOST[:PORT]`, or `mqtts://` for TLS.
    pub url: Option<String>,
    /// Name for the broker.
    pub username: Option<String>,
    /// A file whose first line is the password. A relative path is looked up among the unit's credentials.
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) that the broker's is signed by, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Subscriptions that are known by name.
    pub presets: Vec<Preset>,
    /// Time after which a value that was not sent again is no longer exported, unless a subscription says otherwise. 1 s to 30 d.
    #[serde(with = "humantime_serde")]
    pub stale_after: Duration,
    /// Other subscriptions. At most 100.
    pub subscriptions: Vec<Subscription>,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            url: None,
            username: None,
            password_file: None,
            ca_file: None,
            presets: Vec::new(),
            stale_after: Duration::from_secs(2 * 3600),
            subscriptions: Vec::new(),
        }
    }
}

/// What is known of how a kind of device publishes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Nodes of ESPHome.
    Esphome,
    /// Ruuvi Gateway, with its data decoded.
    RuuviGateway,
    /// Shelly of both generations.
    Shelly,
    /// Tasmota.
    Tasmota,
    /// Zigbee2MQTT.
    #[serde(rename = "zigbee2mqtt")]
    Zigbee2Mqtt,
}

/// `[[mqtt.subscriptions]]`: what becomes of the messages of some topics.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// A filter of topics, with `+` for one level and `#` for all that follow.
    pub topic: String,
    /// Name of the metric.
    pub metric: String,
    /// How its value behaves.
    #[serde(default, rename = "type")]
    pub kind: ValueKind,
    /// Where in a JSON document the value is (RFC 6901), with `*` for any name; left out, the message is the value.
    #[serde(default)]
    pub pointer: String,
    /// Labels; `$1`, `$2`, … is what the wildcards of the topic, then of the pointer, stood for.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What the value is multiplied by, so that it is in the base unit.
    #[serde(default = "super::one")]
    pub scale: f64,
    /// What is added after that.
    #[serde(default)]
    pub offset: f64,
    /// Texts that are numbers, such as `{ open = 1, closed = 0 }`.
    #[serde(default)]
    pub texts: BTreeMap<String, f64>,
    /// Instead of `mqtt.stale_after`.
    #[serde(default, with = "humantime_serde")]
    pub stale_after: Option<Duration>,
}

/// Where a broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether TLS is spoken.
    pub is_encrypted: bool,
    /// A name or an address; one of IPv6 in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Address {
    /// Parses `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`; 1883 and 8883 are the usual ports.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (is_encrypted, usual) = match scheme {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            _ => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let end_of_host = rest.rfind(']').map_or(0, |end| end + 1);
        let (host, port) = match rest[end_of_host..].rfind(':') {
            Some(colon) => {
                let (host, port) = rest.split_at(end_of_host + colon);
                (host, port[1..].parse().ok().filter(|port| *port > 0)?)
            }
            None => (rest, usual),
        };
        let is_of_host = |c: char| c.is_ascii_alphanumeric() || "-._[]:%".contains(c);
        let is_host =
            !host.is_empty() && host.chars().all(is_of_host) && (host.starts_with('[') || !host.contains(':'));
        is_host.then(|| Self {
            is_encrypted,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_perhaps_a_port() {
        let parse = |url: &str| Address::parse(url).map(|address| (address.is_encrypted, address.to_string()));
        assert_eq!(parse("mqtt://broker"), Some((false, "broker:1883".to_owned())));
        assert_eq!(parse("mqtts://broker.lan/"), Some((true, "broker.lan:8883".to_owned())));
        assert_eq!(
            parse("mqtt://127.0.0.1:1884"),
            Some((false, "127.0.0.1:1884".to_owned()))
        );
        assert_eq!(parse("mqtt://[::1]:1884"), Some((false, "[::1]:1884".to_owned())));
        assert_eq!(parse("mqtt://[::1]"), Some((false, "[::1]:1883".to_owned())));
        for bad in [
            "broker",
            "http://broker",
            "mqtt://",
            "mqtt://a:b",
            "mqtt://a:0",
            "mqtt://a:99999",
            "mqtt://u:p@a",
            "mqtt://a/b",
            "mqtt://::1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
