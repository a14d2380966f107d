//! Options of fields out of data: `configFromData`, and `rowsToFields`, which makes fields of rows.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Transformed, fits, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::model::{Matcher, Property};
use crate::names::Naming;
use crate::overrides::{Match, is_match, matcher};
use crate::reduce;
use crate::scope::Scope;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Options {
    config_ref_id: Option<String>,
    apply_to: Option<Matcher>,
    mappings: Vec<Mapping>,
}

/// What a column is for.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Mapping {
    field_name: String,
    handler_key: Option<String>,
    reducer_id: Option<String>,
}

/// What a column is for by its name, as Grafana understands names.
fn handler(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().as_str() {
        "name" | "displayname" => "displayName",
        "max" => "max",
        "min" => "min",
        "unit" => "unit",
        "decimals" => "decimals",
        "color" => "color",
        "threshold1" => "threshold1",
        _ => return None,
    })
}

/// What `name` is for: what a mapping says, or what the name itself does.
fn purpose(name: &str, mappings: &[Mapping]) -> (Option<String>, String) {
    let mapping = mappings.iter().find(|mapping| mapping.field_name == name);
    let calc = mapping
        .and_then(|mapping| mapping.reducer_id.clone())
        .unwrap_or_else(|| "lastNotNull".to_owned());
    let key = match mapping.and_then(|mapping| mapping.handler_key.clone()) {
        Some(key) => Some(key).filter(|key| key != "__ignore"),
        None => handler(name).map(str::to_owned),
    };
    (key, calc)
}

/// The option of that purpose with a value; `None`: it is none, or has none.
fn property(purpose: &str, cell: &Cell<'_>) -> Option<Property> {
    if cell.is_null() {
        return None;
    }
    let (id, value) = match purpose {
        "max" | "min" | "decimals" => (purpose, json!(finite(cell)?)),
        "unit" => ("unit", json!(cell.to_string())),
        "color" => ("color", json!({"mode": "fixed", "fixedColor": cell.to_string()})),
        "displayName" | "field.name" => ("displayName", json!(cell.to_string())),
        "threshold1" => {
            let steps = json!([{"value": null, "color": "green"}, {"value": finite(cell)?, "color": "red"}]);
            ("thresholds", json!({"mode": "absolute", "steps": steps}))
        }
        _ => return None,
    };
    Some(Property {
        id: id.to_owned(),
        value,
    })
}

fn finite(cell: &Cell<'_>) -> Option<f64> {
    Some(cell.as_number()).filter(|number| number.is_finite())
}

/// `configFromData`: the answer to one query gives units, limits and colours to the fields of the others.
pub fn from_data(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Options = read(options)?;
    let query = options.config_ref_id.as_deref().unwrap_or("config");
    let Some(place) = frames.iter().position(|frame| frame.ref_id == query) else {
        return Ok(frames);
    };
    let naming = Naming::of(&frames);
    let mut properties = Vec::new();
    if let Some(config) = frames.get(place) {
        for field in &config.fields {
            let (purpose, calc) = purpose(&naming.name(field, config), &options.mappings);
            let value = reduce::reduce(&calc, &field.values);
            properties.extend(purpose.and_then(|purpose| property(&purpose, &value)));
        }
    }
    let target = match &options.apply_to {
        Some(chosen) => matcher(chosen)?,
        None => Match::Kind("number".to_owned()),
    };
    let mut others = frames;
    others.remove(place);
    for frame in &mut others {
        let is_meant: Vec<bool> = frame
            .fields
            .iter()
            .map(|field| is_match(&target, field, &naming.name(field, frame), frame))
            .collect();
        for (field, _) in frame.fields.iter_mut().zip(is_meant).filter(|(_, is)| *is) {
            field.config.extend(properties.iter().cloned());
        }
    }
    Ok(others)
}

/// `rowsToFields`: a field for each row, named by one column and with the value of another.
pub fn rows_to_fields(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Options = read(options)?;
    let naming = Naming::of(&frames);
    let mut turned = Vec::new();
    for frame in frames {
        let named: Vec<(&Field, Option<String>)> = frame
            .fields
            .iter()
            .map(|field| {
                let name = naming.name(field, &frame);
                let is_mapped = options
                    .mappings
                    .iter()
                    .any(|mapping| mapping.field_name == name && mapping.handler_key.is_some());
                (
                    field,
                    if is_mapped {
                        purpose(&name, &options.mappings).0
                    } else {
                        handler(&name).filter(|key| *key != "displayName").map(str::to_owned)
                    },
                )
            })
            .collect();
        let of = |key: &str| {
            named
                .iter()
                .find(|(_, purpose)| purpose.as_deref() == Some(key))
                .map(|(field, _)| *field)
        };
        let first = |is: fn(&Values) -> bool| {
            named
                .iter()
                .find(|(field, purpose)| purpose.is_none() && is(&field.values))
                .map(|(field, _)| *field)
        };
        let name = of("field.name").or_else(|| first(|values| matches!(values, Values::Texts(_))));
        let value = of("field.value").or_else(|| first(Values::is_numbers));
        let (Some(name), Some(value)) = (name, value) else {
            turned.push(frame);
            continue;
        };
        fits(frame.len() * Field::SIZE)?;
        let is = |one: &Field, other: &Field| std::ptr::eq(one, other);
        let fields = (0..frame.len()).map(|row| {
            let mut field = Field::new(name.values.text(row), value.values.select(&[Some(row)]));
            for (other, purpose) in named.iter().filter(|(other, _)| !is(other, name) && !is(other, value)) {
                let cell = other.values.cell(row);
                match purpose.as_deref() {
                    None | Some("field.label") if !cell.is_null() => {
                        field.labels = field.labels.with(&other.source, &cell.to_string())
                    }
                    None | Some("field.label") => {}
                    Some(purpose) => field.config.extend(property(purpose, &cell)),
                }
            }
            field
        });
        turned.push(Frame {
            fields: fields.collect(),
            ref_id: frame.ref_id.clone(),
            ..Frame::default()
        });
    }
    Ok(turned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, scope, series, table, texts, transform};
    use super::*;

    #[test]
    fn rows_become_fields() {
        let frames = vec![table(
            "A",
            &[
                ("disk", texts(&["sda", "sdb"])),
                ("Value", numbers(&[1.0, 2.0])),
                ("unit", texts(&["bytes", "s"])),
            ],
        )];
        assert_eq!(
            transform("rowsToFields", json!({}), frames.clone()),
            [["sda|sdb", "1|2"]]
        );
        let fields = rows_to_fields(&json!({}), &scope(), frames).unwrap().remove(0).fields;
        assert_eq!(
            (&*fields[1].config[0].id, &fields[1].config[0].value),
            ("unit", &json!("s"))
        );
    }

    #[test]
    fn one_query_sets_the_options_of_others() {
        let frames = vec![series("A", "a", &[], &[1.0]), series("C", "max", &[], &[80.0, 90.0])];
        let options =
            json!({"configRefId": "C", "mappings": [{"fieldName": "max", "handlerKey": "max", "reducerId": "min"}]});
        let left = from_data(&options, &scope(), frames).unwrap();
        assert_eq!(left.len(), 1);
        let config = &left[0].fields[1].config;
        assert_eq!((&*config[0].id, &config[0].value), ("max", &json!(80.0)));
    }
}
