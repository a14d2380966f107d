//! A scene in a picture of fixed size: SVG alone, with the colours of a theme in it. Nothing can be scrolled, so what has no room is
//! left out.

mod cells;
mod graph;
mod legend;
mod table;
mod words;

use maud::{Markup, html};

use crate::graph::short;
use crate::scene::{Pie, Scene};
use crate::theme::{Medium, Tone};

/// The inside of a panel: SVG elements that fill `width` by `height` pixels from 0, 0.
pub fn draw(scene: &Scene, width: f64, height: f64, medium: Medium) -> Markup {
    match scene {
        Scene::Nothing(words) => html! {
            text x=(width / 2.0) y=(height / 2.0) text-anchor="middle" font-size="16" fill=[medium.tone(Tone::Soft)] { (words) }
        },
        Scene::Graph(graph) => graph::graph(graph, width, height, medium),
        Scene::Stats(stats) => cells::stats(stats, (width, height), medium),
        Scene::Gauges(gauges) => cells::gauges(gauges, (width, height), medium),
        Scene::Bars(bars) => cells::bars(bars, width, height, medium),
        Scene::Pie(found) => pie(found, width, height, medium),
        Scene::Tables(tables) => table::first(tables, width, height, medium),
        Scene::Words(words) => words::words(words, width, height, medium),
        Scene::Blank => html! {},
    }
}

/// Slices, with a legend beside or below.
fn pie(pie: &Pie, width: f64, height: f64, medium: Medium) -> Markup {
    let (legend, right, below) = legend::legend(&pie.legend, width, height, medium);
    let (width, height) = ((width - right).max(1.0), (height - below).max(1.0));
    html! {
        svg width=(short(width)) height=(short(height)) viewBox=(Pie::VIEW_BOX) { (pie.draw(medium)) }
        (legend)
    }
}
