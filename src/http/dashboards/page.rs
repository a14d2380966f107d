//! `/d/UID`: a dashboard as a page. Works without JavaScript.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::asked::{Asked, View};
use super::header::Header;
use super::looked::Laid;
use super::panels::{self, Links};
use super::stream::{self, Lease, Piece};
use super::{Boards, busy, values};
use crate::dashboards::data::Data as PanelData;
use crate::dashboards::draw;
use crate::dashboards::evaluate::{Scope, evaluate};
use crate::dashboards::layout::{MAX_PANELS, Placed};
use crate::dashboards::library::OpenError;
use crate::dashboards::model::{GridPos, Panel};
use crate::dashboards::sections::{self, Place, Row, Section};
use crate::dashboards::variables::Variables;
use crate::http::{App, Live, status};
use crate::telemetry::unix_time;

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
pub async fn page(app: Data<App>, request: HttpRequest, uid: Path<String>) -> HttpResponse {
    respond(&app, &request, uid.into_inner()).await
}

/// `/d/UID/NAME`, as Grafana writes it.
pub async fn page_with_name(app: Data<App>, request: HttpRequest, path: Path<(String, String)>) -> HttpResponse {
    respond(&app, &request, path.into_inner().0).await
}

async fn respond(app: &App, request: &HttpRequest, uid: String) -> HttpResponse {
    let live = app.live();
    let asked = match Asked::parse(request.query_string()) {
        Ok(asked) => asked,
        Err(why) => return refused(Refusal::Bad(why), &uid),
    };
    let Some(lease) = Lease::take(&live.boards) else {
        return busy();
    };
    let path = format!("/d/{uid}");
    let (prepared, asked) = match prepare(&live, uid.clone(), asked).await {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(refusal)) => return refused(refusal, &uid),
        Err(response) => return response,
    };
    let grafana = status::link(live.settings.links.grafana.as_deref(), request, status::GRAFANA_PORT);
    let grafana = grafana.map(|grafana| format!("{grafana}{path}"));
    let context = Context {
        live: &live,
        prepared: &prepared,
        asked: &asked,
        path: &path,
        grafana: grafana.as_deref(),
    };
    let pieces = context.pieces();
    stream::sweep_when_idle(&live);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Security-Policy", POLICY))
        .streaming(stream::body(live, lease, pieces))
}

/// Reads the dashboard and its variables.
pub async fn prepare(
    live: &Arc<Live>,
    uid: String,
    asked: Asked,
) -> Result<Result<(Arc<Prepared>, Asked), Refusal>, HttpResponse> {
    let boards: Arc<Boards> = Arc::clone(&live.boards);
    let min_step = i64::try_from(live.settings.prometheus.scrape_interval.as_millis()).unwrap_or(i64::MAX);
    live.boards
        .in_turn(move || {
            let open = || boards.library.open(&uid).map_err(Refusal::from);
            let (known, opened, _turn) = match boards.looked.find(&uid, boards.library.stamp(&uid)?) {
                Ok(laid) => (Some(laid), None, None),
                Err(turn) => (None, Some(open()?), Some(turn)),
            };
            let read = opened.as_ref().map(|opened| &opened.dashboard);
            let dashboard = known
                .as_ref()
                .map(|laid| &laid.dashboard)
                .or(read)
                .ok_or_else(|| Refusal::Missing(uid.clone()))?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "milliseconds of this age fit into an i64"
            )]
            let now = (unix_time() * 1000.0) as i64;
            let view = asked.view(dashboard, now).map_err(Refusal::Bad)?;
            let scope = Scope {
                range: view.range,
                variables: Variables::resolve(dashboard, &asked.variables(), view.range, &*boards.source),
                min_step,
                zone: view.zone.clone(),
                dashboard: dashboard.title.clone(),
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
            let prepared = Prepared {
                laid,
                view,
                scope,
                sections,
            };
            Ok((Arc::new(prepared), asked))
        })
        .await
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
    let mut response = status::respond(title, None, &body);
    *response.status_mut() = code;
    response
}

