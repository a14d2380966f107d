//! `heatmap`: a row for each bucket, coloured by how much lies in it.

use serde_json::Value;

use super::common::{HideFrom, Legend};
use super::read::{Path, Problems, Read, choice, options};
use super::timeseries::{AxisPlacement, ScaleDistribution};

options! {
    /// Options of the panel.
    pub struct Heatmap {
        /// The legend.
        legend: Legend = "legend",
        /// Whether values are counted here; else each series is a bucket.
        calculate: bool = "calculate",
        /// How they are counted.
        calculation: Calculation = "calculation",
        /// From counts to colours.
        color: HeatColor = "color",
        /// Which cells are drawn.
        filter_values: FilterValues = "filterValues",
        /// How counts are written.
        cell_values: CellValues = "cellValues",
        /// The axis of the buckets.
        y_axis: YAxis = "yAxis",
    }
    only { "showValue": "never", }
    silent { "cellGap" | "cellRadius" | "exemplars" | "rowsFrame" | "selectionMode" }
}

options! {
    /// `yAxis`.
    pub struct YAxis {
        /// Of the limits of buckets.
        unit: String = "unit",
        /// Digits behind the point.
        decimals: Option<f64> = "decimals",
        /// The greatest at the bottom.
        reverse: bool = "reverse",
        /// Nothing below is shown.
        min: Option<Count> = "min",
        /// Nothing above is shown.
        max: Option<Count> = "max",
        /// Along the axis.
        axis_label: String = "axisLabel",
        /// Its side.
        axis_placement: AxisPlacement = "axisPlacement",
    }
}

impl YAxis {
    /// Whether the axis reaches to a limit of buckets; `None`: to one beyond all numbers.
    pub fn shows(&self, limit: Option<f64>) -> bool {
        let (min, max) = (self.min.map(|Count(min)| min), self.max.map(|Count(max)| max));
        match limit {
            Some(limit) => min.is_none_or(|min| limit >= min) && max.is_none_or(|max| limit <= max),
            None => max.is_none(),
        }
    }
}

options! {
    /// `calculation`.
    pub struct Calculation {
        /// The spans of time in which values are counted together.
        x_buckets: Spans = "xBuckets",
        /// The buckets.
        y_buckets: Buckets = "yBuckets",
    }
}

options! {
    /// `calculation.yBuckets`.
    pub struct Buckets {
        /// What the number is.
        mode: BucketMode = "mode",
        /// How many there are, or how high each is.
        value: Option<Count> = "value",
        /// Evenly, or by magnitude: then the number says into how many parts each is divided.
        scale: ScaleDistribution = "scale",
    }
}

options! {
    /// `calculation.xBuckets`.
    pub struct Spans {
        /// What the value is.
        mode: BucketMode = "mode",
        /// How many there are (`50`), or how long each is (`30m`).
        value: String = "value",
    }
}

choice! {
    /// `calculation.yBuckets.mode`.
    pub enum BucketMode {
        /// How many there are.
        #[default]
        Count = "count",
        /// How high each is.
        Size = "size",
    }
    others quietly
}

/// A number, which Grafana writes as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count(pub f64);

impl Read for Count {
    fn read(value: &Value, _: Path<'_>, _: &mut Problems) -> Option<Self> {
        let text = value.as_str().and_then(|text| text.parse().ok());
        text.or_else(|| value.as_f64()).map(Self)
    }
}

options! {
    /// `color`.
    pub struct HeatColor {
        /// One colour or several.
        mode: HeatMode = "mode",
        /// The colour, if it is one.
        fill: String = "fill",
        /// The colours, if they are several.
        scheme: Scheme = "scheme",
        /// How opacity grows with counts.
        scale: HeatScale = "scale",
        /// How colours grow with counts.
        exponent: Option<f64> = "exponent",
        /// From much to little.
        reverse: bool = "reverse",
        /// The count with the last colour.
        max: Option<f64> = "max",
    }
}

choice! {
    /// `color.mode`.
    pub enum HeatMode {
        /// Several colours.
        #[default]
        Scheme = "scheme",
        /// One, more or less opaque.
        Opacity = "opacity",
    }
    others quietly
}

choice! {
    /// `color.scale`.
    pub enum HeatScale {
        /// Evenly.
        #[default]
        Linear = "linear",
        /// By the exponent.
        Exponential = "exponential",
    }
    others quietly
}

choice! {
    /// `color.scheme`: colours of d3-scale-chromatic.
    pub enum Scheme {
        /// In place of those that are not known here, too.
        #[default]
        Oranges = "Oranges",
        /// One hue.
        Blues = "Blues",
        /// One hue.
        Greens = "Greens",
        /// None.
        Greys = "Greys",
        /// One hue.
        Purples = "Purples",
        /// One hue.
        Reds = "Reds",
        /// The rainbow.
        Turbo = "Turbo",
        /// For people who tell few colours apart.
        Cividis = "Cividis",
        /// From blue to yellow.
        Viridis = "Viridis",
        /// From black to yellow.
        Magma = "Magma",
        /// From black to yellow.
        Inferno = "Inferno",
        /// From blue to yellow.
        Plasma = "Plasma",
        /// The rainbow, paler.
        Spectral = "Spectral",
        /// From green to red.
        RdYlGn = "RdYlGn",
        /// From blue to red.
        RdYlBu = "RdYlBu",
        /// From blue to red.
        RdBu = "RdBu",
    }
    others quietly
}

options! {
    /// `filterValues`.
    pub struct FilterValues {
        /// Counts up to this are not drawn.
        le: f64 = "le" or 1e-9,
    }
}

options! {
    /// `cellValues`.
    pub struct CellValues {
        /// The unit of counts.
        unit: String = "unit",
    }
}

options! {
    /// `custom` of its fields.
    pub struct HeatmapField {
        /// Where it is left out.
        hide_from: HideFrom = "hideFrom",
    }
    silent { "scaleDistribution" }
}
