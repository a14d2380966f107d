//! The panel `singlestat`, which `stat` and `gauge` replaced in Grafana 7, and the first versions of these.

use serde_json::{Map, Value, json};

use super::{map_range, map_value, text};

/// Turns a panel `singlestat` into `stat`, or into `gauge` if it shows one.
pub fn migrate(panel: &mut Map<String, Value>) {
    let flag = |path: &str| {
        let mut parts = path.split('/');
        let first = parts.next().and_then(|part| panel.get(part));
        parts
            .fold(first, |value, part| value.and_then(|value| value.get(part)))
            .and_then(Value::as_bool)
            .unwrap_or(false)
    };
    let is_gauge = flag("gauge/show");
    let calc = match panel.get("valueName").and_then(Value::as_str).unwrap_or("avg") {
        "current" => "lastNotNull",
        "total" => "sum",
        "avg" => "mean",
        other => other,
    };
    let shows_name = calc == "name";
    let calc = if shows_name { "lastNotNull" } else { calc };
    let mut defaults = Map::new();
    defaults.insert("unit".to_owned(), unit(panel));
    defaults.insert(
        "decimals".to_owned(),
        panel.get("decimals").cloned().unwrap_or_default(),
    );
    defaults.insert("noValue".to_owned(), panel.get("nullText").cloned().unwrap_or_default());
    defaults.insert("mappings".to_owned(), mappings(panel));
    let colored = flag("colorValue") || flag("colorBackground") || is_gauge;
    if let Some(steps) = steps(panel).filter(|_| colored) {
        defaults.insert("thresholds".to_owned(), json!({"mode": "absolute", "steps": steps}));
    }
    if is_gauge {
        for (new, old) in [("min", "minValue"), ("max", "maxValue")] {
            let limit = panel.get("gauge").and_then(|gauge| gauge.get(old)).cloned();
            defaults.insert(new.to_owned(), limit.filter(Value::is_number).unwrap_or_default());
        }
    }
    let mut options = json!({"reduceOptions": {"values": false, "calcs": [calc], "fields": ""}});
    let more = if is_gauge {
        json!({"showThresholdLabels": flag("gauge/thresholdLabels"), "showThresholdMarkers": flag("gauge/thresholdMarkers")})
    } else {
        json!({
            "colorMode": if flag("colorBackground") { "background" } else if flag("colorValue") { "value" } else { "none" },
            "graphMode": if flag("sparkline/show") { "area" } else { "none" },
            "textMode": if shows_name { "name" } else { "value" },
        })
    };
    if let (Some(options), Value::Object(more)) = (options.as_object_mut(), more) {
        options.extend(more);
    }
    panel.insert("type".to_owned(), if is_gauge { "gauge" } else { "stat" }.into());
    panel.insert("options".to_owned(), options);
    panel.insert("fieldConfig".to_owned(), json!({"defaults": defaults, "overrides": []}));
}

/// The unit, or what stands before or behind the number, where there is none.
fn unit(panel: &Map<String, Value>) -> Value {
    let unit = text(panel.get("format"));
    let (prefix, postfix) = (text(panel.get("prefix")), text(panel.get("postfix")));
    match unit.as_str() {
        "" | "none" | "short" if !postfix.trim().is_empty() => format!("suffix:{}", postfix.trim()).into(),
        "" | "none" | "short" if !prefix.trim().is_empty() => format!("prefix:{prefix}").into(),
        _ => unit.into(),
    }
}

/// `"70,90"` with three colours.
fn steps(panel: &Map<String, Value>) -> Option<Vec<Value>> {
    let colors = panel.get("colors")?.as_array()?;
    let limits = text(panel.get("thresholds"));
    let limits = limits.split(',').filter_map(|limit| limit.trim().parse::<f64>().ok());
    let values = std::iter::once(None).chain(limits.map(Some));
    Some(
        values
            .zip(colors)
            .map(|(value, color)| json!({"value": value, "color": color}))
            .collect(),
    )
}

fn mappings(panel: &Map<String, Value>) -> Value {
    let list = |name: &str| panel.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    match panel.get("mappingType").and_then(Value::as_u64) {
        Some(2) => list("rangeMaps").iter().map(map_range).collect(),
        _ => list("valueMaps").iter().map(map_value).collect(),
    }
}

