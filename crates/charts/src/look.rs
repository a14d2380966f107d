//! Options of panels and fields, read leniently: what has the wrong type counts as left out, as in Grafana.

use serde_json::Value;

use edgewatch_grafana_model::data::Field;
use edgewatch_grafana_model::model::{FieldOptions, Panel};
use edgewatch_grafana_model::units;

/// What `path` (`/legend/showLegend`) of the panel's options is.
pub fn option<'a>(panel: &'a Panel, path: &str) -> &'a Value {
    panel.options.pointer(path).unwrap_or(&Value::Null)
}

/// A text of the panel's options; empty if it has none.
pub fn option_text<'a>(panel: &'a Panel, path: &str) -> &'a str {
    option(panel, path).as_str().unwrap_or_default()
}

/// What `path` (`stacking/mode`) of the field's custom options is.
pub fn custom<'a>(options: &'a FieldOptions, path: &str) -> &'a Value {
    let (key, rest) = path
        .split_once('/')
        .map_or((path, None), |(key, rest)| (key, Some(rest)));
    let value = options.custom.get(key).unwrap_or(&Value::Null);
    match rest {
        None => value,
        Some(rest) => value.pointer(&format!("/{rest}")).unwrap_or(&Value::Null),
    }
}

/// A text of the field's custom options; empty if it has none.
pub fn custom_text<'a>(options: &'a FieldOptions, path: &str) -> &'a str {
    custom(options, path).as_str().unwrap_or_default()
}

/// A number of the field's custom options.
pub fn custom_number(options: &FieldOptions, path: &str) -> Option<f64> {
    custom(options, path).as_f64().filter(|number| number.is_finite())
}

/// Whether `field` is left out of `where` (`viz`, `legend`, `tooltip`).
pub fn is_hidden(field: &Field, place: &str) -> bool {
    custom(&field.options, &format!("hideFrom/{place}"))
        .as_bool()
        .unwrap_or(false)
}

/// `value` with the field's unit, but without its mappings: for limits.
pub fn plain(options: &FieldOptions, value: f64) -> String {
    units::format(&options.unit, options.digits(), value)
}
