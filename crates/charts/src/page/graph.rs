//! Graphs on a page: the plot is stretched to its place while texts keep their size.

use maud::{Markup, html};

use super::legend;
use crate::graph::{Axis, Graph, Ink, Label, TEXT, WIDEST, percent, short};
use crate::scene::Plot;
use crate::theme::{Medium, fitted, text_width};

/// Units of a stretched plot: half of one for those of its view box, so that whole numbers are enough for wide screens.
const STRETCHED: (i32, i32) = (2000, 1000);
/// Pixels to the right of everything, from panels.css.
const PADDING: f64 = 8.0;

/// A graph.
pub fn graph(graph: &Graph<Plot>) -> Markup {
    let ink = Ink {
        medium: Medium::Page,
        width: STRETCHED.0,
        height: STRETCHED.1,
        unit: 1.0,
    };
    let (left, right): (Vec<_>, Vec<_>) = graph.axes.iter().partition(|axis| !axis.is_right);
    let widths = |axes: &[&Axis]| axes.iter().map(|axis| axis.width()).sum::<f64>();
    let (left_width, right_width) = (widths(&left), widths(&right));
    let (before, after) = (graph.overhang(left_width), graph.overhang(right_width + PADDING));
    let over_time = graph.plot.is_over_time().then_some(graph.range);
    let axes = before + left_width + right_width + after + 24.0;
    html! {
        figure.graph.aside[graph.legend.is_right] data-panel=(graph.panel) data-from=[over_time.map(|range| millis(range.from))] data-to=[over_time.map(|range| millis(range.to))] {
            div.chart {
                div.axes { (gap(before)) @for axis in &left { (axis_of(axis)) } }
                svg.plot viewBox=(format!("0 0 {} {}", ink.width / 2, ink.height / 2)) preserveAspectRatio="none" role="img" aria-label=(graph.summary) {
                    g transform="scale(.5)" {
                        (graph.grid(ink))
                        (graph.plot.draw(ink))
                    }
                }
                @if !graph.labels.is_empty() { svg.labels aria-hidden="true" { @for label in &graph.labels { (label_of(label, axes)) } } }
                div.axes { @for axis in &right { (axis_of(axis)) } (gap(after)) }
                svg.times aria-hidden="true" {
                    @for (index, tick) in graph.times.iter().enumerate() {
                        text class=[narrow_class(index, graph.times.len(), graph.room(), axes)] x=(percent(tick.at)) y="17" { (tick.text) }
                    }
                }
            }
            (legend::legend(&graph.legend))
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since the epoch fit")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// Nothing, so many pixels wide.
fn gap(width: f64) -> Markup {
    html! { @if width > 0.0 { svg width=(short(width)) aria-hidden="true" {} } }
}

/// Up to which width of a graph the text at `index` of `count` gives way, if it ever does: every second one first, then every
/// second of the rest. `room` are the pixels that one needs, `axes` those that no text can have.
#[expect(clippy::cast_precision_loss, reason = "a few")]
fn narrow_class(index: usize, count: usize, room: f64, axes: f64) -> Option<String> {
    let needed = |texts: usize| texts as f64 * room + axes;
    match index % 4 {
        0 => None,
        2 => narrow(needed(count.div_ceil(2))),
        _ => narrow(needed(count)),
    }
}

/// The class of what is hidden in graphs that are narrower than so many pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few"
)]
fn narrow(pixels: f64) -> Option<String> {
    let steps = (pixels / NARROW as f64).ceil().clamp(1.0, NARROWS as f64) as usize;
    Some(format!("n{}", steps * NARROW))
}

/// Widths for which there are classes: this many pixels between two.
const NARROW: usize = 50;
const NARROWS: usize = 24;

/// The rules for the classes of texts that give way.
pub fn rules() -> String {
    let widths = (1..=NARROWS).map(|step| step * NARROW);
    widths
        .map(|width| format!("@container (max-width:{width}px){{.n{width}{{display:none}}}}"))
        .collect()
}

/// A text in a plot. It gives way where the plot is too narrow for it, and is never cut.
fn label_of(label: &Label, axes: f64) -> Markup {
    let (at, offset, anchor) = label.anchor();
    let needed = (text_width(&label.text, TEXT) + 6.0) / label.width.max(0.001) + axes;
    html! {
        svg class=[narrow(needed)] x=(percent(label.x)) width=(percent(label.width)) {
            text x=(percent(at)) dx=(offset) y=(percent(label.y)) dy=".35em" text-anchor=(anchor) fill=[label.color] { (label.text) }
        }
    }
}

fn axis_of(axis: &Axis) -> Markup {
    let width = axis.width();
    let x = if axis.is_right { 8.0 } else { width - 8.0 };
    html! {
        @if !axis.is_right && !axis.title.is_empty() { div.along { (axis.title) } }
        svg.values.right[axis.is_right] width=(short(width - if axis.title.is_empty() { 0.0 } else { 20.0 })) aria-hidden="true" {
            @for tick in &axis.ticks {
                text x=(short(if axis.is_right || axis.title.is_empty() { x } else { x - 20.0 })) y=(percent(1.0 - tick.at)) dy=".35em" { (fitted(&tick.text, TEXT, WIDEST)) }
            }
        }
        @if axis.is_right && !axis.title.is_empty() { div.along { (axis.title) } }
    }
}
