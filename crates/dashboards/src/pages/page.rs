//! `/d/UID`: a dashboard as a page. Works without JavaScript.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use edgewatch_program::host;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::error::PageError;
use super::header::Header;
use super::panels::{self, Links};
use super::prepare::{Prepared, data_of, prepare};
use super::query::{PageQuery, sort_parameter};
use super::stream::{self, Piece, RenderPermit};
use super::{Kind, RenderContext, RequestContext, values};
use crate::frame::{self, GRAFANA_PORT};
use crate::library::OpenError;
use edgewatch_charts::Sorted;
use edgewatch_grafana_model::layout::{MAX_PANELS, Placed};
use edgewatch_grafana_model::limits::guarded;
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::panel::table::SortBy;
use edgewatch_grafana_model::sections::Place;

/// The Content-Security-Policy of dashboards: they also run our script, fetch values, and submit forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

/// `/d/UID`.
pub(crate) async fn page(
    RequestContext(context): RequestContext,
    request: HttpRequest,
    uid: Path<String>,
) -> HttpResponse {
    respond(&context, &request, &uid).await
}

/// `/d/UID/NAME`, as Grafana writes it.
pub(crate) async fn page_with_name(
    RequestContext(context): RequestContext,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    respond(&context, &request, &path.0).await
}

async fn respond(context: &Arc<RenderContext>, request: &HttpRequest, uid: &str) -> HttpResponse {
    let response = try_respond(context, request, uid).await;
    response.unwrap_or_else(|error| error_page(&error, uid))
}

async fn try_respond(
    context: &Arc<RenderContext>,
    request: &HttpRequest,
    uid: &str,
) -> Result<HttpResponse, PageError> {
    let query = PageQuery::parse(request.query_string())?;
    let permit = RenderPermit::acquire(context, Kind::Page)?;
    let path = format!("/d/{uid}");
    let (prepared, query) = prepare(context, &permit, uid.to_owned(), query).await?;
    if let Some(target) = query.without_typed(&path, &prepared.view) {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, target)).finish());
    }
    let grafana = frame::link(context.settings.links.grafana.as_deref(), request, GRAFANA_PORT);
    let grafana = grafana.map(|grafana| format!("{grafana}{path}"));
    let page = Arc::new(Page {
        context: Arc::clone(context),
        prepared,
        query,
        path,
        grafana,
    });
    let pieces = pieces(&page);
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Security-Policy", POLICY))
        .streaming(stream::body(Arc::clone(context), permit, pieces)))
}

/// The error as a page.
fn error_page(error: &PageError, uid: &str) -> HttpResponse {
    let title = match error {
        PageError::Query(_) | PageError::Picture(_) => "This address cannot be shown",
        PageError::Open(OpenError::Unknown(_)) | PageError::NoPanel(_) => "Not found",
        PageError::Open(OpenError::Broken(_)) => "This dashboard cannot be read",
        PageError::Busy | PageError::Disconnected | PageError::Internal => return error.error_response(),
    };
    let status = error.status_code();
    let body = html! {
        p.notice.bad { (error) }
        p {
            @if status == StatusCode::BAD_REQUEST { a href=(PageQuery::default().with(&format!("/d/{uid}"), &[])) { "The dashboard as it is shown at first" } " · " }
            a href="/dashboards" { "All dashboards" }
        }
    };
    let mut response = frame::respond(title, None, &body);
    *response.status_mut() = status;
    response
}

/// The pieces of the page, in order.
fn pieces(page: &Arc<Page>) -> Vec<Piece> {
    let head = Arc::clone(page);
    let mut pieces = vec![Piece::Deferred(Box::new(move || head.head().into_string()))];
    for (number, section) in page.prepared.sections.iter().enumerate() {
        if section.row.is_some() {
            let page = Arc::clone(page);
            pieces.push(Piece::Deferred(Box::new(move || page.row(number).into_string())));
        }
        if section.panels.is_empty() {
            continue;
        }
        let grid = match page.prepared.view.panel {
            Some(_) => "<div class=\"grid alone\">",
            None => "<div class=\"grid\">",
        };
        pieces.push(Piece::Ready(grid.to_owned()));
        for place in &section.panels {
            let (page, place) = (Arc::clone(page), *place);
            pieces.push(Piece::Blocking(Box::new(move || page.panel(place).into_string())));
        }
        pieces.push(Piece::Ready("</div>".to_owned()));
    }
    pieces.push(Piece::Ready("</main></body></html>\n".to_owned()));
    pieces
}

/// A page while it is being sent.
struct Page {
    context: Arc<RenderContext>,
    prepared: Arc<Prepared>,
    query: PageQuery,
    /// `/d/UID`
    path: String,
    /// URL of the same in Grafana, if that runs.
    grafana: Option<String>,
}