/// `options.fieldOptions` of the first stats, gauges and bar gauges, where newer ones have `fieldConfig`.
pub fn field_options(panel: &mut Map<String, Value>) {
    let Some(options) = panel.get_mut("options").and_then(Value::as_object_mut) else {
        return;
    };
    let Some(Value::Object(mut old)) = options.remove("fieldOptions") else {
        return;
    };
    let reduce = json!({"values": old.get("values"), "calcs": old.get("calcs"), "limit": old.get("limit")});
    options.entry("reduceOptions").or_insert(reduce);
    let mut defaults = match old.remove("defaults") {
        Some(Value::Object(defaults)) => defaults,
        _ => Map::new(),
    };
    for name in ["mappings", "thresholds"] {
        if let Some(value) = old.remove(name) {
            defaults.entry(name).or_insert(value);
        }
    }
    // A list of limits is older than the object with a mode; the first limit was minus infinity, which JSON writes as null.
    if let Some(Value::Array(steps)) = defaults.get("thresholds") {
        let thresholds = json!({"mode": "absolute", "steps": steps});
        defaults.insert("thresholds".to_owned(), thresholds);
    }
    let overrides = old.remove("overrides").unwrap_or_else(|| json!([]));
    panel
        .entry("fieldConfig")
        .or_insert(json!({"defaults": defaults, "overrides": overrides}));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dashboard, Panel};
    use crate::panel::PanelKind;
    use crate::panel::stat::GraphMode;

    fn panel(json: Value) -> Panel {
        let text = json!({"panels": [json]}).to_string();
        Dashboard::parse(&text).unwrap().panels.remove(0)
    }

    #[test]
    fn a_singlestat_becomes_a_stat() {
        let panel = panel(
            json!({"type": "singlestat", "format": "percent", "valueName": "current", "colorValue": true, "thresholds": "85,95",
            "colors": ["green", "orange", "red"], "sparkline": {"show": true}, "nullText": "?", "mappingType": 1,
            "valueMaps": [{"op": "=", "value": "null", "text": "N/A"}, {"op": "=", "value": "1", "text": "up"}]}),
        );
        let options = &panel.field_config.defaults;
        assert_eq!(
            (panel.kind().name(), &*options.unit, options.no_value.as_deref()),
            ("stat", "percent", Some("?"))
        );
        let steps: Vec<_> = options
            .thresholds
            .steps
            .iter()
            .map(|step| (step.value, &*step.color))
            .collect();
        assert_eq!(steps, [(None, "green"), (Some(85.0), "orange"), (Some(95.0), "red")]);
        let PanelKind::Stat(stat) = panel.kind() else {
            panic!("{:?}", panel.kind())
        };
        assert_eq!((options.mappings.len(), stat.graph_mode), (2, GraphMode::Area));
        assert_eq!(stat.reduce.calcs, Some(vec!["lastNotNull".to_owned()]));
        let nothing = crate::display::number(options, crate::data::NULL);
        assert_eq!(nothing.text, "N/A");
    }

    #[test]
    fn or_a_gauge() {
        let panel = panel(
            json!({"type": "singlestat", "gauge": {"show": true, "minValue": 0, "maxValue": 10}, "postfix": " widgets"}),
        );
        let options = &panel.field_config.defaults;
        assert_eq!(
            (panel.kind().name(), options.min, options.max),
            ("gauge", Some(0.0), Some(10.0))
        );
        assert_eq!(options.unit, "suffix:widgets");
    }

    #[test]
    fn field_options_become_the_fields_configuration() {
        let panel = panel(
            json!({"type": "gauge", "options": {"fieldOptions": {"calcs": ["max"], "defaults": {"unit": "s", "max": 5},
            "thresholds": [{"value": null, "color": "green", "index": 0}, {"value": 3, "color": "red", "index": 1}]}}}),
        );
        let options = &panel.field_config.defaults;
        assert_eq!(
            (&*options.unit, options.max, options.thresholds.steps.len()),
            ("s", Some(5.0), 2)
        );
        assert_eq!(panel.kind().reduce().unwrap().calcs, Some(vec!["max".to_owned()]));
    }
}
