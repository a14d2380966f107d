//! Single values on a page.

use maud::{Markup, html};

use crate::bargauge::Bars;
use crate::cells::text;
use crate::gauge::Gauges;
use crate::graph::short;
use crate::stat::{SPARK, Stats};
use crate::theme::Medium;
use edgewatch_grafana_model::reduce::Shown;

/// Pixels of the value above a bar for which there is room.
const VALUE: f64 = 14.0;

/// Big numbers.
pub fn stats(stats: &Stats) -> Markup {
    html! {
        div class={ "cells " (stats.cells.classes(stats.unit())) } {
            @for (index, one) in stats.shown.iter().enumerate() {
                @let spark = stats.spark(one, Medium::Page, "1");
                div.stat.graphed[spark.is_some()] title=[stats.has_name().then_some(&one.title)] {
                    @if let Some(back) = stats.back(index, Medium::Page) { svg.back aria-hidden="true" { (back) } }
                    @if let Some(spark) = spark { svg.spark viewBox=(format!("0 0 {} {}", SPARK.0, SPARK.1)) preserveAspectRatio="none" aria-hidden="true" { (spark) } }
                    svg.big viewBox=(stats.view_box()) preserveAspectRatio=(stats.aspect()) { (stats.texts(one, Medium::Page)) }
                }
            }
        }
    }
}

/// Arcs.
pub fn gauges(gauges: &Gauges) -> Markup {
    let (width, height) = gauges.unit();
    html! {
        div class={ "cells " (gauges.cells.classes((width, height))) } {
            @for one in &gauges.shown {
                svg.gauge viewBox=(format!("0 0 {width} {height}")) role="img" aria-label=(format!("{} {}", one.title, text(one))) {
                    (gauges.draw(one, Medium::Page))
                }
            }
        }
    }
}

/// Bars.
pub fn bars(bars: &Bars) -> Markup {
    html! {
        div.bars.upright[bars.is_upright] {
            @for (index, one) in bars.shown.iter().enumerate() {
                div.bar-cell role="img" aria-label=(format!("{} {}", one.title, text(one))) {
                    @if bars.has_names { span.bar-name title=(one.title) dir="auto" { (one.title) } }
                    svg.bar-track { (bars.draw(one, index, Medium::Page)) }
                    @if !bars.has_values {}
                    @else if bars.is_upright { (value_above(bars, one)) }
                    @else { span.bar-value { font color=[bars.value_color(one)] { (text(one)) } } }
                }
            }
        }
    }
}

/// The value above a bar, which becomes smaller with it.
fn value_above(bars: &Bars, one: &Shown) -> Markup {
    let width = bars.widest(VALUE);
    html! {
        svg.bar-value viewBox=(format!("0 0 {} {VALUE}", short(width))) {
            text x=(short(width / 2.0)) y=(short(VALUE * 0.8)) text-anchor="middle" font-size=(VALUE) fill=[bars.value_color(one)] { (text(one)) }
        }
    }
}