impl Page {
    /// The title of the section of that number, which expands and collapses it.
    fn row(&self, number: usize) -> Markup {
        let Prepared {
            laid_out,
            view,
            scope,
            sections,
        } = &*self.prepared;
        let row = sections.get(number).and_then(|section| section.row.as_ref());
        let Some((row, placed)) = row.and_then(|row| Some((row, row.place.of(&laid_out.panels)?))) else {
            return html! {};
        };
        let id = placed.panel.id;
        let mut toggled: Vec<u32> = view.toggled.iter().copied().filter(|other| *other != id).collect();
        if !view.toggled.contains(&id) {
            toggled.push(id);
        }
        let toggled = toggled.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let rows = Some(toggled.as_str()).filter(|ids| !ids.is_empty());
        html! {
            h2.row id=(format!("row-{id}")) {
                a href=(format!("{}#row-{id}", self.query.with(&self.path, &[("rows", rows)]))) aria-expanded=(row.is_open) {
                    (placed.title(scope))
                }
                @if !row.is_open { span.count { " " (row.count) @if row.count == 1 { " panel" } @else { " panels" } } }
            }
        }
    }

    fn panel(&self, place: Place) -> Markup {
        let prepared = &*self.prepared;
        let Some(placed) = place.of(&prepared.laid_out.panels) else {
            return html! {};
        };
        let id = placed.panel.id.to_string();
        let alone = [("viewPanel", Some(id.as_str()))];
        let links = Links {
            view: match prepared.view.panel {
                Some(_) => self.query.with(&self.path, &[("viewPanel", None)]),
                None => self.query.with(&self.path, &alone),
            },
            grafana: self.grafana.as_ref().map(|grafana| self.query.with(grafana, &alone)),
        };
        let sorted = |by: &SortBy| {
            let (name, value) = sort_parameter(placed.panel.id, by);
            let address = self.query.with(&self.path, &[(name.as_str(), Some(value.as_str()))]);
            format!("{address}#panel-{id}")
        };
        draw_panel(placed, prepared, &self.context, &links, &sorted)
    }

    /// Everything above the first panel.
    fn head(&self) -> Markup {
        let Prepared {
            laid_out, view, scope, ..
        } = &*self.prepared;
        let header = Header {
            path: &self.path,
            query: &self.query,
            view,
            dashboard: &laid_out.dashboard,
            variables: &scope.variables,
            grafana: self.grafana.as_ref().map(|grafana| self.query.with(grafana, &[])),
        };
        let refresh = view.refresh.map(|refresh| refresh.as_secs().max(1).to_string());
        // `main` stays open: the panels follow one by one.
        html! {
            (DOCTYPE)
            (PreEscaped("<html lang=\"en\""))
            @if let Some(theme) = view.theme { (PreEscaped(" data-theme=\"")) (theme) (PreEscaped("\"")) }
            (PreEscaped(">"))
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(seconds) = &refresh { noscript { meta http-equiv="refresh" content=(seconds); } }
                title { (laid_out.dashboard.title) " · " (host::name()) " · edgewatch" }
                link rel="icon" href="/favicon.svg";
                link rel="stylesheet" href="/dashboards.css";
                script src="/dashboards.js" defer {}
            }
            (PreEscaped("<body"))
            @if view.kiosk { (PreEscaped(" class=\"kiosk\"")) }
            (PreEscaped(">"))
            @if !view.kiosk { (header.bar()) }
            @for variable in &scope.variables.list {
                @if let Some(problem) = &variable.problem { p.notice.bad role="status" { strong { (variable.name) } ": " (problem) } }
            }
            @for left_out in view.zone_problem.iter().chain(&laid_out.dashboard.left_out) { p.notice.bad role="status" { (left_out) } }
            @if laid_out.panels.iter().map(|placed| placed.inside.len() + 1).sum::<usize>() >= MAX_PANELS {
                p.notice role="status" { "No more than " (MAX_PANELS) " panels are shown." }
            }
            (PreEscaped("<main data-dashboard=\"")) (laid_out.dashboard.uid)
            (PreEscaped("\" data-zone=\"")) (view.zone.iana_name().unwrap_or("UTC"))
            (PreEscaped("\" data-refresh=\"")) (refresh.as_deref().unwrap_or("")) (PreEscaped("\">"))
        }
    }
}

fn draw_panel(
    placed: &Placed,
    prepared: &Prepared,
    context: &RenderContext,
    links: &Links,
    sorted: &Sorted<'_>,
) -> Markup {
    // The drawing depends on the size, which is larger for a panel alone.
    let panel = &prepared.panel(placed);
    let (scope, mut data) = data_of(panel, placed, prepared, context);
    let (inside, problem) = match guarded(|| edgewatch_charts::sortable_html(panel, &data, &scope, sorted)) {
        Ok(inside) => (inside, None),
        Err(problem) => (html! {}, Some(problem.to_string())),
    };
    data.problems.extend(problem);
    let title = scope.title(&panel.title);
    let place = panels::classes(panel.grid_pos);
    html! {
        (panels::frame(panel, &title, &place, links, &data, &inside))
        @if prepared.view.panel.is_some() && matches!(panel.kind(), PanelKind::Timeseries(_)) {
            (values::table(&data, &scope.zone))
        }
    }
}
