//! `gauge`: an arc filled as far as the value goes.

use super::common::{Orientation, ReduceOptions};
use super::read::options;

options! {
    /// Options of the panel.
    pub struct Gauge {
        /// What it shows.
        reduce: ReduceOptions = "reduceOptions",
        /// How cells lie.
        orientation: Orientation = "orientation",
        /// The values of thresholds.
        show_threshold_labels: bool = "showThresholdLabels",
        /// The colours of thresholds, around the arc.
        show_threshold_markers: bool = "showThresholdMarkers" or true,
    }
    silent {
        "minVizHeight" | "minVizWidth" | "sizing" | "barShape" | "barWidthFactor" | "effects" | "endpointMarker" | "glow"
            | "shape" | "segmentCount" | "segmentSpacing" | "sparkline" | "textMode"
    }
}
