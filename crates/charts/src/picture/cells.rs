//! Single values in a picture.

use maud::{Markup, html};

use crate::bargauge::Bars;
use crate::cells::text;
use crate::gauge::Gauges;
use crate::graph::short;
use crate::stat::{SPARK, Stats};
use crate::theme::{Medium, Tone, fitted, text_width};
use edgewatch_grafana_model::reduce::Shown;

/// Pixels of the names and values of bars.
const TEXT: f64 = 14.0;
/// Pixels of the lowest row of bars.
const LEAST_ROW: f64 = 18.0;

/// Big numbers.
pub fn stats(stats: &Stats, size: (f64, f64), medium: Medium) -> Markup {
    let places = stats.cells.places(size, stats.unit());
    html! {
        @for (index, ((x, y, width, height), one)) in places.zip(&stats.shown).enumerate() {
            // Lines are scaled with the rest here: of what they would lose, the less is given back.
            @let scale = (width / f64::from(SPARK.0)).min(height * 0.45 / f64::from(SPARK.1)).max(0.01);
            @let spark = stats.spark(one, medium, &short(1.0 / scale));
            @let big = if spark.is_some() { height * 0.62 } else { height };
            svg x=(short(x)) y=(short(y)) width=(short(width)) height=(short(height)) {
                @if let Some(back) = stats.back(index, medium) { (back) }
                @if let Some(spark) = spark {
                    svg y=(short(height * 0.55)) width=(short(width)) height=(short(height * 0.45)) viewBox=(format!("0 0 {} {}", SPARK.0, SPARK.1)) preserveAspectRatio="none" { (spark) }
                }
                svg width=(short(width)) height=(short(big)) viewBox=(stats.view_box()) preserveAspectRatio=(stats.aspect()) { (stats.texts(one, medium)) }
            }
        }
    }
}

/// Arcs.
pub fn gauges(gauges: &Gauges, size: (f64, f64), medium: Medium) -> Markup {
    let unit = gauges.unit();
    html! {
        @for ((x, y, width, height), one) in gauges.cells.places(size, unit).zip(&gauges.shown) {
            svg x=(short(x)) y=(short(y)) width=(short(width)) height=(short(height)) viewBox=(format!("0 0 {} {}", short(unit.0), short(unit.1))) {
                (gauges.draw(one, medium))
            }
        }
    }
}

/// Bars.
pub fn bars(bars: &Bars, width: f64, height: f64, medium: Medium) -> Markup {
    if bars.is_upright {
        upright(bars, width, height, medium)
    } else {
        flat(bars, width, height, medium)
    }
}

/// The colour of a value.
fn tone(bars: &Bars, one: &Shown, medium: Medium) -> String {
    let plain = || medium.tone(Tone::Text).unwrap_or_default().to_owned();
    bars.value_color(one).map_or_else(plain, |color| medium.color(color))
}

#[expect(clippy::cast_precision_loss, reason = "a few")]
fn upright(bars: &Bars, width: f64, height: f64, medium: Medium) -> Markup {
    let column = width / bars.shown.len() as f64;
    // As many pixels as the widest value leaves.
    let size = TEXT * ((column - 4.0) / bars.widest(TEXT)).clamp(0.1, 1.0);
    let (top, bottom) = (24.0, if bars.has_names { height - 22.0 } else { height - 4.0 });
    html! {
        g font-size=(TEXT) text-anchor="middle" {
            @for (index, one) in bars.shown.iter().enumerate() {
                @let left = index as f64 * column;
                @if bars.has_values { text x=(short(left + column / 2.0)) y="16" font-size=(short(size)) fill=(tone(bars, one, medium)) { (text(one)) } }
                svg x=(short(left + 4.0)) y=(short(top)) width=(short((column - 8.0).max(1.0))) height=(short((bottom - top).max(1.0))) { (bars.draw(one, index, medium)) }
                @if bars.has_names { text x=(short(left + column / 2.0)) y=(short(height - 6.0)) fill=[medium.tone(Tone::Text)] { (fitted(&one.title, TEXT, column - 8.0)) } }
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few"
)]
fn flat(bars: &Bars, width: f64, height: f64, medium: Medium) -> Markup {
    let room = (height / LEAST_ROW).max(1.0) as usize;
    let shown = bars.shown.get(..room).unwrap_or(&bars.shown);
    let widest = |texts: &dyn Fn(&Shown) -> f64| shown.iter().map(|one| texts(one) + 12.0).fold(0.0, f64::max);
    let values = match bars.has_values {
        true => widest(&|one| text_width(text(one), TEXT)),
        false => 4.0,
    };
    let names = match bars.has_names {
        true => widest(&|one| text_width(&one.title, TEXT)).min(width * 0.4),
        false => 4.0,
    };
    let row = (height / shown.len() as f64).min(60.0);
    let above = (height - row * shown.len() as f64) / 2.0;
    html! {
        g font-size=(TEXT) {
            @for (index, one) in shown.iter().enumerate() {
                @let top = above + index as f64 * row;
                @if bars.has_names { text x="4" y=(short(top + row / 2.0)) dy=".35em" fill=[medium.tone(Tone::Text)] { (fitted(&one.title, TEXT, names - 12.0)) } }
                svg x=(short(names)) y=(short(top + row * 0.1)) width=(short((width - names - values).max(1.0))) height=(short(row * 0.8)) { (bars.draw(one, index, medium)) }
                @if bars.has_values { text x=(short(width - 4.0)) y=(short(top + row / 2.0)) dy=".35em" text-anchor="end" fill=(tone(bars, one, medium)) { (text(one)) } }
            }
        }
    }
}
