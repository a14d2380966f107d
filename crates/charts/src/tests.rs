//! What holds for every kind of panel, whatever the data is.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use edgewatch_grafana_model::data::{Data, Field, Frame, Values};
use edgewatch_grafana_model::model::{FieldOptions, Panel};
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::support;
use edgewatch_grafana_model::time::{TimeRange, Zone};
use edgewatch_grafana_model::variables::Variables;

const RANGE: TimeRange = TimeRange {
    from: 1000.0,
    to: 2000.0,
};
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u{0}\u{1b}\u{202e} &amp; ]]>";

pub fn scope() -> Scope {
    Scope {
        range: RANGE,
        variables: Variables::default(),
        min_step: 1000,
        now: None,
        zone: Zone::UTC,
        dashboard: String::new(),
        deadline: edgewatch_grafana_model::limits::Deadline::default(),
    }
}

pub fn panel(kind: &str, options: Value, defaults: Value) -> Panel {
    serde_json::from_value(json!({"type": kind, "title": "T", "gridPos": {"w": 12, "h": 8}, "options": options, "fieldConfig": {"defaults": defaults}})).unwrap()
}

/// Series with the values of `series`, in frames of their own, over the range.
pub fn data(panel: &Panel, series: &[(&str, &[f64])]) -> Data {
    let options: Arc<FieldOptions> = Arc::new(panel.field_config.defaults.clone());
    let frame = |(name, values): &(&str, &[f64])| {
        let times = (0..values.len()).map(|at| RANGE.from + 1000.0 * at as f64 / (values.len().max(2) - 1) as f64);
        let number = Field {
            name: (*name).to_owned(),
            values: Values::numbers(values.iter().copied()),
            options: options.clone(),
            color: "#73bf69".to_owned(),
            ..Field::default()
        };
        let time = Field {
            values: Values::times(times),
            ..Field::default()
        };
        Frame {
            name: (*name).to_owned(),
            fields: vec![time, number],
            ..Frame::default()
        }
    };
    Data {
        frames: series.iter().map(frame).collect(),
        range: RANGE,
        ..Data::default()
    }
}

fn both(panel: &Panel, data: &Data) -> [String; 2] {
    [
        html(panel, data, &scope()).into_string(),
        picture(panel, data, &scope(), 600, 300, true).into_string(),
    ]
}

/// The `d` of the lines of series `index` on a page.
fn line(page: &str, index: usize) -> &str {
    let group = page
        .split(&format!("<g class=\"series\" data-series=\"{index}\""))
        .nth(1)
        .unwrap();
    let group = group.split("</g>").next().unwrap();
    group.split(" d=\"").last().unwrap().split('"').next().unwrap()
}

#[test]
fn no_name_and_no_text_becomes_a_tag() {
    let mapped = json!({"mappings": [{"type": "range", "options": {"from": 0, "to": 9, "result": {"text": HOSTILE, "color": HOSTILE}}}], "custom": {"axisLabel": HOSTILE}, "unit": HOSTILE});
    for kind in support::PANELS {
        for defaults in [json!({"noValue": HOSTILE}), mapped.clone()] {
            let options = json!({"content": HOSTILE, "mode": "markdown", "legend": {"displayMode": "table", "calcs": [HOSTILE, "max"]}});
            let panel = panel(kind, options, defaults);
            for data in [
                data(&panel, &[]),
                data(&panel, &[(HOSTILE, &[1.0, 2.0]), (HOSTILE, &[f64::NAN, 3.0])]),
            ] {
                for drawn in both(&panel, &data) {
                    for tag in ["<script", "<img", "onerror=alert(1)>"] {
                        assert!(!drawn.contains(tag), "{kind}: {drawn}");
                    }
                    assert!(
                        !drawn.contains("style="),
                        "the page's policy forbids it: {kind}: {drawn}"
                    );
                }
                let picture = picture(&panel, &data, &scope(), 600, 300, false).into_string();
                assert!(
                    !picture.contains(['\0', '\u{1b}']),
                    "XML knows no such characters: {kind}: {picture}"
                );
            }
        }
    }
}

#[test]
fn a_panel_without_data_says_so() {
    for kind in support::PANELS
        .into_iter()
        .filter(|kind| !matches!(*kind, "row" | "text" | "dashlist"))
    {
        let plain = panel(kind, json!({}), json!({}));
        let words = panel(kind, json!({}), json!({"noValue": "no sensor"}));
        for (drawn, with_words) in both(&plain, &data(&plain, &[]))
            .iter()
            .zip(both(&words, &data(&words, &[])))
        {
            let nothing = if kind == "alertlist" { "No alerts" } else { "No data" };
            assert!(drawn.contains(nothing), "{kind}: {drawn}");
            assert!(with_words.contains("no sensor"), "{kind}: {with_words}");
        }
    }
}

