//! Settings: built-in defaults, then a TOML file, then `EDGEWATCH__…` environment variables; all checked before anything starts.

mod dashboards;
mod listen;
mod load;
mod validate;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sources::simulated;
pub use dashboards::{DASHBOARDS, Dashboards, Prometheus};
pub use listen::{Listen, is_loopback};

/// Everything that can be set. Every table and key may be left out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The HTTP server.
    pub http: Http,
    /// Who may ask.
    pub auth: Auth,
    /// Logging.
    pub log: Log,
    /// Where things are read.
    pub paths: Paths,
    /// Bounds of what sources may say.
    pub limits: Limits,
    /// When the CPU counts as spiking.
    pub cpu_spike: CpuSpike,
    /// Addresses that the status page links to.
    pub links: Links,
    /// Where the built-in dashboards have their values from.
    pub prometheus: Prometheus,
    /// Dashboards beside the shipped ones.
    pub dashboards: Dashboards,
    /// Each source by its name; those not named run with their defaults.
    pub sources: BTreeMap<String, SourceSettings>,
    /// Sensors that do not exist.
    pub simulated: Simulated,
}

/// `[http]`: changes take effect at the next start, but those of `insecure` and `hosts` at a reload.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Addresses to listen on, unless systemd hands over sockets: `IP:PORT` or `unix:/PATH`.
    pub listen: Vec<Listen>,
    /// Allow an address other than loopback without authentication.
    pub insecure: bool,
    /// Names by which clients without a password may ask, beside addresses, localhost and the host name.
    pub hosts: Vec<String>,
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
            max_connections: 64,
            client_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(75),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

/// `[auth]`: HTTP Basic authentication (RFC 7617).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Lines of `user:bcrypt-hash`, as `htpasswd -B` writes them. A relative path is looked up among the unit's credentials.
    pub users_file: Option<PathBuf>,
    /// Answer clients on the device itself (loopback) without asking. Not behind a reverse proxy: its clients look local.
    pub trust_loopback: bool,
}

/// `[log]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged.
    pub level: Level,
}

/// The least severe message that is logged.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Only what needs somebody's attention.
    Error,
    /// Also what works less well than it should.
    Warn,
    /// Also starts, stops and recoveries.
    #[default]
    Info,
    /// Also each request.
    Debug,
    /// Everything.
    Trace,
}

/// `[paths]`: roots, so that a container or a test can show another machine.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Paths {
    /// The proc file system.
    pub procfs: PathBuf,
    /// The sys file system, with cgroup v2 below `fs/cgroup`.
    pub sysfs: PathBuf,
    /// Put before each mount point.
    pub rootfs: PathBuf,
    /// A `budget.toml` instead of the built-in one.
    pub budget: Option<PathBuf>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            procfs: "/proc".into(),
            sysfs: "/sys".into(),
            rootfs: "/".into(),
            budget: None,
        }
    }
}

/// `[limits]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Readings of one source; more are counted in `edge_source_readings_dropped`, not exported. 1 to 10000.
    pub readings_per_source: usize,
    /// Characters of a label value. 16 to 1024.
    pub label_length: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            readings_per_source: 256,
            label_length: 128,
        }
    }
}

/// `[cpu_spike]`: ratios of all CPUs' time.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CpuSpike {
    /// A spike begins above this. 0.05 to 1.
    pub threshold: f64,
    /// It ends below this, which lies under `threshold` so that a load around it does not count over and over. 0 to `threshold`.
    pub clear: f64,
    /// Over how long the load is averaged. 1 s to 10 min.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
}

impl Default for CpuSpike {
    fn default() -> Self {
        Self {
            threshold: 0.9,
            clear: 0.7,
            window: Duration::from_secs(15),
        }
    }
}

/// `[links]`: `http://` or `https://` addresses as a browser reaches them. Left out, the host is the one the page was asked
/// from, with the default port; an empty string says that there is none.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Links {
    /// Prometheus.
    pub prometheus: Option<String>,
    /// Grafana.
    pub grafana: Option<String>,
}

/// `[sources.NAME]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSettings {
    /// Whether it is read; all are but `simulated`, which `simulated.enabled` switches.
    pub enabled: Option<bool>,
    /// Time between two reads. 100 ms to 1 h.
    #[serde(with = "humantime_serde")]
    pub period: Option<Duration>,
    /// Time after which a read counts as failed. 10 ms to 5 min.
    #[serde(with = "humantime_serde")]
    pub deadline: Option<Duration>,
}

/// `[simulated]`: a random walk in place of sensors, for trying things out.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Simulated {
    /// Whether it runs.
    pub enabled: bool,
    /// The same seed walks the same way.
    pub seed: u64,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
}

impl Default for Simulated {
    fn default() -> Self {
        Self {
            enabled: false,
            seed: 1,
            faults: Vec::new(),
        }
    }
}

/// `[[simulated.faults]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// The sensor it happens to, such as `temp1`; `*` for all. Not used by `route_error` and `route_panic`.
    #[serde(default = "every_sensor")]
    pub sensor: String,
    /// Time from the start of the source to the first fault.
    #[serde(default, with = "humantime_serde")]
    pub after: Duration,
    /// How long it lasts; left out, for good.
    #[serde(default, with = "humantime_serde")]
    pub lasting: Option<Duration>,
    /// How likely it is at each read while it lasts. 0 to 1.
    #[serde(default = "always")]
    pub probability: f64,
}

impl Fault {
    /// True while the fault lasts, `elapsed` after the start.
    pub fn is_active(&self, elapsed: Duration) -> bool {
        elapsed >= self.after && self.lasting.is_none_or(|lasting| elapsed < self.after + lasting)
    }
}

fn every_sensor() -> String {
    "*".to_owned()
}

const fn always() -> f64 {
    1.0
}

/// The kinds of injected faults.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The read fails with `EIO`.
    Io,
    /// The device has no value yet.
    NotReady,
    /// The value is not a number.
    Invalid,
    /// The read does not return while the fault lasts.
    Hang,
    /// The source panics.
    Panic,
    /// `/sensor` fails.
    RouteError,
    /// `/sensor` panics.
    RoutePanic,
}

impl Settings {
    /// Whether the source runs.
    pub fn is_enabled(&self, name: &str) -> bool {
        let default = name != simulated::SOURCE.name || self.simulated.enabled;
        self.sources
            .get(name)
            .and_then(|source| source.enabled)
            .unwrap_or(default)
    }

    /// Keeps of `[http]` what is read only at the start, as it is in `running`; true if that was to be changed.
    pub fn keep_until_restart(&mut self, running: &Self) -> bool {
        let kept = Http {
            insecure: self.http.insecure,
            hosts: self.http.hosts.clone(),
            ..running.http.clone()
        };
        let changed = self.http != kept;
        self.http = kept;
        changed
    }

    /// True if `other` shows the same dashboards with values from the same place.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        self.prometheus == other.prometheus && self.dashboards == other.dashboards
    }

    /// True if `other` reads the same sources in the same way.
    pub fn reads_the_same(&self, other: &Self) -> bool {
        self.paths == other.paths
            && self.limits == other.limits
            && self.cpu_spike == other.cpu_spike
            && self.sources == other.sources
            && self.simulated == other.simulated
    }
}
