//! `state-timeline`: a row of bars for each series. `status-history`: the same with a bar for each sample.

use super::common::{HideFrom, Legend};
use super::read::{choice, options};

options! {
    /// Options of the panel.
    pub struct StateTimeline {
        /// The legend.
        legend: Legend = "legend",
        /// Where texts lie in bars.
        align_value: AlignValue = "alignValue",
        /// Which bars have a text.
        show_value: ShowValue = "showValue",
        /// Whether equal values beside each other are one bar.
        merge_values: bool = "mergeValues" or true,
        /// The part of a row that its bars fill.
        row_height: f64 = "rowHeight" or 0.9,
    }
    silent { "perPage" }
}

choice! {
    /// `alignValue`.
    pub enum AlignValue {
        /// At the left.
        #[default]
        Left = "left",
        /// In the middle.
        Center = "center",
        /// At the right.
        Right = "right",
    }
}

choice! {
    /// `showValue`.
    pub enum ShowValue {
        /// Those with room for it.
        #[default]
        Auto = "auto",
        /// All.
        Always = "always",
        /// None.
        Never = "never",
    }
}

options! {
    /// `custom` of its fields.
    pub struct StateTimelineField {
        /// Pixels around bars.
        line_width: f64 = "lineWidth",
        /// Percent.
        fill_opacity: f64 = "fillOpacity" or 70.0,
        /// Whether a state lasts until the next one.
        span_nulls: bool = "spanNulls",
        /// Where it is left out.
        hide_from: HideFrom = "hideFrom",
    }
    only { "insertNulls": "false", }
    silent { "axisPlacement" }
}

options! {
    /// Options of a status history.
    pub struct StatusHistory {
        /// The legend.
        legend: Legend = "legend",
        /// Which bars have a text.
        show_value: ShowValue = "showValue",
        /// The part of a row that its bars fill.
        row_height: f64 = "rowHeight" or 0.9,
        /// The part of its time that a bar fills.
        col_width: f64 = "colWidth" or 0.9,
    }
    silent { "perPage" | "alignValue" }
}
