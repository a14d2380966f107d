//! Rules of the centre, evaluated by VictoriaMetrics step by step, as something that evaluates rules does while time passes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::victoria_metrics::VictoriaMetrics;

/// A rule.
pub struct Rule {
    pub name: String,
    pub expression: String,
    pub is_alert: bool,
    pub severity: String,
}

/// All of a file, in their order.
pub fn read(file: &Path) -> Vec<Rule> {
    let text = fs::read_to_string(file).unwrap();
    let file = config::File::from_str(&text, config::FileFormat::Yaml);
    let rules = config::Config::builder().add_source(file).build().unwrap();
    let rules: Value = rules.try_deserialize().unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rules
        .map(|rule| Rule {
            name: text(&rule["alert"]) + &text(&rule["record"]),
            expression: text(&rule["expr"]),
            is_alert: rule["alert"].is_string(),
            severity: text(&rule["labels"]["severity"]),
        })
        .collect()
}

/// A line of the text format.
fn line(name: &str, labels: &Value, more: &[(&str, &str)], value: f64) -> String {
    let own = labels
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (&**name, value.as_str().unwrap()));
    let labels = own.filter(|(name, _)| *name != "__name__").chain(more.iter().copied());
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{name}{{{}}} {value}\n", labels.join(","))
}

/// Evaluates rules at a time as whatever evaluates them would, and gives the alerts with the devices that they name.
pub fn evaluate<'a>(
    centre: &VictoriaMetrics,
    rules: impl Iterator<Item = &'a Rule>,
    time: i64,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut alerts = BTreeMap::<String, BTreeSet<String>>::new();
    for rule in rules {
        let mut lines = String::new();
        for (labels, value) in centre.query(&rule.expression, time) {
            if rule.is_alert {
                let more = [
                    ("alertname", &*rule.name),
                    ("alertstate", "firing"),
                    ("severity", &rule.severity),
                    ("from", "centre"),
                ];
                let more: Vec<_> = more
                    .into_iter()
                    .filter(|(name, _)| labels.get(name).is_none())
                    .collect();
                lines += &line("ALERTS", &labels, &more, 1.0);
                let edge = labels["edge"].as_str().unwrap_or_default().to_owned();
                alerts.entry(rule.name.clone()).or_default().insert(edge);
            } else {
                lines += &line(&rule.name, &labels, &[], value);
            }
        }
        if !lines.is_empty() {
            centre.import(&lines, time);
        }
        // The next one may ask for what this one records.
        if !rule.is_alert {
            centre.flush();
        }
    }
    centre.flush();
    alerts
}
