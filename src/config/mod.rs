//! Settings: built-in defaults, then a TOML file, then `EDGEWATCH__…` environment variables; all checked before anything starts.

mod environment;
mod error;
mod load;
mod validate;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use edgewatch_dashboards::settings::{self as dashboards, Links};
use edgewatch_program::listen::Listen;
use edgewatch_program::logging::Level;
pub use error::{InvalidValue, SettingsError};
pub(crate) use load::DEFAULT_FILE;

use edgewatch_sensors::settings::{
    self as sensors, Collect, CollectorSettings, CpuSpike, Limits, Paths, Simulated, Textfile, modbus::Modbus,
    mqtt::Mqtt,
};

/// Everything that can be set. Every table and key may be left out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How much is read of what a device has.
    pub collect: Collect,
    /// The HTTP server.
    pub http: Http,
    /// TLS.
    pub tls: Tls,
    /// Authentication.
    pub auth: Auth,
    /// Logging.
    pub log: Log,
    /// Roots of /proc, /sys and mounts.
    pub paths: Paths,
    /// Bounds of what collectors export.
    pub limits: Limits,
    /// When the CPU counts as spiking.
    pub cpu_spike: CpuSpike,
    /// Addresses that the status page links to.
    pub links: Links,
    /// The server that the built-in dashboards query.
    pub prometheus: dashboards::Prometheus,
    /// Dashboards beside the shipped ones.
    pub dashboards: dashboards::Dashboards,
    /// Each collector by its name; those not named run with their defaults.
    pub sources: BTreeMap<String, CollectorSettings>,
    /// Simulated sensors.
    pub simulated: Simulated,
    /// Values that other programs leave in files.
    pub textfile: Textfile,
    /// Values that devices publish through a broker.
    pub mqtt: Mqtt,
    /// Where updates of the system come from.
    pub update: edgewatch_update::settings::Settings,
    /// Where the history is sent.
    pub forward: edgewatch_forward::settings::Settings,
    /// Meters that answer to Modbus.
    pub modbus: Modbus,
    /// Who is told of alerts.
    pub notify: edgewatch_notify::settings::Settings,
}

/// `[http]`: changes take effect at the next start, but those of `insecure`, `hosts` and `web_config_file` at a reload.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Addresses to listen on, unless systemd hands over sockets: `IP:PORT` or `unix:/PATH`.
    pub listen: Vec<Listen>,
    /// Allow an address other than loopback without authentication.
    pub insecure: bool,
    /// Values of `Host` that are served without a password, beside addresses, localhost and the host name.
    pub hosts: Vec<String>,
    /// A web configuration file as Prometheus and its exporters have one, for TLS, users and headers.
    pub web_config_file: Option<PathBuf>,
    /// Open connections; further ones wait in the kernel's queue. 1 to 1024.
    pub max_connections: usize,
    /// Time for a client to send its request. 100 ms to 60 s.
    #[serde(with = "humantime_serde")]
    pub client_timeout: Duration,
    /// Time an idle connection is kept. 1 s to 10 min.
    #[serde(with = "humantime_serde")]
    pub keep_alive: Duration,
    /// Time for requests in flight when the service stops. 1 s to 60 s.
    #[serde(with = "humantime_serde")]
    pub shutdown_timeout: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: vec![Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 8000)))],
            insecure: false,
            hosts: Vec::new(),
            web_config_file: None,
            max_connections: 64,
            client_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(75),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

/// `[tls]`: for clients that are not on the device itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Serve TLS, and redirect who asks in clear text to it, on every TCP address. Clients on the device itself (loopback) may do either.
    pub enabled: bool,
    /// Certificates with their keys, `NAME.crt` or `NAME.pem` with `NAME.key` beside it or in one file; the last by name is in force.
    pub directory: Option<PathBuf>,
    /// Where the device keeps the certificate that it makes for itself; `$STATE_DIRECTORY` (systemd.exec(5)) if not set.
    pub state_directory: Option<PathBuf>,
}

/// `[auth]`: HTTP Basic authentication (RFC 7617).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Lines of `user:bcrypt-hash`, as `htpasswd -B` writes them. A relative path is looked up among the unit's credentials.
    pub users_file: Option<PathBuf>,
    /// Serve clients on the device itself (loopback) without a password. Not behind a reverse proxy, whose clients appear local.
    pub trust_loopback: bool,
}

/// `[log]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The least severe messages that are logged.
    pub level: Level,
}

impl Settings {
    /// The settings of the sampler.
    pub fn sensors(&self) -> sensors::Settings {
        sensors::Settings {
            paths: self.paths.clone(),
            limits: self.limits.clone(),
            cpu_spike: self.cpu_spike.clone(),
            collectors: self.sources.clone(),
            simulated: self.simulated.clone(),
            collect: self.collect,
            textfile: self.textfile.clone(),
            mqtt: self.mqtt.clone(),
            modbus: self.modbus.clone(),
            sends: self.sends(),
        }
    }

    /// Whether the program that sends has something to do.
    pub fn sends(&self) -> bool {
        self.forward.url.is_some() || !self.notify.is_off()
    }

    /// The settings of the program that renders dashboards.
    pub fn dashboards_program(&self) -> dashboards::Settings {
        dashboards::Settings {
            prometheus: self.prometheus.clone(),
            dashboards: self.dashboards.clone(),
            links: self.links.clone(),
        }
    }

    /// Takes those settings of `[http]` that are read only at the start from `running`; true if they would have changed.
    pub fn keep_until_restart(&mut self, running: &Self) -> bool {
        let kept = Http {
            insecure: self.http.insecure,
            hosts: self.http.hosts.clone(),
            web_config_file: self.http.web_config_file.clone(),
            ..running.http.clone()
        };
        let changed = self.http != kept;
        self.http = kept;
        changed
    }
}