/// What is the same for every panel of a page.
struct Context<'a> {
    live: &'a Arc<Live>,
    prepared: &'a Arc<Prepared>,
    asked: &'a Asked,
    /// `/d/UID`
    path: &'a str,
    /// The same in Grafana, if that runs.
    grafana: Option<&'a str>,
}

impl Context<'_> {
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces = vec![Piece::Ready(self.beginning().into_string())];
        for section in &self.prepared.sections {
            if let Some(row) = &section.row {
                pieces.push(Piece::Ready(self.row(row).into_string()));
            }
            if section.panels.is_empty() {
                continue;
            }
            let alone = if self.prepared.view.panel.is_some() {
                " alone"
            } else {
                ""
            };
            pieces.push(Piece::Ready(format!("<div class=\"grid{alone}\">")));
            pieces.extend(section.panels.iter().filter_map(|place| self.panel(*place)));
            pieces.push(Piece::Ready("</div>".to_owned()));
        }
        pieces.push(Piece::Ready("</main></body></html>\n".to_owned()));
        pieces
    }

    /// The title of a section, which opens and closes it.
    fn row(&self, row: &Row) -> Markup {
        let Prepared { laid, view, scope, .. } = &**self.prepared;
        let Some(placed) = row.place.of(&laid.panels) else {
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
                a href=(format!("{}#row-{id}", self.asked.with(self.path, &[("rows", rows)]))) aria-expanded=(row.is_open) {
                    (placed.title(scope))
                }
                @if !row.is_open { span.count { " " (row.count) @if row.count == 1 { " panel" } @else { " panels" } } }
            }
        }
    }

    /// A panel, to be worked on when it is its turn.
    fn panel(&self, place: Place) -> Option<Piece> {
        let (boards, prepared) = (Arc::clone(&self.live.boards), Arc::clone(self.prepared));
        let id = place.of(&prepared.laid.panels)?.panel.id.to_string();
        let alone = [("viewPanel", Some(id.as_str()))];
        let view = match prepared.view.panel {
            Some(_) => self.asked.with(self.path, &[("viewPanel", None)]),
            None => self.asked.with(self.path, &alone),
        };
        let grafana = self.grafana.map(|grafana| self.asked.with(grafana, &alone));
        Some(Piece::Work(Box::new(move || {
            let links = Links { view, grafana };
            place
                .of(&prepared.laid.panels)
                .map(|placed| draw_panel(placed, &prepared, &boards, &links).into_string())
                .unwrap_or_default()
        })))
    }

    /// Everything above the first panel.
    fn beginning(&self) -> Markup {
        let Prepared { laid, view, scope, .. } = &**self.prepared;
        let header = Header {
            path: self.path,
            asked: self.asked,
            view,
            dashboard: &laid.dashboard,
            variables: &scope.variables,
            grafana: self.grafana.map(|grafana| self.asked.with(grafana, &[])),
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
                title { (laid.dashboard.title) " · " (status::hostname()) " · edgewatch" }
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
    let (scope, data) = data_of(placed, prepared, boards);
    // What is drawn depends on the room there is, which is more for a panel alone.
    let panel = &Panel {
        grid_pos: prepared.place(placed),
        ..placed.panel.clone()
    };
    let inside = draw::html(panel, &data, &scope);
    let title = scope.text(&panel.title);
    let place = panels::classes(prepared.place(placed));
    html! {
        (panels::frame(panel, &title, &place, links, &data, &inside))
        @if prepared.view.panel.is_some() && panel.kind == "timeseries" {
            (values::table(&data, &scope.zone))
        }
    }
}

/// The style sheet of pages with dashboards.
pub async fn style() -> HttpResponse {
    asset(
        "text/css; charset=utf-8",
        format!("{STYLE}{}{}", draw::css(), grid_rules()),
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
    for column in 0..24 {
        let _ = writeln!(rules, ".x{column} {{ grid-column-start: {} }}", column + 1);
        let _ = writeln!(rules, ".w{} {{ grid-column-end: span {} }}", column + 1, column + 1);
    }
    rules.push_str("}\n");
    for height in 1..=40 {
        let _ = writeln!(rules, ".h{height} {{ grid-row-end: span {height} }}");
    }
    rules
}
