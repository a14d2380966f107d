//! Texts that several kinds of panels have.

use edgewatch_grafana_model::model::FieldOptions;
use edgewatch_grafana_model::units;

/// `value` with the field's unit, but without its mappings: for limits.
pub fn plain(options: &FieldOptions, value: f64) -> String {
    units::format(&options.unit, options.digits(), value)
}
