//! `/dashboards.css` and `/dashboards.js`.

use std::fmt::Write;

use actix_web::HttpResponse;

use edgewatch_grafana_model::grid::COLUMNS;
use edgewatch_grafana_model::layout::MAX_ROWS;

const STYLE: &str = concat!(include_str!("page.css"), include_str!("script.css"));
const SCRIPT: &str = include_str!("script.js");

/// The style sheet of pages with dashboards.
pub(crate) async fn style() -> HttpResponse {
    asset(
        "text/css; charset=utf-8",
        format!(
            "{}{STYLE}{}{}",
            edgewatch_charts::variables(),
            edgewatch_charts::css(),
            grid_rules()
        ),
    )
}

/// The script of pages with dashboards, which they work without as well.
pub(crate) async fn script() -> HttpResponse {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

fn asset(kind: &str, body: impl Into<String>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header(("Cache-Control", "max-age=3600"))
        .body(body.into())
}

/// A rule for each class of [`super::panels::classes`].
fn grid_rules() -> String {
    let mut rules = String::from("@media print, (min-width: 48rem) {\n");
    for column in 0..COLUMNS {
        let _ = writeln!(rules, ".x{column} {{ grid-column-start: {} }}", column + 1);
        let _ = writeln!(rules, ".w{} {{ grid-column-end: span {} }}", column + 1, column + 1);
    }
    rules.push_str("}\n");
    for height in 1..=MAX_ROWS {
        let _ = writeln!(rules, ".h{height} {{ grid-row-end: span {height} }}");
    }
    rules
}
