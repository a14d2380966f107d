//! Frames of cases, and frames as texts.

use edgewatch_grafana_model::data::{Data, Field, Frame, Values};
use edgewatch_grafana_model::evaluate::Scope;
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_grafana_model::model::Transformation;
use edgewatch_grafana_model::time::{TimeRange, Zone};
use edgewatch_grafana_model::transform;
use edgewatch_grafana_model::variables::Variables;
use serde_json::Value;

use super::{list, text};

/// A number: what JSON cannot say is a text there.
pub fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.replace("Infinity", "inf").parse().unwrap(),
        value => value.as_f64().unwrap_or(f64::NAN),
    }
}

/// A column of `kind`.
pub fn values(kind: &str, cells: &[Value]) -> Values {
    match kind {
        "time" => Values::times(cells.iter().map(|cell| number(cell) / 1000.0)),
        "number" => Values::numbers(cells.iter().map(number)),
        _ => Values::texts(cells.iter().map(|cell| cell.as_str().unwrap_or_default().to_owned())),
    }
}

/// The frames of a case.
pub fn of(case: &Value) -> Vec<Frame> {
    let field = |field: &Value| {
        let labels = field["labels"].as_object().into_iter().flatten();
        let labels = labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
        let name = match text(field, "legend") {
            "" => text(field, "name"),
            legend => legend,
        };
        Field {
            source: text(field, "name").to_owned(),
            labels: labels.collect(),
            ..Field::new(name, values(text(field, "type"), list(field, "values")))
        }
    };
    let frame = |frame: &Value| Frame {
        name: text(frame, "name").to_owned(),
        ref_id: text(frame, "refId").to_owned(),
        fields: list(frame, "fields").iter().map(field).collect(),
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
    let frames = after_transformations(case, &scope(Variables::default(), Zone::UTC));
    let frame = |frame: &Frame| {
        let fields = frame.fields.iter().map(|field| {
            let cells: Vec<String> = (0..frame.len()).map(|row| field.values.text(row)).collect();
            let kind = match field.values {
                Values::Times(_) => 't',
                Values::Numbers(_) => 'n',
                Values::Texts(_) => 's',
            };
            format!("{}:{kind}[{}]", field.name, cells.join(","))
        });
        fields.collect::<Vec<_>>().join(" ")
    };
    frames.iter().map(frame).collect::<Vec<_>>().join(" ‖ ")
}

/// A number as JavaScript writes it.
pub fn cell(value: f64) -> String {
    edgewatch_grafana_model::units::Unit::of("string")
        .format(None, value)
        .to_string()
}
