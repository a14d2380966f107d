//! `barchart`: bars for the rows of a table.

use super::common::{HideFrom, Legend, Orientation};
use super::read::options;
use super::state_timeline::ShowValue;
use super::timeseries::{GradientMode, ScaleDistribution, StackingMode, ThresholdsStyle};

options! {
    /// Options of the panel.
    pub struct BarChart {
        /// How bars lie.
        orientation: Orientation = "orientation",
        /// The column of names; empty: the first of texts, else of times.
        x_field: String = "xField",
        /// The column whose values give bars their colours.
        color_by_field: String = "colorByField",
        /// Upon each other.
        stacking: StackingMode = "stacking",
        /// Which bars have their values.
        show_value: ShowValue = "showValue",
        /// The part of its place that a group of bars fills.
        group_width: f64 = "groupWidth" or 0.7,
        /// The part of its place in a group that a bar fills.
        bar_width: f64 = "barWidth" or 0.97,
        /// The legend.
        legend: Legend = "legend",
    }
    silent { "barRadius" | "fullHighlight" | "xTickLabelRotation" | "xTickLabelMaxLength" | "xTickLabelSpacing" | "clustered" }
}

options! {
    /// `custom` of its fields.
    pub struct BarChartField {
        /// Pixels around bars.
        line_width: f64 = "lineWidth" or 1.0,
        /// Percent.
        fill_opacity: f64 = "fillOpacity" or 80.0,
        /// Whether bars fade.
        gradient_mode: GradientMode = "gradientMode",
        /// How values lie on the axis.
        scale_distribution: ScaleDistribution = "scaleDistribution",
        /// How thresholds are shown: not at all, here.
        thresholds_style: ThresholdsStyle = "thresholdsStyle",
        /// Along the axis.
        axis_label: String = "axisLabel",
        /// 0 lies in the middle.
        axis_centered_zero: bool = "axisCenteredZero",
        /// Whether the axis has a grid.
        axis_grid_show: bool = "axisGridShow" or true,
        /// The axis shows at least from here.
        axis_soft_min: Option<f64> = "axisSoftMin",
        /// The axis shows at least up to here.
        axis_soft_max: Option<f64> = "axisSoftMax",
        /// Where it is left out.
        hide_from: HideFrom = "hideFrom",
    }
    silent { "axisColorMode" | "axisBorderShow" | "axisWidth" | "axisPlacement" | "drawStyle" | "lineInterpolation" | "stacking" }
}
