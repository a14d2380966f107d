//! A look at Prometheus: what fires now, what fired since the last look, and what has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use edgewatch_outbound::failure::{Failure, Kind};
use edgewatch_prometheus_client::Client;
use edgewatch_prometheus_client::alerts::{Alert, AlertRule};
use edgewatch_prometheus_client::error::{Error, RequestError};
use edgewatch_prometheus_client::labels::Labels;
use edgewatch_prometheus_client::prometheus::Prometheus;

use crate::alert::{Matcher, Severity, Words};
use crate::ledger::{Evaluation, Ledger, Rules, is_silenced};
use crate::template;

/// Time for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Milliseconds after which the samples of an evaluation are stored.
const LAG: i64 = 5_000;
/// Milliseconds of the history that are read at once, and at least where it has too many alerts.
const WINDOW: i64 = 3_600_000;
const MIN_WINDOW: i64 = 60_000;
/// Milliseconds back to which is told what fired: a person wants to know of a week, not of a year.
pub const LONGEST: i64 = 7 * 24 * 3_600_000;
/// Milliseconds without Prometheus after which that is told by itself.
const ABSENCE: i64 = 5 * 60_000;

/// The local Prometheus.
pub struct Source {
    prometheus: Prometheus,
    silence: Vec<Matcher>,
    /// Since when it does not answer: milliseconds since 1970.
    absent_since: Option<i64>,
}

impl Source {
    /// The server at `base`, without the alerts that `silence` means.
    ///
    /// # Errors
    /// `base` is no address.
    pub fn new(base: &str, silence: Vec<Matcher>) -> Result<Self, Failure> {
        let client = Client::new(base).map_err(|error| Failure::new(Kind::Source, error))?;
        Ok(Self {
            prometheus: Prometheus::new(client.with_timeout(TIMEOUT)),
            silence,
            absent_since: None,
        })
    }

    /// Brings the ledger up to date. Whether Prometheus has evaluated its rules for long enough to know what has ended.
    ///
    /// # Errors
    /// Prometheus cannot be read. After five minutes of that the ledger has an alert about it.
    pub fn look(&mut self, ledger: &mut Ledger, now: i64) -> Result<bool, Failure> {
        let looked = self.read(ledger, now);
        match &looked {
            Ok(_) => self.absent_since = None,
            Err(_) => {
                let since = self.absent_since.map_or(now, |since| since.min(now));
                self.absent_since = Some(since);
                let (labels, words) = absence();
                if now - since >= ABSENCE && !is_silenced(&self.silence, &labels) {
                    ledger.fires(&labels, since, now, Some(&words), now);
                }
            }
        }
        looked.map_err(|error| Failure::new(Kind::Source, error))
    }

    fn read(&self, ledger: &mut Ledger, now: i64) -> Result<bool, Error> {
        self.read_history(ledger, now)?;
        self.prometheus.alerts(&mut |alert| {
            if alert.state == "pending" {
                ledger.pends(&alert.labels, alert.active_at);
            } else if alert.state == "firing" && !is_silenced(&self.silence, &alert.labels) {
                let words = Words::new(|name| alert.annotations.get(name).map(ToOwned::to_owned), &alert.labels);
                // A clock that was set back since.
                ledger.fires(&alert.labels, alert.active_at.min(now), now, Some(&words), now);
            }
        })?;
        ledger.looked(now);
        let wanted = ledger.needs_rules_of(now);
        if wanted.is_empty() {
            return Ok(true);
        }
        let mut rules = Known {
            rules: BTreeMap::new(),
            began: self.prometheus.began()?,
        };
        self.prometheus.alert_rules(&mut |rule| {
            if wanted.contains(&rule.name) {
                rules.rules.entry(rule.name.clone()).or_default().push(rule);
            }
        })?;
        Ok(ledger.judge(&rules, now))
    }

