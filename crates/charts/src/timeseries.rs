//! The panel `timeseries`: lines, areas, bars or points over time.

use maud::{Markup, html};

use super::axes::{self, Axes};
use super::canvas::{Canvas, Point};
use super::graph::{Graph, Ink};
use super::line::Line;
use super::{clock, legend, scheme, stack};
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::timeseries::{
    DrawStyle, GradientMode, Interpolation, LineFill, ShowPoints, Span, Timeseries, TimeseriesField, Transform,
};
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::time::TimeRange;

/// The inside of the graph.
pub struct Lines<'a> {
    /// From back to front.
    pub lines: Vec<Line<'a>>,
    axes: Axes<'a>,
    panel: u32,
    range: TimeRange,
}

/// The graph of `data`; `None` if there is nothing to draw.
pub fn graph<'a>(panel: &'a Panel, options: &Timeseries, data: &'a Data, scope: &Scope) -> Option<Graph<Lines<'a>>> {
    let range = data.range;
    let mut lines = lines(data);
    if lines.is_empty() {
        return None;
    }
    stack::apply(&mut lines);
    stack::fill_between(&mut lines);
    let axes = Axes::of(&mut lines);
    let shown = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.style.hide_from.legend);
    let legend = legend::of(
        &options.legend,
        shown.map(|(index, line)| (index, line.color.as_str(), line.field)),
    );
    let ticks = axes.drawn(panel, &legend);
    Some(Graph {
        panel: panel.id,
        summary: format!("{}: {} series over time", panel.title, lines.len()),
        range,
        axes: ticks,
        times: clock::ticks(range, axes::columns(panel, &legend), &scope.zone),
        legend,
        labels: Vec::new(),
        plot: Lines {
            lines,
            axes,
            panel: panel.id,
            range,
        },
    })
}

impl Lines<'_> {
    /// Their marks, with thresholds behind and before them.
    pub fn draw(&self, ink: Ink) -> Markup {
        let across = |time: f64| (time - self.range.from) / (self.range.to - self.range.from);
        html! {
            (self.axes.threshold_areas(ink))
            @for (index, line) in self.lines.iter().enumerate() {
                (draw(line, index, self.panel, &self.axes, across, ink))
            }
            (self.axes.threshold_lines(ink))
        }
    }
}

/// The series of `data` that are shown, with their colours.
fn lines(data: &Data) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for frame in &data.frames {
        let Some(times) = frame.times() else { continue };
        for (field, values) in frame.numbers() {
            let (style, _) = TimeseriesField::of(&field.options.custom);
            if style.hide_from.viz {
                continue;
            }
            // A transformation may make columns of other lengths than that of the times.
            let mut values: Vec<f64> = values
                .iter()
                .take(times.len())
                .map(|value| if value.is_finite() { *value } else { f64::NAN })
                .collect();
            match style.transform {
                Transform::None => {}
                Transform::NegativeY => values.iter_mut().for_each(|value| *value = -*value),
                Transform::Constant => {
                    let first = values.iter().copied().find(|value| !value.is_nan());
                    values.fill(first.unwrap_or(f64::NAN));
                }
            }
            lines.push(Line {
                field,
                style,
                color: field.color.clone(),
                times,
                interval: frame.interval,
                values,
                base: None,
                axis: 0,
            });
        }
    }
    lines
}

