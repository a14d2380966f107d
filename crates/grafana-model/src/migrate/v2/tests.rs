use super::*;
use crate::grid::GridPos;
use crate::model::{Dashboard, Datasource};

fn element(id: u32, kind: &str) -> Value {
    json!({"kind": "Panel", "spec": {"id": id, "title": format!("p{id}"), "data": {"kind": "QueryGroup", "spec": {
        "queries": [{"kind": "PanelQuery", "spec": {"refId": "A", "hidden": false, "query": {"kind": "DataQuery", "group": "prometheus",
            "datasource": {"name": "abc"}, "spec": {"expr": "up", "legendFormat": "x"}}}}],
        "transformations": [{"kind": "Transformation", "group": "limit", "spec": {"options": {"limitField": 1}}}],
        "queryOptions": {"timeFrom": "2h", "maxDataPoints": 50}}},
        "vizConfig": {"kind": "VizConfig", "group": kind, "spec": {"options": {"textMode": "name"}, "fieldConfig": {"defaults": {"unit": "bytes"}}}}}})
}

fn item(name: &str, x: u32, y: u32) -> Value {
    json!({"kind": "GridLayoutItem", "spec": {"x": x, "y": y, "width": 12, "height": 4, "element": {"kind": "ElementReference", "name": name}}})
}

fn parse(value: &Value) -> Dashboard {
    Dashboard::parse(&value.to_string()).unwrap()
}

fn places(dashboard: &Dashboard) -> Vec<(String, GridPos)> {
    let panels = dashboard.panels.iter();
    panels.map(|panel| (panel.title.to_string(), panel.grid_pos)).collect()
}

fn at(title: &str, x: u32, y: u32, w: u32, h: u32) -> (String, GridPos) {
    (title.to_owned(), GridPos { x, y, w, h })
}

#[test]
fn a_dashboard_of_schema_v2_is_read_as_one_of_v1() {
    let dashboard = parse(
        &json!({"title": "T", "elements": {"panel-1": element(1, "stat"), "panel-2": element(2, "timeseries")},
        "layout": {"kind": "GridLayout", "spec": {"items": [item("panel-1", 0, 0), item("panel-2", 12, 0), item("gone", 0, 9)]}},
        "timeSettings": {"from": "now-3h", "to": "now", "autoRefresh": "30s", "timezone": "utc"},
        "variables": [{"kind": "QueryVariable", "spec": {"name": "host", "sort": "naturalDesc", "hide": "hideVariable", "includeAll": true,
            "query": {"kind": "DataQuery", "group": "prometheus", "spec": {"query": "label_values(up, host)"}}}},
            {"kind": "DatasourceVariable", "spec": {"name": "ds", "pluginId": "prometheus"}}]}),
    );
    assert_eq!(places(&dashboard), [at("p1", 0, 0, 12, 4), at("p2", 12, 0, 12, 4)]);
    let panel = &dashboard.panels[0];
    assert_eq!(
        (panel.id, panel.kind().name(), &*panel.field_config.defaults.unit),
        (1, "stat", "bytes")
    );
    assert_eq!((&*panel.targets[0].expr, &*panel.targets[0].legend_format), ("up", "x"));
    assert_eq!(panel.targets[0].datasource, Datasource::Prometheus);
    assert_eq!(
        (&*panel.transformations[0].id, &*panel.time_from, panel.max_data_points),
        ("limit", "2h", Some(50.0))
    );
    assert_eq!(
        (&*dashboard.time.from, &*dashboard.refresh, &*dashboard.timezone),
        ("now-3h", "30s", "utc")
    );
    let variables = &dashboard.templating.list;
    let codes = (variables[0].sort, variables[0].hide, variables[0].include_all);
    assert_eq!(
        (&*variables[0].kind, codes, &*variables[1].kind),
        ("query", (8, 2, true), "datasource")
    );
}

#[test]
fn rows_tabs_and_automatic_grids_are_laid_out() {
    let auto = |names: &[&str]| {
        let items: Vec<Value> = names
            .iter()
            .map(|name| json!({"kind": "AutoGridLayoutItem", "spec": {"element": {"name": name}}}))
            .collect();
        json!({"kind": "AutoGridLayout", "spec": {"maxColumnCount": 2, "items": items}})
    };
    let row = |title: &str, collapse: bool, layout: Value| json!({"kind": "RowsLayoutRow", "spec": {"title": title, "collapse": collapse, "layout": layout}});
    let elements = json!({"a": element(1, "stat"), "b": element(2, "stat"), "c": element(3, "stat")});
    let dashboard = parse(
        &json!({"elements": elements, "layout": {"kind": "RowsLayout", "spec": {"rows": [
        row("open", false, auto(&["a", "b", "c"])), row("shut", true, auto(&["a"]))]}}}),
    );
    assert_eq!(
        places(&dashboard),
        [
            at("open", 0, 0, 24, 1),
            at("p1", 0, 1, 12, 9),
            at("p2", 12, 1, 12, 9),
            at("p3", 0, 10, 12, 9),
            at("shut", 0, 19, 24, 1)
        ]
    );
    assert_eq!(dashboard.panels[4].panels.len(), 1);
    let tabs = json!({"elements": elements, "layout": {"kind": "TabsLayout", "spec": {"tabs": [
        {"kind": "TabsLayoutTab", "spec": {"title": "one", "layout": {"kind": "GridLayout", "spec": {"items": [item("a", 0, 0)]}}}}]}}});
    assert_eq!(places(&parse(&tabs)), [at("one", 0, 0, 24, 1), at("p1", 0, 1, 12, 4)]);
}

