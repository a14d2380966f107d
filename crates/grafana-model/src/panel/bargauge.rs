//! `bargauge`: bars as long as their values.

use super::common::{Orientation, ReduceOptions};
use super::read::{choice, options};

options! {
    /// Options of the panel.
    pub struct BarGauge {
        /// What it shows.
        reduce: ReduceOptions = "reduceOptions",
        /// How bars lie.
        orientation: Orientation = "orientation",
        /// The look of bars.
        display_mode: BarMode = "displayMode",
        /// The colour of values.
        value_mode: ValueMode = "valueMode",
        /// Where names stand.
        name_placement: NamePlacement = "namePlacement",
        /// The part that is not filled.
        show_unfilled: bool = "showUnfilled" or true,
    }
    silent { "maxVizHeight" | "minVizHeight" | "minVizWidth" | "sizing" }
}

choice! {
    /// `displayMode`.
    pub enum BarMode {
        /// In one colour.
        Basic = "basic",
        /// The colours of thresholds flow into each other.
        #[default]
        Gradient = "gradient",
        /// Like a display with segments.
        Lcd = "lcd",
    }
}

choice! {
    /// `valueMode`.
    pub enum ValueMode {
        /// The value's.
        #[default]
        Color = "color",
        /// That of texts.
        Text = "text",
        /// No value.
        Hidden = "hidden",
    }
}

choice! {
    /// `namePlacement`.
    pub enum NamePlacement {
        /// As there is room.
        #[default]
        Auto = "auto",
        /// Drawn like `auto`.
        Top = "top",
        /// Drawn like `auto`.
        Left = "left",
        /// No names.
        Hidden = "hidden",
    }
}
