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

    /// Creates the series of a collector's errors at 0, so that `rate()` sees the first one. Not for hardware that is absent, of which there is
    /// much on every device.
    pub fn init_collector(&self, collector: &str) {
        for kind in ErrorKind::ALL {
            self.collector_errors.with_label_values(&[collector, kind.name()]);
        }
    }

    /// Counts a failed read.
    pub fn collector_failed(&self, collector: &str, kind: ErrorKind) {
        self.collector_errors.with_label_values(&[collector, kind.name()]).inc();
        self.failures.with_label_values(&[kind.name()]).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors;

    #[test]
    fn every_counter_can_be_registered() {
        let registry = Registry::new();
        let counters = Counters::new(&registry).unwrap();
        for name in collectors::names() {
            counters.init_collector(name);
        }
        assert_eq!(registry.gather().len(), 2);
    }
}