#[test]
fn what_has_another_type_is_named_where_it_lies() {
    let whole = || {
        json!({"title": "T", "elements": {"a": element(1, "stat")}, "variables": [{"kind": "CustomVariable", "spec": {"name": "x"}}],
            "layout": {"kind": "RowsLayout", "spec": {"rows": [{"kind": "RowsLayoutRow", "spec": {"title": "r", "layout":
                {"kind": "GridLayout", "spec": {"items": [item("a", 0, 0)]}}}}]}}, "timeSettings": {"from": "now-1h", "to": "now"}})
    };
    assert_eq!(parse(&whole()).left_out, Vec::<String>::new());
    // Each container of the file, with a text, a number and a list or an object in its place.
    let rows = "layout/spec/rows";
    let items = "layout/spec/rows/0/spec/layout/spec/items";
    let data = "elements/a/spec/data";
    for (place, is_list) in [
        ("elements/a", false),
        ("elements/a/spec", false),
        ("elements/a/spec/vizConfig", false),
        ("elements/a/spec/vizConfig/spec", false),
        ("elements/a/spec/vizConfig/spec/options", false),
        ("elements/a/spec/vizConfig/spec/fieldConfig", false),
        (data, false),
        (&format!("{data}/spec"), false),
        (&format!("{data}/spec/queryOptions"), false),
        (&format!("{data}/spec/queries"), true),
        (&format!("{data}/spec/queries/0"), false),
        (&format!("{data}/spec/queries/0/spec"), false),
        (&format!("{data}/spec/transformations"), true),
        (&format!("{data}/spec/transformations/0/spec"), false),
        ("layout/spec", false),
        (rows, true),
        (&format!("{rows}/0"), false),
        (&format!("{rows}/0/spec"), false),
        (&format!("{rows}/0/spec/layout"), false),
        (items, true),
        (&format!("{items}/0"), false),
        (&format!("{items}/0/spec"), false),
        (&format!("{items}/0/spec/element"), false),
        ("variables", true),
        ("variables/0", false),
        ("variables/0/spec", false),
        ("timeSettings", false),
    ] {
        let other = if is_list { json!({"b": 1}) } else { json!([1]) };
        for wrong in [json!("text"), json!(5), json!(true), other] {
            let mut file = whole();
            *file.pointer_mut(&format!("/{place}")).unwrap() = wrong.clone();
            let left_out = parse(&file).left_out;
            let wanted = if is_list { "a list belongs" } else { "an object belongs" };
            let named = left_out
                .iter()
                .any(|note| note.starts_with(&format!("{place} is left out: ")) && note.ends_with(wanted));
            assert!(named, "{place} = {wrong}: {left_out:?}");
        }
    }
    for name in ["elements", "layout"] {
        for wrong in [json!("text"), json!([]), Value::Null] {
            let mut file = whole();
            file[name] = wrong.clone();
            let error = Dashboard::parse(&file.to_string()).unwrap_err().to_string();
            assert!(error.contains(&format!("{name}: ")), "{name} = {wrong}: {error}");
        }
    }
}

#[test]
fn a_place_without_a_panel_is_named() {
    let items = json!([item("a", 0, 0), item("gone", 12, 0), {"kind": "GridLayoutItem", "spec": {"x": 0}}]);
    let file =
        json!({"elements": {"a": element(1, "stat")}, "layout": {"kind": "GridLayout", "spec": {"items": items}}});
    assert_eq!(
        parse(&file).left_out,
        [
            "layout/spec/items/1/spec shows nothing: there is no element \"gone\"",
            "layout/spec/items/2/spec shows nothing: it names no element"
        ]
    );
}

#[test]
fn the_first_version_names_kinds_elsewhere() {
    let panel = panel(
        &json!({"kind": "Panel", "spec": {"id": 4, "vizConfig": {"kind": "gauge", "spec": {}}, "data": {"spec": {
        "queries": [{"spec": {"refId": "B", "datasource": {"type": "loki", "uid": "x"}, "query": {"kind": "loki", "spec": {"expr": "e"}}}}],
        "transformations": [{"kind": "organize", "spec": {"id": "organize", "options": {}}}]}}}}),
    );
    assert_eq!(
        (&panel["type"], &panel["targets"][0]["datasource"]["type"]),
        (&json!("gauge"), &json!("loki"))
    );
    assert_eq!(panel["transformations"][0]["id"], "organize");
}
