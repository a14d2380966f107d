//! Settings of the built-in dashboards: the Prometheus server, directories, links.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The settings that the service sends with each request.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The server to query.
    pub prometheus: Prometheus,
    /// Dashboards beside the shipped ones.
    pub dashboards: Dashboards,
    /// Links to the other parts of the stack.
    pub links: Links,
}

/// `[prometheus]`: the server that the built-in dashboards query, and limits of one query.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prometheus {
    /// `http://HOST:PORT`, and a path behind it. The sandbox of `edgewatch-dashboards.service` lets it connect to this device only.
    pub url: String,
    /// Timeout of one query; Prometheus' own is slightly shorter. 500 ms to 15 s, below the limit of 20 s of our Prometheus.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Its scrape interval, the minimum step of range queries. 1 s to 1 h. Left out: it is asked for it.
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub scrape_interval: Option<Duration>,
    /// Series of one query; panels show how many were dropped. 1 to 1000.
    pub max_series: usize,
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:9090".to_owned(),
            timeout: Duration::from_secs(5),
            scrape_interval: None,
            max_series: 50,
        }
    }
}

/// The default directory of dashboards.
pub const DASHBOARDS: &str = "/etc/edgewatch/dashboards";

/// `[dashboards]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dashboards {
    /// Directories with dashboards as Grafana exports them (`*.json`), beside the shipped ones. Listed for each page.
    pub directories: Vec<PathBuf>,
    /// The Unix socket of a running `edgewatch-dashboards`. Left out, the service starts that program itself on demand.
    pub socket: Option<PathBuf>,
}

impl Default for Dashboards {
    fn default() -> Self {
        Self {
            directories: vec![DASHBOARDS.into()],
            socket: None,
        }
    }
}

/// `[links]`: `http://` or `https://` URLs for browsers. Left out, the host of the request with the default port; an empty string means
/// that there is none.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Links {
    /// Prometheus.
    pub prometheus: Option<String>,
    /// Grafana.
    pub grafana: Option<String>,
}

/// The header in which the service sends its settings, as JSON.
pub const HEADER: &str = "edgewatch-settings";
