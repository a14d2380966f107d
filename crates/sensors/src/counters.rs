//! Counters of reads. They survive a reload, unlike the sampler.

use prometheus::{IntCounterVec, Opts, Registry};

use crate::error::ErrorKind;

/// `sensor_failed_events_total{reason="cpu_spike"}`.
pub const CPU_SPIKE: &str = "cpu_spike";

/// The counters of the sampler.
pub struct Counters {
    /// Failures by reason.
    pub failures: IntCounterVec,
    collector_errors: IntCounterVec,
}

impl Counters {
    /// All counters at 0, with every label value that can occur, in `registry`.
    ///
    /// # Errors
    /// None in practice: the names are constants that a test registers.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let failures = IntCounterVec::new(
            Opts::new("sensor_failed_events_total", "Failures since the start, by reason."),
            &["reason"],
        )?;
        for reason in std::iter::once(CPU_SPIKE).chain(ErrorKind::ALL.map(ErrorKind::name)) {
            failures.with_label_values(&[reason]);
        }
        let collector_errors = IntCounterVec::new(
            Opts::new("edge_source_errors_total", "Failed reads, by source and kind."),
            &["source", "kind"],
        )?;
        registry.register(Box::new(failures.clone()))?;
        registry.register(Box::new(collector_errors.clone()))?;
        Ok(Self {
            failures,
            collector_errors,
        })
    }

    /// Counts a failed read. The first one of a collector brings the series of all kinds: of most collectors nothing ever fails, and their
    /// zeros would be a fifth of all series of a device.
    pub fn collector_failed(&self, collector: &str, kind: ErrorKind) {
        for kind in ErrorKind::ALL {
            self.collector_errors.with_label_values(&[collector, kind.name()]);
        }
        self.collector_errors.with_label_values(&[collector, kind.name()]).inc();
        self.failures.with_label_values(&[kind.name()]).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_failures_count_from_0_and_those_of_a_collector_once_one_happens() {
        let registry = Registry::new();
        let counters = Counters::new(&registry).unwrap();
        let series = || -> Vec<usize> {
            registry
                .gather()
                .iter()
                .map(|family| family.get_metric().len())
                .collect()
        };
        assert_eq!(series(), [6]);
        counters.collector_failed("hwmon", ErrorKind::Io);
        assert_eq!(series(), [5, 6]);
    }
}
