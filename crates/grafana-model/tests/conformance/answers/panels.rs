//! Whole panels, and the names of series.

use std::sync::Arc;

use edgewatch_grafana_model::data::{Cell, Data, Field, Frame, Values};
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::time::Zone;
use edgewatch_grafana_model::variables::{Resolved, Variables};
use edgewatch_grafana_model::{display, names, overrides, reduce};
use edgewatch_prometheus_client::labels::Labels;
use serde_json::{Value, json};

use super::frames::{after_transformations, scope};
use super::{list, text};

pub fn panel(case: &Value) -> String {
    let many = Resolved {
        name: "many".to_owned(),
        multi: true,
        options: ["a", "b"].map(|value| (value.to_owned(), value.to_owned())).to_vec(),
        chosen: vec!["a".to_owned(), "b".to_owned()],
        ..Resolved::default()
    };
    let scope = scope(
        Variables {
            list: vec![Arc::new(many)],
        },
        Zone::UTC,
    );
    let panel: Panel = serde_json::from_value(json!({
        "type": "stat",
        "fieldConfig": {"defaults": case["defaults"], "overrides": case["overrides"]},
        "options": {"reduceOptions": case["reduce"]},
    }))
    .unwrap();
    let mut data = Data {
        frames: after_transformations(case, &scope),
        nothing: overrides::nothing(&panel, &scope),
        ..Data::default()
    };
    overrides::apply(&panel, &mut data.frames, &scope, &mut Vec::new());
    let frame = |frame: &Frame| frame.fields.iter().map(column).collect::<Vec<_>>().join(" ");
    let cells = data.frames.iter().map(frame).collect::<Vec<_>>().join(" ‖ ");
    let shown = reduce::shown(&panel, panel.kind().reduce().unwrap(), &data);
    let values = shown
        .iter()
        .map(|one| format!("{}={} {}", one.title, one.display.text, one.color()));
    format!("{cells} ⇒ {}", values.collect::<Vec<_>>().join(" "))
}

fn column(field: &Field) -> String {
    let cell = |cell: Cell<'_>| {
        let shown = display::cell(&field.options, &cell);
        let color = shown.color.unwrap_or_else(|| field.color.clone());
        format!("{} {}", shown.text, if field.values.is_numbers() { &color } else { "" })
    };
    let cells: Vec<String> = field.values.cells().map(cell).collect();
    let series = if field.values.is_numbers() {
        format!(" {}", field.color)
    } else {
        String::new()
    };
    format!("{}{series}[{}]", field.name, cells.join(","))
}

pub fn names(case: &Value) -> String {
    let legend = text(case, "legend");
    let series = list(case, "series").iter().map(|labels| {
        let labels = labels.as_object().into_iter().flatten();
        let labels: Labels = labels
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
            .collect();
        let name = names::of_series(legend, &labels, text(case, "expression"));
        let value = Field {
            legend: Some(name.clone()),
            ..Field::new(labels.get("__name__").unwrap_or("Value"), Values::numbers([1.0, 2.0]))
        };
        Frame {
            name,
            ref_id: "A".to_owned(),
            fields: vec![Field::new("Time", Values::times([1.0, 2.0])), Field { labels, ..value }],
            ..Frame::default()
        }
    });
    let mut frames: Vec<Frame> = series.collect();
    names::automatic(&mut frames, |_| legend == "__auto");
    names::resolve(&mut frames);
    let names = frames
        .iter()
        .filter_map(|frame| frame.fields.last())
        .map(|field| field.name.clone());
    names.collect::<Vec<_>>().join(" ‖ ")
}
