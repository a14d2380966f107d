//! Frames of cases, and frames as texts.

use edgewatch_grafana_model::data::{Cell, Data, Field, Frame, NULL, Values};
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_grafana_model::model::Transformation;
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::time::{TimeRange, Zone};
use edgewatch_grafana_model::variables::Variables;
use edgewatch_grafana_model::{names, transform};
use serde_json::Value;

use super::{list, text};

/// A number: what JSON cannot say is a text there.
pub fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.replace("Infinity", "inf").parse().unwrap(),
        value => value.as_f64().unwrap_or(NULL),
    }
}

/// A column of `kind`.
pub fn values(kind: &str, cells: &[Value]) -> Values {
    match kind {
        "time" => Values::times(cells.iter().map(|cell| number(cell) / 1000.0)),
        "number" => Values::numbers(cells.iter().map(number)),
        _ => Values::Texts(cells.iter().map(|cell| cell.as_str().map(str::to_owned)).collect()),
    }
}

/// The frames of a case.
pub fn of(case: &Value) -> Vec<Frame> {
    let field = |field: &Value| {
        let labels = field["labels"].as_object().into_iter().flatten();
        let labels = labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
        Field {
            legend: field["legend"].as_str().map(str::to_owned),
            labels: labels.collect(),
            ..Field::new(text(field, "name"), values(text(field, "type"), list(field, "values")))
        }
    };
    let frame = |frame: &Value| Frame {
        name: text(frame, "name").to_owned(),
        ref_id: text(frame, "refId").to_owned(),
        fields: list(frame, "fields").iter().map(field).collect(),
        ..Frame::default()
    };
    list(case, "frames").iter().map(frame).collect()
}

/// What a dashboard is looked at with.
pub fn scope(variables: Variables, zone: Zone) -> Scope {
    Scope {
        range: TimeRange {
            from: 1_778_666_400.0,
            to: 1_778_675_750.5,
        },
        variables,
        min_step: 15_000,
        now: None,
        zone,
        dashboard: String::new(),
        deadline: Deadline::default(),
    }
}

/// Frames after the transformations of a case.
pub fn after_transformations(case: &Value, scope: &Scope) -> Vec<Frame> {
    let transformations: Vec<Transformation> = serde_json::from_value(case["transformations"].clone()).unwrap();
    let mut data = Data {
        frames: of(case),
        ..Data::default()
    };
    transform::apply(&transformations, scope, &mut data);
    data.frames
}

pub fn transformed(case: &Value) -> String {
    let mut frames = after_transformations(case, &scope(Variables::default(), Zone::UTC));
    names::resolve(&mut frames);
    let frame = |frame: &Frame| {
        let fields = frame.fields.iter().map(|field| {
            let cell = |cell: Cell<'_>| {
                if cell.is_null() {
                    "∅".to_owned()
                } else {
                    cell.to_string()
                }
            };
            let mut cells: Vec<String> = field.values.cells().map(cell).collect();
            cells.resize(frame.len(), "∅".to_owned());
            let kind = match field.values {
                Values::Times(_) => 't',
                Values::Numbers(_) => 'n',
                Values::Texts(_) => 's',
                Values::Booleans(_) => 'b',
            };
            format!("{}:{kind}[{}]", field.name, cells.join(","))
        });
        fields.collect::<Vec<_>>().join(" ")
    };
    frames.iter().map(frame).collect::<Vec<_>>().join(" ‖ ")
}
