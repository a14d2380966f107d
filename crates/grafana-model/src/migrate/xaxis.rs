//! A `graph` whose x axis is no time: bars for series, or a histogram.

use serde_json::{Map, Value, json};

/// Turns it into a bar chart or a histogram. False: its x axis is the time.
pub fn migrate(panel: &mut Map<String, Value>) -> bool {
    let axis = panel.get("xaxis").cloned().unwrap_or_default();
    let unit = panel
        .get("yaxes")
        .and_then(|axes| axes.pointer("/0/format"))
        .cloned()
        .unwrap_or_else(|| json!("short"));
    let legend =
        json!({"showLegend": panel.get("legend").and_then(|legend| legend.get("show")) != Some(&json!(false))});
    let (kind, options) = match axis.get("mode").and_then(Value::as_str) {
        Some("histogram") => (
            "histogram",
            json!({"bucketCount": axis["buckets"], "legend": legend, "combine": false}),
        ),
        Some("series") => {
            let calc = match axis.pointer("/values/0").and_then(Value::as_str) {
                Some("avg") => "mean",
                Some("total") | None => "sum",
                Some("current") => "lastNotNull",
                Some(other) => other,
            };
            let reduce = json!({"id": "reduce", "options": {"reducers": [calc]}});
            let transformations = panel.entry("transformations").or_insert_with(|| json!([]));
            if let Some(list) = transformations.as_array_mut() {
                list.push(reduce);
            }
            ("barchart", json!({"xField": "Field", "legend": {"showLegend": false}}))
        }
        _ => return false,
    };
    panel.insert("type".to_owned(), kind.into());
    panel.insert("options".to_owned(), options);
    panel.insert(
        "fieldConfig".to_owned(),
        json!({"defaults": {"unit": unit}, "overrides": []}),
    );
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::panel;

    #[test]
    fn a_graph_without_times_becomes_bars() {
        let bars = panel(
            json!({"type": "graph", "xaxis": {"mode": "series", "values": ["avg"]}, "yaxes": [{"format": "bytes"}], "targets": []}),
        );
        assert_eq!(
            (bars.kind().name(), &*bars.field_config.defaults.unit),
            ("barchart", "bytes")
        );
        assert_eq!(bars.transformations[0].options["reducers"], json!(["mean"]));
        let counted = panel(json!({"type": "graph", "xaxis": {"mode": "histogram", "buckets": 9}, "targets": []}));
        assert_eq!(counted.kind().name(), "histogram");
        assert_eq!(
            panel(json!({"type": "graph", "xaxis": {"mode": "time"}})).kind().name(),
            "timeseries"
        );
    }
}
