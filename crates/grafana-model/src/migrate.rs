//! Dashboards of older versions of Grafana, turned into what the model reads: rows that hold panels (before 5), the panels `graph`
//! and `singlestat`, single values with `fieldOptions` (before 7), value mappings with numbers for types (before 8). Newer ones, too.

mod graph;
mod inputs;
mod library;
mod single;
mod v2;
mod xaxis;

use serde_json::{Map, Value, json};

use super::error::DashboardError;
use super::grid::COLUMNS;

/// A row of the grid with the space below, in CSS pixels.
const ROW_HEIGHT: f64 = 38.0;

/// Whether `dashboard` needs it, judged by its text: most do not, and are spared the tree of values.
pub fn is_needed(json: &str) -> bool {
    const SIGNS: [&str; 11] = [
        "\"elements\"",
        "\"libraryPanel\"",
        "\"dataFormat\"",
        "\"rows\"",
        "\"graph\"",
        "\"singlestat\"",
        "\"fieldOptions\"",
        "\"op\"",
        "\"VAR_",
        "\"styles\"",
        "\"content\"",
    ];
    // What a text or a title contains may be wrong here, which costs time only.
    SIGNS.iter().any(|sign| json.contains(sign))
}

/// Turns the model of another Grafana into the one that is read, and says what of it is left out.
///
/// # Errors
/// There is nothing in it that could be shown.
pub fn migrate(dashboard: &mut Value) -> Result<Vec<String>, DashboardError> {
    inputs::migrate(dashboard);
    let left_out = v2::migrate(dashboard)?;
    library::migrate(dashboard);
    drop_nulls(dashboard);
    let Some(fields) = dashboard.as_object_mut() else {
        return Ok(left_out);
    };
    if let Some(Value::Array(rows)) = fields.remove("rows")
        && !fields.contains_key("panels")
    {
        fields.insert("panels".to_owned(), Value::Array(lay_rows(rows)));
    }
    if let Some(Value::Array(panels)) = fields.get_mut("panels") {
        panels.iter_mut().for_each(panel);
    }
    // What an old panel does not say, the new one must not say either.
    drop_nulls(dashboard);
    Ok(left_out)
}

/// Grafana, and the tools that write dashboards, write `null` where there is nothing.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(values) => {
            values.retain(|value| !value.is_null());
            values.iter_mut().for_each(drop_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Rows of panels whose width is in twelfths, on the grid.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn lay_rows(rows: Vec<Value>) -> Vec<Value> {
    let pixels = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim_end_matches("px").parse().ok(),
        _ => None,
    };
    let flag = |row: &Value, name: &str| row.get(name).and_then(Value::as_bool).unwrap_or(false);
    let has_rows = rows
        .iter()
        .any(|row| flag(row, "collapse") || flag(row, "showTitle") || row.get("repeat").is_some_and(Value::is_string));
    let mut laid = Vec::new();
    let mut y = 0;
    for mut row in rows {
        let height = row.get("height").and_then(pixels).unwrap_or(250.0);
        let height = (height / ROW_HEIGHT).ceil().clamp(3.0, 50.0) as u32;
        let collapsed = flag(&row, "collapse");
        let mut inside = Vec::new();
        let row_y = y;
        if has_rows {
            y += 1;
        }
        let (mut x, mut tallest) = (0, 0);
        let panels = row
            .get_mut("panels")
            .and_then(Value::as_array_mut)
            .map(std::mem::take)
            .unwrap_or_default();
        for mut panel in panels {
            let span = panel
                .get("span")
                .and_then(Value::as_f64)
                .unwrap_or(4.0)
                .clamp(1.0, 12.0);
            let width = (span * 2.0) as u32;
            let own = panel
                .get("height")
                .and_then(pixels)
                .map(|height| (height / ROW_HEIGHT).ceil().clamp(3.0, 50.0) as u32);
            if x + width > COLUMNS {
                (x, y, tallest) = (0, y + tallest, 0);
            }
            let height = own.unwrap_or(height);
            if let Some(fields) = panel.as_object_mut() {
                fields.insert("gridPos".to_owned(), json!({"x": x, "y": y, "w": width, "h": height}));
                inside.push(panel);
            }
            x += width;
            tallest = tallest.max(height);
        }
        if collapsed {
            y = row_y + 1;
        } else {
            y += tallest;
        }
        if has_rows {
            let contents = if collapsed {
                std::mem::take(&mut inside)
            } else {
                Vec::new()
            };
            laid.push(
                json!({"type": "row", "title": row.get("title"), "collapsed": collapsed, "repeat": row.get("repeat"),
                "gridPos": {"x": 0, "y": row_y, "w": COLUMNS, "h": 1}, "panels": contents}),
            );
        }
        laid.append(&mut inside);
    }
    laid
}

