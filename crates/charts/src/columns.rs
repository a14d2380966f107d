//! The panel `barchart`: bars that stand or lie on an axis without times.

mod labels;
mod stacks;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use maud::{Markup, html};

use labels::{Place, labels};
pub use stacks::Stacks;

use super::axes;
use super::canvas::Canvas;
use super::graph::{Axis, Graph, Ink, TEXT, Tick, WIDEST};
use super::legend;
use super::look::usual_size;
use super::scale::{Distribution, Limits, Scale};
use super::theme::fitted;
use super::ticks;
use edgewatch_grafana_model::data::{Data, Field, Frame, Values};
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::barchart::{BarChart, BarChartField};
use edgewatch_grafana_model::panel::common::Orientation;
use edgewatch_grafana_model::panel::timeseries::{GradientMode, StackingMode};
use edgewatch_grafana_model::time::TimeRange;

/// Rows of a table that have bars; nobody reads more.
const MOST: usize = 200;
/// Pixels of a name below bars, which is cut there.
const WIDEST_NAME: f64 = 90.0;

/// The inside of the graph.
pub struct Columns<'a> {
    /// From back to front.
    pub series: Vec<Series<'a>>,
    /// They lie: from left to right.
    pub is_flat: bool,
}

/// The bars of one column of a table.
pub struct Series<'a> {
    /// Where they come from.
    pub field: &'a Field,
    /// `#rrggbb` where a bar has no colour of its own.
    pub color: String,
    /// The opacity of bars.
    pub fill: f64,
    /// Pixels around them.
    pub line: f64,
    /// They fade.
    pub is_gradient: bool,
    /// In the order of the rows.
    pub bars: Vec<Bar>,
}

impl<'a> Series<'a> {
    /// With the options of its field: an opacity of 0 to 100, pixels around bars.
    pub(super) fn new(field: &'a Field, opacity: f64, line: f64, gradient: GradientMode, bars: Vec<Bar>) -> Self {
        Self {
            field,
            color: field.color.clone(),
            fill: (opacity / 100.0).clamp(0.0, 1.0),
            line: line.clamp(0.0, 10.0),
            is_gradient: gradient != GradientMode::None,
            bars,
        }
    }
}

/// A bar.
pub struct Bar {
    /// Which row of the table it stands for, for people.
    pub name: String,
    /// Its value, for people.
    pub text: String,
    /// Where it lies on the axis of names: fractions of that.
    pub across: (f64, f64),
    /// Where it begins and ends on the axis of values: fractions of that.
    pub along: (f64, f64),
    /// `#rrggbb` if it has a colour of its own.
    pub color: Option<String>,
}

impl Bar {
    /// How far it goes on its axis.
    pub fn share(&self) -> f64 {
        self.along.1.clamp(0.0, 1.0)
    }
}

impl Series<'_> {
    /// The colour of a bar.
    pub fn color<'s>(&'s self, bar: &'s Bar) -> &'s str {
        bar.color.as_deref().unwrap_or(&self.color)
    }
}

