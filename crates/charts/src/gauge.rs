//! The panel `gauge`: an arc filled as far as the value goes, thresholds around it.

use std::f64::consts::PI;

use maud::{Markup, html};

use super::cells::{self, Cells};
use super::graph::short;
use super::theme::{Medium, Tone, fitted, text_width};
use edgewatch_grafana_model::color;
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::model::{FieldOptions, Panel, ThresholdMode};
use edgewatch_grafana_model::panel::gauge::Gauge;
use edgewatch_grafana_model::reduce::{self, Shown};

/// Units of the picture of a gauge.
const WIDTH: f64 = 176.0;
const HEIGHT: f64 = 140.0;
/// More, with a name below.
const NAMED: f64 = 162.0;
const CENTER: (f64, f64) = (88.0, 90.0);
/// What is added at the sides and above for the labels of thresholds.
const LABELS: f64 = 22.0;
const RADIUS: f64 = 66.0;
const THICKNESS: f64 = 22.0;
const RING: f64 = 83.0;
/// The arc begins and ends this far from straight down.
const OPENING: f64 = PI / 3.0;

/// The gauges of a panel.
pub struct Gauges<'a> {
    options: &'a Gauge,
    /// How they lie.
    pub cells: Cells,
    /// One for each.
    pub shown: Vec<Shown<'a>>,
}

/// What the panel shows of `data`; `None` if there is nothing.
pub fn gauges<'a>(panel: &Panel, options: &'a Gauge, data: &'a Data) -> Option<Gauges<'a>> {
    let shown = reduce::shown(panel, &options.reduce, data);
    if reduce::is_nothing(&shown, data) {
        return None;
    }
    let cells = Cells::of(panel, options.orientation, shown.len())?;
    Some(Gauges { options, cells, shown })
}

impl Gauges<'_> {
    /// Units of the width and the height of a gauge.
    pub fn unit(&self) -> (f64, f64) {
        let height = if self.shown.len() > 1 { NAMED } else { HEIGHT };
        let labels = if self.options.show_threshold_labels {
            LABELS
        } else {
            0.0
        };
        (WIDTH + 2.0 * labels, height + labels)
    }

    /// From 0 to 1: how far an arc is filled.
    pub fn share(&self, one: &Shown) -> f64 {
        let share = share(&one.field.options, one.value);
        if share.is_nan() { 0.0 } else { share }
    }

    /// The marks of a gauge.
    pub fn draw(&self, one: &Shown, medium: Medium) -> Markup {
        draw(self.options, one, self.shown.len() > 1, medium)
    }
}

fn draw(asked: &Gauge, one: &Shown, has_name: bool, medium: Medium) -> Markup {
    let options = &one.field.options;
    let share = |value: f64| share(options, value);
    let text = cells::text(one);
    // The text has the room inside of the arc.
    let size = (2.0 * RADIUS - THICKNESS - 20.0) / text_width(text, 1.0).max(1.0);
    let color = medium.color(one.color());
    let inner = html! {
        g fill="none" {
            path.track stroke=[medium.tone(Tone::Track)] stroke-width=(THICKNESS) d=(arc(RADIUS, 0.0, 1.0)) {}
            @if one.value.is_finite() && share(one.value) > 0.0 {
                path stroke=(color) stroke-width=(THICKNESS) d=(arc(RADIUS, 0.0, share(one.value))) {}
            }
            @if asked.show_threshold_markers {
                @for (from, to, color) in bands(options, share) { path stroke=(medium.color(&color)) stroke-width="5" d=(arc(RING, from, to)) {} }
            }
        }
        @if asked.show_threshold_labels {
            g font-size="9" fill=[medium.tone(Tone::Soft)] {
                @for (at, label) in labels(options, share) {
                    @let (x, y) = on_arc(RING + 7.0, at);
                    // Outwards, away from the ring.
                    @let anchor = if x > CENTER.0 + 20.0 { "start" } else if x < CENTER.0 - 20.0 { "end" } else { "middle" };
                    text.soft x=(short(x)) y=(short(y)) dy=".35em" text-anchor=(anchor) { (label) }
                }
            }
        }
        text x=(short(CENTER.0)) y=(short(CENTER.1)) dy=".35em" text-anchor="middle" font-weight="500" font-size=(short(size.min(34.0))) fill=(color) { (text) }
        @if has_name {
            text x=(short(CENTER.0)) y=(short(NAMED - 8.0)) text-anchor="middle" font-size="15" fill=[medium.tone(Tone::Text)] { (fitted(&one.title, 15.0, WIDTH)) }
        }
    };
    html! {
        @if asked.show_threshold_labels { g transform=(format!("translate({LABELS} {LABELS})")) { (inner) } } @else { (inner) }
    }
}

