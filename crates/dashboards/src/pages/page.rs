//! `/d/UID`: a dashboard as a page. Works without JavaScript.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::asked::{Asked, View};
use super::header::Header;
use super::looked::Laid;
use super::panels::{self, Links};
use super::stream::{self, Lease, Piece};
use super::{Boards, InForce, Kind, busy, values};
use crate::frame::{self, GRAFANA_PORT};
use crate::library::OpenError;
use edgewatch_grafana_model::data::Data as PanelData;
use edgewatch_grafana_model::evaluate::{Scope, evaluate};
use edgewatch_grafana_model::layout::{COLUMNS, MAX_PANELS, MOST_ROWS, Placed};
use edgewatch_grafana_model::limits::{Deadline, guarded};
use edgewatch_grafana_model::model::{GridPos, Panel};
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::sections::{self, Place, Section};
use edgewatch_grafana_model::source::Within;
use edgewatch_grafana_model::variables::Variables;
use edgewatch_program::time::unix_time;

const STYLE: &str = concat!(include_str!("page.css"), include_str!("script.css"));
const SCRIPT: &str = include_str!("script.js");
/// What pages of dashboards may do beyond the others: run our script, ask for values, and send a form.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

/// The place of a panel that is looked at alone.
const ALONE: GridPos = GridPos {
    x: 0,
    y: 0,
    w: 24,
    h: 18,
};

/// A dashboard, and what is to be seen of it.
pub struct Prepared {
    /// The model.
    pub laid: Arc<Laid>,
    /// Range, refresh, theme.
    pub view: View,
    /// Range and variables.
    pub scope: Scope,
    /// Panels in their order.
    pub sections: Vec<Section>,
}

impl Prepared {
    /// The place of a panel on the page.
    const fn place(&self, placed: &Placed) -> GridPos {
        match self.view.panel {
            None => placed.panel.grid_pos,
            Some(_) => ALONE,
        }
    }
}

/// Why there is no page.
pub enum Refusal {
    /// The address asks for what cannot be.
    Bad(String),
    /// There is no such dashboard or panel.
    Missing(String),
    /// The dashboard cannot be read.
    Broken(String),
    /// Too much is being looked at.
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
pub async fn page(InForce(boards): InForce, request: HttpRequest, uid: Path<String>) -> HttpResponse {
    respond(boards, &request, uid.into_inner()).await
}

/// `/d/UID/NAME`, as Grafana writes it.
pub async fn page_with_name(
    InForce(boards): InForce,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    respond(boards, &request, path.into_inner().0).await
}

async fn respond(boards: Arc<Boards>, request: &HttpRequest, uid: String) -> HttpResponse {
    let asked = match Asked::parse(request.query_string()) {
        Ok(asked) => asked,
        Err(why) => return refused(Refusal::Bad(why), &uid),
    };
    let Some(lease) = Lease::take(&boards, Kind::Page) else {
        return busy();
    };
    let path = format!("/d/{uid}");
    let (prepared, asked) = match prepare(&boards, &lease, uid.clone(), asked).await {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(refusal)) => return refused(refusal, &uid),
        Err(response) => return response,
    };
    let grafana = frame::link(boards.settings.links.grafana.as_deref(), request, GRAFANA_PORT);
    let grafana = grafana.map(|grafana| format!("{grafana}{path}"));
    let context = Arc::new(Context {
        boards: Arc::clone(&boards),
        prepared,
        asked,
        path,
        grafana,
    });
    let pieces = pieces(&context);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Security-Policy", POLICY))
        .streaming(stream::body(boards, lease, pieces))
}

/// Reads the dashboard and its variables.
pub async fn prepare(
    boards: &Arc<Boards>,
    lease: &Lease,
    uid: String,
    asked: Asked,
) -> Result<Result<(Arc<Prepared>, Asked), Refusal>, HttpResponse> {
    let queue = boards.queue(lease.kind());
    let wanted = Arc::new(Wanted {
        boards: Arc::clone(boards),
        min_step: i64::try_from(boards.settings.prometheus.scrape_interval.as_millis()).unwrap_or(i64::MAX),
        uid,
        asked,
        deadline: lease.deadline(),
    });
    let known = Arc::clone(&wanted);
    let mut prepared = queue.in_turn(move || known.prepare(false)).await?;
    if let Ok(None) = prepared {
        let turn = boards.looked.turn(&wanted.uid).await;
        let unknown = Arc::clone(&wanted);
        prepared = queue.in_turn(move || unknown.prepare(true)).await?;
        drop(turn);
    }
    Ok(prepared.and_then(|prepared| {
        let prepared = prepared.ok_or_else(|| Refusal::Missing(wanted.uid.clone()))?;
        Ok((Arc::new(prepared), wanted.asked.clone()))
    }))
}