#[test]
fn below_a_failed_query_it_is_not_said_that_there_is_no_data() {
    for kind in support::PANELS
        .into_iter()
        .filter(|kind| !matches!(*kind, "text" | "dashlist"))
    {
        let panel = panel(kind, json!({}), json!({"noValue": "no sensor"}));
        let failed = Data {
            has_failed: true,
            ..data(&panel, &[])
        };
        assert_eq!(both(&panel, &failed), ["", ""], "{kind}");
    }
}

#[test]
fn words_for_nothing_are_no_bar() {
    let panel = panel("bargauge", json!({}), json!({"noValue": "needs a sensor"}));
    let page = html(&panel, &data(&panel, &[]), &scope()).into_string();
    assert_eq!(page, "<div class=\"nothing\">needs a sensor</div>");
}

#[test]
fn odd_values_are_drawn_without_a_panic_and_without_nan() {
    let nan = f64::NAN;
    let odd: [&[f64]; 9] = [
        &[],
        &[1.0],
        &[nan],
        &[nan, nan, 1.0, nan],
        &[0.0; 5],
        &[f64::INFINITY, 1.0],
        &[f64::MAX, f64::MIN],
        &[1e-320, 2e-320],
        &[-5.0, 5.0],
    ];
    let customs = [
        json!({}),
        json!({"stacking": {"mode": "normal"}, "fillOpacity": 50}),
        json!({"stacking": {"mode": "percent"}}),
        json!({"drawStyle": "bars", "fillOpacity": 100}),
        json!({"scaleDistribution": {"type": "log", "log": 10}}),
        json!({"lineInterpolation": "smooth", "showPoints": "always"}),
        json!({"axisCenteredZero": true, "thresholdsStyle": {"mode": "line+area"}}),
        json!({"lineWidth": "x", "fillOpacity": null, "spanNulls": 5}),
    ];
    for kind in support::PANELS {
        for custom in &customs {
            for values in odd {
                let panel = panel(
                    kind,
                    json!({"calculate": true, "graphMode": "area", "displayMode": "lcd"}),
                    json!({"custom": custom}),
                );
                for drawn in both(&panel, &data(&panel, &[("a", values), ("b", &[1.0, 2.0, 3.0])])) {
                    assert!(
                        !drawn.contains("\"NaN") && !drawn.contains("inf%") && !drawn.contains("NaN%"),
                        "{kind} {custom} {values:?}: {drawn}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_gap_parts_the_line_and_a_lone_point_is_a_dot() {
    let panel = panel("timeseries", json!({}), json!({"min": 0, "max": 10}));
    let page = html(
        &panel,
        &data(&panel, &[("a", &[0.0, 10.0, f64::NAN, 5.0, f64::NAN, 0.0, 5.0])]),
        &scope(),
    )
    .into_string();
    assert!(page.contains("d=\"M0 1000l333-1000M1666 1000l334-500\""), "{page}");
    assert_eq!(line(&page, 0), "M1000 500h0");
}

#[test]
fn stacked_series_lie_upon_each_other_and_add_up() {
    let panel = panel(
        "timeseries",
        json!({}),
        json!({"min": 0, "max": 10, "custom": {"stacking": {"mode": "normal"}}}),
    );
    let page = html(
        &panel,
        &data(
            &panel,
            &[("a", &[2.0, 2.0]), ("b", &[3.0, f64::NAN]), ("c", &[5.0, 5.0])],
        ),
        &scope(),
    )
    .into_string();
    assert_eq!(line(&page, 0), "M0 800l2000 0");
    assert_eq!(line(&page, 1), "M0 500h0");
    assert_eq!(line(&page, 2), "M0 0l2000 300", "what is missing adds nothing");
}

#[test]
fn shares_add_up_to_the_whole() {
    let panel = panel(
        "timeseries",
        json!({}),
        json!({"custom": {"stacking": {"mode": "percent"}}}),
    );
    let page = html(
        &panel,
        &data(&panel, &[("a", &[1.0, 3.0]), ("b", &[3.0, 1.0])]),
        &scope(),
    )
    .into_string();
    assert_eq!(line(&page, 0), "M0 750l2000-500");
    assert_eq!(line(&page, 1), "M0 0l2000 0");
    assert!(page.contains(">100%</text>"), "{page}");
}

#[test]
fn another_unit_has_an_axis_of_its_own_at_the_right() {
    let panel = panel(
        "timeseries",
        json!({}),
        json!({"unit": "percent", "min": 0, "max": 100}),
    );
    let mut data = data(&panel, &[("a", &[50.0, 50.0]), ("b", &[50.0, 50.0])]);
    let celsius = FieldOptions {
        unit: "celsius".to_owned(),
        max: Some(200.0),
        ..panel.field_config.defaults.clone()
    };
    data.frames[1].fields[1].options = Arc::new(celsius);
    let page = html(&panel, &data, &scope()).into_string();
    assert!(
        page.contains("values right") && page.contains(">100%</text>") && page.contains(">200 °C</text>"),
        "{page}"
    );
    assert_eq!((line(&page, 0), line(&page, 1)), ("M0 500l2000 0", "M0 750l2000 0"));
}

#[test]
fn hidden_series_are_not_drawn() {
    let panel = panel("timeseries", json!({}), json!({"custom": {"hideFrom": {"viz": true}}}));
    assert!(
        html(&panel, &data(&panel, &[("a", &[1.0])]), &scope())
            .into_string()
            .contains("All series are hidden")
    );
}

#[test]
fn a_graph_of_many_points_stays_small() {
    let panel = panel("timeseries", json!({}), json!({"custom": {"fillOpacity": 10}}));
    let noise: Vec<f64> = (0..240_u32)
        .map(|at| f64::from(at.wrapping_mul(2_654_435_761) >> 20))
        .collect();
    let page = html(&panel, &data(&panel, &[("a", &noise)]), &scope()).into_string();
    assert!(page.len() < 6000, "{} bytes", page.len());
}

#[test]
fn rows_of_states_that_are_too_many_leave_out_names_and_texts_not_overlap() {
    let panel = panel("state-timeline", json!({"showValue": "always"}), json!({}));
    let names: Vec<String> = (0..60).map(|number| format!("row {number}")).collect();
    let series: Vec<(&str, &[f64])> = names.iter().map(|name| (name.as_str(), &[1.0, 2.0][..])).collect();
    let few = html(&panel, &data(&panel, &series[..5]), &scope()).into_string();
    assert!(
        few.contains("class=\"labels\"") && few.matches(">row ").count() == 5,
        "{few}"
    );
    let many = html(&panel, &data(&panel, &series), &scope()).into_string();
    let written = many.matches(">row ").count();
    assert!(
        (5..=30).contains(&written) && !many.contains("class=\"labels\""),
        "{written}"
    );
}

#[test]
fn an_area_ends_at_the_series_that_it_names() {
    let panel = panel(
        "timeseries",
        json!({}),
        json!({"min": 0, "max": 10, "custom": {"fillOpacity": 50}}),
    );
    let mut data = data(&panel, &[("high", &[8.0, 8.0]), ("low", &[2.0, 2.0])]);
    let mut options = panel.field_config.defaults.clone();
    options.custom.insert("fillBelowTo".to_owned(), json!("low"));
    data.frames[0].fields[1].options = Arc::new(options);
    let page = html(&panel, &data, &scope()).into_string();
    assert!(page.contains("d=\"M0 200l2000 0 0 600-2000 0z\""), "{page}");
}

#[test]
fn values_are_negated_or_held_as_the_field_says() {
    let drawn = |transform: &str| {
        let defaults = json!({"min": -10, "max": 10, "custom": {"transform": transform}});
        let panel = panel("timeseries", json!({}), defaults);
        let page = html(&panel, &data(&panel, &[("a", &[5.0, 10.0])]), &scope()).into_string();
        line(&page, 0).to_owned()
    };
    assert_eq!(drawn(""), "M0 250l2000-250");
    assert_eq!(drawn("negative-Y"), "M0 750l2000 250");
    assert_eq!(drawn("constant"), "M0 250l2000 0");
}

#[test]
fn a_scale_is_by_magnitude_where_the_field_says_so() {
    let drawn = |scale: Value| {
        let defaults = json!({"min": -100, "max": 100, "custom": {"scaleDistribution": scale}});
        let panel = panel("timeseries", json!({}), defaults);
        let page = html(&panel, &data(&panel, &[("a", &[-100.0, 10.0])]), &scope()).into_string();
        line(&page, 0).to_owned()
    };
    assert_eq!(drawn(json!({"type": "linear"})), "M0 1000l2000-550");
    let symmetric = drawn(json!({"type": "symlog", "linearThreshold": 1}));
    let risen: u32 = symmetric.strip_prefix("M0 1000l2000-").unwrap().parse().unwrap();
    assert!((750..1000).contains(&risen), "{symmetric}");
}

#[test]
fn a_legend_that_is_a_table_has_every_value() {
    let legend = json!({"legend": {"showLegend": true, "displayMode": "table", "calcs": ["min", "max", "allIsZero"]}});
    let panel = panel("timeseries", legend, json!({"unit": "bytes"}));
    let page = html(&panel, &data(&panel, &[("a", &[1.0, 5.0])]), &scope()).into_string();
    for expected in [
        "<th scope=\"col\">Min</th><th scope=\"col\">Max</th><th scope=\"col\">All Zeros</th>",
        "<td class=\"number\">1 B</td><td class=\"number\">5 B</td><td class=\"number\">false</td>",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}

#[test]
fn a_list_of_dashboards_leads_to_all() {
    let panel = panel("dashlist", json!({}), json!({}));
    let page = html(&panel, &data(&panel, &[]), &scope()).into_string();
    assert!(page.contains("href=\"/dashboards\""), "{page}");
}
