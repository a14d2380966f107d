//! `/d/UID/values.json`: the formatted values of the graphs of a page, for its tooltips. Requested when the pointer is over a graph, and
//! served from the cache of the page's queries.

use std::sync::Arc;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde::Serialize;

use super::error::PageError;
use super::prepare;
use super::query::PageQuery;
use super::stream::{self, Piece, RenderPermit};
use super::{Kind, RequestContext};
use edgewatch_grafana_model::data::Data as PanelData;
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::limits;
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::time::{Zone, local};

#[derive(Default, Serialize)]
struct PanelValues {
    /// Unix time in milliseconds.
    times: Vec<i64>,
    series: Vec<SeriesValues>,
}

#[derive(Serialize)]
struct SeriesValues {
    name: String,
    /// `#rrggbb`
    color: String,
    /// One for each time, with unit; empty where there is no value.
    texts: Vec<String>,
}

/// The values of every graph of the page with the same query string, sent panel by panel: `{"panels": {"ID": …}}`.
pub(crate) async fn values(
    RequestContext(context): RequestContext,
    request: HttpRequest,
    uid: Path<String>,
) -> Result<HttpResponse, PageError> {
    let query = PageQuery::parse(request.query_string())?;
    let permit = RenderPermit::acquire(&context, Kind::Page)?;
    let (prepared, _) = prepare::prepare(&context, &permit, uid.into_inner(), query).await?;
    let places = prepared.sections.iter().flat_map(|section| &section.panels);
    let graphs = places.filter(|place| {
        let placed = place.of(&prepared.laid_out.panels);
        placed.is_some_and(|placed| {
            matches!(
                placed.panel.kind(),
                PanelKind::Timeseries(_) | PanelKind::StateTimeline(_) | PanelKind::StatusHistory(_)
            )
        })
    });
    let mut pieces = vec![Piece::Ready("{\"panels\":{".to_owned())];
    for (number, place) in graphs.copied().enumerate() {
        let (context, prepared) = (Arc::clone(&context), Arc::clone(&prepared));
        pieces.push(Piece::Blocking(Box::new(move || {
            let comma = if number == 0 { "" } else { "," };
            let Some(placed) = place.of(&prepared.laid_out.panels) else {
                return String::new();
            };
            let values =
                limits::guarded(|| of_panel(&prepare::data_of(&prepared.panel(placed), placed, &prepared, &context).1));
            // The panel shows the problem; here it has no values.
            let values = serde_json::to_string(&values.unwrap_or_default()).unwrap_or_else(|_| "null".to_owned());
            format!("{comma}\"{}\":{values}", placed.panel.id)
        })));
    }
    pieces.push(Piece::Ready("}}".to_owned()));
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(stream::body(context, permit, pieces)))
}

/// Rows of the table behind a graph, and cells.
const MAX_ROWS: usize = 300;
const MAX_CELLS: usize = 20_000;
/// Texts of a panel, empty ones included: every series has one for each time of any series.
const MAX_TEXTS: usize = 2 * limits::VALUES;

/// The values of a graph as a table, for screen readers and for copying.
pub(crate) fn table(data: &PanelData, zone: &Zone) -> Markup {
    let PanelValues { times, series } = of_panel(data);
    if times.is_empty() || series.is_empty() {
        return html! {};
    }
    // The newest first.
    let has_value = |index: &usize| series.iter().any(|one| !one.texts[*index].is_empty());
    let rows: Vec<usize> = (0..times.len()).rev().filter(has_value).collect();
    let max_rows = (MAX_CELLS / series.len()).clamp(1, MAX_ROWS);
    let every = rows.len().div_ceil(max_rows).max(1);
    html! {
        details.values open {
            summary { "Values" @if every > 1 { " (one of " (every) " points)" } }
            div.scroll tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Time" } @for one in &series { th.number scope="col" { (one.name) } } } }
                    tbody {
                        @for index in rows.into_iter().step_by(every) {
                            tr {
                                th scope="row" { (local(times[index] as f64 / 1000.0, zone)) }
                                @for one in &series { td.number { (one.texts[index]) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The series of a panel, in the order in which they are drawn: as many as fit.
fn of_panel(data: &PanelData) -> PanelValues {
    let times = data.times();
    let mut series = Vec::new();
    for frame in &data.frames {
        let Some(own) = frame.times() else { continue };
        for (field, numbers) in frame.numbers() {
            if (series.len() + 1).saturating_mul(times.len()) > MAX_TEXTS {
                break;
            }
            let mut texts = vec![String::new(); times.len()];
            for (time, number) in own.iter().zip(numbers) {
                if let Ok(index) = times.binary_search_by(|other| other.total_cmp(time))
                    && !number.is_nan()
                {
                    texts[index] = display::number(&field.options, *number).text;
                }
            }
            series.push(SeriesValues {
                name: field.name.clone(),
                color: field.color.clone(),
                texts,
            });
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds of this age fit into an i64"
    )]
    let times = times.iter().map(|time| (time * 1000.0).round() as i64).collect();
    PanelValues { times, series }
}
