//! Panels of Grafana's library that lie in the file: an export has them in `__elements`, and a panel names one.

use serde_json::{Map, Value};

/// Puts the panels of `__elements` where they are named.
pub fn migrate(dashboard: &mut Value) {
    let Some(fields) = dashboard.as_object_mut() else {
        return;
    };
    let Some(Value::Object(elements)) = fields.remove("__elements") else {
        return;
    };
    for list in ["panels", "rows"] {
        if let Some(Value::Array(panels)) = fields.get_mut(list) {
            panels.iter_mut().for_each(|panel| put(panel, &elements));
        }
    }
}

fn put(panel: &mut Value, elements: &Map<String, Value>) {
    let Some(fields) = panel.as_object_mut() else { return };
    if let Some(Value::Array(panels)) = fields.get_mut("panels") {
        panels.iter_mut().for_each(|panel| put(panel, elements));
    }
    let uid = fields
        .get("libraryPanel")
        .and_then(|named| named.get("uid"))
        .and_then(Value::as_str);
    let model = uid
        .and_then(|uid| elements.get(uid))
        .and_then(|element| element.get("model"));
    if let Some(Value::Object(model)) = model {
        // The place and the number are those of this dashboard.
        for (name, value) in model {
            if !matches!(name.as_str(), "id" | "gridPos" | "libraryPanel") {
                fields.entry(name.as_str()).or_insert_with(|| value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::grid::GridPos;
    use crate::testing::dashboard;

    #[test]
    fn a_panel_of_the_library_that_lies_in_the_file_is_drawn() {
        let named =
            json!({"id": 7, "gridPos": {"x": 6, "y": 0, "w": 6, "h": 4}, "libraryPanel": {"uid": "u", "name": "CPU"}});
        let model =
            json!({"id": 1, "type": "stat", "title": "CPU", "gridPos": {"w": 24, "h": 1}, "targets": [{"expr": "up"}]});
        let dashboard = dashboard(
            json!({"panels": [named], "__elements": {"u": {"uid": "u", "name": "CPU", "kind": 1, "model": model}}}),
        );
        let panel = &dashboard.panels[0];
        assert_eq!((panel.id, panel.kind().name(), &*panel.title), (7, "stat", "CPU"));
        assert_eq!(panel.grid_pos, GridPos { x: 6, y: 0, w: 6, h: 4 });
        assert_eq!(panel.targets[0].expr, "up");
    }
}
