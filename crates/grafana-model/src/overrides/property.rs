//! What an override changes.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::limits::note;
use crate::model::{ColorMode, FieldOptions, Property};
use crate::units::leading_number;

/// Changes one option of the panel's kind; false if the property is none of those.
pub fn set_custom(custom: &mut Map<String, Value>, property: &Property) -> bool {
    let Some(name) = property.id.strip_prefix("custom.") else {
        return false;
    };
    let value = match property.value.as_str() {
        // Generated dashboards write truth as text, and Grafana takes it.
        Some(truth @ ("true" | "false")) => Value::Bool(truth == "true"),
        _ => property.value.clone(),
    };
    nested(custom, name, value);
    true
}

/// Changes one option.
pub fn set(options: &mut FieldOptions, property: &Property, problems: &mut Vec<String>) {
    if set_custom(&mut options.custom, property) {
        return;
    }
    let id = property.id.as_str();
    let taken = match id {
        "unit" => take(&mut options.unit, property),
        "decimals" => take_number(&mut options.decimals, property),
        "min" => take_number(&mut options.min, property),
        "max" => take_number(&mut options.max, property),
        "displayName" => take(&mut options.display_name, property),
        "noValue" => take(&mut options.no_value, property),
        "color" => match &property.value {
            // Generated dashboards name the colour alone.
            Value::String(name) => {
                options.color = ColorMode {
                    mode: "fixed".to_owned(),
                    fixed_color: Some(name.clone()),
                    series_by: None,
                };
                true
            }
            _ => take(&mut options.color, property),
        },
        "thresholds" => take(&mut options.thresholds, property),
        "mappings" => take_list(&mut options.mappings, property),
        "links" => take_list(&mut options.links, property),
        "fieldMinMax" => take(&mut options.field_min_max, property),
        // What only Grafana's own page can use.
        "actions" | "filterable" | "description" => true,
        _ => false,
    };
    if !taken {
        note(
            problems,
            format!("an override is left out: {id} cannot be set to {}", property.value),
        );
    }
}

/// False if the value has another form. `null` is what it is without a value.
fn take<T: DeserializeOwned + Default>(option: &mut T, property: &Property) -> bool {
    if property.value.is_null() {
        *option = T::default();
        return true;
    }
    match serde_json::from_value(property.value.clone()) {
        Ok(value) => {
            *option = value;
            true
        }
        Err(_) => false,
    }
}

/// The same of a list. It is put before that of the defaults.
fn take_list<T: DeserializeOwned + Clone>(list: &mut Arc<Vec<T>>, property: &Property) -> bool {
    let mut entries: Vec<T> = Vec::new();
    let is_taken = take(&mut entries, property);
    if is_taken && !property.value.is_null() {
        entries.extend(list.iter().cloned());
    }
    if is_taken {
        *list = Arc::new(entries);
    }
    is_taken
}

/// A number, which some write as text. What is none takes the number away.
fn take_number(option: &mut Option<f64>, property: &Property) -> bool {
    *option = match &property.value {
        Value::String(text) => leading_number(text),
        value => value.as_f64(),
    };
    matches!(property.value, Value::Null | Value::Number(_) | Value::String(_))
}

/// `custom.hideFrom.legend` is an object within the options.
fn nested(custom: &mut Map<String, Value>, name: &str, value: Value) {
    let Some((outer, inner)) = name.split_once('.') else {
        custom.insert(name.to_owned(), value);
        return;
    };
    let outer = custom
        .entry(outer.to_owned())
        .or_insert_with(|| Value::Object(Map::new()));
    if !outer.is_object() {
        *outer = Value::Object(Map::new());
    }
    if let Some(fields) = outer.as_object_mut() {
        fields.insert(inner.to_owned(), value);
    }
}
