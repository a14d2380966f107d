//! `edge_notify_*`: what was told, and since when something is not.

use std::collections::BTreeMap;
use std::sync::Mutex;

use edgewatch_outbound::clock;
use edgewatch_outbound::failure::Kind;
use edgewatch_program::lock::lock;
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, IntCounterVec, Opts, Registry};

/// The metrics, which outlive a reload of the settings.
pub struct Counters {
    registry: Registry,
    sent: IntCounterVec,
    failed: IntCounterVec,
    up: GaugeVec,
    last: GaugeVec,
    age: GaugeVec,
    /// Since when each receiver lacks something: milliseconds since 1970.
    untold_since: Mutex<BTreeMap<&'static str, Option<i64>>>,
}

impl Counters {
    /// None of a receiver yet.
    ///
    /// # Errors
    /// None in practice: the names are constants that a test registers.
    pub fn new() -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let gauge = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["receiver"]);
        let sent = counter(
            "edge_notify_messages_sent_total",
            "Messages that the receiver took; of ping, the answers of the dead man's switch.",
            &["receiver"],
        )?;
        let failed = counter(
            "edge_notify_failed_total",
            "What could not be sent to the receiver and is tried again, by kind.",
            &["receiver", "kind"],
        )?;
        let up = gauge(
            "edge_notify_up",
            "1 if the last attempt to send succeeded, 0 if it failed.",
        )?;
        let last = gauge(
            "edge_notify_last_success_timestamp_seconds",
            "When the receiver last took something, in seconds since 1970.",
        )?;
        let age = gauge(
            "edge_notify_oldest_untold_age_seconds",
            "For how long the receiver has not been told of something; 0 if it was told of everything.",
        )?;
        let registry = Registry::new();
        registry.register(Box::new(sent.clone()))?;
        registry.register(Box::new(failed.clone()))?;
        for gauge in [&up, &last, &age] {
            registry.register(Box::new(gauge.clone()))?;
        }
        Ok(Self {
            registry,
            sent,
            failed,
            up,
            last,
            age,
            untold_since: Mutex::default(),
        })
    }

    /// Begins with these receivers, whose counters are 0 if they are new; others are no longer there.
    pub fn begin(&self, receivers: &[&'static str]) {
        let mut untold = lock(&self.untold_since);
        for gone in untold.keys().filter(|name| !receivers.contains(name)) {
            // Only what is not there is not removed.
            let _ = self.sent.remove_label_values(&[gone]);
            for kind in Kind::ALL {
                let _ = self.failed.remove_label_values(&[gone, kind.name()]);
            }
            for gauge in [&self.up, &self.last, &self.age] {
                let _ = gauge.remove_label_values(&[gone]);
            }
        }
        untold.retain(|name, _| receivers.contains(name));
        for receiver in receivers {
            untold.entry(receiver).or_default();
            self.sent.with_label_values(&[receiver]);
            for kind in Kind::ALL {
                self.failed.with_label_values(&[*receiver, kind.name()]);
            }
        }
    }

    /// That a receiver took something.
    pub fn sent(&self, receiver: &str) {
        self.if_there(receiver, |_| {
            self.sent.with_label_values(&[receiver]).inc();
            self.up.with_label_values(&[receiver]).set(1.0);
            self.last
                .with_label_values(&[receiver])
                .set(clock::wall_ms() as f64 / 1000.0);
        });
    }

    /// That it did not.
    pub fn not_sent(&self, receiver: &str, kind: Kind) {
        self.failed(receiver, kind);
        self.if_there(receiver, |_| self.up.with_label_values(&[receiver]).set(0.0));
    }

    /// That something before sending failed.
    pub fn failed(&self, receiver: &str, kind: Kind) {
        self.if_there(receiver, |_| {
            self.failed.with_label_values(&[receiver, kind.name()]).inc()
        });
    }

    /// Since when a receiver lacks something: milliseconds since 1970.
    pub fn set_untold_since(&self, receiver: &str, since: Option<i64>) {
        self.if_there(receiver, |untold| *untold = since);
    }

    /// Does this for a receiver of the settings. The request of one that they no longer name may take a while to fail: what its thread says
    /// then would stay until the service ends.
    fn if_there(&self, receiver: &str, change: impl FnOnce(&mut Option<i64>)) {
        if let Some(untold) = lock(&self.untold_since).get_mut(receiver) {
            change(untold);
        }
    }

    /// The families. The ages are those of this moment, so that they grow whatever has become of the thread that sends.
    pub fn gather(&self) -> Vec<MetricFamily> {
        for (receiver, since) in &*lock(&self.untold_since) {
            let age = since.map_or(0, |since| clock::wall_ms().saturating_sub(since).max(0));
            // The dead man's switch is told of nothing.
            if *receiver != crate::ping::NAME {
                self.age.with_label_values(&[*receiver]).set(age as f64 / 1000.0);
            }
        }
        self.registry.gather()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(counters: &Counters, name: &str) -> usize {
        let families = counters.gather();
        let family = families.iter().find(|family| family.name() == name);
        family.map_or(0, |family| family.get_metric().len())
    }

    #[test]
    fn every_receiver_begins_at_zero_with_every_kind_and_ends_when_it_is_gone() {
        let counters = Counters::new().unwrap();
        counters.begin(&["ntfy", "mail"]);
        assert_eq!(count(&counters, "edge_notify_failed_total"), 2 * Kind::ALL.len());
        // Not before the first attempt.
        assert_eq!(count(&counters, "edge_notify_up"), 0);
        counters.sent("ntfy");
        counters.not_sent("mail", Kind::Tls);
        assert_eq!(count(&counters, "edge_notify_up"), 2);
        counters.begin(&["ntfy"]);
        for name in [
            "edge_notify_up",
            "edge_notify_oldest_untold_age_seconds",
            "edge_notify_messages_sent_total",
        ] {
            assert_eq!(count(&counters, name), 1, "{name}");
        }
    }

    #[test]
    fn what_a_receiver_that_is_gone_still_does_is_counted_nowhere() {
        let counters = Counters::new().unwrap();
        counters.begin(&["ntfy", "ping"]);
        let before = counters.gather().len();
        counters.begin(&[]);
        for gone in ["ntfy", "ping"] {
            counters.not_sent(gone, Kind::Timeout);
            counters.sent(gone);
            counters.set_untold_since(gone, Some(0));
        }
        assert!(before > 0 && counters.gather().is_empty(), "{:?}", counters.gather());
    }

    #[test]
    fn what_is_not_told_grows_old_by_itself() {
        let counters = Counters::new().unwrap();
        counters.begin(&["ntfy"]);
        let age = || {
            let families = counters.gather();
            let family = families.iter().find(|family| family.name().contains("untold")).unwrap();
            family.get_metric()[0].get_gauge().get_value()
        };
        assert_eq!(age(), 0.0);
        counters.set_untold_since("ntfy", Some(clock::wall_ms() - 60_000));
        assert!((60.0..120.0).contains(&age()));
        // A clock that was set back.
        counters.set_untold_since("ntfy", Some(clock::wall_ms() + 60_000));
        assert_eq!(age(), 0.0);
    }
}