impl Columns<'_> {
    /// Their marks.
    pub fn draw(&self, ink: Ink) -> Markup {
        html! {
            @for (index, series) in self.series.iter().enumerate() {
                g.series data-series=(index) stroke-width=(ink.pixels(series.line)) {
                    @for (number, (color, shapes)) in self.shapes(series, ink).into_iter().enumerate() {
                        @let color = ink.medium.color(&color);
                        @let gradient = series.is_gradient.then(|| format!("k{index}-{number}"));
                        @if let Some(id) = &gradient {
                            linearGradient id=(id) x2="0" y2="1" { stop stop-color=(color) {} stop offset="1" stop-color=(color) stop-opacity=".2" {} }
                        }
                        path fill=(gradient.as_ref().map_or_else(|| color.clone(), |id| format!("url(#{id})"))) fill-opacity=(format!("{:.2}", series.fill)) stroke=[(series.line > 0.0).then_some(&color)] d=(shapes) {}
                    }
                }
            }
        }
    }

    /// One path for each colour.
    fn shapes(&self, series: &Series, ink: Ink) -> Vec<(String, String)> {
        let mut colors: Vec<&str> = series.bars.iter().map(|bar| series.color(bar)).collect();
        colors.sort_unstable();
        colors.dedup();
        let path = |color: &str| {
            let mut canvas = Canvas::new(ink.width, ink.height);
            for bar in series
                .bars
                .iter()
                .filter(|bar| series.color(bar) == color && bar.along.0 != bar.along.1)
            {
                let corner = |across: f64, along: f64| {
                    if self.is_flat {
                        (along, 1.0 - across)
                    } else {
                        (across, along)
                    }
                };
                canvas.rectangle(corner(bar.across.0, bar.along.0), corner(bar.across.1, bar.along.1));
            }
            (color.to_owned(), canvas.take_areas())
        };
        colors.into_iter().map(path).collect()
    }
}

