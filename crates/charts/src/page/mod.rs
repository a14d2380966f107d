//! A scene on a page: HTML, and SVG that the browser stretches. Colours of the theme are classes, so that light and dark are the
//! reader's choice.

mod cells;
mod graph;
mod legend;
mod table;

use maud::{Markup, html};

pub use graph::rules;

use crate::scene::Scene;

/// The inside of a panel: fills the width and height of its container.
pub fn draw(scene: &Scene) -> Markup {
    match scene {
        Scene::Nothing(words) => html! { div.nothing { (words) } },
        Scene::Graph(graph) => graph::graph(graph),
        Scene::Stats(stats) => cells::stats(stats),
        Scene::Gauges(gauges) => cells::gauges(gauges),
        Scene::Bars(bars) => cells::bars(bars),
        Scene::Tables(tables) => table::tables(tables),
        Scene::Words(words) => html! { div.text tabindex="0" { (words.html()) } },
        Scene::Blank => html! {},
    }
}
