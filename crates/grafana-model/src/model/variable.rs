//! Variables: `templating`.

use serde::Deserialize;
use serde_json::Value;

use super::{Datasource, lenient};

/// `templating`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Templating {
    /// Variables in their order; later ones may use earlier ones.
    #[serde(deserialize_with = "each")]
    pub list: Vec<Variable>,
}

/// Each variable by itself: one that is not understood must not cost the others.
fn each<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Variable>, D::Error> {
    let list: Option<Vec<Value>> = Deserialize::deserialize(deserializer)?;
    let variables = list.iter().flatten().map(|written| {
        serde_path_to_error::deserialize(written).unwrap_or_else(|error| Variable {
            name: written
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            broken: Some(format!("it is not understood: {error}")),
            ..Variable::default()
        })
    });
    Ok(variables.collect())
}

/// A code of Grafana's.
fn small<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    lenient::whole(deserializer).map(|number| number.min(255) as u8)
}

/// A variable.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Variable {
    /// Without the `$`.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// As people read it; empty: the name.
    #[serde(deserialize_with = "lenient::text")]
    pub label: String,
    /// `query`, `custom`, `constant`, `interval`, `datasource`, `textbox`, `adhoc`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A text, or an object with a text `query`.
    pub query: Value,
    /// What is chosen at first: `value` is a text or a list of texts.
    pub current: Value,
    /// Filters and names the options of a query.
    #[serde(deserialize_with = "lenient::text")]
    pub regex: String,
    /// How options are sorted: 0 not, 1 and 2 by name, 3 and 4 as numbers, 5 and 6 without case; even ones descend.
    #[serde(deserialize_with = "small")]
    pub sort: u8,
    /// 0 shown, 1 without label, 2 hidden.
    #[serde(deserialize_with = "small")]
    pub hide: u8,
    /// Several values may be chosen.
    #[serde(deserialize_with = "lenient::flag")]
    pub multi: bool,
    /// `All` may be chosen.
    #[serde(deserialize_with = "lenient::flag")]
    pub include_all: bool,
    /// What `All` stands for; empty: every option.
    #[serde(deserialize_with = "lenient::some_text")]
    pub all_value: Option<String>,
    /// An interval that is chosen by the range may be chosen.
    #[serde(deserialize_with = "lenient::flag")]
    pub auto: bool,
    /// Into how many of them the range is divided.
    #[serde(rename = "auto_count", deserialize_with = "lenient::number")]
    pub auto_count: Option<f64>,
    /// The least of them.
    #[serde(rename = "auto_min", deserialize_with = "lenient::text")]
    pub auto_min: String,
    /// Filters of an `adhoc` variable.
    pub filters: Value,
    /// What queries it.
    pub datasource: Datasource,
    /// Why it could not be read.
    #[serde(skip)]
    pub broken: Option<String>,
}