/// The bar chart of `data`; `None` if there is nothing to draw.
pub fn bar_chart<'a>(panel: &Panel, options: &BarChart, data: &'a Data) -> Option<Graph<Columns<'a>>> {
    let frame = data
        .frames
        .iter()
        .find(|frame| frame.numbers().next().is_some() && !frame.is_empty())?;
    let names = names(options, frame);
    let rows = frame.len().min(MOST);
    let fields: Vec<(&Field, &[f64], BarChartField)> = frame
        .numbers()
        .filter(|(field, _)| {
            names.is_none_or(|names| !std::ptr::eq(names, *field)) && field.name != options.color_by_field
        })
        .map(|(field, values)| (field, values, BarChartField::of(&field.options.custom).0))
        .filter(|(.., style)| !style.hide_from.viz)
        .collect();
    let (first, _, style) = fields.first()?;
    let is_flat = is_flat(panel, options.orientation);
    let stacks = Stacks::of(
        options.stacking,
        &fields.iter().map(|(_, values, _)| *values).collect::<Vec<_>>(),
        rows,
    );
    let is_share = options.stacking == StackingMode::Percent;
    let written = if is_share {
        Cow::Owned(axes::shares())
    } else {
        Cow::Borrowed(&*first.options)
    };
    let mut limits = Limits {
        soft_min: style.axis_soft_min,
        soft_max: style.axis_soft_max,
        centered: style.axis_centered_zero,
        grain: display::grain(&written),
        ..Limits::default()
    };
    for (field, ..) in &fields {
        limits.min = field.options.min.or(limits.min);
        limits.max = field.options.max.or(limits.max);
    }
    if is_share {
        limits.max = Some(1.0);
    }
    let distribution = Distribution::of(&style.scale_distribution);
    let (low, high) = distribution.ends(stacks.ends());
    let scale = Scale::new(low, high, limits, distribution, 100.0);
    let colors = frame
        .fields
        .iter()
        .find(|field| !options.color_by_field.is_empty() && field.name == options.color_by_field);
    let group = options.group_width.clamp(0.05, 1.0) / rows as f64;
    let is_stacked = options.stacking != StackingMode::None;
    let beside = if is_stacked { 1 } else { fields.len() };
    let own = group / beside as f64;
    let series = fields.iter().enumerate().map(|(index, (field, values, style))| {
        let bars = (0..rows).map(|row| {
            let middle = (row as f64 + 0.5) / rows as f64;
            let start = middle - group / 2.0 + if is_stacked { 0.0 } else { index as f64 * own };
            let width = own * options.bar_width.clamp(0.05, 1.0);
            let start = start + (own - width) / 2.0;
            let (from, to) = stacks.place(index, row);
            let value = values.get(row).copied().unwrap_or(f64::NAN);
            let shown = display::number(&field.options, value);
            let own_color = match colors {
                Some(by) => display::cell(&by.options, &by.values.cell(row)).color,
                None => shown.color.filter(|_| is_by_value(&field.options.color.mode)),
            };
            Bar {
                name: name(names, row),
                text: shown.text,
                across: (start, start + width),
                along: (bounded(&scale, from), bounded(&scale, to)),
                color: own_color,
            }
        });
        Series::new(
            field,
            style.fill_opacity,
            style.line_width,
            style.gradient_mode,
            bars.collect(),
        )
    });
    let series: Vec<Series> = series.collect();
    let legend = legend::of(
        &options.legend,
        series
            .iter()
            .zip(&fields)
            .enumerate()
            .filter(|(_, (_, (.., style)))| !style.hide_from.legend)
            .map(|(index, (series, _))| (index, &*series.color, series.field)),
    );
    let height = usual_size(panel).1;
    let ticks = |count: usize| {
        let mut ticks = ticks::ticks(&scale, &written, count);
        ticks.retain(|tick| (0.0..=1.0).contains(&tick.at));
        ticks
    };
    let places = (0..rows).map(|row| ((row as f64 + 0.5) / rows as f64, name(names, row)));
    let mut named: Vec<Tick> = places
        .map(|(at, text)| Tick {
            at: if is_flat { 1.0 - at } else { at },
            text: fitted(&text, TEXT, if is_flat { WIDEST - 1.0 } else { WIDEST_NAME }),
        })
        .collect();
    if is_flat {
        // As many names as there is room for below each other.
        let every = (rows as f64 * (TEXT + 2.0) / (height - 110.0).max(1.0)).ceil().max(1.0);
        named = named.into_iter().step_by(every as usize).collect();
    }
    let axis = Axis {
        title: if is_flat {
            String::new()
        } else {
            style.axis_label.clone()
        },
        ticks: if is_flat {
            named.clone()
        } else {
            ticks(((height - 110.0) / 34.0).clamp(2.0, 12.0) as usize)
        },
        has_grid: !is_flat && style.axis_grid_show,
        ..Axis::default()
    };
    let place = Place {
        is_flat,
        is_stacked,
        width: axes::width(panel, &legend, axis.width()),
        height: height - 110.0,
    };
    let labels = labels(options.show_value, &series, place);
    Some(Graph {
        panel: panel.id,
        summary: format!("{}: bars of {rows} rows", panel.title),
        range: TimeRange::default(),
        axes: vec![axis],
        times: if is_flat {
            ticks((place.width / 80.0).clamp(2.0, 10.0) as usize)
        } else {
            named
        },
        legend,
        labels,
        plot: Columns { series, is_flat },
    })
}

fn is_by_value(mode: &str) -> bool {
    mode.is_empty() || mode == "thresholds" || mode.starts_with("continuous")
}

/// The place of a value on an axis, within it.
pub fn bounded(scale: &Scale, value: f64) -> f64 {
    let place = scale.fraction(value);
    if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) }
}

/// The column that names bars.
fn names<'f>(options: &BarChart, frame: &'f Frame) -> Option<&'f Field> {
    let fields = || frame.fields.iter();
    let chosen = fields().find(|field| !options.x_field.is_empty() && field.name == options.x_field);
    let texts = || fields().find(|field| matches!(field.values, Values::Texts(_)));
    chosen
        .or_else(texts)
        .or_else(|| fields().find(|field| field.values.is_times()))
}

fn name(names: Option<&Field>, row: usize) -> String {
    names.map_or_else(String::new, |field| {
        display::cell(&field.options, &field.values.cell(row)).text
    })
}

fn is_flat(panel: &Panel, orientation: Orientation) -> bool {
    match orientation {
        Orientation::Horizontal => true,
        Orientation::Vertical => false,
        Orientation::Auto => {
            let (width, height) = usual_size(panel);
            height > width
        }
    }
}
