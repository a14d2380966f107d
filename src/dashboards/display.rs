//! How a value is shown: its text by unit, decimals and mappings, and its colour by thresholds and mappings.

use super::model::FieldOptions;

/// A value for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Display {
    /// With unit, or the text that a mapping puts in its place.
    pub text: String,
    /// `#rrggbb`, if a mapping, a threshold or a fixed colour gives it one.
    pub color: Option<String>,
}

/// How the number `value` (NaN: none) is shown.
pub fn number(options: &FieldOptions, value: f64) -> Display {
    Display {
        text: super::units::format(&options.unit, None, value),
        color: None,
    }
}