fn draw(line: &Line, index: usize, panel: u32, axes: &Axes, across: impl Fn(f64) -> f64, ink: Ink) -> Markup {
    let scale = axes.scale(line.axis);
    let style = Style::of(&line.style);
    let color = ink.medium.color(&line.color);
    let mut canvas = Canvas::new(ink.width, ink.height);
    // Bases lie at 0, or at the edge that is nearest to it.
    let zero = scale.fraction(scale.min.max(0.0_f64.min(scale.max))).clamp(0.0, 1.0);
    let base = |at: usize| line.base.as_ref().map_or(zero, |base| scale.fraction(base[at]));
    let drawn: Vec<(f64, f64, f64)> = (0..line.values.len())
        .map(|at| (across(line.times[at]), scale.fraction(line.values[at]), base(at)))
        .collect();
    let runs = runs(&drawn, (line.times, line.interval), style.span);
    let mut dots = Vec::new();
    for run in &runs {
        if style.is_bars {
            let width = bar_width(line.times, &across);
            for (x, y, base) in run {
                let (left, right) = (x - width / 2.0, x + width / 2.0);
                canvas.rectangle((left, *y), (right, *base));
            }
            continue;
        }
        if style.has_points || run.len() == 1 {
            dots.extend(run.iter().map(|(x, y, _)| (*x, *y)));
        }
        if style.is_points || run.len() == 1 {
            continue;
        }
        let top = through(style.interpolation, run.iter().map(|(x, y, _)| (*x, *y)).collect());
        if style.fill > 0.0 {
            let mut below = through(
                style.interpolation,
                run.iter().map(|(x, _, base)| (*x, *base)).collect(),
            );
            below.reverse();
            canvas.area(top.iter().copied().chain(below));
        }
        if style.width > 0.0 {
            canvas.line(&top);
        }
    }
    let (areas, strokes) = (canvas.take_areas(), canvas.take_lines());
    dots.into_iter().for_each(|dot| canvas.dot(dot));
    let dots = canvas.take_lines();
    let gradient = (style.is_gradient && !areas.is_empty()).then(|| format!("g{panel}-{index}"));
    let fill = gradient
        .as_ref()
        .map_or_else(|| color.clone(), |id| format!("url(#{id})"));
    let bar_stroke = if style.is_bars && style.width > 0.0 {
        color.as_str()
    } else {
        "none"
    };
    // Bars have the colours of their values as well, but in one path.
    let scheme = (line.style.gradient_mode == GradientMode::Scheme).then(|| format!("h{panel}-{index}"));
    let scheme = scheme.and_then(|id| {
        Some((
            scheme::gradient(&id, &line.field.options, scale, ink)?,
            format!("url(#{id})"),
        ))
    });
    let stroke = scheme.as_ref().map_or(color.as_str(), |(_, url)| url);
    let fill = scheme.as_ref().map_or(fill, |(_, url)| url.clone());
    html! {
        @if let Some((gradient, _)) = &scheme { (gradient) }
        g.series data-series=(index) fill="none" stroke=(stroke) stroke-width=(ink.pixels(style.width)) stroke-linejoin="round" {
            @if let Some(id) = &gradient {
                linearGradient id=(id) x2="0" y2="1" {
                    stop stop-color=(color) stop-opacity=(style.fill) {}
                    stop offset="1" stop-color=(color) stop-opacity="0" {}
                }
            }
            @if !areas.is_empty() {
                path fill=(fill) fill-opacity=[gradient.is_none().then(|| short_opacity(style.fill))] stroke=(bar_stroke) d=(areas) {}
            }
            @if !strokes.is_empty() { path stroke-dasharray=[style.dashes(ink)] stroke-linecap=[style.cap()] d=(strokes) {} }
            @if !dots.is_empty() { path stroke-width=(ink.pixels(style.point)) stroke-linecap="round" d=(dots) {} }
        }
    }
}

fn short_opacity(opacity: f64) -> String {
    format!("{}", (opacity * 100.0).round() / 100.0)
}

/// The parts of a series between its gaps.
fn runs(drawn: &[(f64, f64, f64)], (times, interval): (&[f64], f64), span: Span) -> Vec<Vec<(f64, f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64, f64)>> = Vec::new();
    let mut last: Option<usize> = None;
    for (at, place) in drawn.iter().enumerate() {
        if !(place.1.is_finite() && place.0.is_finite()) {
            continue;
        }
        let joined = last.is_some_and(|last| {
            let gap = times[at] - times[last];
            // Between samples that lie further apart than the step of the query one is missing.
            let is_next = last + 1 == at && (interval <= 0.0 || gap <= interval * 1.01);
            is_next || span.reaches(gap)
        });
        match runs.last_mut().filter(|_| joined) {
            Some(run) => run.push(*place),
            None => runs.push(vec![*place]),
        }
        last = Some(at);
    }
    runs
}

/// The width of bars as a fraction of the plot: a part of the least distance of two points.
fn bar_width(times: &[f64], across: impl Fn(f64) -> f64) -> f64 {
    let least = times
        .windows(2)
        .map(|two| across(two[1]) - across(two[0]))
        .filter(|width| *width > 0.0)
        .fold(f64::INFINITY, f64::min);
    if least.is_finite() { least * 0.6 } else { 0.02 }
}

