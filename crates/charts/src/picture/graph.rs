//! Graphs in a picture: everything has its pixels.

use maud::{Markup, html};

use super::legend;
use crate::graph::{Axis, Graph, Ink, Label, TEXT, WIDEST, short};
use crate::scene::Plot;
use crate::theme::{Medium, Tone, fitted};

/// Units for a pixel.
const FINE: f64 = 10.0;
/// Pixels of the times.
const X_AXIS: f64 = 22.0;

/// A graph of `width` by `height` pixels.
#[expect(clippy::cast_possible_truncation, reason = "pixels of a picture")]
pub fn graph(graph: &Graph<Plot>, width: f64, height: f64, medium: Medium) -> Markup {
    let (legend, legend_width, legend_height) = legend::legend(&graph.legend, width, height, medium);
    let (left, right): (f64, f64) = graph
        .axes
        .iter()
        .fold((0.0, 0.0), |(left, right), axis| match axis.is_right {
            true => (left, right + axis.width()),
            false => (left + axis.width(), right),
        });
    let (before, right) = (graph.overhang(left), right.max(12.0));
    let (left, right) = (before + left, right + graph.overhang(right));
    let (plot_width, plot_height) = (
        (width - left - right - legend_width).max(1.0),
        (height - X_AXIS - legend_height - 8.0).max(1.0),
    );
    let ink = Ink {
        medium,
        width: (plot_width * FINE) as i32,
        height: (plot_height * FINE) as i32,
        unit: FINE,
    };
    let (mut left_edge, mut right_edge) = (before, left + plot_width);
    html! {
        svg x=(short(left)) y="8" width=(short(plot_width)) height=(short(plot_height)) viewBox=(format!("0 0 {} {}", ink.width, ink.height)) preserveAspectRatio="none" {
            (graph.grid(ink))
            (graph.plot.draw(ink))
        }
        g font-size=(TEXT) fill=[medium.tone(Tone::Soft)] {
            @for axis in &graph.axes {
                @if axis.is_right {
                    (axis_of(axis, right_edge, plot_height))
                    ({ right_edge += axis.width(); "" })
                } @else {
                    (axis_of(axis, left_edge, plot_height))
                    ({ left_edge += axis.width(); "" })
                }
            }
            @for (index, tick) in graph.times.iter().enumerate() {
                @if index % graph.every(plot_width) == 0 {
                    text x=(short(left + tick.at * plot_width)) y=(short(plot_height + 8.0 + 15.0)) text-anchor="middle" { (tick.text) }
                }
            }
        }
        @for label in &graph.labels { (label_of(label, (left, 8.0), (plot_width, plot_height), medium)) }
        (legend)
    }
}

fn label_of(label: &Label, (left, top): (f64, f64), (width, height): (f64, f64), medium: Medium) -> Markup {
    let (at, offset, anchor) = label.anchor();
    let text = fitted(&label.text, TEXT, label.width * width - 8.0);
    html! {
        text x=(short(left + (label.x + at * label.width) * width + offset)) y=(short(top + label.y * height)) dy=".35em" font-size=(TEXT) text-anchor=(anchor) fill=[label.color.or(medium.tone(Tone::Text))] { (text) }
    }
}

fn axis_of(axis: &Axis, edge: f64, height: f64) -> Markup {
    let x = if axis.is_right {
        edge + 8.0
    } else {
        edge + axis.width() - 8.0
    };
    let anchor = if axis.is_right { "start" } else { "end" };
    let along = if axis.is_right {
        edge + axis.width() - 6.0
    } else {
        edge + 12.0
    };
    html! {
        @for tick in &axis.ticks {
            text x=(short(x)) y=(short(8.0 + (1.0 - tick.at) * height)) dy=".35em" text-anchor=(anchor) { (fitted(&tick.text, TEXT, WIDEST)) }
        }
        @if !axis.title.is_empty() {
            text transform=(format!("translate({} {}) rotate(-90)", short(along), short(8.0 + height / 2.0))) text-anchor="middle" { (axis.title) }
        }
    }
}
