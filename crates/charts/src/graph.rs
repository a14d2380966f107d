//! What graphs over time have in common: axes, the plot between them, a legend. On a page the plot is stretched to its place while
//! texts keep their size; in a picture everything has its pixels.

use maud::{Markup, PreEscaped, html};

use super::legend::Legend;
use super::theme::{Medium, Tone, fitted, text_width};
use edgewatch_grafana_model::time::TimeRange;

/// Units of a stretched plot: half of one for those of its view box, so that whole numbers are enough for wide screens.
const STRETCHED: (i32, i32) = (2000, 1000);
/// Units for a pixel in pictures.
const FINE: f64 = 10.0;
/// Pixels of the text at axes.
const TEXT: f64 = 12.0;
const X_AXIS: f64 = 22.0;
/// Pixels between the texts of two times.
const AIR: f64 = 12.0;
/// Pixels to the right of everything, from panels.css.
const PADDING: f64 = 8.0;
/// Pixels of the longest text at an axis; names are cut there.
const WIDEST: f64 = 130.0;

/// A graph.
pub struct Graph<'a> {
    /// The panel's id.
    pub panel: u32,
    /// For people who cannot see it.
    pub summary: String,
    /// From the left edge of the plot to the right one.
    pub range: TimeRange,
    /// Its vertical axes; the first one has the grid.
    pub axes: Vec<Axis>,
    /// Its times.
    pub times: Vec<Tick>,
    /// What the colours mean.
    pub legend: Legend,
    /// Texts in the plot, which are not stretched with it.
    pub labels: Vec<Label>,
    /// Draws what is inside.
    pub plot: Box<dyn Fn(Ink) -> Markup + 'a>,
}

/// A vertical axis.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// At the right side.
    pub is_right: bool,
    /// Along it.
    pub title: String,
    /// Its ticks: fractions from below.
    pub ticks: Vec<Tick>,
    /// Whether lines go through the plot at its ticks.
    pub has_grid: bool,
}

/// A tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where: a fraction of the axis.
    pub at: f64,
    /// Its text.
    pub text: String,
}

/// A text in a plot, cut where its place ends. Places are fractions from the left and from the top.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its left edge.
    pub x: f64,
    /// Its middle.
    pub y: f64,
    /// What it may take.
    pub width: f64,
    /// It begins at its left edge, lies in its middle, or ends at its right one.
    pub align: Align,
    /// `#rrggbb` in a picture.
    pub color: Option<&'static str>,
    /// What it says.
    pub text: String,
}

/// Where a text lies in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left.
    Left,
    /// In the middle.
    Center,
    /// At the right.
    Right,
}

/// What the inside of a plot is drawn with.
#[derive(Clone, Copy, Debug)]
pub struct Ink {
    /// Where it is drawn.
    pub medium: Medium,
    /// Units from left to right.
    pub width: i32,
    /// Units from top to bottom.
    pub height: i32,
    /// Units for a pixel, where widths of lines are scaled with the rest.
    unit: f64,
}

impl Ink {
    /// The width of a line, or a length of a dash.
    pub fn pixels(self, pixels: f64) -> String {
        short(pixels * self.unit)
    }
}

