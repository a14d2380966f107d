//! What is not supported: named in its panel, never silently wrong.

use serde_json::Value;

use super::model::{Panel, Target};

/// Whether the data source that a panel, query or variable names can be asked: Prometheus, or what the dashboard leaves open.
///
/// # Errors
/// For people: another one.
pub fn datasource(datasource: &Value) -> Result<(), String> {
    let named = match datasource {
        Value::String(name) => match name.as_str() {
            "-- Grafana --" | "-- Dashboard --" | "grafana" => name,
            _ => return Ok(()),
        },
        Value::Object(fields) => {
            let field = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default();
            match (field("type"), field("uid")) {
                ("prometheus" | "", _) | (_, "-- Mixed --") => return Ok(()),
                // Variables stand for a data source of the kind they are declared for.
                ("datasource", "") => return Ok(()),
                (kind, _) => kind,
            }
        }
        _ => return Ok(()),
    };
    Err(format!("the data source {named:?} is not supported, only Prometheus"))
}

/// The kinds of panels that are drawn.
pub const PANELS: [&str; 9] = [
    "timeseries",
    "stat",
    "gauge",
    "bargauge",
    "table",
    "state-timeline",
    "heatmap",
    "text",
    "row",
];

/// What of `panel` as a whole is not supported, for people.
pub fn of_panel(panel: &Panel) -> Vec<String> {
    let mut problems = Vec::new();
    if !PANELS.contains(&panel.kind.as_str()) {
        problems.push(format!("panels of the kind {:?} are not supported", panel.kind));
    }
    problems
}

/// Whether the query `target` of `panel` can be asked.
///
/// # Errors
/// For people: another data source, or an expression of Grafana's own.
pub fn of_target(panel: &Panel, target: &Target) -> Result<(), String> {
    let of_target = &target.datasource;
    let source = if of_target.is_null() {
        &panel.datasource
    } else {
        of_target
    };
    datasource(source).map_err(|error| format!("query {}: {error}", target.ref_id))
}
