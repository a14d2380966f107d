//! `edge_forward_*`: what was sent, and how old what was not is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntCounter, IntCounterVec, Opts, Registry};

use edgewatch_outbound::clock;
use edgewatch_outbound::failure::Kind;

/// The metrics, which outlive a reload of the settings.
pub struct Counters {
    registry: Registry,
    /// Samples that the centre took, repeats included.
    pub sent: IntCounter,
    /// Samples that the centre refused for good.
    pub refused: IntCounter,
    /// Bytes of the bodies of requests that the centre answered with 2xx or 400, compressed.
    pub bytes: IntCounter,
    failed: IntCounterVec,
    age: Gauge,
    delay: Gauge,
    retention: Gauge,
    /// Milliseconds since 1970; `i64::MIN` before it is known.
    sent_until: AtomicI64,
}

impl Counters {
    /// All at 0, with every kind of failure.
    ///
    /// # Errors
    /// None in practice: the names are constants that a test registers.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let sent = IntCounter::new(
            "edge_forward_samples_sent_total",
            "Samples that the centre took; those sent again after a fault count again.",
        )?;
        let refused = IntCounter::new(
            "edge_forward_samples_refused_total",
            "Samples of requests that the centre refused for good, which are passed over.",
        )?;
        let bytes = IntCounter::new(
            "edge_forward_sent_bytes_total",
            "Bytes of the requests' bodies that the centre answered, compressed.",
        )?;
        let failed = IntCounterVec::new(
            Opts::new(
                "edge_forward_requests_failed_total",
                "What could not be forwarded and is tried again, by kind.",
            ),
            &["kind"],
        )?;
        for kind in Kind::ALL {
            failed.with_label_values(&[kind.name()]);
        }
        let age = Gauge::new(
            "edge_forward_oldest_unsent_age_seconds",
            "Age of the oldest sample that the centre may not have.",
        )?;
        let delay = Gauge::new(
            "edge_forward_delay_seconds",
            "Age that the oldest unsent sample reaches where nothing is wrong: a window and its lag.",
        )?;
        let retention = Gauge::new(
            "edge_forward_retention_seconds",
            "How long the local Prometheus keeps what is not sent, by time; absent if only its size is limited.",
        )?;
        retention.set(f64::NAN);
        for counter in [&sent, &refused, &bytes] {
            registry.register(Box::new(counter.clone()))?;
        }
        registry.register(Box::new(failed.clone()))?;
        for gauge in [&age, &delay, &retention] {
            registry.register(Box::new(gauge.clone()))?;
        }
        Ok(Self {
            registry,
            sent,
            refused,
            bytes,
            failed,
            age,
            delay,
            retention,
            sent_until: AtomicI64::new(i64::MIN),
        })
    }

    /// Counts a failure.
    pub fn failed(&self, kind: Kind) {
        self.failed.with_label_values(&[kind.name()]).inc();
    }

    /// That the centre has everything up to this time, in milliseconds since 1970.
    pub fn set_sent_until(&self, time: i64) {
        self.sent_until.store(time, Ordering::Relaxed);
    }

    /// How old a sample may become before it is sent.
    pub fn set_delay(&self, delay: Duration) {
        self.delay.set(delay.as_secs_f64());
    }

    /// How long the history is kept.
    pub fn set_retention(&self, seconds: f64) {
        self.retention.set(seconds);
    }

    /// The families. The age is that of this moment, so that it grows whatever has become of the thread that sends.
    pub fn gather(&self) -> Vec<MetricFamily> {
        let age = match self.sent_until.load(Ordering::Relaxed) {
            i64::MIN => f64::NAN,
            time => clock::wall_ms().saturating_sub(time).max(0) as f64 / 1000.0,
        };
        self.age.set(age);
        let mut families = self.registry.gather();
        // What is not known yet is absent, and so is a time that has no end.
        families.retain(|family| {
            !family
                .get_metric()
                .iter()
                .any(|metric| !metric.get_gauge().get_value().is_finite())
        });
        families
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(families: &[MetricFamily], name: &str) -> f64 {
        let family = families.iter().find(|family| family.name() == name).unwrap();
        family.get_metric()[0].get_gauge().get_value()
    }

    #[test]
    fn failures_begin_at_zero_and_the_age_grows_by_itself() {
        let counters = Counters::new().unwrap();
        let families = counters.gather();
        let failed = families
            .iter()
            .find(|family| family.name() == "edge_forward_requests_failed_total")
            .unwrap();
        assert_eq!(failed.get_metric().len(), Kind::ALL.len());
        assert!(
            families
                .iter()
                .all(|family| family.name() != "edge_forward_oldest_unsent_age_seconds")
        );
        counters.set_sent_until(clock::wall_ms() - 3_600_000);
        let age = value(&counters.gather(), "edge_forward_oldest_unsent_age_seconds");
        assert!((3600.0..3660.0).contains(&age), "{age}");
        // A clock that was set back.
        counters.set_sent_until(clock::wall_ms() + 3_600_000);
        assert_eq!(value(&counters.gather(), "edge_forward_oldest_unsent_age_seconds"), 0.0);
    }
}
