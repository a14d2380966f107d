//! `/d/UID/values.json`: the values behind the graphs of a page, as texts, for whoever points at one. Asked for only then, and
//! answered from what the page has just been drawn from.

use std::sync::Arc;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde::Serialize;

use super::asked::Asked;
use super::page::{self, Refusal};
use super::stream::{self, Lease, Piece};
use super::{InForce, Kind, busy, plain};
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
pub async fn values(InForce(boards): InForce, request: HttpRequest, uid: Path<String>) -> HttpResponse {
    let asked = match Asked::parse(request.query_string()) {
        Ok(asked) => asked,
        Err(why) => return bad(why),
    };
    let Some(lease) = Lease::take(&boards, Kind::Page) else {
        return busy();
    };
    let prepared = match page::prepare(&boards, &lease, uid.into_inner(), asked).await {
        Ok(Ok((prepared, _))) => prepared,
        Ok(Err(Refusal::Bad(why))) => return bad(why),
        Ok(Err(Refusal::Missing(_))) => return plain(HttpResponse::NotFound(), "no such dashboard or panel\n"),
        Ok(Err(Refusal::Broken(_))) => return plain(HttpResponse::InternalServerError(), "the dashboard is broken\n"),
        Ok(Err(Refusal::Busy)) => return busy(),
        Err(response) => return response,
    };
    let places = prepared.sections.iter().flat_map(|section| &section.panels);
    let graphs = places.filter(|place| {
        let placed = place.of(&prepared.laid.panels);
        placed.is_some_and(|placed| {
            matches!(
                placed.panel.kind(),
                PanelKind::Timeseries(_) | PanelKind::StateTimeline(_)
            )
        })
    });
    let mut pieces = vec![Piece::Ready("{\"panels\":{".to_owned())];
    for (number, place) in graphs.copied().enumerate() {
        let (boards, prepared) = (Arc::clone(&boards), Arc::clone(&prepared));
        pieces.push(Piece::Work(Box::new(move || {
            let comma = if number == 0 { "" } else { "," };
            let Some(placed) = place.of(&prepared.laid.panels) else {
                return String::new();
            };
            let values = limits::guarded(|| of_panel(&page::data_of(placed, &prepared, &boards).1));
            // What is wrong stands in the panel; here it has no values.
            let values = serde_json::to_string(&values.unwrap_or_default()).unwrap_or_else(|_| "null".to_owned());
            format!("{comma}\"{}\":{values}", placed.panel.id)
        })));
    }
    pieces.push(Piece::Ready("}}".to_owned()));
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(stream::body(boards, lease, pieces))
}

fn bad(why: String) -> HttpResponse {
    HttpResponse::BadRequest()
        .content_type("text/plain; charset=utf-8")
        .body(why + "\n")
}

/// Rows of the table behind a graph, and cells.
const MOST_ROWS: usize = 300;
const MOST_CELLS: usize = 20_000;
/// Texts of a panel, the empty ones among them: a series has one for each time that any of them has.
const MOST_TEXTS: usize = 2 * limits::VALUES;

/// The values of a graph as a table, for those who cannot see it, want to copy them, or to know exactly.
pub fn table(data: &PanelData, zone: &Zone) -> Markup {
    let PanelValues { times, series } = of_panel(data);
    if times.is_empty() || series.is_empty() {
        return html! {};
    }
    // The newest first: it is what most people want to know.
    let has_value = |index: &usize| series.iter().any(|one| !one.texts[*index].is_empty());
    let rows: Vec<usize> = (0..times.len()).rev().filter(has_value).collect();
    let most = (MOST_CELLS / series.len()).clamp(1, MOST_ROWS);
    let every = rows.len().div_ceil(most).max(1);
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
            if (series.len() + 1).saturating_mul(times.len()) > MOST_TEXTS {
                break;
            }
            let mut texts = vec![String::new(); times.len()];
            for (time, number) in own.iter().zip(numbers) {
                if let Ok(place) = times.binary_search_by(|other| other.total_cmp(time))
                    && !number.is_nan()
                {
                    texts[place] = display::number(&field.options, *number).text;
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
