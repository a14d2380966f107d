//! `timeseries`: lines, areas, bars or points over time.

use serde_json::Value;

use super::common::{HideFrom, Legend};
use super::read::{Path, Problems, Read, choice, options};

options! {
    /// Options of the panel.
    pub struct Timeseries {
        /// The legend.
        legend: Legend = "legend",
    }
    only { "orientation": "horizontal", }
    silent { "alertThreshold" | "dataLinks" | "timeCompare" }
}

options! {
    /// `custom` of its fields.
    pub struct TimeseriesField {
        /// Lines, bars or points.
        draw_style: DrawStyle = "drawStyle",
        /// How a line goes from point to point.
        line_interpolation: Interpolation = "lineInterpolation",
        /// Solid or interrupted.
        line_style: LineStyle = "lineStyle",
        /// Pixels.
        line_width: f64 = "lineWidth" or 1.0,
        /// Percent.
        fill_opacity: f64 = "fillOpacity",
        /// Whether areas fade downwards.
        gradient_mode: GradientMode = "gradientMode",
        /// Whether lines have points.
        show_points: ShowPoints = "showPoints",
        /// Pixels.
        point_size: f64 = "pointSize" or 5.0,
        /// Which gaps lines go across.
        span_nulls: Span = "spanNulls",
        /// Upon each other.
        stacking: Stacking = "stacking",
        /// How thresholds are shown.
        thresholds_style: ThresholdsStyle = "thresholdsStyle",
        /// How values lie on the axis.
        scale_distribution: ScaleDistribution = "scaleDistribution",
        /// Turned over.
        transform: Transform = "transform",
        /// The side of the axis.
        axis_placement: AxisPlacement = "axisPlacement",
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
        /// Its area ends at the series of that name.
        fill_below_to: String = "fillBelowTo",
        /// Where it is left out.
        hide_from: HideFrom = "hideFrom",
    }
    only {
        "insertNulls": "false",
        "showValues": "false",
    }
    silent { "axisColorMode" | "axisBorderShow" | "axisWidth" | "barAlignment" | "barMaxWidth" | "barWidthFactor" }
}

choice! {
    /// `drawStyle`.
    pub enum DrawStyle {
        /// Lines.
        #[default]
        Line = "line",
        /// Bars.
        Bars = "bars",
        /// Points alone.
        Points = "points",
    }
}

choice! {
    /// `lineInterpolation`.
    pub enum Interpolation {
        /// Straight.
        #[default]
        Linear = "linear",
        /// Curved.
        Smooth = "smooth",
        /// Up or down at the earlier point.
        StepBefore = "stepBefore",
        /// Up or down at the later point.
        StepAfter = "stepAfter",
    }
}

options! {
    /// `lineStyle`.
    pub struct LineStyle {
        /// Solid or interrupted.
        fill: LineFill = "fill",
        /// Pixels of lines and gaps in turn.
        dash: Vec<f64> = "dash",
    }
}

choice! {
    /// `lineStyle.fill`.
    pub enum LineFill {
        /// Solid.
        #[default]
        Solid = "solid",
        /// Dashes.
        Dash = "dash",
        /// Dots.
        Dot = "dot",
    }
}

choice! {
    /// `gradientMode`.
    pub enum GradientMode {
        /// One colour.
        #[default]
        None = "none",
        /// Fading.
        Opacity = "opacity",
        /// Drawn like `opacity`.
        Hue = "hue",
        /// In the colours of values.
        Scheme = "scheme",
    }
}

choice! {
    /// `showPoints`.
    pub enum ShowPoints {
        /// Where there is no line.
        #[default]
        Auto = "auto",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
    }
}

options! {
    /// `stacking`.
    pub struct Stacking {
        /// Whether values are stacked.
        mode: StackingMode = "mode",
        /// Upon those of the same name.
        group: String = "group",
    }
}

choice! {
    /// `stacking.mode`.
    pub enum StackingMode {
        /// Not.
        #[default]
        None = "none",
        /// Sums.
        Normal = "normal",
        /// Shares of the sum.
        Percent = "percent",
    }
}

options! {
    /// `thresholdsStyle`.
    pub struct ThresholdsStyle {
        /// How they are shown.
        mode: ThresholdsMode = "mode",
    }
}

choice! {
    /// `thresholdsStyle.mode`.
    pub enum ThresholdsMode {
        /// Not.
        #[default]
        Off = "off",
        /// As lines.
        Line = "line",
        /// As dashed lines.
        Dashed = "dashed",
        /// As areas.
        Area = "area",
        /// As both.
        LineArea = "line+area",
        /// As both.
        DashedArea = "dashed+area",
    }
}

impl ThresholdsMode {
    /// Whether there are areas.
    pub const fn has_areas(self) -> bool {
        matches!(self, Self::Area | Self::LineArea | Self::DashedArea)
    }

    /// Whether there are lines.
    pub const fn has_lines(self) -> bool {
        matches!(self, Self::Line | Self::Dashed | Self::LineArea | Self::DashedArea)
    }

    /// Whether lines are dashed.
    pub const fn is_dashed(self) -> bool {
        matches!(self, Self::Dashed | Self::DashedArea)
    }
}

options! {
    /// `scaleDistribution`.
    pub struct ScaleDistribution {
        /// Evenly or by magnitude.
        kind: Distribution = "type",
        /// The base of logarithms.
        log: Option<f64> = "log",
        /// Up to which distance from 0 values lie evenly.
        linear_threshold: Option<f64> = "linearThreshold",
    }
}

choice! {
    /// `scaleDistribution.type`.
    pub enum Distribution {
        /// Evenly.
        #[default]
        Linear = "linear",
        /// By magnitude.
        Log = "log",
        /// By magnitude on both sides of 0.
        Symlog = "symlog",
    }
}

choice! {
    /// `transform`.
    pub enum Transform {
        /// As they are.
        #[default]
        None = "",
        /// Negated.
        NegativeY = "negative-Y",
        /// The first value for all.
        Constant = "constant",
    }
}

choice! {
    /// `axisPlacement`.
    pub enum AxisPlacement {
        /// The first unit to the left, every other to the right.
        #[default]
        Auto = "auto",
        /// At the left.
        Left = "left",
        /// At the right.
        Right = "right",
        /// No axis.
        Hidden = "hidden",
    }
}

/// `spanNulls`: which gaps lines go across.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Span {
    /// `false`.
    #[default]
    Never,
    /// `true`.
    Always,
    /// Gaps of at most these seconds; Grafana writes milliseconds.
    UpTo(f64),
}

impl Span {
    /// Whether lines go across a gap of `seconds`.
    pub fn reaches(self, seconds: f64) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::UpTo(most) => seconds <= most,
        }
    }
}

impl Read for Span {
    fn read(value: &Value, _: Path<'_>, _: &mut Problems) -> Option<Self> {
        match (value.as_bool(), value.as_f64()) {
            (Some(true), _) => Some(Self::Always),
            (_, Some(millis)) => Some(Self::UpTo(millis / 1000.0)),
            (Some(false) | None, None) => None,
        }
    }
}
