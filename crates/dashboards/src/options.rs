//! Options that the commands with dashboards share: Prometheus, and the time range.

use std::path::{Path, PathBuf};

use super::library::{self, SHIPPED};
use super::source::Direct;
use crate::error::Error;
use crate::settings;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::time::interval;

use edgewatch_prometheus_client::Credentials;

/// Options of `edgewatch top` and `edgewatch render`.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Address of Prometheus
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9090")]
    pub(crate) prometheus: String,
    /// User name for Prometheus
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub(crate) user: Option<String>,
    /// File with the user's password in its first line
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// Begin of the range: 6h, now-6h, now/d, 2026-01-31 12:00:00, or milliseconds since 1970 [default: the dashboard's]
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// End of the range [default: the dashboard's, or now with --from]
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
}

impl Options {
    /// The Prometheus server to query.
    ///
    /// # Errors
    /// The address is invalid, or the password cannot be read.
    pub(crate) fn source(&self) -> Result<Direct, Error> {
        let settings = settings::Prometheus {
            url: self.prometheus.clone(),
            ..settings::Prometheus::default()
        };
        let credentials = match (&self.user, &self.password_file) {
            (Some(user), Some(file)) => Some(Credentials::read(user, file)?),
            _ => None,
        };
        Ok(Direct::new(&settings)?.with_credentials(credentials))
    }

    /// From and to in Grafana's syntax, if one of them was given.
    pub(crate) fn range(&self) -> Option<(String, String)> {
        // `6h` alone means the last six hours.
        let from = |text: &str| match interval::parse(text) {
            Some(_) if text.ends_with(char::is_alphabetic) => format!("now-{text}"),
            _ => text.to_owned(),
        };
        match (&self.from, &self.to) {
            (None, None) => None,
            (Some(begin), None) => Some((from(begin), "now".to_owned())),
            (Some(begin), Some(end)) => Some((from(begin), end.clone())),
            (None, Some(end)) => Some(("now-6h".to_owned(), end.clone())),
        }
    }
}

/// The scrape interval of the shipped configuration, in milliseconds: where Prometheus does not say its own.
pub(crate) const SHIPPED_INTERVAL: i64 = 15_000;

/// Prometheus' scrape interval in milliseconds; if it is unknown, that of the shipped configuration.
pub(crate) fn min_step(source: &Direct) -> i64 {
    source.scrape_interval().ok().flatten().unwrap_or(SHIPPED_INTERVAL)
}

/// The dashboard of an argument: the uid of a shipped one, or a file.
///
/// # Errors
/// There is none of that name, or the file holds none.
pub(crate) fn dashboard(name: &str) -> Result<Dashboard, Error> {
    let bad = |source| Error::BadDashboard {
        name: name.to_owned(),
        source,
    };
    if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.uid == name) {
        return Dashboard::parse(shipped.json).map_err(bad);
    }
    let path = Path::new(name);
    if !path.exists() && path.extension().is_none() {
        return Err(Error::UnknownDashboard {
            name: name.to_owned(),
            shipped: SHIPPED.map(|shipped| shipped.uid).join(", "),
        });
    }
    let text = library::read(path).map_err(|source| Error::UnreadableDashboard {
        name: name.to_owned(),
        source,
    })?;
    Dashboard::parse(&text).map_err(bad)
}