    /// Reads what is stored, an hour at a time. A cursor that lies in the future, since the clock went back, is waited for.
    fn read_history(&self, ledger: &mut Ledger, now: i64) -> Result<(), Error> {
        let closed = now - LAG;
        ledger.read_until_ms = ledger.read_until_ms.max(closed - LONGEST);
        let mut window = WINDOW;
        while ledger.read_until_ms < closed {
            let after = ledger.read_until_ms;
            let until = (after + window).min(closed);
            let mut fired = |labels: Labels, times: Vec<i64>| {
                if !is_silenced(&self.silence, &labels) {
                    ledger.fired(&labels, &times, now);
                }
            };
            match self.prometheus.fired(after, until, &mut fired) {
                Ok(()) => {
                    ledger.read_until_ms = until;
                    ledger.read_part();
                }
                // More samples than it gives at once (`--query.max-samples`).
                Err(error) if is_too_much(&error) && window > MIN_WINDOW => window = (window / 2).max(MIN_WINDOW),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether its rules are evaluated, within so many milliseconds before now.
    ///
    /// # Errors
    /// Prometheus cannot be read.
    pub fn is_evaluating(&self, now: i64, within: i64) -> Result<bool, Failure> {
        let mut newest = i64::MIN;
        self.prometheus
            .alert_rules(&mut |rule| newest = newest.max(rule.last_evaluation))
            .map_err(|error| Failure::new(Kind::Source, error))?;
        Ok(newest >= now - within)
    }

    /// The worst of what fires now.
    ///
    /// # Errors
    /// Prometheus cannot be read.
    pub fn worst(&self) -> Result<Option<Severity>, Failure> {
        let mut worst = None;
        let mut each = |alert: Alert| {
            if alert.state == "firing" && !is_silenced(&self.silence, &alert.labels) {
                worst = worst.max(Some(Severity::of(alert.labels.get("severity").unwrap_or_default())));
            }
        };
        self.prometheus
            .alerts(&mut each)
            .map_err(|error| Failure::new(Kind::Source, error))?;
        Ok(worst)
    }
}

fn is_too_much(error: &Error) -> bool {
    matches!(
        error,
        Error::Request {
            source: RequestError::Status { status: 422, .. },
            ..
        }
    )
}

/// The alert that no rule can raise.
fn absence() -> (Labels, Words) {
    let labels = [("alertname", "PrometheusUnreachable"), ("severity", "critical")]
        .into_iter()
        .collect();
    let words = Words {
        summary: "Prometheus does not answer".to_owned(),
        description: "For five minutes nobody has known which alerts there are.".to_owned(),
        remedy: "Read `systemctl status prometheus` and `journalctl -b -u prometheus`; `df -h` shows a full disk."
            .to_owned(),
    };
    (labels, words)
}

/// The rules of alerts that are looked for.
struct Known {
    rules: BTreeMap<String, Vec<AlertRule>>,
    began: i64,
}

impl Known {
    /// Those of this name whose own labels the alert has, as far as they are no templates.
    fn of<'a>(&'a self, labels: &'a BTreeMap<String, String>) -> impl Iterator<Item = &'a AlertRule> {
        let named = labels.get("alertname").and_then(|name| self.rules.get(name));
        named.into_iter().flatten().filter(|rule| {
            let has = |(name, value): (&str, &str)| {
                value.contains("{{") || labels.get(name).is_some_and(|other| other == value)
            };
            rule.labels.iter().all(has)
        })
    }
}

impl Rules for Known {
    fn evaluations(&self, labels: &BTreeMap<String, String>) -> Vec<Evaluation> {
        let evaluation = |rule: &AlertRule| Evaluation {
            last: rule.last_evaluation,
            interval: rule.interval,
            is_healthy: rule.is_healthy,
        };
        self.of(labels).map(evaluation).collect()
    }

    fn words(&self, labels: &BTreeMap<String, String>) -> Option<(Words, i64)> {
        let rule = self.of(labels).next()?;
        let labels: Labels = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        let word = |name: &str| {
            rule.annotations
                .get(name)
                .and_then(|text| template::fill(text, &labels))
        };
        Some((Words::new(word, &labels), rule.hold))
    }

    fn began(&self) -> i64 {
        self.began
    }
}

#[cfg(test)]
mod tests;
