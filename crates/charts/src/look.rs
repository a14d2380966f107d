//! What several kinds of panels ask.

use edgewatch_grafana_model::grid::{COLUMNS, GAP, ROW};
use edgewatch_grafana_model::layout::MAX_ROWS;
use edgewatch_grafana_model::model::{FieldOptions, Panel};
use edgewatch_grafana_model::units;

/// Pixels of a column of the grid on a usual screen.
const COLUMN: f64 = 57.0;

/// Pixels of a panel on a usual screen.
pub fn usual_size(panel: &Panel) -> (f64, f64) {
    let place = panel.grid_pos;
    (
        f64::from(place.w.clamp(1, COLUMNS)) * COLUMN,
        f64::from(place.h.clamp(2, MAX_ROWS)) * f64::from(ROW + GAP),
    )
}

/// `value` with the field's unit, but without its mappings: for limits.
pub fn plain(options: &FieldOptions, value: f64) -> String {
    units::format(&options.unit, options.digits(), value)
}