/// A number with at most one digit behind the point.
pub fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// A fraction in percent.
fn percent(fraction: f64) -> String {
    format!("{}%", short(fraction * 100.0))
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since the epoch fit")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

impl Graph<'_> {
    /// For a page.
    pub fn page(&self) -> Markup {
        let ink = Ink {
            medium: Medium::Page,
            width: STRETCHED.0,
            height: STRETCHED.1,
            unit: 1.0,
        };
        let (left, right): (Vec<_>, Vec<_>) = self.axes.iter().partition(|axis| !axis.is_right);
        let widths = |axes: &[&Axis]| axes.iter().map(|axis| axis.width()).sum::<f64>();
        let (left_width, right_width) = (widths(&left), widths(&right));
        let (before, after) = (self.overhang(left_width), self.overhang(right_width + PADDING));
        let axes = before + left_width + right_width + after + 24.0;
        html! {
            figure.graph.aside[self.legend.is_right] data-panel=(self.panel) data-from=(millis(self.range.from)) data-to=(millis(self.range.to)) {
                div.chart {
                    div.axes { (gap(before)) @for axis in &left { (axis.page()) } }
                    svg.plot viewBox=(format!("0 0 {} {}", ink.width / 2, ink.height / 2)) preserveAspectRatio="none" role="img" aria-label=(self.summary) {
                        g transform="scale(.5)" {
                            (self.grid(ink))
                            ((self.plot)(ink))
                        }
                    }
                    @if !self.labels.is_empty() { svg.labels aria-hidden="true" { @for label in &self.labels { (label.page()) } } }
                    div.axes { @for axis in &right { (axis.page()) } (gap(after)) }
                    svg.times aria-hidden="true" {
                        @for (index, tick) in self.times.iter().enumerate() {
                            text class=[narrow_class(index, self.times.len(), self.room(), axes)] x=(percent(tick.at)) y="15" { (tick.text) }
                        }
                    }
                }
                (self.legend.page())
            }
        }
    }

    /// For a picture of `width` by `height` pixels.
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a picture")]
    pub fn picture(&self, width: f64, height: f64, dark: bool) -> Markup {
        let medium = Medium::Picture { dark };
        let (legend, legend_width, legend_height) = self.legend.picture(width, height, medium);
        let (left, right): (f64, f64) = self
            .axes
            .iter()
            .fold((0.0, 0.0), |(left, right), axis| match axis.is_right {
                true => (left, right + axis.width()),
                false => (left + axis.width(), right),
            });
        let (before, right) = (self.overhang(left), right.max(12.0));
        let (left, right) = (before + left, right + self.overhang(right));
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
                (self.grid(ink))
                ((self.plot)(ink))
            }
            g font-size=(TEXT) fill=[medium.tone(Tone::Soft)] {
                @for axis in &self.axes {
                    @if axis.is_right {
                        (axis.picture(right_edge, plot_height))
                        ({ right_edge += axis.width(); "" })
                    } @else {
                        (axis.picture(left_edge, plot_height))
                        ({ left_edge += axis.width(); "" })
                    }
                }
                @for (index, tick) in self.times.iter().enumerate() {
                    @if index % self.every(plot_width) == 0 {
                        text x=(short(left + tick.at * plot_width)) y=(short(plot_height + 8.0 + 15.0)) text-anchor="middle" { (tick.text) }
                    }
                }
            }
            @for label in &self.labels { (label.picture(left, 8.0, plot_width, plot_height)) }
            (legend)
        }
    }

    /// The pixels that the text of a time takes, with some air.
    fn room(&self) -> f64 {
        let widths = self.times.iter().map(|tick| text_width(&tick.text, TEXT) + AIR);
        widths.fold(1.0, f64::max)
    }

    /// The pixels that the text of a time at the edge of the plot needs where `beside` are free.
    fn overhang(&self, beside: f64) -> f64 {
        ((self.room() - AIR) / 2.0 - beside).max(0.0).ceil()
    }

    /// Every how many times there is room for a text.
    fn every(&self, width: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
        let room = (width / self.room()).max(1.0) as usize;
        self.times.len().div_ceil(room).max(1)
    }

    fn grid(&self, ink: Ink) -> Markup {
        use std::fmt::Write;

        let (width, height) = (f64::from(ink.width), f64::from(ink.height));
        let mut lines = String::new();
        for tick in self
            .axes
            .iter()
            .filter(|axis| axis.has_grid)
            .flat_map(|axis| &axis.ticks)
        {
            let _ = write!(lines, "M0 {:.0}h{}", (1.0 - tick.at) * height, ink.width);
        }
        for tick in &self.times {
            let _ = write!(lines, "M{:.0} 0v{}", tick.at * width, ink.height);
        }
        html! {
            path.grid fill="none" stroke=[ink.medium.tone(Tone::Grid)] stroke-width=(ink.pixels(1.0)) d=(PreEscaped(lines)) {}
        }
    }
}

