//! Panels as SVG and HTML.

use maud::{Markup, html};

use super::data::Data;
use super::evaluate::Scope;
use super::model::Panel;

/// The inside of a panel on a page (not its title): fills the width and height of its container.
pub fn html(panel: &Panel, data: &Data, scope: &Scope) -> Markup {
    let _ = (panel, data, scope);
    html! {}
}

/// The inside of a panel in a picture: SVG elements that fill `width` by `height` pixels from 0, 0, with colours of the theme.
pub fn picture(panel: &Panel, data: &Data, scope: &Scope, width: u32, height: u32, dark: bool) -> Markup {
    let _ = (panel, data, scope, width, height, dark);
    html! {}
}
