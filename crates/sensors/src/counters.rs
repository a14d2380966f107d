//! What is counted of reads. These survive a reload; readings come from the sampler.

use prometheus::{IntCounterVec, Opts, Registry};

use crate::error::ErrorKind;

/// `sensor_failed_events_total{reason="cpu_spike"}`.
pub const CPU_SPIKE: &str = "cpu_spike";

/// The counters of the sampler.
pub struct Counters {
    /// Failures by reason.
    pub failures: IntCounterVec,
    source_errors: IntCounterVec,
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
        let source_errors = IntCounterVec::new(
            Opts::new("edge_source_errors_total", "Failed reads, by source and kind."),
            &["source", "kind"],
        )?;
        registry.register(Box::new(failures.clone()))?;
        registry.register(Box::new(source_errors.clone()))?;
        Ok(Self {
            failures,
            source_errors,
        })
    }

    /// Makes the series of a source's errors, so that `rate()` sees the first one.
    pub fn expect_source(&self, source: &str) {
        for kind in ErrorKind::ALL {
            self.source_errors.with_label_values(&[source, kind.name()]);
        }
    }

    /// Counts a failed read.
    pub fn source_failed(&self, source: &str, kind: ErrorKind) {
        self.source_errors.with_label_values(&[source, kind.name()]).inc();
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
            counters.expect_source(name);
        }
        assert_eq!(registry.gather().len(), 2);
    }
}
