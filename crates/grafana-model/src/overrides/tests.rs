use serde_json::json;

use super::super::data::Data;
use super::super::evaluate::evaluate;
use super::super::testing::{Fake, panel, scope};
use super::super::variables::Variables;
use super::*;

fn data(config: Value) -> Data {
    let source = Fake::default()
        .with("a", &[("__name__", "a"), ("dev", "eth0")], 1.0)
        .with("b", &[("dev", "lo")], 100.0);
    let panel = panel(json!({"type": "timeseries", "fieldConfig": config, "targets": [
        {"refId": "A", "expr": "a", "legendFormat": "{{dev}}"}, {"refId": "B", "expr": "b", "legendFormat": "{{dev}} in"}]}));
    evaluate(&panel, &scope(Variables::default()), 60, &source)
}

fn fields(data: &Data) -> Vec<&Field> {
    data.frames
        .iter()
        .flat_map(Frame::numbers)
        .map(|(field, _)| field)
        .collect()
}

#[test]
fn fields_are_chosen_in_every_way() {
    for (id, options, expected) in [
        ("byName", json!("eth0"), [true, false]),
        ("byName", json!("a"), [true, false]),
        ("byName", json!("Value"), [true, true]),
        (
            "byNames",
            json!({"mode": "include", "names": ["lo in", "x"]}),
            [false, true],
        ),
        ("byNames", json!({"mode": "exclude", "names": ["lo in"]}), [true, false]),
        ("byRegexp", json!("/in$/"), [false, true]),
        ("byRegexp", json!("eth."), [true, false]),
        ("byType", json!("number"), [true, true]),
        ("byType", json!("string"), [false, false]),
        ("byFrameRefID", json!("B"), [false, true]),
        (
            "byValue",
            json!({"reducer": "max", "op": "gte", "value": 100}),
            [false, true],
        ),
    ] {
        let config = json!({"overrides": [{"matcher": {"id": id, "options": options}, "properties": [{"id": "unit", "value": "bps"}]}]});
        let data = data(config);
        let units: Vec<bool> = fields(&data).iter().map(|field| field.options.unit == "bps").collect();
        assert_eq!(
            (units.as_slice(), data.problems.len()),
            (expected.as_slice(), 0),
            "{id} {options}"
        );
    }
}

#[test]
fn every_property_is_set() {
    let property = |id: &str, value: Value| json!({"id": id, "value": value});
    let data = data(
        json!({"defaults": {"unit": "s", "min": 0}, "overrides": [{"matcher": {"id": "byName", "options": "eth0"}, "properties": [
        property("decimals", json!(2)), property("min", Value::Null), property("max", json!(9)), property("noValue", json!("-")),
        property("displayName", json!("${__field.labels.dev} of ${__field.name}")), property("color", json!({"mode": "fixed", "fixedColor": "red"})),
        property("thresholds", json!({"mode": "absolute", "steps": [{"value": null, "color": "blue"}]})),
        property("custom.hideFrom", json!({"legend": true})), property("custom.hideFrom.viz", json!("true")), property("links", json!([])),
        property("mappings", json!([{"type": "value", "options": {"1": {"text": "one"}}}]))]}]}),
    );
    let first = fields(&data)[0];
    let options = &first.options;
    assert_eq!(data.problems, Vec::<String>::new());
    assert_eq!((&*first.name, &*first.color), ("eth0 of a", "#f2495c"));
    assert_eq!(
        (options.decimals, options.min, options.max),
        (Some(2.0), None, Some(9.0))
    );
    assert_eq!(
        (options.thresholds.steps.len(), options.mappings.len(), &*options.unit),
        (1, 1, "s")
    );
    assert_eq!(options.custom["hideFrom"], json!({"legend": true, "viz": true}));
    assert_eq!(fields(&data)[1].options.min, Some(0.0));
}

#[test]
fn what_cannot_be_applied_is_named_once() {
    let change =
        json!({"matcher": {"id": "byName", "options": "eth0"}, "properties": [{"id": "decimals", "value": ["many"]}]});
    let found =
        data(json!({"overrides": [change, change, {"matcher": {"id": "byRegexp", "options": "/(x/"}}]})).problems;
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_colour_may_be_named_alone() {
    let change =
        json!({"matcher": {"id": "byName", "options": "eth0"}, "properties": [{"id": "color", "value": "#3274D9"}]});
    assert_eq!(fields(&data(json!({ "overrides": [change] })))[0].color, "#3274d9");
}

#[test]
fn colours_follow_the_mode() {
    let color = |mode: &str| {
        let data = data(
            json!({"defaults": {"color": {"mode": mode, "fixedColor": "blue"}, "max": 200, "thresholds": {"mode": "absolute",
            "steps": [{"value": null, "color": "green"}, {"value": 150, "color": "red"}]}}}),
        );
        fields(&data)
            .iter()
            .map(|field| field.color.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(color("palette-classic"), ["#73bf69", "#f2cc0c"]);
    assert_eq!(color(""), color("palette-classic"));
    assert_eq!(color("fixed"), ["#5794f2", "#5794f2"]);
    assert_eq!(color("thresholds"), ["#73bf69", "#f2495c"]);
    assert_eq!(color("shades")[0], "#5794f2");
    assert_ne!(color("continuous-GrYlRd")[0], color("continuous-GrYlRd")[1]);
}