/// Nothing, so many pixels wide.
fn gap(width: f64) -> Markup {
    html! { @if width > 0.0 { svg width=(short(width)) aria-hidden="true" {} } }
}

/// Up to which width of a graph the text at `index` of `count` gives way, if it ever does: every second one first, then every
/// second of the rest. `room` are the pixels that one needs, `axes` those that no text can have.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few"
)]
fn narrow_class(index: usize, count: usize, room: f64, axes: f64) -> Option<String> {
    let needed =
        |texts: usize| (((texts as f64 * room + axes) / NARROW as f64).ceil() as usize * NARROW).min(NARROW * NARROWS);
    match index % 4 {
        0 => None,
        2 => Some(format!("n{}", needed(count.div_ceil(2)))),
        _ => Some(format!("n{}", needed(count))),
    }
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

impl Label {
    /// Where it is anchored: a fraction of its width, an offset in pixels, and the anchor.
    const fn anchor(&self) -> (f64, f64, &'static str) {
        match self.align {
            Align::Left => (0.0, 4.0, "start"),
            Align::Center => (0.5, 0.0, "middle"),
            Align::Right => (1.0, -4.0, "end"),
        }
    }

    fn page(&self) -> Markup {
        let (at, offset, anchor) = self.anchor();
        html! {
            svg x=(percent(self.x)) width=(percent(self.width)) {
                text x=(percent(at)) dx=(offset) y=(percent(self.y)) dy=".35em" text-anchor=(anchor) fill=[self.color] { (self.text) }
            }
        }
    }

    fn picture(&self, left: f64, top: f64, width: f64, height: f64) -> Markup {
        let (at, offset, anchor) = self.anchor();
        let text = fitted(&self.text, TEXT, self.width * width - 8.0);
        html! {
            text x=(short(left + (self.x + at * self.width) * width + offset)) y=(short(top + self.y * height)) dy=".35em" font-size=(TEXT) text-anchor=(anchor) fill=[self.color] { (text) }
        }
    }
}

impl Axis {
    /// Pixels that its texts take.
    pub fn width(&self) -> f64 {
        let texts = self
            .ticks
            .iter()
            .map(|tick| text_width(&tick.text, TEXT))
            .fold(0.0, f64::max);
        texts.min(WIDEST).ceil() + 14.0 + if self.title.is_empty() { 0.0 } else { 20.0 }
    }

    fn page(&self) -> Markup {
        let width = self.width();
        let x = if self.is_right { 8.0 } else { width - 8.0 };
        html! {
            @if !self.is_right && !self.title.is_empty() { div.along { (self.title) } }
            svg.values.right[self.is_right] width=(short(width - if self.title.is_empty() { 0.0 } else { 20.0 })) aria-hidden="true" {
                @for tick in &self.ticks {
                    text x=(short(if self.is_right || self.title.is_empty() { x } else { x - 20.0 })) y=(percent(1.0 - tick.at)) dy=".35em" { (fitted(&tick.text, TEXT, WIDEST)) }
                }
            }
            @if self.is_right && !self.title.is_empty() { div.along { (self.title) } }
        }
    }

    fn picture(&self, edge: f64, height: f64) -> Markup {
        let x = if self.is_right {
            edge + 8.0
        } else {
            edge + self.width() - 8.0
        };
        let anchor = if self.is_right { "start" } else { "end" };
        let along = if self.is_right {
            edge + self.width() - 6.0
        } else {
            edge + 12.0
        };
        html! {
            @for tick in &self.ticks {
                text x=(short(x)) y=(short(8.0 + (1.0 - tick.at) * height)) dy=".35em" text-anchor=(anchor) { (fitted(&tick.text, TEXT, WIDEST)) }
            }
            @if !self.title.is_empty() {
                text transform=(format!("translate({} {}) rotate(-90)", short(along), short(8.0 + height / 2.0))) text-anchor="middle" { (self.title) }
            }
        }
    }
}
