//! What Prometheus says of alerts, of any time: a test cannot wait for a day.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::upstream::{Reply, Upstream};

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis() as i64
}

/// An alert that fires from one time to another, in milliseconds since 1970.
#[derive(Clone)]
pub struct Alert {
    pub name: String,
    pub severity: &'static str,
    pub since: i64,
    pub until: i64,
}

/// Alerts, and a Prometheus that knows them.
pub struct Story {
    pub upstream: Upstream,
    alerts: Arc<Mutex<Vec<Alert>>>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Answers with this status instead.
    trouble: Option<u16>,
    is_history_gone: bool,
    began: i64,
}

/// Time between two evaluations, in milliseconds.
const INTERVAL: i64 = 15_000;

impl Story {
    /// Rules are evaluated every second as they say, and samples are stored every 15 s.
    pub fn new(alerts: Vec<Alert>) -> Self {
        let alerts = Arc::new(Mutex::new(alerts));
        let state = Arc::new(Mutex::new(State::default()));
        let (told, known) = (Arc::clone(&alerts), Arc::clone(&state));
        let upstream = Upstream::start(move |target| {
            let state = known.lock().unwrap();
            match state.trouble {
                Some(status) => Reply::Json(status, r#"{"status":"error","error":"not now"}"#.to_owned()),
                None => Reply::Json(200, answer(target, &told.lock().unwrap(), &state)),
            }
        });
        Self {
            upstream,
            alerts,
            state,
        }
    }

    pub fn set(&self, alerts: Vec<Alert>) {
        *self.alerts.lock().unwrap() = alerts;
    }

    /// From now on Prometheus answers with this status.
    pub fn fail(&self, status: Option<u16>) {
        self.state.lock().unwrap().trouble = status;
    }

    /// Prometheus has started now, with nothing stored.
    pub fn restart_without_history(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_history_gone = true;
        state.began = now();
    }
}

fn number(target: &str, before: &str, after: &str) -> f64 {
    let rest = target.split(before).nth(1).unwrap();
    rest.split(after).next().unwrap().parse().unwrap()
}

fn labels(alert: &Alert) -> serde_json::Value {
    json!({"alertname": alert.name, "severity": alert.severity, "site": "barn"})
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

fn answer(target: &str, alerts: &[Alert], state: &State) -> String {
    let now = now();
    let data = if target.starts_with("/api/v1/alerts") {
        let firing = alerts.iter().filter(|alert| (alert.since..=alert.until).contains(&now));
        let firing: Vec<_> = firing
            .map(|alert| {
                json!({
                    "labels": labels(alert), "state": "firing", "activeAt": time(alert.since), "value": "1e+00",
                    "annotations": {"summary": format!("{} in barn", alert.name), "description": "It is 1.", "remedy": "Mend it."},
                })
            })
            .collect();
        json!({"alerts": firing})
    } else if target.starts_with("/api/v1/rules") {
        let rules: Vec<_> = alerts
            .iter()
            .map(|alert| {
                json!({
                    "name": alert.name, "type": "alerting", "health": "ok", "duration": 0, "query": "x > 1", "alerts": [],
                    "labels": {"severity": alert.severity}, "lastEvaluation": time(now), "state": "inactive",
                    "annotations": {"summary": format!("{} in {{{{ $labels.site }}}}", alert.name), "remedy": "Mend it."},
                })
            })
            .collect();
        json!({"groups": [{"name": "g", "file": "f", "interval": 1, "rules": rules}]})
    } else if target.starts_with("/api/v1/status/runtimeinfo") {
        json!({"lastConfigTime": time(state.began), "storageRetention": "12h"})
    } else {
        let width = number(&target.replace("%5B", "["), "}[", "ms") as i64;
        let until = (number(target, "time=", "&") * 1000.0).round() as i64;
        return history(alerts, until - width, until, state);
    };
    json!({"status": "success", "data": data}).to_string()
}

fn history(alerts: &[Alert], after: i64, until: i64, state: &State) -> String {
    let mut series = Vec::new();
    for alert in alerts.iter().filter(|_| !state.is_history_gone) {
        let mut values = String::new();
        let mut sample = alert.since;
        while sample <= alert.until.min(until) {
            if sample > after {
                let comma = if values.is_empty() { "" } else { "," };
                let _ = write!(values, "{comma}[{}.{:03},\"1\"]", sample / 1000, sample % 1000);
            }
            sample += INTERVAL;
        }
        if !values.is_empty() {
            let mut metric = labels(alert);
            metric["__name__"] = json!("ALERTS");
            metric["alertstate"] = json!("firing");
            series.push(format!(r#"{{"metric":{metric},"values":[{values}]}}"#));
        }
    }
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
        series.join(",")
    )
}
