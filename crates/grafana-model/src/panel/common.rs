//! Options that panels of several kinds have.

use super::read::{choice, options};

options! {
    /// `legend`.
    pub struct Legend {
        /// False: there is none.
        show_legend: bool = "showLegend" or true,
        /// The same of a heat map.
        show: bool = "show" or true,
        /// As a list or as a table.
        display_mode: LegendMode = "displayMode",
        /// Below the graph or beside it.
        placement: LegendPlacement = "placement",
        /// The calculations whose values it has.
        calcs: Vec<String> = "calcs",
        /// By which of its columns a table is sorted: the title of a calculation, or `Name`.
        sort_by: String = "sortBy",
        /// Downwards.
        sort_desc: bool = "sortDesc",
    }
}

impl Legend {
    /// Whether there is one.
    pub fn is_shown(&self) -> bool {
        self.show_legend && self.display_mode != LegendMode::Hidden
    }
}

choice! {
    /// `legend.displayMode`.
    pub enum LegendMode {
        /// Beside each other.
        #[default]
        List = "list",
        /// With a column for each value.
        Table = "table",
        /// No legend.
        Hidden = "hidden",
    }
}

choice! {
    /// `legend.placement`.
    pub enum LegendPlacement {
        /// Below.
        #[default]
        Bottom = "bottom",
        /// Beside.
        Right = "right",
    }
}

options! {
    /// `reduceOptions`: what a stat, gauge or bar gauge shows.
    pub struct ReduceOptions {
        /// Shows every value in place of one for each field.
        values: bool = "values",
        /// How many at most.
        limit: Option<f64> = "limit",
        /// Calculations: if nothing is said the last value that is one, for none the last value.
        calcs: Option<Vec<String>> = "calcs",
        /// Which fields: empty for numbers, else a regular expression.
        fields: String = "fields",
    }
}

choice! {
    /// `orientation`. Grafana calls cells beside each other, and bars that stand upright, vertical.
    pub enum Orientation {
        /// As there is room.
        #[default]
        Auto = "auto",
        /// Below each other, or bars that lie flat.
        Horizontal = "horizontal",
        /// Beside each other, or bars that stand upright.
        Vertical = "vertical",
    }
    others quietly
}

options! {
    /// `custom.hideFrom`.
    pub struct HideFrom {
        /// What is drawn.
        viz: bool = "viz",
        /// The legend.
        legend: bool = "legend",
    }
}

options! {
    /// The fields of a kind that has no options of its own for them.
    pub struct PlainField {
        /// Where it is left out.
        hide_from: HideFrom = "hideFrom",
    }
}
