//! Whole panels, and the names of series.

use std::sync::Arc;

use edgewatch_grafana_model::data::{Data, Field, Frame, Values};
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::time::{self, Zone};
use edgewatch_grafana_model::variables::{Resolved, Variables};
use edgewatch_grafana_model::{display, names, overrides, reduce};
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
        ..Data::default()
    };
    overrides::apply(&panel, &mut data.frames, &scope, &mut Vec::new());
    let frame = |frame: &Frame| frame.fields.iter().map(column).collect::<Vec<_>>().join(" ");
    let cells = data.frames.iter().map(frame).collect::<Vec<_>>().join(" ‖ ");
    let shown = reduce::shown(panel.kind().reduce().unwrap(), &data);
    let values = shown
        .iter()
        .map(|one| format!("{}={} {}", one.title, one.display.text, one.color()));
    format!("{cells} ⇒ {}", values.collect::<Vec<_>>().join(" "))
}

fn column(field: &Field) -> String {
    let cell = |row: usize| match &field.values {
        Values::Numbers(numbers) => {
            let shown = display::number(&field.options, numbers[row]);
            format!("{} {}", shown.text, shown.color.unwrap_or_else(|| field.color.clone()))
        }
        Values::Texts(texts) => format!("{} ", display::text(&field.options, &texts[row]).text),
        Values::Times(times) => format!("{} ", display::time(&field.options, times[row], &Zone::UTC)),
    };
    let cells: Vec<String> = (0..field.values.len()).map(cell).collect();
    let series = match field.values {
        Values::Numbers(_) => format!(" {}", field.color),
        Values::Times(_) | Values::Texts(_) => String::new(),
    };
    format!("{}{series}[{}]", field.name, cells.join(","))
}

pub fn names(case: &Value) -> String {
    let _ = time::device;
    let series = list(case, "series").iter().map(|labels| {
        let labels = labels.as_object().into_iter().flatten();
        let labels = labels
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
            .collect();
        let name = names::of_series(text(case, "legend"), &labels, text(case, "expression"));
        Frame {
            fields: vec![Field {
                labels,
                ..Field::new(name, Values::numbers([1.0, 2.0]))
            }],
            ..Frame::default()
        }
    });
    let mut frames: Vec<Frame> = series.collect();
    names::automatic(&mut frames);
    let names = frames
        .iter()
        .flat_map(|frame| &frame.fields)
        .map(|field| field.name.clone());
    names.collect::<Vec<_>>().join(" ‖ ")
}
