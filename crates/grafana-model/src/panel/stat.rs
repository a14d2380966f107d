//! `stat`: big numbers.

use super::common::{Orientation, ReduceOptions};
use super::read::{choice, options};

options! {
    /// Options of the panel.
    pub struct Stat {
        /// What it shows.
        reduce: ReduceOptions = "reduceOptions",
        /// How cells lie.
        orientation: Orientation = "orientation",
        /// Which texts a cell has.
        text_mode: TextMode = "textMode",
        /// What has the value's colour.
        color_mode: StatColor = "colorMode",
        /// What lies behind the value.
        graph_mode: GraphMode = "graphMode",
        /// Where texts lie.
        justify_mode: Justify = "justifyMode",
    }
    only { "showPercentChange": "false", }
    silent { "wideLayout" | "percentChangeColorMode" }
}

choice! {
    /// `textMode`.
    pub enum TextMode {
        /// A name if there are several.
        #[default]
        Auto = "auto",
        /// The value.
        Value = "value",
        /// Both.
        ValueAndName = "value_and_name",
        /// The name.
        Name = "name",
        /// Nothing.
        None = "none",
    }
}

choice! {
    /// `colorMode`.
    pub enum StatColor {
        /// Nothing but the graph.
        None = "none",
        /// The value.
        #[default]
        Value = "value",
        /// What is behind it, darker at one corner.
        Background = "background",
        /// What is behind it.
        BackgroundSolid = "background_solid",
    }
}

choice! {
    /// `graphMode`.
    pub enum GraphMode {
        /// Nothing.
        None = "none",
        /// A sparkline with its area.
        #[default]
        Area = "area",
        /// Nothing here.
        Line = "line",
    }
}

choice! {
    /// `justifyMode`.
    pub enum Justify {
        /// A name at the left.
        #[default]
        Auto = "auto",
        /// In the middle.
        Center = "center",
    }
    others quietly
}
