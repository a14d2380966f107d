//! The panel `graph`, which `timeseries` replaced in Grafana 8.

use serde_json::{Map, Value, json};

/// Turns a panel `graph` into `timeseries`, or into what suits another x axis than the time.
pub fn migrate(panel: &mut Map<String, Value>) {
    if super::xaxis::migrate(panel) {
        return;
    }
    let defaults = defaults(panel);
    let overrides = overrides(panel);
    panel.insert("type".to_owned(), "timeseries".into());
    panel.insert(
        "options".to_owned(),
        json!({"legend": legend(panel), "tooltip": {"mode": "multi"}}),
    );
    panel.insert(
        "fieldConfig".to_owned(),
        json!({"defaults": defaults, "overrides": overrides}),
    );
}

fn flag(fields: &Map<String, Value>, name: &str, otherwise: bool) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or(otherwise)
}

fn number(fields: &Map<String, Value>, name: &str) -> Option<f64> {
    match fields.get(name)? {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}

fn defaults(panel: &Map<String, Value>) -> Value {
    let mut defaults =
        json!({"color": {"mode": "palette-classic"}, "decimals": panel.get("decimals"), "unit": "short"});
    let mut custom = style(panel, true);
    if flag(panel, "stack", false) {
        let mode = if flag(panel, "percentage", false) {
            "percent"
        } else {
            "normal"
        };
        custom.insert("stacking".to_owned(), json!({"mode": mode, "group": "A"}));
    }
    if let Some((_, values)) = axis(panel, 0) {
        for (name, value) in values {
            match name.strip_prefix("custom.") {
                Some(name) => custom.insert(name.to_owned(), value),
                None => defaults
                    .as_object_mut()
                    .and_then(|defaults| defaults.insert(name, value)),
            };
        }
    }
    if let Some((steps, mode)) = thresholds(panel) {
        custom.insert("thresholdsStyle".to_owned(), json!({"mode": mode}));
        if let Some(defaults) = defaults.as_object_mut() {
            defaults.insert("thresholds".to_owned(), json!({"mode": "absolute", "steps": steps}));
        }
    }
    if let Some(defaults) = defaults.as_object_mut() {
        defaults.insert("custom".to_owned(), Value::Object(custom));
    }
    defaults
}

/// How lines are drawn: of the panel as a whole (everything is said), or of some series (only what differs).
fn style(fields: &Map<String, Value>, is_whole: bool) -> Map<String, Value> {
    let mut style = Map::new();
    let mut set = |name: &str, value: Value| {
        style.insert(name.to_owned(), value);
    };
    let says = |name: &str| is_whole || fields.contains_key(name);
    let lines = flag(fields, "lines", is_whole);
    if flag(fields, "bars", false) {
        set("drawStyle", "bars".into());
        set("fillOpacity", 100.into());
    } else if says("lines") && !lines && flag(fields, "points", false) {
        set("drawStyle", "points".into());
    } else if says("lines") && !lines {
        set("lineWidth", 0.into());
    }
    if says("points") {
        set(
            "showPoints",
            if flag(fields, "points", false) {
                "always"
            } else {
                "never"
            }
            .into(),
        );
    }
    if let Some(radius) = number(fields, "pointradius") {
        set("pointSize", json!(radius * 2.0 + 1.0));
    }
    if says("linewidth") && lines | !is_whole && !flag(fields, "bars", false) {
        set("lineWidth", json!(number(fields, "linewidth").unwrap_or(1.0)));
    }
    if says("fill") && !flag(fields, "bars", false) {
        set("fillOpacity", json!(number(fields, "fill").unwrap_or(1.0) * 10.0));
    }
    if number(fields, "fillGradient").is_some_and(|gradient| gradient > 0.0) {
        set("gradientMode", "opacity".into());
    }
    if flag(fields, "steppedLine", false) {
        set("lineInterpolation", "stepAfter".into());
    }
    if flag(fields, "dashes", false) {
        let length = |name| number(fields, name).unwrap_or(10.0);
        set(
            "lineStyle",
            json!({"fill": "dash", "dash": [length("dashLength"), length("spaceLength")]}),
        );
    }
    if fields.get("nullPointMode").and_then(Value::as_str) == Some("connected") {
        set("spanNulls", true.into());
    }
    style
}

/// The options of fields on the left axis (0) or the right one (1), and its unit.
fn axis(panel: &Map<String, Value>, index: usize) -> Option<(String, Map<String, Value>)> {
    let axis = panel.get("yaxes")?.get(index)?.as_object()?;
    let mut options = Map::new();
    let unit = axis.get("format").and_then(Value::as_str).unwrap_or("short").to_owned();
    options.insert("unit".to_owned(), unit.clone().into());
    for name in ["min", "max"] {
        if let Some(limit) = number(axis, name) {
            options.insert(name.to_owned(), json!(limit));
        }
    }
    if let Some(label) = axis.get("label").and_then(Value::as_str) {
        options.insert("custom.axisLabel".to_owned(), label.into());
    }
    if let Some(base) = number(axis, "logBase").filter(|base| *base > 1.0) {
        options.insert(
            "custom.scaleDistribution".to_owned(),
            json!({"type": "log", "log": base}),
        );
    }
    if !flag(axis, "show", true) {
        options.insert("custom.axisPlacement".to_owned(), "hidden".into());
    }
    Some((unit, options))
}

fn overrides(panel: &Map<String, Value>) -> Vec<Value> {
    let mut overrides = Vec::new();
    for (name, color) in panel
        .get("aliasColors")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        overrides.push(json!({"matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]}));
    }
    for old in panel
        .get("seriesOverrides")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let Some(old) = old.as_object() else { continue };
        let Some(alias) = old.get("alias").and_then(Value::as_str) else {
            continue;
        };
        let matcher = if alias.starts_with('/') { "byRegexp" } else { "byName" };
        overrides.push(json!({"matcher": {"id": matcher, "options": alias}, "properties": properties(panel, old)}));
    }
    overrides
}

fn properties(panel: &Map<String, Value>, old: &Map<String, Value>) -> Vec<Value> {
    let mut properties = Vec::new();
    let mut set = |id: &str, value: Value| properties.push(json!({"id": id, "value": value}));
    for (name, value) in style(old, false) {
        set(&format!("custom.{name}"), value);
    }
    if number(old, "yaxis") == Some(2.0) {
        for (name, value) in axis(panel, 1).map(|(_, options)| options).unwrap_or_default() {
            set(&name, value);
        }
        set("custom.axisPlacement", "right".into());
    }
    if let Some(color) = old.get("color").and_then(Value::as_str) {
        set("color", json!({"mode": "fixed", "fixedColor": color}));
    }
    if let Some(transform @ ("negative-Y" | "constant")) = old.get("transform").and_then(Value::as_str) {
        set("custom.transform", transform.into());
    }
    match old.get("stack") {
        Some(Value::Bool(false)) => set("custom.stacking", json!({"mode": "none"})),
        Some(Value::Bool(true)) => set("custom.stacking", json!({"mode": "normal", "group": "A"})),
        Some(Value::String(group)) => set("custom.stacking", json!({"mode": "normal", "group": group})),
        _ => {}
    }
    if !flag(old, "legend", true) {
        set(
            "custom.hideFrom",
            json!({"legend": true, "viz": false, "tooltip": false}),
        );
    }
    if let Some(below) = old.get("fillBelowTo").and_then(Value::as_str) {
        set("custom.fillBelowTo", below.into());
    }
    properties
}

fn legend(panel: &Map<String, Value>) -> Value {
    let empty = Map::new();
    let old = panel.get("legend").and_then(Value::as_object).unwrap_or(&empty);
    let calcs = [
        ("min", "min"),
        ("max", "max"),
        ("avg", "mean"),
        ("current", "lastNotNull"),
        ("total", "sum"),
    ];
    let calcs = calcs
        .iter()
        .filter(|(name, _)| flag(old, "values", false) && flag(old, name, false));
    let calcs: Vec<&str> = calcs.map(|(_, calc)| *calc).collect();
    json!({
        "showLegend": flag(old, "show", true),
        "displayMode": if flag(old, "alignAsTable", false) { "table" } else { "list" },
        "placement": if flag(old, "rightSide", false) { "right" } else { "bottom" },
        "calcs": calcs,
        "sortBy": old.get("sort").and_then(Value::as_str).map(|sort| match sort {
            "avg" => "Mean",
            "current" => "Last *",
            "total" => "Total",
            "min" => "Min",
            _ => "Max",
        }),
        "sortDesc": flag(old, "sortDesc", true),
    })
}

/// Steps and style of the thresholds: above a limit (`gt`) in its colour; below one (`lt`) likewise.
fn thresholds(panel: &Map<String, Value>) -> Option<(Vec<Value>, &'static str)> {
    let old: Vec<&Map<String, Value>> = panel
        .get("thresholds")?
        .as_array()?
        .iter()
        .filter_map(Value::as_object)
        .collect();
    let mut marks: Vec<(f64, bool, String)> = Vec::new();
    let (mut fills, mut lines) = (false, false);
    for threshold in old {
        let Some(value) = number(threshold, "value") else {
            continue;
        };
        let custom = threshold
            .get("fillColor")
            .or_else(|| threshold.get("lineColor"))
            .and_then(Value::as_str);
        let color = match threshold.get("colorMode").and_then(Value::as_str) {
            Some("critical") => "red",
            Some("warning") => "orange",
            Some("ok") => "green",
            _ => custom.unwrap_or("gray"),
        };
        fills |= flag(threshold, "fill", false);
        lines |= flag(threshold, "line", false);
        marks.push((
            value,
            threshold.get("op").and_then(Value::as_str) == Some("lt"),
            color.to_owned(),
        ));
    }
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mode = match (fills, lines) {
        (true, true) => "line+area",
        (true, false) => "area",
        (false, true) => "line",
        (false, false) => return None,
    };
    // The colour that ends at each limit: what lies below an `lt`, nothing below a `gt`.
    let mut steps = vec![
        json!({"value": null, "color": marks.first().filter(|mark| mark.1).map_or("transparent", |mark| &mark.2)}),
    ];
    for (index, (value, is_below, color)) in marks.iter().enumerate() {
        let next = marks
            .get(index + 1)
            .filter(|next| next.1)
            .map_or("transparent", |next| &next.2);
        steps.push(json!({"value": value, "color": if *is_below { next } else { color }}));
    }
    Some((steps, mode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dashboard, Panel};
    use crate::panel::common::LegendPlacement;

    fn panel(json: Value) -> Panel {
        let text = json!({"panels": [json]}).to_string();
        Dashboard::parse(&text).unwrap().panels.remove(0)
    }

    #[test]
    fn lines_axes_and_legend_are_kept() {
        let panel = panel(
            json!({"type": "graph", "fill": 2, "linewidth": 3, "stack": true, "nullPointMode": "connected", "decimals": 1,
            "yaxes": [{"format": "bytes", "min": "0", "max": null, "label": "used", "logBase": 2, "show": true}, {"format": "s"}],
            "legend": {"show": true, "values": true, "avg": true, "current": true, "alignAsTable": true, "rightSide": true}}),
        );
        let options = &panel.field_config.defaults;
        assert_eq!(
            (panel.kind().name(), &*options.unit, options.min, options.max),
            ("timeseries", "bytes", Some(0.0), None)
        );
        for (name, value) in [
            ("fillOpacity", json!(20.0)),
            ("lineWidth", json!(3.0)),
            ("stacking", json!({"mode": "normal", "group": "A"})),
            ("spanNulls", json!(true)),
            ("axisLabel", json!("used")),
            ("scaleDistribution", json!({"type": "log", "log": 2.0})),
            ("showPoints", json!("never")),
        ] {
            assert_eq!(options.custom.get(name), Some(&value), "{name}");
        }
        let legend = panel.kind().legend().unwrap();
        assert_eq!(legend.calcs, ["mean", "lastNotNull"]);
        assert_eq!(legend.placement, LegendPlacement::Right);
    }

    #[test]
    fn exceptions_of_series_become_overrides() {
        let panel = panel(
            json!({"type": "graph", "aliasColors": {"idle": "#ffffff"}, "yaxes": [{"format": "bps"}, {"format": "s", "min": 0}],
            "seriesOverrides": [{"alias": "/out/", "transform": "negative-Y", "fill": 0}, {"alias": "load", "yaxis": 2, "bars": true, "lines": false}]}),
        );
        let overrides = &panel.field_config.overrides;
        let ids = |index: usize| -> Vec<&str> {
            overrides[index]
                .properties
                .iter()
                .map(|property| &*property.id)
                .collect()
        };
        assert_eq!((&*overrides[0].matcher.id, ids(0)), ("byName", vec!["color"]));
        assert_eq!(
            (&*overrides[1].matcher.id, ids(1)),
            ("byRegexp", vec!["custom.fillOpacity", "custom.transform"])
        );
        assert!(
            ids(2).contains(&"unit")
                && ids(2).contains(&"custom.axisPlacement")
                && ids(2).contains(&"custom.drawStyle")
        );
    }

    #[test]
    fn thresholds_become_steps() {
        let panel = panel(json!({"type": "graph", "thresholds": [
            {"value": 90, "op": "gt", "colorMode": "critical", "fill": true, "line": true}, {"value": 10, "op": "lt", "colorMode": "warning", "line": true}]}));
        let steps = &panel.field_config.defaults.thresholds.steps;
        let steps: Vec<_> = steps.iter().map(|step| (step.value, &*step.color)).collect();
        assert_eq!(
            steps,
            [(None, "orange"), (Some(10.0), "transparent"), (Some(90.0), "red")]
        );
        assert_eq!(
            panel.field_config.defaults.custom["thresholdsStyle"],
            json!({"mode": "line+area"})
        );
    }
}
