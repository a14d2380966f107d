//! Alerts: those of now, the rules they come from, and those of the past (<https://prometheus.io/docs/prometheus/latest/querying/api/#alerts>).

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::error::Error;
use super::labels::Labels;
use super::prometheus::Prometheus;
use super::stream;

/// An alert that is pending or fires now.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// With `alertname`, and `severity` in our rules.
    pub labels: Labels,
    /// `summary`, `description`, `remedy` in our rules, with what their templates stand for.
    #[serde(default)]
    pub annotations: Labels,
    /// `pending` or `firing`.
    pub state: String,
    /// Since when its condition holds: milliseconds since 1970.
    #[serde(deserialize_with = "milliseconds")]
    pub active_at: i64,
}

/// A rule for alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRule {
    /// The `alertname` of its alerts.
    pub name: String,
    /// Labels that it gives them; templates as they are written.
    pub labels: Labels,
    /// Its annotations; templates as they are written.
    pub annotations: Labels,
    /// For how long its condition holds before they fire, in milliseconds.
    pub hold: i64,
    /// Time between two evaluations, in milliseconds.
    pub interval: i64,
    /// When it was last evaluated: milliseconds since 1970, long ago if it was not yet.
    pub last_evaluation: i64,
    /// Whether that succeeded.
    pub is_healthy: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    interval: f64,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
    #[serde(default)]
    duration: f64,
    #[serde(default)]
    health: String,
    #[serde(deserialize_with = "milliseconds")]
    last_evaluation: i64,
}

#[derive(Deserialize)]
struct Series {
    metric: Labels,
    #[serde(default)]
    values: Vec<(f64, IgnoredAny)>,
}

/// RFC 3339 to milliseconds since 1970.
fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
    Ok(time.as_millisecond())
}

impl Prometheus {
    /// Gives the alerts that are pending or fire to `sink`.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer as documented.
    pub fn alerts(&self, sink: &mut dyn FnMut(Alert)) -> Result<(), Error> {
        self.each("/api/v1/alerts", &[], &["data", "alerts"], sink)
    }

    /// Gives the rules for alerts to `sink`.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer as documented.
    pub fn alert_rules(&self, sink: &mut dyn FnMut(AlertRule)) -> Result<(), Error> {
        let mut groups = |group: Group| {
            for rule in group.rules.into_iter().filter(|rule| rule.kind == "alerting") {
                sink(AlertRule {
                    name: rule.name,
                    labels: rule.labels,
                    annotations: rule.annotations,
                    hold: (rule.duration * 1000.0) as i64,
                    interval: (group.interval * 1000.0) as i64,
                    last_evaluation: rule.last_evaluation,
                    is_healthy: rule.health == "ok",
                });
            }
        };
        self.each("/api/v1/rules", &[("type", "alert")], &["data", "groups"], &mut groups)
    }

    /// Gives the alerts that fired after one time and until another (milliseconds since 1970) to `sink`, with the times at which they did.
    ///
    /// # Errors
    /// It cannot be reached, does not answer as documented, or refuses so many samples with status 422.
    pub fn fired(&self, after: i64, until: i64, sink: &mut dyn FnMut(Labels, Vec<i64>)) -> Result<(), Error> {
        let query = format!(r#"ALERTS{{alertstate="firing"}}[{}ms]"#, until - after);
        let time = format!("{}.{:03}", until.div_euclid(1000), until.rem_euclid(1000));
        let mut series = |series: Series| {
            let times = series.values.iter().map(|(time, _)| (time * 1000.0).round() as i64);
            // Prometheus before 3.0 gives the sample at the left end as well.
            let times: Vec<i64> = times.filter(|time| *time > after && *time <= until).collect();
            let labels = series.metric.iter();
            let labels = labels.filter(|(name, _)| !matches!(*name, "__name__" | "alertstate"));
            if !times.is_empty() {
                sink(labels.collect(), times);
            }
        };
        let parameters = [("query", &*query), ("time", &*time)];
        self.each("/api/v1/query", &parameters, &["data", "result"], &mut series)
    }

    /// Since when it evaluates its rules: when its configuration was last loaded, which at a start is after the replay of the write-ahead
    /// log. Milliseconds since 1970.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer as documented.
    pub fn began(&self) -> Result<i64, Error> {
        self.config_time().map(Timestamp::as_millisecond)
    }

    fn each<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        list: &[&'static str],
        sink: &mut dyn FnMut(T),
    ) -> Result<(), Error> {
        let client = self.client();
        let body = client.open_ok(path, parameters)?;
        stream::at(body, list, stream::Items(sink)).map_err(|error| client.decode_error(path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_and_rules_are_read_as_prometheus_gives_them() {
        let alert: Alert = serde_json::from_str(
            r#"{"activeAt":"2018-07-04T20:27:12.60602144+02:00","annotations":{"summary":"hot"},"labels":{"alertname":"x"},
                "state":"firing","value":"1e+00"}"#,
        )
        .unwrap();
        assert_eq!((alert.active_at, &*alert.state), (1_530_728_832_606, "firing"));
        let group: Group = serde_json::from_str(
            r#"{"rules":[{"alerts":[{"x":1}],"annotations":{"summary":"High"},"duration":600,"health":"ok","labels":{"severity":"page"},
                "name":"HighRequestLatency","query":"x > 0.5","type":"alerting","lastEvaluation":"0001-01-01T00:00:00Z"}],
                "file":"/rules.yml","interval":0.5,"limit":0,"name":"example"}"#,
        )
        .unwrap();
        // Not evaluated yet.
        assert!(group.rules[0].last_evaluation < 0 && group.rules[0].duration == 600.0);
        assert!(serde_json::from_str::<Alert>(r#"{"labels":{},"state":"firing","activeAt":"now"}"#).is_err());
    }
}
