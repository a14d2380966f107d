//! What a person is asked for when a dashboard is imported: `__inputs`.

use serde_json::Value;

use crate::limits;

/// Puts constants, which a person is asked for when the dashboard is imported, where they are used: `${VAR_NAME}`.
pub fn migrate(dashboard: &mut Value) {
    let inputs = dashboard
        .get("__inputs")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let constants: Vec<(String, String)> = inputs
        .iter()
        .filter(|input| input.get("type").and_then(Value::as_str) == Some("constant"))
        .filter_map(|input| {
            Some((
                format!("${{{}}}", input.get("name")?.as_str()?),
                input.get("value")?.as_str()?.to_owned(),
            ))
        })
        .collect();
    if !constants.is_empty() {
        replace(dashboard, &constants);
    }
}

fn replace(value: &mut Value, constants: &[(String, String)]) {
    match value {
        Value::String(text) if text.contains("${") => *text = with_constants(text, constants),
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, constants)),
        Value::Object(fields) => fields.values_mut().for_each(|value| replace(value, constants)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `text` with its constants. What they hold is not looked through again: it could grow without end.
fn with_constants(text: &str, constants: &[(String, String)]) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${").filter(|_| replaced.len() <= limits::TEXT) {
        let (before, here) = rest.split_at(at);
        replaced.push_str(before);
        let found = constants.iter().find(|(name, _)| here.starts_with(name.as_str()));
        let (by, length) = found.map_or(("${", 2), |(name, constant)| (constant.as_str(), name.len()));
        replaced.push_str(by);
        rest = here.get(length..).unwrap_or_default();
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::dashboard;

    #[test]
    fn constants_of_an_export_are_put_in() {
        let dashboard = dashboard(
            json!({"__inputs": [{"type": "constant", "name": "VAR_JOB", "value": "node"}],
            "panels": [{"type": "stat", "targets": [{"expr": "up{job=\"${VAR_JOB}\"}"}]}]}),
        );
        assert_eq!(dashboard.panels[0].targets[0].expr, "up{job=\"node\"}");
    }
}
