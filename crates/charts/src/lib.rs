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
use edgewatch_grafana_model::panel::PanelKind;
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
    match panel.kind() {
        PanelKind::Timeseries(options) => graph(timeseries::graph(panel, options, data, scope, Medium::Page)),
        PanelKind::StateTimeline(options) => graph(state_timeline::graph(panel, options, data, scope, Medium::Page)),
        PanelKind::Heatmap(options) => graph(heatmap::graph(panel, options, data, scope, Medium::Page)),
        PanelKind::Text(options) => text::page(options, scope),
        PanelKind::Stat(options) => stat::page(panel, options, data),
        PanelKind::Gauge(options) => gauge::page(panel, options, data),
        PanelKind::BarGauge(options) => bargauge::page(panel, options, data),
        PanelKind::Table(options) => table::page(panel, options, data, &scope.zone),
        // What is not supported is said beside it: see `support`.
        PanelKind::Row | PanelKind::Unknown(_) => html! {},
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
    let drawn = match panel.kind() {
        PanelKind::Timeseries(options) => graph(timeseries::graph(panel, options, data, scope, medium)),
        PanelKind::StateTimeline(options) => graph(state_timeline::graph(panel, options, data, scope, medium)),
        PanelKind::Heatmap(options) => graph(heatmap::graph(panel, options, data, scope, medium)),
        PanelKind::Text(options) => Some(text::picture(options, scope, width, height, medium)),
        PanelKind::Table(options) => table::picture(options, data, &scope.zone, width, height, medium),
        PanelKind::Stat(options) => stat::picture(panel, options, data, width, height, medium),
        PanelKind::Gauge(options) => gauge::picture(options, data, width, height, medium),
        PanelKind::BarGauge(options) => bargauge::picture(panel, options, data, width, height, medium),
        PanelKind::Row | PanelKind::Unknown(_) => Some(html! {}),
    };
    let drawn = drawn.unwrap_or_else(|| {
        html! {
            text x=(width / 2.0) y=(height / 2.0) text-anchor="middle" font-size="16" fill=[medium.tone(theme::Tone::Soft)] { (no_data(panel)) }
        }
    });
    PreEscaped(without_controls(drawn.into_string()))
}
