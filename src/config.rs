//! Settings: built-in defaults, then a TOML file, then `EDGEWATCH__…` environment variables; all checked before anything starts.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use config::{Config, Environment, File, FileFormat};
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::sources;

/// The file that is read when none is named, if it exists.
pub const DEFAULT_FILE: &str = "/etc/edgewatch/edgewatch.toml";

/// Name of the source that `[simulated]` is about.
const SIMULATED: &str = "simulated";

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
    /// Each source by its name; those not named run with their defaults.
    pub sources: BTreeMap<String, SourceSettings>,
    /// Sensors that do not exist.
    pub simulated: Simulated,
}

/// `[http]`: changes take effect at the next start.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Addresses to listen on, unless systemd hands over sockets: `IP:PORT` or `unix:/PATH`.
    pub listen: Vec<Listen>,
    /// Allow an address other than loopback without authentication.
    pub insecure: bool,
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

/// An address to listen on.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Listen {
    /// A TCP address and port; port 0 lets the kernel choose.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// True if only this device can reach the address.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => is_loopback(address.ip()),
            Self::Unix(_) => true,
        }
    }
}

/// True for 127.0.0.0/8, ::1, and the former in the form of the latter.
pub fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err(format!("{text:?}: the path after unix: must begin with /")),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                format!("{text:?} is no address; allowed are IP:PORT (127.0.0.1:8000, [::1]:8000) and unix:/PATH")
            }),
        }
    }
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Settings {
    /// Reads the defaults, `file` (or [`DEFAULT_FILE`] if that exists), and the environment, and checks the whole.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a wrong type, or impossible values: each with the key, the value and what is
    /// allowed.
    pub fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let mut builder = Config::builder();
        let file = file.or_else(|| Some(Path::new(DEFAULT_FILE)).filter(|path| path.exists()));
        if let Some(path) = file {
            // Read here: the library would take "edgewatch" for "edgewatch.json" and say "not found" for "permission denied".
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::because(format!("settings file {}", path.display()), error))?;
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        let environment = Environment::with_prefix("EDGEWATCH")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("http.listen");
        let settings = builder
            .add_source(environment)
            .build()
            // Through JSON, whose reader is strict about types and names what it expected.
            .and_then(Config::try_deserialize::<serde_json::Value>)
            .map_err(|error| error.to_string())
            .and_then(|merged| {
                serde_path_to_error::deserialize::<_, Self>(merged)
                    .map_err(|error| format!("{}: {}", error.path(), for_people(error.inner())))
            })
            .map_err(|error| match file {
                Some(path) => Failure::because(format!("settings ({} and EDGEWATCH__…)", path.display()), error),
                None => Failure::because("settings (EDGEWATCH__…)", error),
            })?;
        settings.validate()?;
        Ok(settings)
    }

    /// The effective settings as a TOML document that can be fed back.
    ///
    /// # Errors
    /// None in practice; the serializer's own.
    pub fn to_toml(&self) -> Result<String, Failure> {
        toml::to_string(self).map_err(|error| Failure::because("settings", error))
    }

    /// Whether the source runs.
    pub fn is_enabled(&self, name: &str) -> bool {
        let default = name != SIMULATED || self.simulated.enabled;
        self.sources
            .get(name)
            .and_then(|source| source.enabled)
            .unwrap_or(default)
    }

    /// What differs in `other` and is read only at the start.
    pub fn needs_restart(&self, other: &Self) -> bool {
        self.http != other.http
    }

    /// True if `other` reads the same sources in the same way.
    pub fn reads_the_same(&self, other: &Self) -> bool {
        self.paths == other.paths
            && self.limits == other.limits
            && self.cpu_spike == other.cpu_spike
            && self.sources == other.sources
            && self.simulated == other.simulated
    }

    fn validate(&self) -> Result<(), Failure> {
        let mut problems = Problems::default();
        self.validate_http(&mut problems);
        problems.within("limits.readings_per_source", self.limits.readings_per_source, 1, 10_000);
        problems.within("limits.label_length", self.limits.label_length, 16, 1024);
        let spike = &self.cpu_spike;
        problems.within("cpu_spike.threshold", spike.threshold, 0.05, 1.0);
        problems.within("cpu_spike.clear", spike.clear, 0.0, spike.threshold);
        problems.within_time("cpu_spike.window", spike.window, 1_000, 600_000);
        for (key, link) in [
            ("links.prometheus", &self.links.prometheus),
            ("links.grafana", &self.links.grafana),
        ] {
            if let Some(link) = link
                && !link.is_empty()
                && !link.starts_with("http://")
                && !link.starts_with("https://")
            {
                problems.add(key, link, "an address that begins with http:// or https://, or nothing");
            }
        }
        for (name, source) in &self.sources {
            if sources::find(name).is_none() {
                problems.add("sources", name, &sources::names().join(", "));
            }
            if let Some(period) = source.period {
                problems.within_time(&format!("sources.{name}.period"), period, 100, 3_600_000);
            }
            if let Some(deadline) = source.deadline {
                problems.within_time(&format!("sources.{name}.deadline"), deadline, 10, 300_000);
            }
        }
        for (number, fault) in self.simulated.faults.iter().enumerate() {
            problems.within(
                &format!("simulated.faults[{number}].probability"),
                fault.probability,
                0.0,
                1.0,
            );
        }
        problems.into_result()
    }

    fn validate_http(&self, problems: &mut Problems) {
        let http = &self.http;
        if http.listen.is_empty() {
            problems.add("http.listen", "[]", "at least one address");
        }
        for listen in &http.listen {
            if !listen.is_local() && self.auth.users_file.is_none() && !http.insecure {
                problems.add(
                    "http.listen",
                    listen,
                    "a loopback address; for any other set auth.users_file, or http.insecure = true to let everybody in the network read",
                );
            }
        }
        problems.within("http.max_connections", http.max_connections, 1, 1024);
        problems.within_time("http.client_timeout", http.client_timeout, 100, 60_000);
        problems.within_time("http.keep_alive", http.keep_alive, 1_000, 600_000);
        problems.within_time("http.shutdown_timeout", http.shutdown_timeout, 1_000, 60_000);
    }
}

/// The message of the JSON reader without Rust's names of types.
fn for_people(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace("expected usize", "expected a whole number")
        .replace("expected u64", "expected a whole number")
        .replace("expected f64", "expected a number")
}

/// Impossible values, all of them, so that they can be mended in one go.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, key: &str, value: impl fmt::Display, allowed: &str) {
        self.0.push(format!("{key} = {value}: allowed: {allowed}"));
    }

    fn within<T: Copy + PartialOrd + fmt::Display>(&mut self, key: &str, value: T, least: T, most: T) {
        if !(least..=most).contains(&value) {
            self.add(key, value, &format!("{least} to {most}"));
        }
    }

    fn within_time(&mut self, key: &str, value: Duration, least_ms: u64, most_ms: u64) {
        let (least, most) = (Duration::from_millis(least_ms), Duration::from_millis(most_ms));
        if !(least..=most).contains(&value) {
            self.add(key, format!("{value:?}"), &format!("{least:?} to {most:?}"));
        }
    }

    fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Failure(format!("settings: {}", self.0.join("; "))))
    }
}
