//! `/d/UID`: a dashboard as a page. Works without JavaScript.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::cache::LaidOut;
use super::header::Header;
use super::panels::{self, Links};
use super::query::{PageQuery, View};
use super::stream::{self, Piece, RenderPermit};
use super::{Kind, RenderContext, RequestContext, busy, values};
use crate::frame::{self, GRAFANA_PORT};
use crate::library::OpenError;
use edgewatch_grafana_model::data::Data as PanelData;
use edgewatch_grafana_model::evaluate::{Scope, evaluate};
use edgewatch_grafana_model::layout::{COLUMNS, MAX_PANELS, MAX_ROWS, Placed};
use edgewatch_grafana_model::limits::{Deadline, guarded};
use edgewatch_grafana_model::model::{GridPos, Panel};
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::sections::{self, Place, Section};
use edgewatch_grafana_model::source::Within;
use edgewatch_grafana_model::variables::Variables;
use edgewatch_program::time::unix_time;

const STYLE: &str = concat!(include_str!("page.css"), include_str!("script.css"));
const SCRIPT: &str = include_str!("script.js");
/// The Content-Security-Policy of dashboards: they also run our script, fetch values, and submit forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

/// The grid position of a panel that is viewed alone.
const ALONE: GridPos = GridPos {
    x: 0,
    y: 0,
    w: 24,
    h: 18,
};

/// A dashboard that is ready to be rendered.
pub(crate) struct Prepared {
    /// Model and layout.
    pub(crate) laid_out: Arc<LaidOut>,
    /// Range, refresh, theme.
    pub(crate) view: View,
    /// Range and variables.
    pub(crate) scope: Scope,
    /// Panels in their order.
    pub(crate) sections: Vec<Section>,
}

impl Prepared {
    /// The grid position of a panel on the page.
    const fn grid_pos(&self, placed: &Placed) -> GridPos {
        match self.view.panel {
            None => placed.panel.grid_pos,
            Some(_) => ALONE,
        }
    }
}

/// Why there is no page.
pub(crate) enum Refusal {
    /// The query string is invalid.
    Bad(String),
    /// There is no such dashboard or panel.
    Missing(String),
    /// The dashboard cannot be read.
    Broken(String),
    /// The dashboards in use are too large together.
    Busy,
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unknown(_) => Self::Missing(error.to_string()),
            OpenError::Broken(_) => Self::Broken(error.to_string()),
        }
    }
}

/// `/d/UID`.
pub(crate) async fn page(
    RequestContext(context): RequestContext,
    request: HttpRequest,
    uid: Path<String>,
) -> HttpResponse {
    respond(context, &request, uid.into_inner()).await
}

/// `/d/UID/NAME`, as Grafana writes it.
pub(crate) async fn page_with_name(
    RequestContext(context): RequestContext,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    respond(context, &request, path.into_inner().0).await
}

async fn respond(context: Arc<RenderContext>, request: &HttpRequest, uid: String) -> HttpResponse {
    let query = match PageQuery::parse(request.query_string()) {
        Ok(query) => query,
        Err(why) => return refused(Refusal::Bad(why), &uid),
    };
    let Some(permit) = RenderPermit::acquire(&context, Kind::Page) else {
        return busy();
    };
    let path = format!("/d/{uid}");
    let (prepared, query) = match prepare(&context, &permit, uid.clone(), query).await {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(refusal)) => return refused(refusal, &uid),
        Err(response) => return response,
    };
    let grafana = frame::link(context.settings.links.grafana.as_deref(), request, GRAFANA_PORT);
    let grafana = grafana.map(|grafana| format!("{grafana}{path}"));
    let page = Arc::new(Page {
        context: Arc::clone(&context),
        prepared,
        query,
        path,
        grafana,
    });
    let pieces = pieces(&page);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Security-Policy", POLICY))
        .streaming(stream::body(context, permit, pieces))
}

/// Reads the dashboard and its variables.
pub(crate) async fn prepare(
    context: &Arc<RenderContext>,
    permit: &RenderPermit,
    uid: String,
    query: PageQuery,
) -> Result<Result<(Arc<Prepared>, PageQuery), Refusal>, HttpResponse> {
    let queue = context.queue(permit.kind());
    let request = Arc::new(RenderRequest {
        context: Arc::clone(context),
        min_step: i64::try_from(context.settings.prometheus.scrape_interval.as_millis()).unwrap_or(i64::MAX),
        uid,
        query,
        deadline: permit.deadline(),
    });
    let cached = Arc::clone(&request);
    let mut prepared = queue.run(move || cached.prepare(false)).await?;
    if let Ok(None) = prepared {
        let opening = context.cache.lock_opening(&request.uid).await;
        let uncached = Arc::clone(&request);
        prepared = queue.run(move || uncached.prepare(true)).await?;
        drop(opening);
    }
    Ok(prepared.and_then(|prepared| {
        let prepared = prepared.ok_or_else(|| Refusal::Missing(request.uid.clone()))?;
        Ok((Arc::new(prepared), request.query.clone()))
    }))
}

/// A request for a dashboard.
struct RenderRequest {
    context: Arc<RenderContext>,
    min_step: i64,
    uid: String,
    query: PageQuery,
    deadline: Deadline,
}

