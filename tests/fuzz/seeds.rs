//! Where mutations begin: the shipped dashboards, one with everything that is drawn, texts that have a meaning somewhere, and what
//! Prometheus answers.

use serde_json::{Value, json};

use super::random::Random;

/// Names of members that are read.
pub const NAMES: &[&str] = &[
    "type",
    "title",
    "targets",
    "panels",
    "options",
    "fieldConfig",
    "defaults",
    "overrides",
    "mappings",
    "thresholds",
    "steps",
    "unit",
    "decimals",
    "min",
    "max",
    "custom",
    "transformations",
    "id",
    "gridPos",
    "repeat",
    "collapsed",
    "expr",
    "legendFormat",
    "format",
    "interval",
    "intervalFactor",
    "instant",
    "range",
    "refId",
    "timeFrom",
    "timeShift",
    "maxDataPoints",
    "content",
    "mode",
    "regex",
    "query",
    "multi",
    "includeAll",
    "allValue",
    "current",
    "sort",
    "rows",
    "reduceOptions",
    "calcs",
    "values",
    "legend",
    "color",
    "fixedColor",
    "displayName",
    "noValue",
    "fieldMinMax",
    "stacking",
    "matcher",
    "properties",
    "yBuckets",
    "calculate",
    "filter",
];

/// Texts that mean something to somebody.
pub const TEXTS: &[&str] = &[
    "",
    "$x",
    "${x}",
    "${x:csv}",
    "[[x]]",
    "$__all",
    "$__interval",
    "$__rate_interval",
    "${__field.labels.host}",
    "${",
    "[[",
    "{{",
    "{{host}}",
    "{{}}",
    "/(.*)/",
    "/(/",
    "(a{1,90}){1,9}",
    "/^(?<text>.*)$/g",
    "[^[]",
    "\\",
    "/",
    "\u{0}",
    "\u{1b}[31m",
    "\u{fffe}",
    "\u{202e}",
    "ä",
    "🌡",
    "<script>",
    "</svg>",
    "&amp;",
    "]]>",
    "'",
    "\"",
    "`",
    "now",
    "now-1h",
    "now/d",
    "1d/d",
    "5s",
    "1e9s",
    "0s",
    "-1m",
    "1M",
    "NaN",
    "+Inf",
    "null",
    "true",
    "timeseries",
    "stat",
    "gauge",
    "bargauge",
    "table",
    "state-timeline",
    "heatmap",
    "text",
    "row",
    "graph",
    "singlestat",
    "table-old",
    "time_series",
    "percentunit",
    "bytes",
    "s",
    "ms",
    "dateTimeAsIso",
    "time:YYYY",
    "suffix:x",
    "prefix:y",
    "short",
    "none",
    "currencyEUR",
    "lastNotNull",
    "mean",
    "p95",
    "p100",
    "range",
    "delta",
    "distinctCount",
    "palette-classic",
    "continuous-GrYlRd",
    "thresholds",
    "fixed",
    "shades",
    "red",
    "#123",
    "rgba(1,2,3,.4)",
    "transparent",
    "organize",
    "reduce",
    "reduceFields",
    "merge",
    "joinByField",
    "groupBy",
    "calculateField",
    "renameByRegex",
    "sortBy",
    "limit",
    "labelsToFields",
    "seriesToRows",
    "concatenate",
    "convertFieldType",
    "filterByValue",
    "byName",
    "byRegexp",
    "byValue",
    "byFrameRefID",
    "A",
    "B",
    "Value",
    "Time",
    "Field",
    "host",
    "label_values(up, host)",
    "query_result(up)",
    "metrics(.*)",
    "up",
    "linear",
    "log",
    "normal",
    "percent",
    "area",
    "dashed",
    "bars",
    "points",
    "line",
    "smooth",
    "stepAfter",
    "background",
    "auto",
    "horizontal",
    "vertical",
    "| a | b |\n| - | - |\n| 1 |",
    "# x\n\n* [a](javascript:x) ![b](c)\n",
    "`",
    "***",
    "-- Mixed --",
    "prometheus",
    "loki",
    "utc",
    "browser",
    "Europe/Berlin",
];