/// The points of a line through `points`.
fn through(interpolation: Interpolation, points: Vec<Point>) -> Vec<Point> {
    let Some(first) = points.first().copied() else {
        return points;
    };
    match interpolation {
        Interpolation::Linear => points,
        Interpolation::StepBefore => std::iter::once(first)
            .chain(points.windows(2).flat_map(|two| [(two[0].0, two[1].1), two[1]]))
            .collect(),
        Interpolation::StepAfter => std::iter::once(first)
            .chain(points.windows(2).flat_map(|two| [(two[1].0, two[0].1), two[1]]))
            .collect(),
        Interpolation::Smooth => super::smooth::curve(&points),
    }
}

struct Style {
    width: f64,
    fill: f64,
    is_bars: bool,
    is_points: bool,
    has_points: bool,
    is_gradient: bool,
    point: f64,
    span: Span,
    interpolation: Interpolation,
    dash: Vec<f64>,
    is_dotted: bool,
}

impl Style {
    fn of(options: &TimeseriesField) -> Self {
        let dash = options.line_style.dash.iter().copied();
        let dash: Vec<f64> = dash.filter(|length| (0.0..1e4).contains(length)).take(16).collect();
        Self {
            width: options.line_width.clamp(0.0, 20.0),
            fill: (options.fill_opacity / 100.0).clamp(0.0, 1.0),
            is_bars: options.draw_style == DrawStyle::Bars,
            is_points: options.draw_style == DrawStyle::Points,
            has_points: options.draw_style == DrawStyle::Points || options.show_points == ShowPoints::Always,
            is_gradient: matches!(options.gradient_mode, GradientMode::Opacity | GradientMode::Hue),
            point: options.point_size.clamp(1.0, 40.0),
            span: options.span_nulls,
            interpolation: options.line_interpolation,
            is_dotted: options.line_style.fill == LineFill::Dot,
            dash: match options.line_style.fill {
                LineFill::Solid => Vec::new(),
                LineFill::Dash if dash.is_empty() => vec![10.0, 10.0],
                LineFill::Dot if dash.is_empty() => vec![0.0, 10.0],
                LineFill::Dash | LineFill::Dot => dash,
            },
        }
    }

    fn dashes(&self, ink: Ink) -> Option<String> {
        (!self.dash.is_empty()).then(|| {
            self.dash
                .iter()
                .map(|length| ink.pixels(*length))
                .collect::<Vec<_>>()
                .join(" ")
        })
    }

    fn cap(&self) -> Option<&'static str> {
        self.is_dotted.then_some("round")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_part_lines_unless_they_are_spanned() {
        let places: Vec<(f64, f64, f64)> = [1.0, 2.0, f64::NAN, f64::NAN, 3.0]
            .iter()
            .enumerate()
            .map(|(x, y)| (x as f64, *y, 0.0))
            .collect();
        let times = [0.0, 10.0, 20.0, 30.0, 40.0];
        let lengths = |span| {
            runs(&places, (&times, 0.0), span)
                .iter()
                .map(Vec::len)
                .collect::<Vec<_>>()
        };
        assert_eq!(lengths(Span::Never), [2, 1]);
        assert_eq!(lengths(Span::Always), [3]);
        assert_eq!(lengths(Span::UpTo(29.0)), [2, 1]);
        assert_eq!(lengths(Span::UpTo(30.0)), [3]);
    }

    #[test]
    fn a_line_ends_where_a_sample_of_its_query_is_missing() {
        let places = [0.0, 0.1, 0.4, 0.5].map(|x| (x, 1.0, 0.0));
        let lengths = |interval, span| {
            let found = runs(&places, (&[0.0, 10.0, 40.0, 50.0], interval), span);
            found.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(10.0, Span::Never), [2, 2]);
        assert_eq!(lengths(30.0, Span::Never), [4]);
        assert_eq!(lengths(10.0, Span::Always), [4]);
    }

    #[test]
    fn steps_go_across_before_or_after() {
        let points = vec![(0.0, 0.0), (1.0, 1.0)];
        assert_eq!(
            through(Interpolation::StepAfter, points.clone()),
            [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
        );
        assert_eq!(
            through(Interpolation::StepBefore, points),
            [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
        );
    }
}
