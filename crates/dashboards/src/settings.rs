//! Settings of the built-in dashboards: where their values come from, and which there are beside the shipped ones.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the service says with each request: the settings that are in force there.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where values come from.
    pub prometheus: Prometheus,
    /// Dashboards beside the shipped ones.
    pub dashboards: Dashboards,
    /// Where the other parts of the stack are.
    pub links: Links,
}

/// `[prometheus]`: the server whose values the built-in dashboards show, and bounds of what one query may bring.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prometheus {
    /// `http://HOST:PORT`, and a path behind it. The sandbox of `edgewatch-dashboards.service` lets it connect to this device only.
    pub url: String,
    /// Time for one query; Prometheus gives up shortly before. 500 ms to 15 s, below Prometheus' own limit of 20 s.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// The interval at which it scrapes: no query asks for points closer to each other. 1 s to 1 h.
    #[serde(with = "humantime_serde")]
    pub scrape_interval: Duration,
    /// Series of one query; panels say how many were left out. 1 to 1000.
    pub max_series: usize,
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:9090".to_owned(),
            timeout: Duration::from_secs(5),
            scrape_interval: Duration::from_secs(15),
            max_series: 50,
        }
    }
}

/// Where the package lets people drop dashboards.
pub const DASHBOARDS: &str = "/etc/edgewatch/dashboards";

/// `[dashboards]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dashboards {
    /// Directories with dashboards as Grafana exports them (`*.json`), beside the shipped ones. Looked at for each page.
    pub directories: Vec<PathBuf>,
    /// The Unix socket of a running `edgewatch-dashboards`. Left out, the service starts that program itself when somebody looks.
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

/// `[links]`: `http://` or `https://` addresses as a browser reaches them. Left out, the host is the one the page was asked
/// from, with the default port; an empty string says that there is none.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Links {
    /// Prometheus.
    pub prometheus: Option<String>,
    /// Grafana.
    pub grafana: Option<String>,
}

/// The header of a request by which the service says its settings, as JSON.
pub const HEADER: &str = "edgewatch-settings";
