//! Dashboards: a list, each as a page, and each as the JSON that Grafana imports.

mod assets;
mod cache;
mod error;
mod header;
mod links;
mod page;
mod panels;
mod peer;
mod picture;
mod prepare;
mod query;
mod request_context;
mod stream;
mod values;

pub(crate) use peer::Peer;
pub(crate) use request_context::{App, RequestContext};

use std::sync::Arc;

use actix_web::web::{self, Path};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::frame::{self, GRAFANA_PORT};
use crate::library::{DashboardInfo, Library, OpenError, Problem, SHIPPED};
use crate::options::SHIPPED_INTERVAL;
use crate::response::plain;
use crate::settings::Settings;
use crate::source::CachedSource;
use edgewatch_prometheus_client::error::Error as ClientError;
use error::PageError;

/// Panels that are rendered concurrently: as many as the stack has CPUs, and as Prometheus executes queries.
const MAX_WORKERS: usize = 2;
/// Responses that are sent concurrently, of pages and of pictures; further requests get status 503.
const MAX_RESPONSES: usize = 32;
/// Blocking threads: pictures take long, and have workers of their own beside those of pages.
pub(crate) const THREADS: usize = 2 * MAX_WORKERS;

/// Cloned by everything that is in progress: the number of clones shows whether the program is idle.
#[derive(Debug, Default)]
pub(crate) struct Activity;

/// All routes. The service handles HEAD.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/dashboards", web::get().to(list))
        .route("/dashboards.json", web::get().to(list_json))
        .route("/dashboards/{uid}.json", web::get().to(download))
        .route("/dashboards.css", web::get().to(assets::style))
        .route("/dashboards.js", web::get().to(assets::script))
        .route("/d/{uid}", web::get().to(page::page))
        .route("/d/{uid}/values.json", web::get().to(values::values))
        .route("/d/{uid}/{name}", web::get().to(page::page_with_name))
        .route("/render/d/{uid}.svg", web::get().to(picture::svg))
        .route("/render/d/{uid}.png", web::get().to(picture::png))
        .route("/render/d/{rest:.*}", web::get().to(links::picture))
        .route("/render/d-solo/{rest:.*}", web::get().to(links::picture))
        .route("/d-solo/{rest:.*}", web::get().to(links::panel))
        .default_service(web::to(|| async { plain(HttpResponse::NotFound(), "not found\n") }));
}

/// What rendering needs, for one version of the settings.
pub(crate) struct RenderContext {
    pub(crate) library: Arc<Library>,
    /// Prometheus, behind a cache.
    pub(crate) source: Arc<CachedSource>,
    cache: cache::DashboardCache,
    pages: Queue,
    pictures: Queue,
    /// One picture at a time is rasterized.
    rasterizer: Semaphore,
    /// Those of the request.
    settings: Settings,
    activity: Arc<Activity>,
}

impl RenderContext {
    /// Reads and queries nothing yet.
    ///
    /// # Errors
    /// The address of Prometheus is none.
    pub(crate) fn new(settings: Settings, activity: Arc<Activity>) -> Result<Self, ClientError> {
        Ok(Self {
            library: Arc::new(Library::new(&settings.dashboards.directories)),
            source: Arc::new(CachedSource::new(&settings.prometheus)?),
            cache: cache::DashboardCache::default(),
            pages: Queue::default(),
            pictures: Queue::default(),
            rasterizer: Semaphore::new(1),
            settings,
            activity,
        })
    }

    /// The interval of scrapes in milliseconds: that of the settings, or Prometheus' own.
    fn min_step(&self) -> i64 {
        let set = self.settings.prometheus.scrape_interval;
        let set = set.map(|interval| i64::try_from(interval.as_millis()).unwrap_or(i64::MAX));
        set.unwrap_or_else(|| self.source.scrape_interval(SHIPPED_INTERVAL))
    }

    const fn queue(&self, kind: Kind) -> &Queue {
        match kind {
            Kind::Page => &self.pages,
            Kind::Picture => &self.pictures,
        }
    }
}