fn panel(panel: &mut Value) {
    let Some(fields) = panel.as_object_mut() else { return };
    if let Some(Value::Array(panels)) = fields.get_mut("panels") {
        panels.iter_mut().for_each(self::panel);
    }
    match fields.get("type").and_then(Value::as_str).unwrap_or_default() {
        "graph" => graph::migrate(fields),
        "singlestat" | "grafana-singlestat-panel" => single::migrate(fields),
        "stat" | "gauge" | "bargauge" => single::field_options(fields),
        "heatmap" if !fields.contains_key("options") => heatmap(fields),
        "text" if !fields.contains_key("options") => {
            let options = json!({"content": fields.get("content"), "mode": fields.get("mode")});
            fields.insert("options".to_owned(), options);
        }
        "table" if fields.contains_key("styles") && !fields.contains_key("fieldConfig") => {
            fields.insert("type".to_owned(), "table-old".into());
        }
        _ => {}
    }
    mappings(fields);
    numbers(fields);
}

/// Tools that write dashboards put numbers into quotes.
fn numbers(fields: &mut Map<String, Value>) {
    let defaults = fields
        .get_mut("fieldConfig")
        .and_then(|config| config.get_mut("defaults"));
    let Some(defaults) = defaults.and_then(Value::as_object_mut) else {
        return;
    };
    for name in ["min", "max", "decimals"] {
        if let Some(text) = defaults.get(name).and_then(Value::as_str) {
            let number = text.trim().parse::<f64>().ok();
            defaults.insert(name.to_owned(), json!(number));
        }
    }
}

/// The first heat maps had their options beside each other.
fn heatmap(fields: &mut Map<String, Value>) {
    let text = |path: &[&str]| {
        let (first, rest) = path.split_first()?;
        let value = rest
            .iter()
            .try_fold(fields.get(*first)?, |value, name| value.get(*name))?;
        value.as_str().map(str::to_owned)
    };
    let scheme = text(&["color", "colorScheme"]).map(|scheme| scheme.replace("interpolate", ""));
    let options = json!({
        "calculate": text(&["dataFormat"]).as_deref() != Some("tsbuckets"),
        "color": {"mode": "scheme", "scheme": scheme},
        "yAxis": {"unit": text(&["yAxis", "format"])},
    });
    fields.insert("options".to_owned(), options);
}

/// `{"type": 1, "value": "0", "text": "down"}` and `{"type": 2, "from": "1", "to": "3", "text": "up"}`.
fn mappings(fields: &mut Map<String, Value>) {
    let Some(config) = fields.get_mut("fieldConfig") else {
        return;
    };
    if let Some(list) = config.pointer_mut("/defaults/mappings").and_then(Value::as_array_mut) {
        list.iter_mut().for_each(mapping);
    }
    let overrides = config
        .get_mut("overrides")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    let properties = overrides
        .filter_map(|change| change.get_mut("properties")?.as_array_mut())
        .flatten();
    for property in properties.filter(|property| property["id"] == "mappings") {
        let list = property.get_mut("value").and_then(Value::as_array_mut);
        list.into_iter().flatten().for_each(mapping);
    }
}

/// Some have both shapes at once: a number for a type is the old one.
fn mapping(mapping: &mut Value) {
    let kind = mapping.get("type");
    if mapping.get("options").is_none() || kind.is_some_and(Value::is_number) {
        *mapping = match kind.map(Value::to_string).as_deref() {
            Some("2" | "\"range\"") => map_range(mapping),
            _ => map_value(mapping),
        };
    }
}

/// A value that has a text of its own; `null` is a word there.
fn map_value(old: &Value) -> Value {
    let value = text(old.get("value"));
    let result = json!({"text": old.get("text")});
    match value.as_str() {
        "null" => json!({"type": "special", "options": {"match": "null+nan", "result": result}}),
        value => json!({"type": "value", "options": {value: result}}),
    }
}

fn map_range(old: &Value) -> Value {
    let number = |name| text(old.get(name)).trim().parse::<f64>().ok();
    let result = json!({"text": old.get("text")});
    if ["from", "to"].iter().all(|name| text(old.get(*name)) == "null") {
        return json!({"type": "special", "options": {"match": "null+nan", "result": result}});
    }
    json!({"type": "range", "options": {"from": number("from"), "to": number("to"), "result": result}})
}