pub fn dashboards() -> Vec<Value> {
    let shipped = edgewatch_dashboards::library::SHIPPED.map(|shipped| serde_json::from_str(shipped.json).unwrap());
    let kinds = [
        "timeseries",
        "stat",
        "gauge",
        "bargauge",
        "table",
        "state-timeline",
        "heatmap",
        "text",
        "row",
        "graph",
        "singlestat",
    ];
    let of_kind = |kind: &&str| {
        json!({"panels": [{"id": 1, "type": kind, "title": "$x ${y:csv}", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}, "repeat": "x",
            "targets": [{"refId": "A", "expr": "rate(a{host=~\"$x\"}[$__rate_interval])", "legendFormat": "{{host}} {{le}}"},
                {"refId": "A", "expr": "b", "format": "heatmap", "intervalFactor": 3},
                {"refId": "B", "expr": "c", "format": "table", "instant": true, "interval": "1m"}],
            "options": {"content": "# $x", "mode": "markdown", "legend": {"calcs": ["mean", "p95"], "displayMode": "table"},
                "reduceOptions": {"values": false, "calcs": ["lastNotNull", "max"], "limit": 30}, "calculate": true, "sortBy": [{"displayName": "host", "desc": true}]},
            "fieldConfig": {"defaults": {"unit": "bytes", "decimals": 1, "min": 0, "fieldMinMax": true, "displayName": "${__field.labels.host}",
                    "color": {"mode": "thresholds"}, "thresholds": {"mode": "percentage", "steps": [{"color": "green"}, {"color": "red", "value": 80}]},
                    "mappings": [{"type": "value", "options": {"1": {"text": "one", "color": "red"}}}, {"type": "regex", "options": {"pattern": "/h(.*)/", "result": {"text": "$1"}}},
                        {"type": "range", "options": {"from": 0, "to": 2, "result": {"text": "few"}}}, {"type": "special", "options": {"match": "null+nan", "result": {"text": "-"}}}],
                    "custom": {"stacking": {"mode": "percent"}, "drawStyle": "line", "fillOpacity": 20, "scaleDistribution": {"type": "log", "log": 2}, "thresholdsStyle": {"mode": "area"}}},
                "overrides": [{"matcher": {"id": "byRegexp", "options": "/h1/"}, "properties": [{"id": "unit", "value": "s"}, {"id": "custom.axisPlacement", "value": "right"}]}]},
            "transformations": [{"id": "calculateField", "options": {"mode": "reduceRow", "reduce": {"reducer": "sum"}}}, {"id": "limit", "options": {"limitField": 5}}]}],
            "templating": {"list": [{"name": "x", "type": "query", "query": "label_values(up, host)", "multi": true, "includeAll": true, "sort": 3},
                {"name": "y", "type": "custom", "query": "a,b : c,$x"}, {"name": "z", "type": "interval", "query": "1m,1h", "auto": true}]}})
    };
    let transformed = |id: &&str| {
        json!({"panels": [{"id": 1, "type": "table", "gridPos": {"w": 24, "h": 9}, "targets": [{"refId": "A", "expr": "a", "format": "table"}, {"refId": "B", "expr": "b"}],
            "transformations": [{"id": id, "options": {"reducers": ["max", "mean"], "mode": "columns", "byField": "host",
                "fields": {"host": {"operation": "groupby"}, "Value": {"operation": "aggregate", "aggregations": ["sum"]}}}}, {"id": "merge"}, {"id": "organize", "options": {"renameByName": {"host": "Host"}}}]}]})
    };
    let transformations = [
        "reduce",
        "merge",
        "joinByField",
        "groupBy",
        "labelsToFields",
        "seriesToRows",
        "concatenate",
        "sortBy",
    ];
    let small = json!({"panels": [{"type": "timeseries", "targets": [{"refId": "A", "expr": "a", "format": "heatmap", "intervalFactor": 9_007_199_254_740_992_i64},
        {"refId": "A", "expr": "a"}]}]});
    let old = json!({"rows": [{"title": "r", "showTitle": true, "height": "250px", "panels": [{"id": 1, "type": "graph", "span": 6, "stack": true, "yaxes": [{"format": "bytes", "logBase": 10}],
        "seriesOverrides": [{"alias": "/h/", "yaxis": 2}], "thresholds": [{"value": 1, "op": "gt", "fill": true}], "targets": [{"refId": "A", "expr": "a"}]}]}]});
    shipped
        .into_iter()
        .chain(kinds.iter().map(of_kind))
        .chain(transformations.iter().map(transformed))
        .chain([small, old])
        .collect()
}

