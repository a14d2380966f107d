//! `histogram`: how often values lie where.

use super::common::{HideFrom, Legend};
use super::read::options;
use super::timeseries::{GradientMode, Stacking};

options! {
    /// Options of the panel.
    pub struct Histogram {
        /// The width of a bucket; left out: a round one.
        bucket_size: Option<f64> = "bucketSize",
        /// Into about how many buckets values are divided, where no width is given.
        bucket_count: Option<f64> = "bucketCount",
        /// Where a bucket begins.
        bucket_offset: Option<f64> = "bucketOffset",
        /// All series together.
        combine: bool = "combine",
        /// The legend.
        legend: Legend = "legend",
    }
}

options! {
    /// `custom` of its fields.
    pub struct HistogramField {
        /// Pixels around bars.
        line_width: f64 = "lineWidth" or 1.0,
        /// Percent.
        fill_opacity: f64 = "fillOpacity" or 80.0,
        /// Whether bars fade.
        gradient_mode: GradientMode = "gradientMode",
        /// Upon each other.
        stacking: Stacking = "stacking",
        /// Where it is left out.
        hide_from: HideFrom = "hideFrom",
    }
    silent { "axisColorMode" | "axisBorderShow" | "axisWidth" | "axisPlacement" | "axisLabel" | "axisCenteredZero" | "axisGridShow" | "scaleDistribution" | "thresholdsStyle" }
}
