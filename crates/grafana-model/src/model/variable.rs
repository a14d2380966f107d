//! Variables: `templating`.

use serde::Deserialize;
use serde_json::Value;

use super::{Datasource, text_or_null};

/// `templating`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Templating {
    /// Variables in their order; later ones may use earlier ones.
    pub list: Vec<Variable>,
}

/// A variable.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Variable {
    /// Without the `$`.
    pub name: String,
    /// As people read it; empty: the name.
    pub label: String,
    /// `query`, `custom`, `constant`, `interval`, `datasource`, `textbox`, `adhoc`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A text, or an object with a text `query`.
    pub query: Value,
    /// What is chosen at first: `value` is a text or a list of texts.
    pub current: Value,
    /// Filters and names the options of a query.
    pub regex: String,
    /// How options are sorted: 0 not, 1 and 2 by name, 3 and 4 as numbers, 5 and 6 without case; even ones descend.
    pub sort: u8,
    /// 0 shown, 1 without label, 2 hidden.
    pub hide: u8,
    /// Several values may be chosen.
    pub multi: bool,
    /// `All` may be chosen.
    pub include_all: bool,
    /// What `All` stands for; empty: every option.
    pub all_value: Option<String>,
    /// An interval that is chosen by the range may be chosen.
    pub auto: bool,
    /// Into how many of them the range is divided.
    #[serde(rename = "auto_count")]
    pub auto_count: Option<f64>,
    /// The least of them.
    #[serde(rename = "auto_min", deserialize_with = "text_or_null")]
    pub auto_min: String,
    /// Filters of an `adhoc` variable.
    pub filters: Value,
    /// What queries it.
    pub datasource: Datasource,
}