/// Status and body of what a Prometheus might answer, and sometimes of what none would.
pub fn answer(asked: &str, random: &mut Random) -> (u16, String) {
    let parameter = |name: &str| -> Option<f64> {
        let (_, rest) = asked.split_once(&format!("&{name}="))?;
        rest.split('&').next()?.parse().ok()
    };
    let number = |random: &mut Random| match random.below(20) {
        0 => "NaN".to_owned(),
        1 => "+Inf".to_owned(),
        2 => "-Inf".to_owned(),
        3 => "1e308".to_owned(),
        4 => "-0".to_owned(),
        5 => "5e-324".to_owned(),
        _ => (random.below(1000) as f64 / 8.0 - 10.0).to_string(),
    };
    let data = if let (Some(start), Some(end), Some(step)) = (parameter("start"), parameter("end"), parameter("step")) {
        let mut series = Vec::new();
        for index in 0..random.below(8) {
            let mut values = Vec::new();
            let mut time = start;
            while time <= end && values.len() < 2000 {
                if !random.one_of(10) {
                    values.push(json!([time, number(random)]));
                }
                time += step;
            }
            series.push(json!({"metric": labels(index, random), "values": values}));
        }
        result("matrix", &series)
    } else if asked.starts_with("/api/v1/query") {
        let samples: Vec<Value> = (0..random.below(8))
            .map(|index| json!({"metric": labels(index, random), "value": [1, number(random)]}))
            .collect();
        result("vector", &samples)
    } else if asked.starts_with("/api/v1/series") {
        let series: Vec<Value> = (0..random.below(8)).map(|index| labels(index, random)).collect();
        json!(series).to_string()
    } else {
        let values: Vec<&str> = (0..random.below(8)).map(|_| *random.choose(TEXTS)).collect();
        json!(values).to_string()
    };
    let warning = json!([*random.choose(TEXTS)]);
    let body = format!("{{\"status\":\"success\",\"data\":{data},\"warnings\":{warning}}}");
    if random.one_of(30) {
        let error = json!({"status": "error", "errorType": "bad_data", "error": *random.choose(TEXTS)});
        return (400, error.to_string());
    }
    // Rarely: after an answer that is none, nothing is asked for 3 s.
    if !random.one_of(10_000) {
        return (200, body);
    }
    let end = random.below(body.len());
    let end = (0..=end).rev().find(|end| body.is_char_boundary(*end)).unwrap_or(0);
    (200, body[..end].to_owned())
}

/// `resultType` comes first, as Prometheus writes it.
fn result(kind: &str, items: &[Value]) -> String {
    format!("{{\"resultType\":\"{kind}\",\"result\":{}}}", json!(items))
}

fn labels(index: usize, random: &mut Random) -> Value {
    let mut labels = json!({"__name__": "a", "host": format!("h{index}")});
    if random.one_of(3) {
        labels["le"] = json!(*random.choose(&["0.5", "1", "+Inf", "x", "NaN"]));
    }
    if random.one_of(6) {
        labels[*random.choose(TEXTS)] = json!(*random.choose(TEXTS));
    }
    labels
}
