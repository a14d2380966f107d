use serde_json::json;

use super::*;
use crate::tests::{data, panel};
use edgewatch_grafana_model::model::FieldOptions;

/// Where the bars lie, and the number of texts in them.
fn graph_of(options: serde_json::Value, values: &[&[f64]]) -> (Vec<(f64, f64)>, usize) {
    graph_with(options, &FieldOptions::default(), values)
}

fn graph_with(options: serde_json::Value, fields: &FieldOptions, values: &[&[f64]]) -> (Vec<(f64, f64)>, usize) {
    let panel = panel("barchart", options.clone(), json!({}));
    let mut all = data(&panel, &[]);
    let fields = values.iter().map(|values| Field {
        name: "v".to_owned(),
        values: Values::numbers(values.iter().copied()),
        options: fields.clone().into(),
        ..Field::default()
    });
    let names = Field {
        values: Values::texts(["a".to_owned(), "b".to_owned()]),
        ..Field::default()
    };
    all.frames = vec![Frame {
        fields: std::iter::once(names).chain(fields).collect(),
        ..Frame::default()
    }];
    let edgewatch_grafana_model::panel::PanelKind::BarChart(options) = panel.kind() else {
        panic!()
    };
    let graph = bar_chart(&panel, options, &all).unwrap();
    let bars = graph.plot.series.iter().flat_map(|series| &series.bars);
    (bars.map(|bar| bar.along).collect(), graph.labels.len())
}

fn bars(options: serde_json::Value, values: &[&[f64]]) -> Vec<(f64, f64)> {
    graph_of(options, values).0
}

#[test]
fn a_legend_at_the_side_takes_the_room_of_texts_in_bars() {
    let texts = |placement: &str, value: f64| {
        let legend = json!({"placement": placement, "showLegend": true});
        let options = json!({"stacking": "normal", "orientation": "horizontal", "legend": legend});
        graph_of(options, &[&[10.0, 20.0], &[value, value]]).1
    };
    let mut values = (1..20).map(|value| f64::from(value) / 4.0);
    assert!(values.any(|value| texts("bottom", value) > texts("right", value)));
}

#[test]
fn bars_begin_at_nothing_or_upon_each_other() {
    let beside = bars(json!({}), &[&[10.0, 20.0], &[10.0, 0.0]]);
    assert!(
        beside.iter().all(|(from, _)| *from == 0.0) && beside[0].1 == beside[2].1,
        "{beside:?}"
    );
    let upon = bars(json!({"stacking": "normal"}), &[&[10.0, 20.0], &[10.0, 0.0]]);
    assert_eq!(upon[2].0, upon[0].1);
    let shares = bars(json!({"stacking": "percent"}), &[&[10.0, 20.0], &[30.0, 0.0]]);
    assert_eq!((shares[0].1, shares[2].1), (0.25, 1.0));
}

#[test]
fn bars_on_a_logarithmic_axis_are_as_high_as_their_magnitude() {
    let log = json!({"custom": {"scaleDistribution": {"type": "log", "log": 10}}});
    let fields = serde_json::from_value::<FieldOptions>(log).unwrap();
    let heights = graph_with(json!({}), &fields, &[&[0.1, 10.0]]).0;
    assert_eq!(heights, [(0.0, 0.0), (0.0, 1.0)]);
}
