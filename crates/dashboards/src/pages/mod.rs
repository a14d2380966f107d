//! Dashboards: a list, each as a page, and each as the JSON that Grafana imports.

mod asked;
mod header;
mod in_force;
mod looked;
mod page;
mod panels;
mod peer;
mod picture;
mod stream;
mod values;

pub use in_force::{App, InForce};
pub use peer::Peer;

use std::sync::Arc;

use actix_web::http::header::RETRY_AFTER;
use actix_web::web::{self, Path};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::frame::{self, GRAFANA_PORT};
use crate::library::{Entry, Library, OpenError, Problem, SHIPPED};
use crate::response::{internal_error, plain};
use crate::settings::Settings;
use crate::source::Shared;
use edgewatch_program::error::Failure;

/// Panels that are worked on at once: as many as there are CPUs, and as Prometheus answers queries.
const TURNS: usize = 2;
/// Pages that are being written at once. A page that comes beyond it is told to come again. As many pictures may wait beside them.
const MOST_PAGES: usize = 32;
/// Threads that all of this keeps busy: pictures take long, and have turns of their own beside those of pages.
pub const THREADS: usize = 2 * TURNS;

/// Alive as long as it is shared.
#[derive(Debug, Default)]
pub struct Activity;

/// Every address there is. HEAD is the service's business.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/dashboards", web::get().to(list))
        .route("/dashboards.json", web::get().to(list_json))
        .route("/dashboards/{uid}.json", web::get().to(download))
        .route("/dashboards.css", web::get().to(page::style))
        .route("/dashboards.js", web::get().to(page::script))
        .route("/d/{uid}", web::get().to(page::page))
        .route("/d/{uid}/values.json", web::get().to(values::values))
        .route("/d/{uid}/{name}", web::get().to(page::page_with_name))
        .route("/render/d/{uid}.svg", web::get().to(picture::svg))
        .route("/render/d/{uid}.png", web::get().to(picture::png))
        .default_service(web::to(|| async { plain(HttpResponse::NotFound(), "not found\n") }));
}

/// What the dashboards of a service need.
pub struct Boards {
    /// Which there are.
    pub library: Arc<Library>,
    /// Where their values come from.
    pub source: Arc<Shared>,
    looked: looked::Looked,
    pages: Queue,
    pictures: Queue,
    /// For the picture that is being turned into pixels.
    pixels: Semaphore,
    /// What the service has in force.
    settings: Settings,
    /// Held by everything that somebody still waits for or reads.
    activity: Arc<Activity>,
}

impl Boards {
    /// Nothing is read or asked yet.
    ///
    /// # Errors
    /// The address of Prometheus is none.
    pub fn new(settings: Settings, activity: Arc<Activity>) -> Result<Self, Failure> {
        Ok(Self {
            library: Arc::new(Library::new(&settings.dashboards.directories)),
            source: Arc::new(Shared::new(&settings.prometheus)?),
            looked: looked::Looked::default(),
            pages: Queue::default(),
            pictures: Queue::default(),
            pixels: Semaphore::new(1),
            settings,
            activity,
        })
    }

    /// The queue of a kind.
    const fn queue(&self, kind: Kind) -> &Queue {
        match kind {
            Kind::Page => &self.pages,
            Kind::Picture => &self.pictures,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// For a person who waits for it.
    Page,
    /// Which takes seconds. One viewer who asks for many must not keep the others from their pages.
    Picture,
}

/// Where pages or pictures wait for each other.
struct Queue {
    /// One for each that is being written.
    places: Arc<Semaphore>,
    turns: Semaphore,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST_PAGES)),
            turns: Semaphore::new(TURNS),
        }
    }
}

impl Queue {
    /// Does work that takes a while or waits for Prometheus, in a thread, when it is its turn.
    ///
    /// # Errors
    /// The work panicked; for the client it is an internal error.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HttpResponse> {
        let turn = self.turns.acquire().await.map_err(|_| internal_error())?;
        let done = web::block(work).await.map_err(|_| internal_error());
        drop(turn);
        done
    }
}

/// The list for people.
pub async fn list(InForce(boards): InForce, request: HttpRequest) -> HttpResponse {
    let library = Arc::clone(&boards.library);
    let (entries, problems) = match boards.pages.in_turn(move || library.list()).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let grafana = frame::link(boards.settings.links.grafana.as_deref(), &request, GRAFANA_PORT);
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
            @for (place, directory) in boards.settings.dashboards.directories.iter().enumerate() {
                @if place > 0 { " or " }
                code { (directory.display()) }
            }
            @if boards.settings.dashboards.directories.is_empty() { "a directory that " code { "dashboards.directories" } " names" }
            "."
        }
    };
    frame::respond("Dashboards", None, &body)
}

fn card(entry: &Entry, grafana: Option<&str>) -> Markup {
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
struct Listed {
    #[serde(flatten)]
    entry: Entry,
    shipped: bool,
}

/// The list for programs: uid, title and purpose of each.
pub async fn list_json(InForce(boards): InForce) -> HttpResponse {
    let library = Arc::clone(&boards.library);
    match boards.pages.in_turn(move || library.list()).await {
        Ok((entries, _)) => {
            let listed = entries.into_iter().map(|entry| Listed {
                shipped: entry.file.is_none(),
                entry,
            });
            HttpResponse::Ok().json(listed.collect::<Vec<_>>())
        }
        Err(response) => response,
    }
}

/// The Grafana model of one dashboard.
pub async fn download(InForce(boards): InForce, uid: Path<String>) -> HttpResponse {
    if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.uid == *uid) {
        return HttpResponse::Ok().content_type("application/json").body(shipped.json);
    }
    let library = Arc::clone(&boards.library);
    match boards.pages.in_turn(move || library.json(&uid)).await {
        Ok(Ok(json)) => HttpResponse::Ok().content_type("application/json").body(json),
        Ok(Err(OpenError::Unknown(_))) => plain(HttpResponse::NotFound(), "no such dashboard\n"),
        Ok(Err(OpenError::Broken(_))) => plain(HttpResponse::InternalServerError(), "the file cannot be read\n"),
        Err(response) => response,
    }
}

/// The answer to one viewer too many.
fn busy() -> HttpResponse {
    let mut builder = HttpResponse::ServiceUnavailable();
    builder.insert_header((RETRY_AFTER, 2));
    plain(
        builder,
        "too many dashboards are being looked at: try again in a moment\n",
    )
}
