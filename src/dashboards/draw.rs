//! Panels as SVG and HTML, one file for each kind.

mod axes;
mod canvas;
mod clock;
mod graph;
mod legend;
mod look;
mod scale;
mod smooth;
mod stack;
mod stat;
mod table;
mod theme;
mod timeseries;

use maud::{Markup, html};

use super::data::Data;
use super::evaluate::Scope;
use super::model::Panel;
use theme::Medium;

/// The rules of a page's stylesheet for what [`html()`] writes. They take the variables `--text`, `--soft`, `--border` and
/// `--panel` from the page; `data-theme` of the root element is `light`, `dark`, or absent for what the reader prefers.
pub fn css() -> String {
    include_str!("draw/panels.css").to_owned() + &theme::light_rules()
}

/// The inside of a panel on a page (not its title): fills the width and height of its container.
pub fn html(panel: &Panel, data: &Data, scope: &Scope) -> Markup {
    match panel.kind.as_str() {
        "timeseries" => match timeseries::graph(panel, data, scope, Medium::Page) {
            Some(graph) => graph.page(),
            None => nothing(panel),
        },
        "stat" => stat::page(panel, data),
        "table" => table::page(panel, data, &scope.zone),
        _ => html! {},
    }
}

/// What stands in a panel without data.
fn nothing(panel: &Panel) -> Markup {
    html! { div.nothing { (panel.field_config.defaults.no_value.as_deref().unwrap_or("No data")) } }
}

/// The inside of a panel in a picture: SVG elements that fill `width` by `height` pixels from 0, 0, with colours of the theme.
pub fn picture(panel: &Panel, data: &Data, scope: &Scope, width: u32, height: u32, dark: bool) -> Markup {
    match panel.kind.as_str() {
        "timeseries" => match timeseries::graph(panel, data, scope, Medium::Picture { dark }) {
            Some(graph) => graph.picture(f64::from(width), f64::from(height), dark),
            None => html! {},
        },
        _ => html! {},
    }
}
