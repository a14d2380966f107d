//! `piechart`: shares of a whole.

use super::common::{Legend, ReduceOptions};
use super::read::{choice, options};

options! {
    /// Options of the panel.
    pub struct PieChart {
        /// What it shows.
        reduce: ReduceOptions = "reduceOptions",
        /// Whole or with a hole.
        pie_type: PieType = "pieType",
        /// What is written in slices.
        display_labels: Vec<PieText> = "displayLabels",
        /// In which order slices lie.
        sort: PieSort = "sort",
        /// The legend.
        legend: PieLegend = "legend",
    }
    silent { "strokeWidth" | "orientation" }
}

options! {
    /// `legend`.
    pub struct PieLegend {
        /// What every legend has.
        show_legend: bool = "showLegend" or true,
        /// As a list or as a table.
        display_mode: super::common::LegendMode = "displayMode",
        /// Below or beside.
        placement: super::common::LegendPlacement = "placement",
        /// What it says of slices.
        values: Vec<PieText> = "values",
    }
    silent { "calcs" | "width" | "asTable" | "isVisible" | "sortBy" | "sortDesc" }
}

impl PieLegend {
    /// The same as other panels have it, without calculations.
    pub fn plain(&self) -> Legend {
        Legend {
            show_legend: self.show_legend,
            display_mode: self.display_mode,
            placement: self.placement,
            ..Legend::default()
        }
    }
}

choice! {
    /// `pieType`.
    pub enum PieType {
        /// Whole.
        #[default]
        Pie = "pie",
        /// With a hole.
        Donut = "donut",
    }
}

choice! {
    /// `sort`.
    pub enum PieSort {
        /// The greatest first.
        #[default]
        Descending = "desc",
        /// The least first.
        Ascending = "asc",
        /// As they come.
        None = "none",
    }
}

choice! {
    /// What is written in a slice, or in the legend of a pie chart.
    pub enum PieText {
        /// Its name.
        #[default]
        Name = "name",
        /// Its value.
        Value = "value",
        /// Its share.
        Percent = "percent",
    }
}
