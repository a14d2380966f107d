//! The axes of a time series panel: one for each unit, side and kind of scale, and thresholds beside them.

use std::borrow::Cow;

use maud::{Markup, html};

use super::graph::{Axis, Ink, short};
use super::legend::Legend;
use super::line::Line;
use super::look::usual_size;
use super::scale::{Distribution, Limits, Scale};
use super::ticks::ticks;
use edgewatch_grafana_model::color;
use edgewatch_grafana_model::model::{FieldOptions, Panel, ThresholdMode};
use edgewatch_grafana_model::panel::timeseries::{AxisPlacement, ScaleDistribution, StackingMode, TimeseriesField};

/// Axes, the first of which has the grid.
pub struct Axes<'a> {
    list: Vec<Ruler<'a>>,
}

/// An axis and the field that decides how it looks.
struct Ruler<'a> {
    options: &'a FieldOptions,
    style: TimeseriesField,
    /// How the values at its ticks are written.
    values: Cow<'a, FieldOptions>,
    is_right: bool,
    is_hidden: bool,
    is_share: bool,
    scale: Scale,
}

impl<'a> Axes<'a> {
    /// The axes of `lines`, each of which learns its place among them.
    pub fn of(lines: &mut [Line<'a>]) -> Self {
        let mut keys: Vec<(&str, AxisPlacement, ScaleDistribution)> = Vec::new();
        let mut list: Vec<Ruler<'a>> = Vec::new();
        for line in lines.iter_mut() {
            let options: &'a FieldOptions = &line.field.options;
            let placement = line.style.axis_placement;
            let key = (&*options.unit, placement, line.style.scale_distribution.clone());
            line.axis = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                let is_share = line.style.stacking.mode == StackingMode::Percent;
                list.push(Ruler {
                    options,
                    style: line.style.clone(),
                    values: if is_share {
                        Cow::Owned(shares())
                    } else {
                        Cow::Borrowed(options)
                    },
                    // Grafana puts the first unit to the left and every other to the right.
                    is_right: match placement {
                        AxisPlacement::Right => true,
                        AxisPlacement::Left => false,
                        AxisPlacement::Auto | AxisPlacement::Hidden => !list.is_empty(),
                    },
                    is_hidden: placement == AxisPlacement::Hidden,
                    is_share,
                    scale: Scale {
                        min: 0.0,
                        max: 1.0,
                        distribution: Distribution::Linear,
                    },
                });
                keys.push(key);
                keys.len() - 1
            });
        }
        for (index, ruler) in list.iter_mut().enumerate() {
            ruler.scale = scale(lines.iter().filter(|line| line.axis == index), ruler);
        }
        Self { list }
    }

    /// The scale of axis `index`.
    pub fn scale(&self, index: usize) -> Scale {
        self.list[index].scale
    }

    /// As they are drawn.
    pub fn drawn(&self, panel: &Panel, legend: &Legend) -> Vec<Axis> {
        let count = room(panel, legend);
        let grid = self.list.iter().position(|ruler| !ruler.is_hidden);
        let shown = self.list.iter().enumerate().filter(|(_, ruler)| !ruler.is_hidden);
        let axes = shown.map(|(index, ruler)| Axis {
            is_right: ruler.is_right,
            title: ruler.style.axis_label.clone(),
            ticks: ticks(&ruler.scale, &ruler.values, count),
            has_grid: Some(index) == grid && ruler.style.axis_grid_show,
        });
        axes.collect()
    }

    /// The bands of thresholds, behind everything.
    pub fn threshold_areas(&self, ink: Ink) -> Markup {
        let bands = self.thresholds(true, ink).into_iter().map(|(from, to, color)| {
            let (top, bottom) = (1.0 - to.clamp(0.0, 1.0), 1.0 - from.clamp(0.0, 1.0));
            (
                top * f64::from(ink.height),
                (bottom - top) * f64::from(ink.height),
                color,
            )
        });
        html! {
            @for (y, height, color) in bands.filter(|(_, height, _)| *height > 0.0) {
                rect width=(ink.width) y=(short(y)) height=(short(height)) fill=(color) fill-opacity=".12" {}
            }
        }
    }

    /// The lines of thresholds, before everything.
    pub fn threshold_lines(&self, ink: Ink) -> Markup {
        let is_dashed = self
            .list
            .iter()
            .any(|ruler| ruler.style.thresholds_style.mode.is_dashed());
        let lines = self
            .thresholds(false, ink)
            .into_iter()
            .map(|(from, _, color)| (from, color));
        html! {
            @for (at, color) in lines.filter(|(at, _)| (0.0..=1.0).contains(at)) {
                path stroke=(color) stroke-width=(ink.pixels(2.0)) stroke-opacity=".7" stroke-dasharray=[is_dashed.then(|| format!("{0} {0}", ink.pixels(10.0)))]
                    d=(format!("M0 {:.0}h{}", (1.0 - at) * f64::from(ink.height), ink.width)) {}
            }
        }
    }

    /// From where to where (fractions of the height) which colour holds, where thresholds are shown as areas or else as lines.
    fn thresholds(&self, as_areas: bool, ink: Ink) -> Vec<(f64, f64, String)> {
        let mut bands = Vec::new();
        for ruler in &self.list {
            let style = ruler.style.thresholds_style.mode;
            let wanted = if as_areas { style.has_areas() } else { style.has_lines() };
            if !wanted {
                continue;
            }
            let steps = &ruler.options.thresholds.steps;
            let place = |value: f64| match ruler.options.thresholds.mode {
                ThresholdMode::Absolute => ruler.scale.fraction(value),
                ThresholdMode::Percentage => value / 100.0,
            };
            for (index, step) in steps.iter().enumerate() {
                // What holds from below is no line.
                let Some(from) = step.value.map(place).or(as_areas.then_some(0.0)) else {
                    continue;
                };
                let to = steps.get(index + 1).and_then(|next| next.value).map_or(1.0, place);
                bands.push((from, to, ink.medium.color(&color::hex(&step.color))));
            }
        }
        bands
    }
}

