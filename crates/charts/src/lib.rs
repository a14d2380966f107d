//! Panels as SVG and HTML, and SVG as PNG.
//!
//! ```text
//! panel, data ─► scene (a file for each kind) ─► page      HTML and SVG
//!                                             ├► picture   SVG of a fixed size ─► raster   PNG
//!                                             └► a terminal, in the crate of dashboards
//! ```

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

mod axes;
mod bargauge;
mod canvas;
mod cells;
mod clock;
mod columns;
mod gauge;
mod graph;
mod heatmap;
mod histogram;
mod legend;
mod line;
mod look;
mod markup;
mod page;
mod picture;
mod pie;
pub mod raster;
mod scale;
pub mod scene;
mod scheme;
mod smooth;
mod stack;
mod stat;
mod state_timeline;
mod status_history;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod ticks;
mod timeseries;

use maud::{Markup, PreEscaped};

use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::table::SortBy;
use edgewatch_grafana_model::scope::Scope;
use theme::Medium;
pub use theme::{Tone, fitted, text_width, variables, without_controls};

/// The rules of a page's stylesheet for what [`html()`] writes. They take [`variables`] and
/// `--border` from the page; `data-theme` of the root element is `light`, `dark`, or absent for what the reader prefers.
pub fn css() -> String {
    format!(
        "{}{}{}{}",
        include_str!("panels.css"),
        cells::rules(),
        page::rules(),
        theme::light_rules()
    )
}

/// The inside of a panel on a page (not its title): fills the width and height of its container.
pub fn html(panel: &Panel, data: &Data, scope: &Scope) -> Markup {
    page::draw(&scene::scene(panel, data, scope), None)
}

/// The same, with heads of a table's columns that lead to where `sorted` says: to the page with the rows sorted by that column.
pub fn sortable_html(panel: &Panel, data: &Data, scope: &Scope, sorted: &Sorted<'_>) -> Markup {
    page::draw(&scene::scene(panel, data, scope), Some(sorted))
}

/// The address of a page with a table sorted in another way.
pub type Sorted<'a> = dyn Fn(&SortBy) -> String + 'a;

/// The inside of a panel in a picture: SVG elements that fill `width` by `height` pixels from 0, 0, with colours of the theme.
pub fn picture(panel: &Panel, data: &Data, scope: &Scope, width: u32, height: u32, dark: bool) -> Markup {
    let scene = scene::scene(panel, data, scope);
    let drawn = picture::draw(&scene, width.into(), height.into(), Medium::Picture { dark });
    PreEscaped(without_controls(drawn.into_string()))
}
