//! What is asked: `datasource`.

use serde::Deserialize;
use serde_json::Value;

/// The data source that a panel, query or variable names: an object with `type` and `uid`, its name in old dashboards, or nothing.
/// There is one for each query: what nobody asks of it is not kept.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "Value")]
pub enum Datasource {
    /// None is named: the panel's, or the default.
    #[default]
    Unnamed,
    /// Prometheus, or what the dashboard leaves open.
    Prometheus,
    /// Another one, which cannot be asked.
    Other(String),
}

impl From<Value> for Datasource {
    fn from(value: Value) -> Self {
        match &value {
            Value::String(name) => match name.as_str() {
                "-- Grafana --" | "-- Dashboard --" | "grafana" => Self::Other(name.clone()),
                _ => Self::Prometheus,
            },
            Value::Object(fields) => {
                let field = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default();
                match (field("type"), field("uid")) {
                    ("", uid @ ("-- Grafana --" | "-- Dashboard --" | "grafana")) => Self::Other(uid.to_owned()),
                    // A variable decides which one.
                    (kind, _) if kind.starts_with('$') => Self::Prometheus,
                    ("", _) | (_, "-- Mixed --") | ("datasource", "") => Self::Prometheus,
                    (kind, _) if speaks_promql(kind) => Self::Prometheus,
                    ("datasource", uid) => Self::Other(uid.to_owned()),
                    (kind, _) => Self::Other(kind.to_owned()),
                }
            }
            Value::Null => Self::Unnamed,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => Self::Prometheus,
        }
    }
}

/// The kinds of data sources that are asked PromQL. What Prometheus does not know of a query, it refuses in words.
fn speaks_promql(kind: &str) -> bool {
    matches!(
        kind,
        "prometheus"
            | "victoriametrics-metrics-datasource"
            | "victoriametrics-datasource"
            | "grafana-amazonprometheus-datasource"
            | "grafana-azureprometheus-datasource"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_is_asked_promql_is_prometheus() {
        for named in [
            json!({"type": "victoriametrics-metrics-datasource", "uid": "x"}),
            json!({"type": "grafana-amazonprometheus-datasource"}),
            json!({"type": "prometheus", "uid": "${DS_PROMETHEUS}"}),
            json!("Thanos"),
        ] {
            assert_eq!(Datasource::from(named.clone()), Datasource::Prometheus, "{named}");
        }
        let loki = Datasource::from(json!({"type": "loki", "uid": "prometheus"}));
        assert_eq!(loki, Datasource::Other("loki".to_owned()));
    }
}