/// A dashboard, as an address asks for it.
struct Wanted {
    boards: Arc<Boards>,
    min_step: i64,
    uid: String,
    asked: Asked,
    deadline: Deadline,
}

impl Wanted {
    /// What is to be seen; `None` if its file has to be read and may not be.
    fn prepare(&self, may_read: bool) -> Result<Option<Prepared>, Refusal> {
        let Self { boards, uid, .. } = self;
        let known = boards.looked.known(uid, boards.library.stamp(uid)?);
        if known.is_none() && !may_read {
            return Ok(None);
        }
        let open = || boards.library.open(uid).map_err(Refusal::from);
        let opened = if known.is_none() { Some(open()?) } else { None };
        let read = opened.as_ref().map(|opened| &opened.dashboard);
        let Some(dashboard) = known.as_ref().map(|laid| &laid.dashboard).or(read) else {
            return Ok(None);
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of this age fit into an i64"
        )]
        let now = (unix_time() * 1000.0) as i64;
        let view = self.asked.view(dashboard, now).map_err(Refusal::Bad)?;
        let source = Within {
            source: &*boards.source,
            deadline: &self.deadline,
        };
        let scope = Scope {
            range: view.range,
            variables: Variables::resolve(dashboard, &self.asked.variables(), view.range, &source),
            min_step: self.min_step,
            zone: view.zone.clone(),
            dashboard: dashboard.title.clone(),
            deadline: self.deadline.clone(),
        };
        let laid = match (known, opened) {
            (Some(laid), _) if laid.suits(&scope.variables) => laid,
            (_, Some(opened)) => boards.looked.lay(opened, &scope.variables).ok_or(Refusal::Busy)?,
            (_, None) => boards.looked.lay(open()?, &scope.variables).ok_or(Refusal::Busy)?,
        };
        let sections = match view.panel {
            None => sections::sections(&laid.panels, &view.toggled),
            Some(id) => {
                let place = sections::find(&laid.panels, id)
                    .ok_or_else(|| Refusal::Missing(format!("the dashboard has no panel {id}")))?;
                vec![Section {
                    row: None,
                    panels: vec![place],
                }]
            }
        };
        Ok(Some(Prepared {
            laid,
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
            @if code == StatusCode::BAD_REQUEST { a href=(Asked::default().with(&format!("/d/{uid}"), &[])) { "The dashboard as it is shown at first" } " · " }
            a href="/dashboards" { "All dashboards" }
        }
    };
    let mut response = frame::respond(title, None, &body);
    *response.status_mut() = code;
    response
}

/// The page, from its head to its end.
fn pieces(context: &Arc<Context>) -> Vec<Piece> {
    let beginning = Arc::clone(context);
    let mut pieces = vec![Piece::Later(Box::new(move || beginning.beginning().into_string()))];
    for (number, section) in context.prepared.sections.iter().enumerate() {
        if section.row.is_some() {
            let context = Arc::clone(context);
            pieces.push(Piece::Later(Box::new(move || context.row(number).into_string())));
        }
        if section.panels.is_empty() {
            continue;
        }
        let grid = match context.prepared.view.panel {
            Some(_) => "<div class=\"grid alone\">",
            None => "<div class=\"grid\">",
        };
        pieces.push(Piece::Ready(grid.to_owned()));
        for place in &section.panels {
            let (context, place) = (Arc::clone(context), *place);
            pieces.push(Piece::Work(Box::new(move || context.panel(place).into_string())));
        }
        pieces.push(Piece::Ready("</div>".to_owned()));
    }
    pieces.push(Piece::Ready("</main></body></html>\n".to_owned()));
    pieces
}

/// What is the same for every panel of a page.
struct Context {
    boards: Arc<Boards>,
    prepared: Arc<Prepared>,
    asked: Asked,
    /// `/d/UID`
    path: String,
    /// The same in Grafana, if that runs.
    grafana: Option<String>,
}

impl Context {
    /// The title of the section of that number, which opens and closes it.
    fn row(&self, number: usize) -> Markup {
        let Prepared {
            laid,
            view,
            scope,
            sections,
        } = &*self.prepared;
        let row = sections.get(number).and_then(|section| section.row.as_ref());
        let Some((row, placed)) = row.and_then(|row| Some((row, row.place.of(&laid.panels)?))) else {
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
                a href=(format!("{}#row-{id}", self.asked.with(&self.path, &[("rows", rows)]))) aria-expanded=(row.is_open) {
                    (placed.title(scope))
                }
                @if !row.is_open { span.count { " " (row.count) @if row.count == 1 { " panel" } @else { " panels" } } }
            }
        }
    }

