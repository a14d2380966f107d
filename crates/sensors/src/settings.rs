//! Settings of the collectors.

pub mod modbus;
pub mod mqtt;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::reading::MetricKind;

/// The settings of the sampler, which any change of them restarts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Roots of /proc, /sys and mounts.
    pub paths: Paths,
    /// Bounds of one read.
    pub limits: Limits,
    /// When the CPU counts as spiking.
    pub cpu_spike: CpuSpike,
    /// Each collector by its name; those not named run with their defaults.
    pub collectors: BTreeMap<String, CollectorSettings>,
    /// Simulated sensors.
    pub simulated: Simulated,
    /// How much is read unless said otherwise.
    pub collect: Collect,
    /// Values that other programs leave in files.
    pub textfile: Textfile,
    /// Values that devices publish through a broker.
    pub mqtt: mqtt::Mqtt,
    /// Meters that answer to Modbus.
    pub modbus: modbus::Modbus,
    /// Whether the program that sends has something to send, and metrics of it.
    pub sends: bool,
}

/// `type` of a value that somebody has named.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Goes up and down.
    #[default]
    Gauge,
    /// Only grows.
    Counter,
}

impl From<ValueKind> for MetricKind {
    fn from(kind: ValueKind) -> Self {
        match kind {
            ValueKind::Gauge => Self::Gauge,
            ValueKind::Counter => Self::Counter,
        }
    }
}

const fn one() -> f64 {
    1.0
}

/// `[textfile]`: values that other programs leave in files.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Textfile {
    /// Directories with files `*.prom` in Prometheus' text format.
    pub directories: Vec<PathBuf>,
}

/// `collect`: how much is read of what a device has.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Collect {
    /// What the owner of a device needs: at most 400 series on a Raspberry Pi.
    #[default]
    Standard,
    /// Beside that what node_exporter exports by default, for dashboards that were made for it.
    Full,
}

/// `[paths]`: roots that a container or a test can point elsewhere.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Paths {
    /// The proc file system.
    pub procfs: PathBuf,
    /// The sys file system, with cgroup v2 below `fs/cgroup`.
    pub sysfs: PathBuf,
    /// Prefix of each mount point.
    pub rootfs: PathBuf,
    /// A `budget.toml` instead of the built-in one.
    pub budget: Option<PathBuf>,
    /// The file in which the program that sends leaves its metrics for the service. Not on a card: it is written once a second.
    pub outbound: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            procfs: "/proc".into(),
            sysfs: "/sys".into(),
            rootfs: "/".into(),
            budget: None,
            outbound: "/run/edgewatch-outbound/metrics.prom".into(),
        }
    }
}

/// `[limits]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Readings of one collector; more are counted in `edge_source_readings_dropped`, not exported. 1 to 10000.
    pub readings_per_source: usize,
    /// Bytes of a label value. 16 to 1024.
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
    /// It ends below this. Hysteresis: a load around `threshold` must not count again and again. 0 to `threshold`.
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

/// `[sources.NAME]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CollectorSettings {
    /// Whether it is read, instead of what `collect` says (of `simulated`: `simulated.enabled`).
    pub enabled: Option<bool>,
    /// Time between two reads. 100 ms to 1 h.
    #[serde(with = "humantime_serde")]
    pub period: Option<Duration>,
    /// Time after which a read counts as failed. 10 ms to 5 min.
    #[serde(with = "humantime_serde")]
    pub deadline: Option<Duration>,
}

/// `[simulated]`: a random walk in place of sensors.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Simulated {
    /// Whether it runs.
    pub enabled: bool,
    /// The same seed walks the same way.
    pub seed: u64,
    /// Faults to inject.
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
    /// Its kind.
    pub kind: FaultKind,
    /// The sensor that it affects, such as `temp1`; `*` for all. Not used by `route_error` and `route_panic`.
    #[serde(default = "every_sensor")]
    pub sensor: String,
    /// Time from the start of the collector to the first fault.
    #[serde(default, with = "humantime_serde")]
    pub after: Duration,
    /// How long it lasts; left out, for good.
    #[serde(default, with = "humantime_serde")]
    pub lasting: Option<Duration>,
    /// Probability at each read while it lasts. 0 to 1.
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
    /// The collector panics.
    Panic,
    /// `/sensor` fails.
    RouteError,
    /// `/sensor` panics.
    RoutePanic,
}