/// The kind of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// For a person who waits for it.
    Page,
    /// Takes seconds: a client that requests many must not delay pages.
    Picture,
}

/// Limits the concurrency of one kind.
struct Queue {
    /// A permit for each response in progress.
    responses: Arc<Semaphore>,
    /// A permit for each worker.
    workers: Semaphore,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            responses: Arc::new(Semaphore::new(MAX_RESPONSES)),
            workers: Semaphore::new(MAX_WORKERS),
        }
    }
}

impl Queue {
    /// Runs work that takes a while or waits for Prometheus on a blocking thread, as soon as a worker is free.
    ///
    /// # Errors
    /// The work panicked: [`PageError::Internal`].
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PageError> {
        let worker = self.workers.acquire().await.map_err(|_| PageError::Internal)?;
        let result = web::block(work).await.map_err(|_| PageError::Internal);
        drop(worker);
        result
    }
}

pub(crate) async fn list(
    RequestContext(context): RequestContext,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    let library = Arc::clone(&context.library);
    let (entries, problems) = context.pages.run(move || library.list()).await?;
    let grafana = frame::link(context.settings.links.grafana.as_deref(), &request, GRAFANA_PORT);
    let (shipped, others): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.file.is_none());
    let body = html! {
        @for problem in &problems { (notice(problem)) }
        ul.cards { @for entry in shipped { (card(entry, grafana.as_deref())) } }
        @if !others.is_empty() {
            h2 { "Your own" }
            ul.cards { @for entry in others { (card(entry, None)) } }
        }
        p.hint {
            "More dashboards: put files that Grafana exported into "
            @for (index, directory) in context.settings.dashboards.directories.iter().enumerate() {
                @if index > 0 { " or " }
                code { (directory.display()) }
            }
            @if context.settings.dashboards.directories.is_empty() { "a directory that " code { "dashboards.directories" } " names" }
            "."
        }
    };
    Ok(frame::respond("Dashboards", None, &body))
}

fn card(entry: &DashboardInfo, grafana: Option<&str>) -> Markup {
    html! {
        li {
            h2 { a href=(format!("/d/{}", entry.uid)) { (entry.title) } }
            p { (entry.about) }
            @if let Some(grafana) = grafana {
                a href=(format!("{grafana}/d/{}", entry.uid)) { "Open in Grafana" }
                " · "
            }
            a href=(format!("/dashboards/{}.json", entry.uid)) { "JSON" }
        }
    }
}

fn notice(problem: &Problem) -> Markup {
    html! { p.notice.bad { code { (problem.path.display()) } " " (problem.why) } }
}

#[derive(Serialize)]
struct ListItem {
    #[serde(flatten)]
    entry: DashboardInfo,
    shipped: bool,
}

/// The list as JSON: uid, title and description of each.
pub(crate) async fn list_json(RequestContext(context): RequestContext) -> Result<HttpResponse, PageError> {
    let library = Arc::clone(&context.library);
    let (entries, _) = context.pages.run(move || library.list()).await?;
    let items = entries.into_iter().map(|entry| ListItem {
        shipped: entry.file.is_none(),
        entry,
    });
    Ok(HttpResponse::Ok().json(items.collect::<Vec<_>>()))
}

/// The Grafana model of one dashboard.
pub(crate) async fn download(
    RequestContext(context): RequestContext,
    uid: Path<String>,
) -> Result<HttpResponse, PageError> {
    if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.uid == *uid) {
        return Ok(HttpResponse::Ok().content_type("application/json").body(shipped.json));
    }
    let library = Arc::clone(&context.library);
    Ok(match context.pages.run(move || library.json(&uid)).await? {
        Ok(json) => HttpResponse::Ok().content_type("application/json").body(json),
        Err(OpenError::Unknown(_)) => plain(HttpResponse::NotFound(), "no such dashboard\n"),
        Err(OpenError::Broken(_)) => plain(HttpResponse::InternalServerError(), "the file cannot be read\n"),
    })
}
