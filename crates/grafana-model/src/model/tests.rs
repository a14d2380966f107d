use serde_json::json;

use super::super::testing::{dashboard, panel};
use super::*;

#[test]
fn queries_without_a_name_get_one() {
    let panel = panel(json!({"targets": [{"expr": "a"}, {"expr": "b", "refId": "A"}, {"expr": "c"}]}));
    let names: Vec<_> = panel.targets.iter().map(|target| &*target.ref_id).collect();
    assert_eq!(names, ["B", "A", "C"]);
}

#[test]
fn a_broken_panel_leaves_the_others() {
    let dashboard = dashboard(
        json!({"panels": [{"id": 1, "type": "stat", "title": "bad", "gridPos": {"w": 6}, "targets": [5]},
        {"id": 2, "type": "row", "panels": [{"id": 3, "type": "stat", "targets": 1}, {"id": 4, "type": "stat"}]}]}),
    );
    let bad = &dashboard.panels[0];
    assert!(
        bad.broken.as_ref().is_some_and(|why| why.contains("targets[0]")),
        "{:?}",
        bad.broken
    );
    assert_eq!((bad.id, &*bad.title, bad.grid_pos.w), (1, "bad", 6));
    let inside = &dashboard.panels[1].panels;
    assert_eq!(
        (inside[0].broken.is_some(), inside[1].broken.is_some(), inside[1].id),
        (true, false, 4)
    );
    assert_eq!(super::super::support::check(&dashboard).len(), 2);
}

#[test]
fn values_are_read_as_people_write_them() {
    let panel = panel(
        json!({"id": "7", "type": "stat", "title": 5, "interval": 15, "timeFrom": 5,
        "targets": [{"refId": "A", "expr": "a", "hide": "false", "instant": "true"}],
        "fieldConfig": {"defaults": {"decimals": "2", "thresholds": {"steps": [{"value": "80", "color": "red"}]},
            "mappings": [{"type": "value", "options": {"1": {"text": 85, "index": "0"}}}]}}}),
    );
    let target = &panel.targets[0];
    assert_eq!(
        (panel.id, &*panel.title, &*panel.interval, panel.broken.clone()),
        (7, "5", "15", None)
    );
    assert_eq!((target.hide, target.instant), (false, true));
    let defaults = &panel.field_config.defaults;
    assert_eq!(
        (defaults.decimals, defaults.thresholds.steps[0].value),
        (Some(2.0), Some(80.0))
    );
    let dashboard =
        Dashboard::parse("\u{feff}{\"schemaVersion\": \"36\", \"tags\": \"x\", \"panels\": [{\"id\": 99999999999}]}")
            .unwrap();
    assert_eq!((dashboard.schema_version, dashboard.panels[0].id), (36, 1_215_752_191));
}

#[test]
fn saved_copies_of_repeated_panels_are_dropped() {
    let dashboard = dashboard(
        json!({"panels": [{"id": 1, "repeat": "host"}, {"id": 2, "repeatPanelId": 1},
        {"id": 3, "type": "row", "panels": [{"id": 4, "repeatedByRow": true}, {"id": 5, "repeatPanelId": null}]}]}),
    );
    let ids: Vec<u32> = dashboard.panels.iter().map(|panel| panel.id).collect();
    assert_eq!((ids.as_slice(), dashboard.panels[1].panels.len()), (&[1, 3][..], 1));
}

#[test]
fn one_bad_variable_costs_only_itself() {
    let list = json!([{"name": "bad", "datasource": {"type": []}, "filters": {}, "auto_min": [], "current": 1, "type": {}},
        {"name": "good", "type": "custom", "query": "a"}]);
    let dashboard = dashboard(json!({"templating": {"list": list}}));
    let list = &dashboard.templating.list;
    assert!(list[0].broken.is_some() && list[0].name == "bad");
    assert_eq!((&*list[1].name, list[1].broken.is_none()), ("good", true));
}

#[test]
fn what_is_left_out_has_grafanas_default() {
    let dashboard =
        dashboard(json!({"panels": [{"type": "stat", "timeFrom": null, "repeatDirection": null}], "refresh": false}));
    assert_eq!(
        (&*dashboard.time.from, &*dashboard.time.to, &*dashboard.refresh),
        ("now-6h", "now", "")
    );
    assert_eq!(dashboard.panels[0].field_config.defaults.thresholds.steps.len(), 2);
}

#[test]
fn what_is_no_dashboard_is_named_with_its_place() {
    let error = Dashboard::parse("{\"panels\": [], \"templating\": 5}")
        .unwrap_err()
        .to_string();
    assert!(error.contains("templating"), "{error}");
    assert!(Dashboard::parse("{").unwrap_err().to_string().starts_with("no JSON"));
}
