//! Writes a page of panels with made-up data to standard output, to look at: `cargo run --example panels -- [light|dark] > panels.html`,
//! or with the argument `svg` the same as a picture. Every kind, and what is hard to draw: gaps, no data, one point, hostile names.

use std::sync::Arc;

use edgewatch_charts as draw;
use edgewatch_grafana_model::data::{Data, Field, Frame, Values};
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_grafana_model::model::{ColorMode, FieldOptions, Panel};
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::time::{TimeRange, Zone};
use edgewatch_grafana_model::variables::Variables;
use edgewatch_grafana_model::{color, display, support};
use serde_json::{Value, json};

const RANGE: TimeRange = TimeRange {
    from: 1_778_675_000.0,
    to: 1_778_675_000.0 + 6.0 * 3600.0,
};
const POINTS: usize = 240;
const HOSTILE: &str = "<script>alert(1)</script> \"quoted\" & 'single' \u{202e}rtl שלום";

fn main() {
    let theme = std::env::args().nth(1).unwrap_or_default();
    let scope = Scope {
        range: RANGE,
        variables: Variables::default(),
        min_step: 15_000,
        now: None,
        zone: Zone::UTC,
        dashboard: "Panels".to_owned(),
        deadline: Deadline::default(),
    };
    let panels: Vec<(Panel, Data)> = panels()
        .into_iter()
        .enumerate()
        .map(|(id, (panel, data))| (Panel { id: id as u32, ..panel }, data))
        .collect();
    for kind in support::PANELS.iter().filter(|kind| **kind != "row") {
        assert!(
            panels.iter().any(|(panel, _)| panel.kind().name() == *kind),
            "no panel of the kind {kind}"
        );
    }
    if theme == "svg" {
        return print!("{}", picture(&panels, &scope));
    }
    println!(
        "<!DOCTYPE html><html lang=en data-theme=\"{theme}\"><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><style>{PAGE}{}</style><main>",
        draw::css()
    );
    for (panel, data) in &panels {
        let inside = draw::html(panel, data, &scope).into_string();
        let (w, h) = (panel.grid_pos.w, panel.grid_pos.h * 38 - 8);
        println!(
            "<section style=\"grid-column:span {w};height:{h}px\"><h2>{}</h2><div class=inside>{inside}</div></section>",
            panel.title
        );
        eprintln!("{} {}: {} bytes", panel.kind().name(), panel.title, inside.len());
    }
}

fn picture(panels: &[(Panel, Data)], scope: &Scope) -> String {
    let mut y = 0;
    let mut drawn = String::new();
    for (panel, data) in panels {
        let (width, height) = (panel.grid_pos.w * 40, panel.grid_pos.h * 38 - 40);
        let inside = draw::picture(panel, data, scope, width, height, true).into_string();
        drawn += &format!(
            "<g transform=\"translate(10 {y})\"><text fill=\"#ccc\" y=\"20\">{}</text><g transform=\"translate(0 28)\">{inside}</g></g>",
            panel.title
        );
        y += height + 40;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"{y}\" font-family=\"sans-serif\"><rect width=\"100%\" height=\"100%\" fill=\"#181b1f\"/>{drawn}</svg>"
    )
}

