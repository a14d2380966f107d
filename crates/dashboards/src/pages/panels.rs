//! The frame of a panel on a page: title, description, problems.

use maud::{Markup, html};

use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::grid::COLUMNS;
use edgewatch_grafana_model::grid::GridPos;
use edgewatch_grafana_model::layout::MAX_ROWS;
use edgewatch_grafana_model::model::Panel;

/// The links of a panel.
pub(crate) struct Links {
    /// The panel alone, or the whole dashboard again.
    pub(crate) view: String,
    /// The same panel in Grafana, if that runs.
    pub(crate) grafana: Option<String>,
}

/// CSS classes of a grid position: `x0 w12 h8`. No inline style: the page's Content-Security-Policy forbids it.
pub(crate) fn classes(position: GridPos) -> String {
    let width = position.w.clamp(1, COLUMNS);
    let column = position.x.min(COLUMNS - width);
    format!("x{column} w{width} h{}", position.h.clamp(1, MAX_ROWS))
}

/// Points of a series that are distinguishable in a panel of this width.
pub(crate) fn points(position: GridPos) -> usize {
    // The grid is some 1600 pixels wide on a usual screen.
    position.w.clamp(4, COLUMNS) as usize * 30
}

/// A panel with its contents.
pub(crate) fn frame(panel: &Panel, title: &str, size: &str, links: &Links, data: &Data, inside: &Markup) -> Markup {
    let transparent = if panel.transparent { " transparent" } else { "" };
    html! {
        section class={ "panel " (size) (transparent) } id=(format!("panel-{}", panel.id)) {
            @if !title.is_empty() || !panel.description.is_empty() || !data.own_range.is_empty() {
                div.title {
                    h2 { a href=(links.view) { (title) } }
                    @if !data.own_range.is_empty() { span.own-range { (data.own_range) } }
                    @if !panel.description.is_empty() {
                        details.about { summary aria-label="about" { "i" } p { (panel.description) } }
                    }
                }
            }
            @if !data.problems.is_empty() { (problems(links, &data.problems)) }
            div.inside { (inside) }
        }
    }
}

fn problems(links: &Links, problems: &[String]) -> Markup {
    html! {
        div.problems role="status" {
            @for problem in problems { p { (problem) } }
            @if let Some(grafana) = &links.grafana { a href=(grafana) { "Open in Grafana" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_says_which_range_a_panel_has_of_its_own() {
        let panel: Panel = serde_json::from_str("{\"id\": 1, \"type\": \"stat\"}").unwrap();
        let links = Links {
            view: "/d/x?viewPanel=1".to_owned(),
            grafana: None,
        };
        let head = |own_range: &str| {
            let data = Data {
                own_range: own_range.to_owned(),
                ..Data::default()
            };
            frame(&panel, "", "", &links, &data, &Markup::default()).into_string()
        };
        assert!(head("Last 2 hours").contains("<span class=\"own-range\">Last 2 hours</span>"));
        assert!(!head("").contains("class=\"title\""));
    }
}