/// A text or a number as text.
fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::grid::GridPos;
    use super::super::model::{Dashboard, Mapping};
    use super::super::panel::PanelKind;
    use super::*;

    fn parse(json: Value) -> Dashboard {
        Dashboard::parse(&json.to_string()).unwrap()
    }

    #[test]
    fn rows_are_laid_on_the_grid() {
        let dashboard = parse(json!({"rows": [
            {"title": "first", "showTitle": true, "height": "250px", "panels": [
                {"id": 1, "type": "text", "span": 6}, {"id": 2, "type": "text", "span": 6}, {"id": 3, "type": "text", "span": 4}]},
            {"title": "second", "collapse": true, "height": 76, "panels": [{"id": 4, "type": "text", "span": 12, "content": "hi"}]}]}));
        let places: Vec<_> = dashboard
            .panels
            .iter()
            .map(|panel| (panel.kind().name(), panel.grid_pos))
            .collect();
        let at = |x, y, w, h| GridPos { x, y, w, h };
        assert_eq!(
            places,
            [
                ("row", at(0, 0, 24, 1)),
                ("text", at(0, 1, 12, 7)),
                ("text", at(12, 1, 12, 7)),
                ("text", at(0, 8, 8, 7)),
                ("row", at(0, 15, 24, 1)),
            ]
        );
        let inside = &dashboard.panels[4].panels[0];
        assert!(matches!(inside.kind(), PanelKind::Text(text) if text.content == "hi"));
        assert_eq!(inside.id, 4);
    }

    #[test]
    fn old_mappings_are_read() {
        let dashboard = parse(
            json!({"panels": [{"type": "stat", "fieldConfig": {"defaults": {"mappings": [
            {"type": 1, "op": "=", "value": "0", "text": "down"}, {"type": 2, "from": "1", "to": "null", "text": "up"},
            {"op": "=", "value": "null", "text": "N/A"}]}}}]}),
        );
        let mappings = &dashboard.panels[0].field_config.defaults.mappings;
        assert!(matches!(&mappings[0], Mapping::Value(results) if results["0"].text.as_deref() == Some("down")));
        assert!(matches!(
            &mappings[1],
            Mapping::Range {
                from: Some(1.0),
                to: None,
                ..
            }
        ));
        assert!(matches!(&mappings[2], Mapping::Special { r#match, .. } if r#match == "null+nan"));
    }

    #[test]
    fn old_mappings_of_overrides_are_read_and_those_of_both_shapes() {
        let both = json!({"type": 1, "value": "1", "text": "up", "options": {"from": 0, "to": 5}});
        let dashboard = parse(
            json!({"panels": [{"type": "stat", "fieldConfig": {"defaults": {"mappings": [both]}, "overrides": [
            {"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "mappings", "value": [{"type": 1, "value": "0", "text": "no"}]}]}]}}]}),
        );
        let config = &dashboard.panels[0].field_config;
        assert!(
            matches!(&config.defaults.mappings[0], Mapping::Value(results) if results["1"].text.as_deref() == Some("up"))
        );
        assert_eq!(config.overrides[0].properties[0].value[0]["options"]["0"]["text"], "no");
    }

    #[test]
    fn an_old_table_is_named_as_such() {
        assert_eq!(
            parse(json!({"panels": [{"type": "table", "styles": []}]})).panels[0]
                .kind()
                .name(),
            "table-old"
        );
    }

    #[test]
    fn null_is_nothing() {
        let dashboard = parse(
            json!({"title": null, "panels": [{"id": null, "title": null, "gridPos": null, "targets": [null]}],
            "templating": {"list": [{"name": "x", "label": null, "multi": null}]}}),
        );
        assert_eq!((dashboard.panels.len(), &*dashboard.templating.list[0].name), (1, "x"));
        assert_eq!(dashboard.panels[0].broken, None);
    }

    #[test]
    fn old_heat_maps_are_read() {
        let mut dashboard = json!({"panels": [{"type": "heatmap", "dataFormat": "tsbuckets", "color": {"colorScheme": "interpolateOranges"},
            "yAxis": {"format": "s"}}]});
        migrate(&mut dashboard).unwrap();
        let options = &dashboard["panels"][0]["options"];
        assert_eq!(
            (&options["calculate"], &options["color"]["scheme"]),
            (&json!(false), &json!("Oranges"))
        );
        assert_eq!(options["yAxis"]["unit"], "s");
    }

    #[test]
    fn numbers_in_quotes_are_numbers() {
        let dashboard = parse(
            json!({"panels": [{"type": "stat", "fieldConfig": {"defaults": {"min": "0", "max": "", "decimals": "1"}}}]}),
        );
        let options = &dashboard.panels[0].field_config.defaults;
        assert_eq!(
            (options.min, options.max, options.decimals),
            (Some(0.0), None, Some(1.0))
        );
    }
}
