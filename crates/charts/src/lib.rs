//! Panels as SVG and HTML, one file for each kind, and SVG as PNG ([`raster`]).

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

mod axes;
mod bargauge;
mod canvas;
mod cells;
mod clock;
mod gauge;
mod graph;
mod heatmap;
mod legend;
mod look;
pub mod raster;
mod scale;
mod smooth;
mod stack;
mod stat;
mod state_timeline;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod timeseries;

use maud::{Markup, PreEscaped, html};

use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::evaluate::Scope;
use edgewatch_grafana_model::model::Panel;
use theme::Medium;
pub use theme::without_controls;

/// The rules of a page's stylesheet for what [`html()`] writes. They take the variables `--text`, `--soft`, `--border` and
/// `--panel` from the page; `data-theme` of the root element is `light`, `dark`, or absent for what the reader prefers.
pub fn css() -> String {
    format!(
        "{}{}{}{}",
        include_str!("panels.css"),
        cells::rules(),
        graph::rules(),
        theme::light_rules()
    )
}

/// The inside of a panel on a page (not its title): fills the width and height of its container.
pub fn html(panel: &Panel, data: &Data, scope: &Scope) -> Markup {
    let graph = |graph: Option<graph::Graph>| graph.map_or_else(|| nothing(panel), |graph| graph.page());
    match panel.kind.as_str() {
        "timeseries" => graph(timeseries::graph(panel, data, scope, Medium::Page)),
        "state-timeline" => graph(state_timeline::graph(panel, data, scope, Medium::Page)),
        "heatmap" => graph(heatmap::graph(panel, data, scope, Medium::Page)),
        "text" => text::page(panel, scope),
        "stat" => stat::page(panel, data),
        "gauge" => gauge::page(panel, data),
        "bargauge" => bargauge::page(panel, data),
        "table" => table::page(panel, data, &scope.zone),
        // What is not supported is said beside it: see `support`.
        _ => html! {},
    }
}

/// What stands in a panel without data.
fn nothing(panel: &Panel) -> Markup {
    html! { div.nothing { (no_data(panel)) } }
}

fn no_data(panel: &Panel) -> &str {
    panel.field_config.defaults.no_value.as_deref().unwrap_or("No data")
}

/// The inside of a panel in a picture: SVG elements that fill `width` by `height` pixels from 0, 0, with colours of the theme.
pub fn picture(panel: &Panel, data: &Data, scope: &Scope, width: u32, height: u32, dark: bool) -> Markup {
    let medium = Medium::Picture { dark };
    let (width, height) = (f64::from(width), f64::from(height));
    let graph = |graph: Option<graph::Graph>| graph.map(|graph| graph.picture(width, height, dark));
    let drawn = match panel.kind.as_str() {
        "timeseries" => graph(timeseries::graph(panel, data, scope, medium)),
        "state-timeline" => graph(state_timeline::graph(panel, data, scope, medium)),
        "heatmap" => graph(heatmap::graph(panel, data, scope, medium)),
        "text" => Some(text::picture(panel, scope, width, height, medium)),
        "table" => table::picture(panel, data, &scope.zone, width, height, medium),
        "stat" => stat::picture(panel, data, width, height, medium),
        "gauge" => gauge::picture(panel, data, width, height, medium),
        "bargauge" => bargauge::picture(panel, data, width, height, medium),
        _ => Some(html! {}),
    };
    let drawn = drawn.unwrap_or_else(|| {
        html! {
            text x=(width / 2.0) y=(height / 2.0) text-anchor="middle" font-size="16" fill=[medium.tone(theme::Tone::Soft)] { (no_data(panel)) }
        }
    });
    PreEscaped(without_controls(drawn.into_string()))
}