const PAGE: &str = ":root{--text:#24292e;--soft:#5b6167;--border:#24292e1f;--panel:#fff;--page:#f4f5f5;color-scheme:light}
:root[data-theme=dark]{--text:#ccccdc;--soft:#9fa3ad;--border:#ccccdc1f;--panel:#181b1f;--page:#111217;color-scheme:dark}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--text);font:14px/1.5 Inter,system-ui,sans-serif}
main{display:grid;grid-template-columns:repeat(24,minmax(0,1fr));gap:8px;padding:8px}
section{display:flex;flex-direction:column;background:var(--panel);border:1px solid var(--border);border-radius:2px;min-width:0}
h2{margin:0;padding:0 8px;font-size:14px;font-weight:500;line-height:32px}.inside{flex:1;min-height:0;padding:0 8px 8px}
@media(max-width:767px){main{grid-template-columns:minmax(0,1fr)}section{grid-column:1!important}}";

/// A panel of `kind` with `series`, each a name and its values.
fn made(
    kind: &str,
    title: &str,
    (w, h): (u32, u32),
    options: Value,
    defaults: Value,
    series: Vec<(String, Vec<f64>)>,
) -> (Panel, Data) {
    let json = json!({"type": kind, "title": title, "gridPos": {"w": w, "h": h}, "options": options, "fieldConfig": {"defaults": defaults}});
    let panel: Panel = serde_json::from_value(json).expect("a panel");
    let all = || {
        series
            .iter()
            .flat_map(|(_, values)| values.iter().copied())
            .filter(|value| value.is_finite())
    };
    let range = Some((
        all().fold(f64::INFINITY, f64::min),
        all().fold(f64::NEG_INFINITY, f64::max),
    ))
    .filter(|(from, _)| from.is_finite());
    let options = Arc::new(FieldOptions {
        range,
        ..panel.field_config.defaults.clone()
    });
    let frames = series.into_iter().enumerate().map(|(index, (name, values))| {
        let times = (0..values.len())
            .map(|at| RANGE.from + (RANGE.to - RANGE.from) * at as f64 / (values.len().max(2) - 1) as f64);
        let time = Field {
            name: "Time".to_owned(),
            values: Values::times(times),
            ..Field::default()
        };
        let last = values.last().copied().unwrap_or(f64::NAN);
        let color = display::color_of(&options, last).unwrap_or_else(|| color::palette(index));
        let number = Field {
            name: name.clone(),
            values: Values::numbers(values),
            options: options.clone(),
            color,
            ..Field::default()
        };
        Frame {
            name,
            ref_id: "A".to_owned(),
            fields: vec![time, number],
            ..Frame::default()
        }
    });
    let data = Data {
        frames: frames.collect(),
        range: RANGE,
        ..Data::default()
    };
    (panel, data)
}

/// A wave with some noise, always the same.
fn wave(seed: usize, middle: f64, swing: f64) -> Vec<f64> {
    let mut noise = (seed as u32).wrapping_mul(2_654_435_761);
    let value = |at: usize| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let jitter = f64::from(noise >> 16) / 65_536.0 - 0.5;
        middle + swing * ((at as f64 / 25.0 + seed as f64).sin() + 0.3 * jitter)
    };
    (0..POINTS).map(value).collect()
}

fn waves(count: usize, middle: f64, swing: f64) -> Vec<(String, Vec<f64>)> {
    (0..count)
        .map(|index| {
            (
                format!("sensor {index}"),
                wave(index, middle * (1.0 + index as f64 / 3.0), swing),
            )
        })
        .collect()
}

