//! `budget.toml`: every memory and CPU limit of the stack.

use std::path::Path;

use serde::{Deserialize, Deserializer, de::Error};

use edgewatch_program::error::CommandFailure;

/// The budget that the project ships.
pub const SHIPPED: &str = include_str!("../../../budget.toml");

/// The slice that holds the stack.
pub const SLICE: &str = "edgewatch.slice";

/// The unit that shows dashboards, which runs only while somebody looks.
pub const DASHBOARDS: &str = "edgewatch-dashboards.service";

/// The unit that forwards and notifies, which runs only where the settings ask for it.
pub const OUTBOUND: &str = "edgewatch-outbound.service";

/// Grafana's unit in the budget and in metrics, whatever its package calls it.
pub const GRAFANA: &str = "grafana.service";

/// What Grafana's own Debian package calls it.
pub const GRAFANA_OF_DEBIAN: &str = "grafana-server.service";

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The slice.
    pub total: SliceBudget,
    /// The sensor service.
    pub edgewatch: UnitBudget,
    /// The program that shows dashboards.
    pub dashboards: UnitBudget,
    /// The program that forwards and notifies.
    pub outbound: UnitBudget,
    /// Prometheus.
    pub prometheus: PrometheusBudget,
    /// Grafana.
    pub grafana: GrafanaBudget,
}

/// Limits of the slice, for systemd's resource control (systemd.resource-control(5)).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceBudget {
    /// `MemoryMax`.
    pub memory_max: Bytes,
    /// `MemoryHigh`.
    pub memory_high: Bytes,
    /// `MemoryMin`.
    pub memory_min: Bytes,
    /// `MemorySwapMax`.
    pub memory_swap_max: Bytes,
    /// `CPUQuota`.
    pub cpu_quota: Cores,
    /// `TasksMax`.
    pub tasks_max: u32,
}

/// Limits of one unit in the slice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitBudget {
    /// `MemoryMax`.
    pub memory_max: Bytes,
    /// `MemoryHigh`.
    pub memory_high: Bytes,
    /// `MemoryMin`: what the unit keeps, however short of it the rest of the device runs; left out, nothing.
    pub memory_min: Option<Bytes>,
    /// `CPUQuota`.
    pub cpu_quota: Cores,
    /// `CPUWeight`: its share while CPUs are short. 1 to 10000.
    pub cpu_weight: u32,
    /// `TasksMax`.
    pub tasks_max: u32,
    /// `OOMScoreAdjust`: the higher, the earlier the kernel kills it while memory is short. -1000 to 1000.
    pub oom_score_adjust: i32,
}

/// Prometheus: the unit's limits, and the flags and variables that keep it inside them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrometheusBudget {
    /// Limits of the unit.
    #[serde(flatten)]
    pub unit: UnitBudget,
    /// `GOMEMLIMIT`.
    pub gomemlimit: String,
    /// `GOMAXPROCS`.
    pub gomaxprocs: u32,
    /// `GOGC`, in percent.
    pub gogc: u32,
    /// `--query.max-concurrency`.
    pub query_max_concurrency: u32,
    /// `--query.max-samples`.
    pub query_max_samples: u32,
    /// `--query.timeout`.
    pub query_timeout: String,
    /// `--web.max-connections`.
    pub web_max_connections: u32,
    /// `--storage.tsdb.retention.time`.
    pub retention_time: String,
    /// `--storage.tsdb.retention.size`.
    pub retention_size: String,
    /// `--storage.tsdb.wal-segment-size`.
    pub wal_segment_size: String,
    /// `--storage.tsdb.max-block-chunk-segment-size`.
    pub block_chunk_segment_size: String,
}

/// Grafana: the unit's limits and the Go runtime's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrafanaBudget {
    /// Limits of the unit.
    #[serde(flatten)]
    pub unit: UnitBudget,
    /// `GOMEMLIMIT`.
    pub gomemlimit: String,
    /// `GOMAXPROCS`.
    pub gomaxprocs: u32,
}

impl PrometheusBudget {
    /// Command line flags that bound memory, queries and disk.
    pub fn flags(&self) -> Vec<String> {
        [
            ("query.max-concurrency", self.query_max_concurrency.to_string()),
            ("query.max-samples", self.query_max_samples.to_string()),
            ("query.timeout", self.query_timeout.clone()),
            ("web.max-connections", self.web_max_connections.to_string()),
            ("storage.tsdb.retention.time", self.retention_time.clone()),
            ("storage.tsdb.retention.size", self.retention_size.clone()),
            ("storage.tsdb.wal-segment-size", self.wal_segment_size.clone()),
            (
                "storage.tsdb.max-block-chunk-segment-size",
                self.block_chunk_segment_size.clone(),
            ),
        ]
        .map(|(flag, value)| format!("--{flag}={value}"))
        .into()
    }

