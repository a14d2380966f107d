//! What graphs over time have in common: axes, the plot between them, a legend. Places are fractions, so that a page can stretch
//! the plot while texts keep their size, and a picture gives everything its pixels.

use maud::{Markup, PreEscaped, html};

use super::legend::Legend;
use super::theme::{Medium, Tone, text_width};
use edgewatch_grafana_model::time::TimeRange;

/// Pixels of the text at axes.
pub const TEXT: f64 = 12.0;
/// Pixels between the texts of two times.
const AIR: f64 = 12.0;
/// Pixels of the longest text at an axis; names are cut there.
pub const WIDEST: f64 = 130.0;

/// A graph around a plot `P`.
pub struct Graph<P> {
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
    /// What is inside.
    pub plot: P,
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
    /// What it says.
    pub text: String,
    /// Its colour, where that of texts could not be read.
    pub color: Option<&'static str>,
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
    pub unit: f64,
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
pub fn percent(fraction: f64) -> String {
    format!("{}%", short(fraction * 100.0))
}

impl<P> Graph<P> {
    /// The same around another plot.
    pub fn map<Q>(self, other: impl FnOnce(P) -> Q) -> Graph<Q> {
        Graph {
            panel: self.panel,
            summary: self.summary,
            range: self.range,
            axes: self.axes,
            times: self.times,
            legend: self.legend,
            labels: self.labels,
            plot: other(self.plot),
        }
    }

    /// The pixels that the text of a time takes, with some air.
    pub fn room(&self) -> f64 {
        let widths = self.times.iter().map(|tick| text_width(&tick.text, TEXT) + AIR);
        widths.fold(1.0, f64::max)
    }

    /// The pixels that the text of a time at the edge of the plot needs where `beside` are free.
    pub fn overhang(&self, beside: f64) -> f64 {
        ((self.room() - AIR) / 2.0 - beside).max(0.0).ceil()
    }

    /// Every how many times there is room for a text.
    pub fn every(&self, width: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
        let room = (width / self.room()).max(1.0) as usize;
        self.times.len().div_ceil(room).max(1)
    }

    /// The lines at ticks, behind everything.
    pub fn grid(&self, ink: Ink) -> Markup {
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

impl Label {
    /// Where it is anchored: a fraction of its width, an offset in pixels, and the anchor.
    pub const fn anchor(&self) -> (f64, f64, &'static str) {
        match self.align {
            Align::Left => (0.0, 4.0, "start"),
            Align::Center => (0.5, 0.0, "middle"),
            Align::Right => (1.0, -4.0, "end"),
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
}