/// The scale for the values of `lines`.
fn scale<'a, 'b: 'a>(lines: impl Iterator<Item = &'a Line<'b>>, ruler: &Ruler) -> Scale {
    let distribution = Distribution::of(&ruler.style.scale_distribution);
    let mut limits = Limits::default();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for line in lines {
        let options = &line.field.options;
        let values = line.values.iter().chain(line.base.iter().flatten());
        let ends = distribution.ends(values.copied());
        (low, high) = (low.min(ends.0), high.max(ends.1));
        limits.min = merged(limits.min, options.min, f64::min);
        limits.max = merged(limits.max, options.max, f64::max);
        limits.soft_min = merged(limits.soft_min, line.style.axis_soft_min, f64::min);
        limits.soft_max = merged(limits.soft_max, line.style.axis_soft_max, f64::max);
        limits.centered |= line.style.axis_centered_zero;
    }
    if ruler.is_share {
        (limits.min, limits.max) = (
            limits.min.or((low >= 0.0).then_some(0.0)),
            limits.max.or((high > 0.0).then_some(1.0)),
        );
    }
    let whole = if matches!(&*ruler.values.unit, "percentunit" | "s") {
        1.0
    } else {
        100.0
    };
    Scale::new(low, high, limits, distribution, whole)
}

/// How shares of a sum are written, whatever the unit of their field is.
pub fn shares() -> FieldOptions {
    FieldOptions {
        unit: "percentunit".to_owned(),
        ..FieldOptions::default()
    }
}

fn merged(a: Option<f64>, b: Option<f64>, choose: fn(f64, f64) -> f64) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (a, b) => a.or(b),
    }
}

/// For how many ticks there is room in the height of a panel.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
fn room(panel: &Panel, legend: &Legend) -> usize {
    (height(panel, legend) / 34.0).clamp(2.0, 12.0) as usize
}

/// Pixels of the height of a panel's plot on a usual screen.
pub fn height(panel: &Panel, legend: &Legend) -> f64 {
    let legend = match (legend.is_right || legend.entries.is_empty(), legend.is_table) {
        (true, _) => 0.0,
        (false, false) => 28.0,
        (false, true) => 70.0,
    };
    (usual_size(panel).1 - 76.0 - legend).max(20.0)
}

/// Pixels of the width of a panel's plot on a usual screen, beside an axis of `axis` pixels.
pub fn width(panel: &Panel, legend: &Legend, axis: f64) -> f64 {
    let legend = if legend.is_right { 200.0 } else { 0.0 };
    (usual_size(panel).0 - 30.0 - axis - legend).max(20.0)
}

/// For how many times there is room in the width of a panel.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
pub fn columns(panel: &Panel, legend: &Legend) -> usize {
    (width(panel, legend, 50.0) / 58.0).clamp(2.0, 16.0) as usize
}