    /// Environment of the process.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("GOMEMLIMIT", self.gomemlimit.clone()),
            ("GOMAXPROCS", self.gomaxprocs.to_string()),
            ("GOGC", self.gogc.to_string()),
        ]
    }
}

/// Bytes, written with systemd's binary suffixes K, M, G.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// CPUs, written as percent of one CPU.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Cores(pub f64);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (digits, shift) = match text.as_bytes().last() {
            Some(b'K') => (&text[..text.len() - 1], 10),
            Some(b'M') => (&text[..text.len() - 1], 20),
            Some(b'G') => (&text[..text.len() - 1], 30),
            _ => (text.as_str(), 0),
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(1 << shift))
            .map(Bytes)
            .ok_or_else(|| {
                D::Error::custom(format!(
                    "{text:?} is no size; allowed are numbers with K, M or G, as 300M"
                ))
            })
    }
}

impl<'de> Deserialize<'de> for Cores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_suffix('%')
            .and_then(|digits| digits.parse::<u32>().ok())
            .map(|percent| Cores(f64::from(percent) / 100.0))
            .ok_or_else(|| {
                D::Error::custom(format!(
                    "{text:?} is no quota; allowed are percentages of one CPU, as 200%"
                ))
            })
    }
}

impl Budget {
    /// Reads `file`, or the shipped budget.
    ///
    /// # Errors
    /// The file cannot be read, a key is missing, unknown or has an impossible value, or the units together exceed the total.
    pub fn load(file: Option<&Path>) -> Result<Self, CommandFailure> {
        let (name, text) = match file {
            Some(path) => (
                path.display().to_string(),
                std::fs::read_to_string(path)
                    .map_err(|error| CommandFailure::because(format!("budget {}", path.display()), error))?,
            ),
            None => ("budget.toml".to_owned(), SHIPPED.to_owned()),
        };
        let budget: Self = toml::from_str(&text).map_err(|error| CommandFailure::because(&name, error))?;
        let sum: u64 = budget.units()[1..].iter().map(|(_, memory, _)| memory.0).sum();
        if sum > budget.total.memory_max.0 {
            return Err(CommandFailure(format!(
                "{name}: memory_max of the units is {sum} bytes together, above total.memory_max = {}: lower one of them",
                budget.total.memory_max.0
            )));
        }
        Ok(budget)
    }

    /// Name, memory and CPUs of the slice and of each unit in it.
    pub fn units(&self) -> [(&'static str, Bytes, Cores); 6] {
        let of = |unit, budget: &UnitBudget| (unit, budget.memory_max, budget.cpu_quota);
        [
            (SLICE, self.total.memory_max, self.total.cpu_quota),
            of("edgewatch.service", &self.edgewatch),
            of(DASHBOARDS, &self.dashboards),
            of(OUTBOUND, &self.outbound),
            of("prometheus.service", &self.prometheus.unit),
            of(GRAFANA, &self.grafana.unit),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_budget_holds_the_stack_in_300_mb_and_2_cores() {
        let budget = Budget::load(None).unwrap();
        assert_eq!(budget.total.memory_max, Bytes(300 << 20));
        assert_eq!(budget.total.cpu_quota, Cores(2.0));
        for (unit, memory, cores) in budget.units() {
            assert!(
                memory <= budget.total.memory_max && cores <= budget.total.cpu_quota,
                "{unit}"
            );
        }
    }

    #[test]
    fn an_unknown_key_is_refused_in_every_table() {
        for table in ["total", "edgewatch", "dashboards", "outbound", "prometheus", "grafana"] {
            let text = SHIPPED.replace(&format!("[{table}]"), &format!("[{table}]\nmemory_maximum = \"1M\""));
            let message = toml::from_str::<Budget>(&text).unwrap_err().to_string();
            assert!(message.contains("unknown field `memory_maximum`"), "{table}: {message}");
        }
    }

    #[test]
    fn the_sensor_is_killed_last_and_grafana_first() {
        let budget = Budget::load(None).unwrap();
        let score = |unit: &UnitBudget| unit.oom_score_adjust;
        assert!(score(&budget.edgewatch) < score(&budget.prometheus.unit));
        assert!(score(&budget.prometheus.unit) < score(&budget.dashboards));
        assert!(score(&budget.dashboards) < score(&budget.grafana.unit));
    }

    #[test]
    fn units_that_exceed_the_total_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), SHIPPED.replace("180M", "181M")).unwrap();
        let message = Budget::load(Some(file.path())).unwrap_err().to_string();
        assert!(message.contains("lower one of them"), "{message}");
    }
}