/// The values at both ends of the arc.
fn ends(options: &FieldOptions) -> (f64, f64) {
    let whole = if options.unit == "percentunit" { 1.0 } else { 100.0 };
    let min = options.min.unwrap_or(0.0);
    let max = options.max.unwrap_or(whole);
    if max > min && (max - min).is_finite() {
        (min, max)
    } else {
        (min, min + whole)
    }
}

/// The place of a value on the arc, from 0 to 1.
fn share(options: &FieldOptions, value: f64) -> f64 {
    let (min, max) = ends(options);
    ((value - min) / (max - min)).clamp(0.0, 1.0)
}

/// From where to where (shares of the arc) which colour of the thresholds holds.
fn bands(options: &FieldOptions, share: impl Fn(f64) -> f64) -> Vec<(f64, f64, String)> {
    let steps = &options.thresholds.steps;
    let place = |value: Option<f64>| match options.thresholds.mode {
        ThresholdMode::Absolute => value.map(&share),
        ThresholdMode::Percentage => value.map(|percent| (percent / 100.0).clamp(0.0, 1.0)),
    };
    let bands = steps.iter().enumerate().map(|(index, step)| {
        let from = place(step.value).unwrap_or(0.0);
        let to = steps
            .get(index + 1)
            .map_or(1.0, |next| place(next.value).unwrap_or(1.0));
        (from, to, color::hex(&step.color))
    });
    bands.filter(|(from, to, _)| to > from).collect()
}

/// The values of thresholds, and where they lie.
fn labels(options: &FieldOptions, share: impl Fn(f64) -> f64) -> Vec<(f64, String)> {
    let (min, max) = ends(options);
    let values = options.thresholds.steps.iter().filter_map(|step| step.value);
    let values = values.map(|value| match options.thresholds.mode {
        ThresholdMode::Absolute => value,
        ThresholdMode::Percentage => min + (max - min) * value / 100.0,
    });
    values
        .map(|value| (share(value), super::look::plain(options, value)))
        .collect()
}

/// The place on a circle at `share` of the arc.
fn on_arc(radius: f64, share: f64) -> (f64, f64) {
    // From the lower left, clockwise; y goes down.
    let angle = PI / 2.0 + OPENING + (2.0 * PI - 2.0 * OPENING) * share;
    // Not the system's libm: its tables would be 200 KB in memory for nothing else.
    let (sin, cos) = libm::sincos(angle);
    (CENTER.0 + radius * cos, CENTER.1 + radius * sin)
}

fn arc(radius: f64, from: f64, to: f64) -> String {
    let ((x0, y0), (x1, y1)) = (on_arc(radius, from), on_arc(radius, to));
    let is_large = (to - from) * (2.0 * PI - 2.0 * OPENING) > PI;
    format!(
        "M{} {}A{radius} {radius} 0 {} 1 {} {}",
        short(x0),
        short(y0),
        u8::from(is_large),
        short(x1),
        short(y1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arc_goes_over_the_top_from_left_to_right() {
        let ((left, low), (right, end), (middle, top)) = (on_arc(50.0, 0.0), on_arc(50.0, 1.0), on_arc(50.0, 0.5));
        assert!(left < CENTER.0 && right > CENTER.0 && (low - end).abs() < 1e-9 && low > CENTER.1);
        assert!((middle - CENTER.0).abs() < 1e-9 && (top - (CENTER.1 - 50.0)).abs() < 1e-9);
        assert!(arc(50.0, 0.0, 1.0).contains("A50 50 0 1 1 "), "a long arc");
        assert!(arc(50.0, 0.0, 0.3).contains("A50 50 0 0 1 "), "a short arc");
    }
}