fn with_gaps(mut values: Vec<f64>) -> Vec<f64> {
    for at in (60..90).chain(120..121).chain(122..130) {
        values[at] = f64::NAN;
    }
    values
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn panels() -> Vec<(Panel, Data)> {
    let line = |fill: u32| json!({"color": {"mode": "palette-classic"}, "custom": {"fillOpacity": fill}});
    let legend = json!({"legend": {"displayMode": "list", "placement": "bottom", "showLegend": true}});
    let with = |mut value: Value, more: Value| {
        for (key, more) in more.as_object().cloned().unwrap_or_default() {
            value[key] = more;
        }
        value
    };
    let custom = |custom: Value| json!({"color": {"mode": "palette-classic"}, "custom": custom});
    let thresholds = json!({"mode": "absolute", "steps": [{"color": "green", "value": null}, {"color": "orange", "value": 60}, {"color": "red", "value": 85}]});
    let value = |unit: &str| json!({"unit": unit, "color": {"mode": "thresholds"}, "thresholds": thresholds});
    let background = json!({"colorMode": "background", "graphMode": "none"});
    let mib = 1024.0 * 1024.0;
    vec![
        made(
            "stat",
            "One",
            (4, 4),
            background.clone(),
            value("percent"),
            vec![("cpu".to_owned(), wave(1, 50.0, 20.0))],
        ),
        made(
            "stat",
            "Sparkline",
            (4, 4),
            json!({"colorMode": "value", "graphMode": "area"}),
            value("celsius"),
            waves(1, 50.0, 20.0),
        ),
        made(
            "stat",
            "Text",
            (4, 4),
            background,
            with(
                value("none"),
                json!({"mappings": [{"type": "range", "options": {"from": 0, "to": 1000, "result": {"text": "not synchronised", "color": "orange"}}}]}),
            ),
            waves(1, 50.0, 20.0),
        ),
        made(
            "stat",
            "Several",
            (8, 4),
            json!({"colorMode": "value", "graphMode": "area"}),
            value("bytes"),
            waves(4, 30.0 * mib, mib),
        ),
        made("stat", "Nothing", (4, 4), json!({}), value("s"), vec![]),
        made(
            "timeseries",
            "One series",
            (8, 8),
            legend.clone(),
            with(line(5), json!({"unit": "percent", "min": 0, "max": 100})),
            waves(1, 50.0, 20.0),
        ),
        made(
            "timeseries",
            "Bytes",
            (8, 8),
            legend.clone(),
            with(line(10), json!({"unit": "bytes", "min": 0})),
            waves(3, 30.0 * mib, mib),
        ),
        made(
            "timeseries",
            "Gaps",
            (8, 8),
            legend.clone(),
            with(line(20), json!({"unit": "s"})),
            vec![("gaps".to_owned(), with_gaps(wave(3, 100.0, 90.0)))],
        ),
        made(
            "timeseries",
            "Stacked",
            (8, 8),
            legend.clone(),
            custom(json!({"fillOpacity": 60, "stacking": {"mode": "normal"}})),
            waves(4, 10.0, 3.0),
        ),
        made(
            "timeseries",
            "Stacked to 100 %",
            (8, 8),
            legend.clone(),
            custom(json!({"fillOpacity": 80, "lineWidth": 0, "stacking": {"mode": "percent"}})),
            waves(4, 10.0, 3.0),
        ),
        made(
            "timeseries",
            "Bars",
            (8, 8),
            legend.clone(),
            custom(json!({"drawStyle": "bars", "fillOpacity": 100})),
            vec![(
                "events".to_owned(),
                wave(1, 3.0, 4.0).into_iter().step_by(8).map(f64::round).collect(),
            )],
        ),
        made(
            "timeseries",
            "Smooth, gradient, points",
            (8, 8),
            legend.clone(),
            custom(
                json!({"lineInterpolation": "smooth", "lineWidth": 2, "gradientMode": "opacity", "fillOpacity": 60, "showPoints": "always"}),
            ),
            vec![("few".to_owned(), wave(1, 3.0, 4.0).into_iter().step_by(16).collect())],
        ),
        made(
            "timeseries",
            "Steps, dashes, thresholds",
            (8, 8),
            legend.clone(),
            json!({"unit": "celsius", "color": {"mode": "palette-classic"}, "thresholds": thresholds, "custom": {"lineInterpolation": "stepAfter", "lineStyle": {"fill": "dash", "dash": [8, 8]}, "thresholdsStyle": {"mode": "line+area"}}}),
            vec![("few".to_owned(), wave(1, 60.0, 40.0).into_iter().step_by(16).collect())],
        ),
        made(
            "timeseries",
            "Logarithmic",
            (8, 8),
            legend.clone(),
            custom(json!({"scaleDistribution": {"type": "log", "log": 10}})),
            vec![(
                "growth".to_owned(),
                (0..POINTS).map(|at| (at as f64 / 20.0).exp()).collect(),
            )],
        ),
        made(
            "timeseries",
            "Negative, with a title of the axis",
            (8, 8),
            legend.clone(),
            custom(json!({"fillOpacity": 20, "axisLabel": "difference"})),
            vec![
                ("in".to_owned(), wave(1, 30.0, 20.0)),
                ("out".to_owned(), wave(5, -30.0, 20.0)),
            ],
        ),
        made(
            "timeseries",
            "Constant 0",
            (8, 8),
            legend.clone(),
            with(line(5), json!({"unit": "percentunit"})),
            vec![("idle".to_owned(), vec![0.0; POINTS])],
        ),
        made(
            "timeseries",
            "One point",
            (8, 8),
            legend.clone(),
            line(5),
            vec![(
                "once".to_owned(),
                [vec![f64::NAN; 100], vec![5.0], vec![f64::NAN; 100]].concat(),
            )],
        ),
        made("timeseries", "Nothing", (8, 8), legend.clone(), line(5), vec![]),
        made(
            "timeseries",
            "Nothing, with words",
            (8, 8),
            legend.clone(),
            with(line(5), json!({"noValue": "no sensor"})),
            vec![],
        ),
        made(
            "timeseries",
            "Tiny range",
            (8, 8),
            legend.clone(),
            with(line(5), json!({"unit": "volt"})),
            vec![("rail".to_owned(), wave(1, 3.3, 0.0004))],
        ),
        made(
            "timeseries",
            "Huge range",
            (8, 8),
            legend.clone(),
            line(5),
            vec![
                ("big".to_owned(), wave(1, 1e15, 1e15)),
                ("small".to_owned(), wave(2, 1.0, 1.0)),
            ],
        ),
        made(
            "timeseries",
            "Hostile names",
            (8, 8),
            legend.clone(),
            line(5),
            vec![
                (HOSTILE.to_owned(), wave(1, 3.0, 1.0)),
                ("x".repeat(200), wave(2, 3.0, 1.0)),
            ],
        ),
        made("timeseries", "Fifty", (12, 8), legend, line(0), waves(50, 10.0, 3.0)),
        made(
            "timeseries",
            "Table",
            (12, 8),
            json!({"legend": {"displayMode": "table", "placement": "right", "showLegend": true, "calcs": ["lastNotNull", "mean", "max"]}}),
            with(line(10), json!({"unit": "reqps"})),
            waves(4, 10.0, 3.0),
        ),
        made(
            "table",
            "Table",
            (12, 8),
            json!({}),
            json!({"unit": "celsius", "thresholds": thresholds, "custom": {"cellOptions": {"type": "color-background"}}}),
            vec![("hot".to_owned(), vec![50.0, 70.0, 90.0, f64::NAN])],
        ),
        made(
            "gauge",
            "One",
            (4, 6),
            json!({}),
            with(value("percent"), json!({"min": 0, "max": 100})),
            waves(1, 50.0, 20.0),
        ),
        made(
            "gauge",
            "Several",
            (8, 6),
            json!({"showThresholdLabels": true}),
            with(value("celsius"), json!({"min": 0, "max": 120})),
            waves(3, 50.0, 20.0),
        ),
        made(
            "bargauge",
            "Basic",
            (6, 6),
            json!({"displayMode": "basic", "orientation": "horizontal"}),
            value("celsius"),
            waves(4, 40.0, 20.0),
        ),
        made(
            "bargauge",
            "Retro",
            (6, 6),
            json!({"displayMode": "lcd", "orientation": "horizontal"}),
            with(value("celsius"), json!({"min": 0, "max": 100})),
            waves(4, 40.0, 20.0),
        ),
        made(
            "bargauge",
            "Gradient",
            (6, 6),
            json!({"displayMode": "gradient", "orientation": "vertical"}),
            with(value("percent"), json!({"min": 0, "max": 100})),
            waves(6, 30.0, 20.0),
        ),
        made(
            "bargauge",
            "Many",
            (6, 6),
            json!({"displayMode": "gradient", "orientation": "horizontal"}),
            value("short"),
            waves(20, 40.0, 20.0),
        ),
        made(
            "state-timeline",
            "States",
            (12, 6),
            json!({"showValue": "auto", "legend": {"showLegend": true, "displayMode": "list"}}),
            states(),
            vec![
                (
                    "edge_hwmon_alarm fan1".to_owned(),
                    with_gaps(wave(1, 0.5, 0.8))
                        .iter()
                        .map(|value| value.round().clamp(0.0, 1.0))
                        .collect(),
                ),
                (
                    "a long name of a chip that does not fit beside it".to_owned(),
                    vec![0.0; POINTS],
                ),
            ],
        ),
        made(
            "heatmap",
            "Counted here",
            (12, 8),
            json!({"calculate": true, "color": {"scheme": "Oranges", "mode": "scheme"}}),
            json!({"unit": "s"}),
            waves(8, 5.0, 3.0),
        ),
        made(
            "heatmap",
            "Buckets",
            (12, 8),
            json!({"color": {"scheme": "Viridis", "mode": "scheme"}}),
            json!({"unit": "s"}),
            ["0.005", "0.01", "0.025", "0.05", "0.1", "+Inf"]
                .iter()
                .enumerate()
                .map(|(index, le)| {
                    (
                        (*le).to_owned(),
                        wave(index, 4.0, 5.0).into_iter().map(|value| value.max(0.0)).collect(),
                    )
                })
                .collect(),
        ),
        made(
            "text",
            "Words",
            (6, 6),
            json!({"mode": "markdown", "content": "## What this is\n\nSome **bold** words and a [link](https://example.org), `code`, <b>no tag</b>.\n\n- one\n- two\n\n| a | b |\n| - | - |\n| 1 | 2 |"}),
            json!({}),
            vec![],
        ),
        made(
            "text",
            "HTML",
            (6, 6),
            json!({"mode": "html", "content": "<h3>Title</h3><p>A paragraph</p><script>alert(1)</script>"}),
            json!({}),
            vec![],
        ),
        made(
            "table",
            "Gauges",
            (6, 6),
            json!({}),
            json!({"unit": "percent", "min": 0, "max": 100, "thresholds": thresholds, "custom": {"cellOptions": {"type": "gauge"}}}),
            vec![("use".to_owned(), vec![50.0, 70.0, 90.0, f64::NAN])],
        ),
        made(
            "stat",
            "Hostile",
            (6, 4),
            json!({"colorMode": "background"}),
            value("short"),
            vec![
                (HOSTILE.to_owned(), wave(1, 3.0, 1.0)),
                ("y".repeat(200), wave(1, 3.0, 1.0)),
            ],
        ),
        made(
            "stat",
            "Twelve",
            (12, 6),
            json!({"colorMode": "value", "graphMode": "none"}),
            value("bytes"),
            waves(12, 3e9, 1e8),
        ),
        made(
            "stat",
            "Below each other",
            (6, 6),
            json!({"colorMode": "background_solid", "orientation": "horizontal"}),
            value("percent"),
            waves(3, 60.0, 10.0),
        ),
        rows(
            "barchart",
            "Bars",
            (12, 8),
            json!({"showValue": "auto", "legend": {"showLegend": true, "displayMode": "list"}}),
            json!({"unit": "bytes"}),
        ),
        rows(
            "barchart",
            "Stacked, lying",
            (12, 8),
            json!({"orientation": "horizontal", "stacking": "normal", "showValue": "auto", "legend": {"showLegend": true, "displayMode": "table", "placement": "right", "calcs": ["sum", "max"]}}),
            json!({"unit": "bytes"}),
        ),
        made(
            "piechart",
            "Shares",
            (8, 8),
            json!({"pieType": "donut", "displayLabels": ["percent", "name"], "legend": {"showLegend": true, "displayMode": "table", "placement": "right", "values": ["value", "percent"]}}),
            json!({"unit": "watt", "color": {"mode": "palette-classic"}}),
            waves(7, 10.0, 3.0),
        ),
        made(
            "histogram",
            "How often",
            (8, 8),
            json!({"combine": false, "legend": {"showLegend": true, "displayMode": "list"}}),
            with(line(50), json!({"unit": "celsius"})),
            waves(2, 50.0, 20.0),
        ),
        made(
            "status-history",
            "History",
            (8, 8),
            json!({"showValue": "auto", "legend": {"showLegend": true, "displayMode": "list"}}),
            states(),
            (0..4)
                .map(|index| {
                    (
                        format!("link {index}"),
                        wave(index, 0.5, 0.8)
                            .iter()
                            .step_by(12)
                            .map(|value| value.round().clamp(0.0, 1.0))
                            .collect(),
                    )
                })
                .collect(),
        ),
        rows("alertlist", "Alerts", (8, 6), json!({}), json!({})),
        rows("dashlist", "Dashboards", (4, 6), json!({}), json!({})),
        rows(
            "table",
            "Links, bars and a footer",
            (12, 8),
            json!({"sortBy": [{"displayName": "read", "desc": true}], "footer": {"show": true, "reducer": ["sum"]}}),
            json!({"unit": "bytes", "thresholds": thresholds, "links": [{"title": "See ${__data.fields.device}", "url": "/d/x?var-device=${__data.fields.device}"}],
                "custom": {"cellOptions": {"type": "gauge"}}}),
        ),
    ]
}

/// A panel of a table: a name and two numbers in each row.
fn rows(kind: &str, title: &str, size: (u32, u32), options: Value, defaults: Value) -> (Panel, Data) {
    let (panel, mut data) = made(kind, title, size, options, defaults, vec![]);
    let names = [
        "mmcblk0",
        "mmcblk0p1",
        "mmcblk0p2",
        "nvme0n1",
        "a very long name of a disk in a cabinet",
        "sda",
    ];
    let (least, greatest) = (0.0, 9.0 * 1024.0 * 1024.0);
    let options = Arc::new(FieldOptions {
        range: Some((least, greatest)),
        color: ColorMode {
            mode: "palette-classic".to_owned(),
            ..ColorMode::default()
        },
        ..panel.field_config.defaults.clone()
    });
    let numbers = |name: &str, place: usize, factor: f64| Field {
        options: Arc::clone(&options),
        color: color::palette(place),
        ..Field::new(
            name,
            Values::numbers((1..=names.len()).rev().map(|row| row as f64 * factor)),
        )
    };
    let device = Field {
        options: Arc::clone(&options),
        ..Field::new("device", Values::texts(names.map(str::to_owned)))
    };
    data.frames = vec![Frame {
        fields: vec![device, numbers("read", 0, 1.5e6), numbers("written", 1, 4e5)],
        ..Frame::default()
    }];
    (panel, data)
}

fn states() -> Value {
    json!({"color": {"mode": "thresholds"}, "custom": {"fillOpacity": 70}, "mappings": [{"type": "value", "options": {"0": {"text": "quiet", "color": "green", "index": 0}, "1": {"text": "alarm", "color": "red", "index": 1}}}]})
}