impl RenderRequest {
    /// Evaluates variables and layout; `None` if the file has to be read and `may_read` is false.
    fn prepare(&self, may_read: bool) -> Result<Option<Prepared>, Refusal> {
        let Self { context, uid, .. } = self;
        let cached = context.cache.get(uid, context.library.version(uid)?);
        if cached.is_none() && !may_read {
            return Ok(None);
        }
        let open = || context.library.open(uid).map_err(Refusal::from);
        let loaded = if cached.is_none() { Some(open()?) } else { None };
        let read = loaded.as_ref().map(|loaded| &loaded.dashboard);
        let Some(dashboard) = cached.as_ref().map(|laid_out| &laid_out.dashboard).or(read) else {
            return Ok(None);
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of this age fit into an i64"
        )]
        let now = (unix_time() * 1000.0) as i64;
        let view = self.query.view(dashboard, now).map_err(Refusal::Bad)?;
        let source = Within {
            source: &*context.source,
            deadline: &self.deadline,
        };
        let scope = Scope {
            range: view.range,
            variables: Variables::resolve(dashboard, &self.query.variables(), view.range, &source),
            min_step: self.min_step,
            zone: view.zone.clone(),
            dashboard: dashboard.title.clone(),
            deadline: self.deadline.clone(),
        };
        let laid_out = match (cached, loaded) {
            (Some(laid_out), _) if laid_out.matches(&scope.variables) => laid_out,
            (_, Some(loaded)) => context.cache.insert(loaded, &scope.variables).ok_or(Refusal::Busy)?,
            (_, None) => context.cache.insert(open()?, &scope.variables).ok_or(Refusal::Busy)?,
        };
        let sections = match view.panel {
            None => sections::sections(&laid_out.panels, &view.toggled),
            Some(id) => {
                let place = sections::find(&laid_out.panels, id)
                    .ok_or_else(|| Refusal::Missing(format!("the dashboard has no panel {id}")))?;
                vec![Section {
                    row: None,
                    panels: vec![place],
                }]
            }
        };
        Ok(Some(Prepared {
            laid_out,
            view,
            scope,
            sections,
        }))
    }
}

fn refused(refusal: Refusal, uid: &str) -> HttpResponse {
    let (code, title, why) = match refusal {
        Refusal::Bad(why) => (StatusCode::BAD_REQUEST, "This address cannot be shown", why),
        Refusal::Missing(why) => (StatusCode::NOT_FOUND, "Not found", why),
        Refusal::Broken(why) => (StatusCode::INTERNAL_SERVER_ERROR, "This dashboard cannot be read", why),
        Refusal::Busy => return busy(),
    };
    let body = html! {
        p.notice.bad { (why) }
        p {
            @if code == StatusCode::BAD_REQUEST { a href=(PageQuery::default().with(&format!("/d/{uid}"), &[])) { "The dashboard as it is shown at first" } " · " }
            a href="/dashboards" { "All dashboards" }
        }
    };
    let mut response = frame::respond(title, None, &body);
    *response.status_mut() = code;
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
        draw_panel(placed, prepared, &self.context, &links)
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
                title { (laid_out.dashboard.title) " · " (frame::hostname()) " · edgewatch" }
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
            @for left_out in &laid_out.dashboard.left_out { p.notice.bad role="status" { (left_out) } }
            @if laid_out.panels.iter().map(|placed| placed.inside.len() + 1).sum::<usize>() >= MAX_PANELS {
                p.notice role="status" { "No more than " (MAX_PANELS) " panels are shown." }
            }
            (PreEscaped("<main data-dashboard=\"")) (laid_out.dashboard.uid)
            (PreEscaped("\" data-zone=\"")) (view.zone.iana_name().unwrap_or("UTC"))
            (PreEscaped("\" data-refresh=\"")) (refresh.as_deref().unwrap_or("")) (PreEscaped("\">"))
        }
    }
}

/// The data of a panel, and the scope in which it was evaluated.
pub(crate) fn data_of(placed: &Placed, prepared: &Prepared, context: &RenderContext) -> (Scope, PanelData) {
    let scope = placed.scope(&prepared.scope);
    let points = panels::points(prepared.grid_pos(placed));
    let data = evaluate(&placed.panel, &scope, points, &*context.source);
    (scope, data)
}

fn draw_panel(placed: &Placed, prepared: &Prepared, context: &RenderContext, links: &Links) -> Markup {
    let (scope, mut data) = data_of(placed, prepared, context);
    // The drawing depends on the size, which is larger for a panel alone.
    let panel = &Panel {
        grid_pos: prepared.grid_pos(placed),
        ..placed.panel.clone()
    };
    let (inside, problem) = match guarded(|| edgewatch_charts::html(panel, &data, &scope)) {
        Ok(inside) => (inside, None),
        Err(problem) => (html! {}, Some(problem)),
    };
    data.problems.extend(problem);
    let title = scope.title(&panel.title);
    let place = panels::classes(prepared.grid_pos(placed));
    html! {
        (panels::frame(panel, &title, &place, links, &data, &inside))
        @if prepared.view.panel.is_some() && matches!(panel.kind(), PanelKind::Timeseries(_)) {
            (values::table(&data, &scope.zone))
        }
    }
}

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

/// A rule for each class of [`panels::classes`].
fn grid_rules() -> String {
    use std::fmt::Write as _;
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