    /// A panel.
    fn panel(&self, place: Place) -> Markup {
        let prepared = &*self.prepared;
        let Some(placed) = place.of(&prepared.laid.panels) else {
            return html! {};
        };
        let id = placed.panel.id.to_string();
        let alone = [("viewPanel", Some(id.as_str()))];
        let links = Links {
            view: match prepared.view.panel {
                Some(_) => self.asked.with(&self.path, &[("viewPanel", None)]),
                None => self.asked.with(&self.path, &alone),
            },
            grafana: self.grafana.as_ref().map(|grafana| self.asked.with(grafana, &alone)),
        };
        draw_panel(placed, prepared, &self.boards, &links)
    }

    /// Everything above the first panel.
    fn beginning(&self) -> Markup {
        let Prepared { laid, view, scope, .. } = &*self.prepared;
        let header = Header {
            path: &self.path,
            asked: &self.asked,
            view,
            dashboard: &laid.dashboard,
            variables: &scope.variables,
            grafana: self.grafana.as_ref().map(|grafana| self.asked.with(grafana, &[])),
        };
        let refresh = view.refresh.map(|refresh| refresh.as_secs().max(1).to_string());
        // The markup is cut open behind `main`: panels follow one by one.
        html! {
            (DOCTYPE)
            (PreEscaped("<html lang=\"en\""))
            @if let Some(theme) = view.theme { (PreEscaped(" data-theme=\"")) (theme) (PreEscaped("\"")) }
            (PreEscaped(">"))
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(seconds) = &refresh { noscript { meta http-equiv="refresh" content=(seconds); } }
                title { (laid.dashboard.title) " · " (frame::hostname()) " · edgewatch" }
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
            @for left_out in &laid.dashboard.left_out { p.notice.bad role="status" { (left_out) } }
            @if laid.panels.iter().map(|placed| placed.inside.len() + 1).sum::<usize>() >= MAX_PANELS {
                p.notice role="status" { "No more than " (MAX_PANELS) " panels are shown." }
            }
            (PreEscaped("<main data-dashboard=\"")) (laid.dashboard.uid)
            (PreEscaped("\" data-zone=\"")) (view.zone.iana_name().unwrap_or("UTC"))
            (PreEscaped("\" data-refresh=\"")) (refresh.as_deref().unwrap_or("")) (PreEscaped("\">"))
        }
    }
}

/// The data of a panel, and the scope in which it was evaluated.
pub fn data_of(placed: &Placed, prepared: &Prepared, boards: &Boards) -> (Scope, PanelData) {
    let scope = placed.scope(&prepared.scope);
    let points = panels::points(prepared.place(placed));
    let data = evaluate(&placed.panel, &scope, points, &*boards.source);
    (scope, data)
}

fn draw_panel(placed: &Placed, prepared: &Prepared, boards: &Boards, links: &Links) -> Markup {
    let (scope, mut data) = data_of(placed, prepared, boards);
    // What is drawn depends on the room there is, which is more for a panel alone.
    let panel = &Panel {
        grid_pos: prepared.place(placed),
        ..placed.panel.clone()
    };
    let (inside, problem) = match guarded(|| edgewatch_charts::html(panel, &data, &scope)) {
        Ok(inside) => (inside, None),
        Err(problem) => (html! {}, Some(problem)),
    };
    data.problems.extend(problem);
    let title = scope.title(&panel.title);
    let place = panels::classes(prepared.place(placed));
    html! {
        (panels::frame(panel, &title, &place, links, &data, &inside))
        @if prepared.view.panel.is_some() && matches!(panel.kind(), PanelKind::Timeseries(_)) {
            (values::table(&data, &scope.zone))
        }
    }
}

/// The style sheet of pages with dashboards.
pub async fn style() -> HttpResponse {
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

/// What a browser does beyond showing the page.
pub async fn script() -> HttpResponse {
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
    for height in 1..=MOST_ROWS {
        let _ = writeln!(rules, ".h{height} {{ grid-row-end: span {height} }}");
    }
    rules
}
