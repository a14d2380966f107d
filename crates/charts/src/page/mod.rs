//! A scene on a page: HTML, and SVG that the browser stretches. Colours of the theme are classes, so that light and dark are the
//! reader's choice.

mod cells;
mod graph;
mod legend;
mod table;

use maud::{Markup, html};

pub use graph::rules;

use crate::Sorted;
use crate::scene::{Pie, Scene};
use crate::theme::Medium;

/// The inside of a panel: fills the width and height of its container.
pub fn draw(scene: &Scene, sorted: Option<&Sorted<'_>>) -> Markup {
    match scene {
        Scene::Nothing(words) => html! { div.nothing { (words) } },
        Scene::Graph(graph) => graph::graph(graph),
        Scene::Stats(stats) => cells::stats(stats),
        Scene::Gauges(gauges) => cells::gauges(gauges),
        Scene::Bars(bars) => cells::bars(bars),
        Scene::Pie(found) => pie(found),
        Scene::Tables(tables) => table::tables(tables, sorted),
        Scene::Words(words) => html! { div.text tabindex="0" { (words.html()) } },
        Scene::Blank => html! {},
    }
}

/// Slices, with a legend beside or below.
fn pie(pie: &Pie) -> Markup {
    html! {
        div.pie.aside[pie.legend.is_right] {
            svg.slices viewBox=(Pie::VIEW_BOX) role="img" aria-label="Pie chart" { (pie.draw(Medium::Page)) }
            (legend::legend(&pie.legend))
        }
    }
}
