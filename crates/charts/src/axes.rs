//! The axes of a time series panel, one for all series that can share it, and thresholds beside them.

use std::borrow::Cow;

use maud::{Markup, html};

use super::graph::{Axis, Ink, short};
use super::legend::Legend;
use super::line::Line;
use super::look::usual_size;
use super::scale::{Distribution, Limits, Scale};
use super::ticks::ticks;
use edgewatch_grafana_model::color;
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::model::{FieldOptions, Panel, ThresholdMode};
use edgewatch_grafana_model::panel::timeseries::{AxisPlacement, ScaleDistribution, StackingMode, TimeseriesField};
use edgewatch_grafana_model::units;

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

/// Series share an axis where all of this is equal, as in Grafana.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    unit: String,
    ends: [Option<f64>; 2],
    soft_ends: [Option<f64>; 2],
    placement: AxisPlacement,
    distribution: ScaleDistribution,
    label: String,
}

impl Key {
    /// That of the axis of a series.
    pub fn of(options: &FieldOptions, style: &TimeseriesField) -> Self {
        Self {
            unit: options.unit.clone(),
            ends: [options.min, options.max],
            soft_ends: [style.axis_soft_min, style.axis_soft_max],
            placement: style.axis_placement,
            distribution: style.scale_distribution.clone(),
            label: style.axis_label.clone(),
        }
    }
}

impl<'a> Axes<'a> {
    /// The axes of `lines`, each of which learns its place among them.
    pub fn of(lines: &mut [Line<'a>]) -> Self {
        let mut keys: Vec<Key> = Vec::new();
        let mut list: Vec<Ruler<'a>> = Vec::new();
        for line in lines.iter_mut() {
            let options: &'a FieldOptions = &line.field.options;
            let key = Key::of(options, &line.style);
            line.axis = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                let has_left = list.iter().any(|ruler| !ruler.is_right && !ruler.is_hidden);
                let is_share = line.style.stacking.mode == StackingMode::Percent;
                list.push(Ruler {
                    options,
                    style: line.style.clone(),
                    values: if is_share {
                        Cow::Owned(shares())
                    } else {
                        Cow::Borrowed(options)
                    },
                    // The first axis without a side of its own takes the left one, all others the right one.
                    is_right: match key.placement {
                        AxisPlacement::Right => true,
                        AxisPlacement::Left | AxisPlacement::Hidden => false,
                        AxisPlacement::Auto => has_left,
                    },
                    is_hidden: key.placement == AxisPlacement::Hidden,
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
    if units::is_boolean(&ruler.values.unit) {
        return Scale {
            min: 0.0,
            max: 1.0,
            distribution: Distribution::Linear,
        };
    }
    let distribution = Distribution::of(&ruler.style.scale_distribution);
    let mut limits = Limits {
        min: ruler.options.min,
        max: ruler.options.max,
        soft_min: ruler.style.axis_soft_min,
        soft_max: ruler.style.axis_soft_max,
        centered: false,
        grain: display::grain(&ruler.values),
    };
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for line in lines {
        let values = line.values.iter().chain(line.base.iter().flatten());
        let ends = distribution.ends(values.copied());
        (low, high) = (low.min(ends.0), high.max(ends.1));
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use edgewatch_grafana_model::data::Field;

    /// On which axis each of the series with these options lies, and the side and the range of each axis.
    fn axes_of(series: &[Value]) -> (Vec<usize>, Vec<(bool, f64, f64)>) {
        let fields: Vec<Field> = series
            .iter()
            .map(|options| Field {
                options: serde_json::from_value::<FieldOptions>(options.clone()).unwrap().into(),
                ..Field::default()
            })
            .collect();
        let line = |field| Line::of(field, &[0.0, 60.0], vec![20.0, 80.0]);
        let mut lines: Vec<Line> = fields.iter().map(line).collect();
        let axes = Axes::of(&mut lines);
        let ends = |ruler: &Ruler| (ruler.is_right, ruler.scale.min, ruler.scale.max);
        (
            lines.iter().map(|line| line.axis).collect(),
            axes.list.iter().map(ends).collect(),
        )
    }

    #[test]
    fn limits_and_labels_of_a_series_are_those_of_its_axis_alone() {
        let limited = json!({"min": 0, "max": 1000});
        let soft = json!({"custom": {"axisSoftMin": -50}});
        let labelled = json!({"custom": {"axisLabel": "CPU"}});
        let (places, axes) = axes_of(&[limited.clone(), json!({}), soft, labelled, limited]);
        assert_eq!(places, [0, 1, 2, 3, 0]);
        let ends: Vec<(f64, f64)> = axes.iter().map(|(_, min, max)| (*min, *max)).collect();
        assert_eq!(ends, [(0.0, 1000.0), (14.0, 86.0), (-50.0, 86.0), (14.0, 86.0)]);
    }

    #[test]
    fn the_first_axis_without_a_side_is_at_the_left() {
        let sides = |placements: &[&str]| -> Vec<bool> {
            let options = |(index, placement): (usize, &&str)| json!({"unit": format!("suffix:{index}"), "custom": {"axisPlacement": placement}});
            let options: Vec<Value> = placements.iter().enumerate().map(options).collect();
            axes_of(&options).1.into_iter().map(|(is_right, ..)| is_right).collect()
        };
        assert_eq!(sides(&["right", "auto", "auto"]), [true, false, true]);
        assert_eq!(sides(&["hidden", "auto"]), [false, false]);
        assert_eq!(sides(&["left", "auto"]), [false, true]);
    }
}
