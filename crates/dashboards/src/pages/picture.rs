//! `/render/d/UID.svg` and `.png`: a dashboard, or one panel of it, as a picture.

use std::sync::Arc;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use super::asked::Asked;
use super::page::{self, Prepared, Refusal};
use super::stream::{self, Lease, Piece};
use super::{Boards, InForce, Kind, Peer, busy, internal_error, plain};
use crate::picture::Picture;
use edgewatch_charts::raster::{self, Limits};

/// Pixels, if the address does not say.
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 400;
/// What can be asked for.
const WIDTHS: std::ops::RangeInclusive<u32> = 300..=4000;
const HEIGHTS: std::ops::RangeInclusive<u32> = 100..=4000;

/// What is to be drawn.
struct Wanted {
    boards: Arc<Boards>,
    lease: Lease,
    prepared: Arc<Prepared>,
    picture: Arc<Picture>,
}

/// The picture as SVG, sent panel by panel.
pub async fn svg(InForce(boards): InForce, request: HttpRequest, uid: Path<String>) -> HttpResponse {
    let wanted = match wanted(boards, &request, uid.into_inner()).await {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let mut pieces = vec![Piece::Ready(wanted.head())];
    pieces.extend((0..wanted.picture.len()).map(|index| Piece::Work(Box::new(wanted.panel(index)))));
    pieces.push(Piece::Ready(Picture::TAIL.to_owned()));
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(stream::body(wanted.boards, wanted.lease, pieces))
}

/// The picture as PNG.
pub async fn png(InForce(boards): InForce, request: HttpRequest, uid: Path<String>) -> HttpResponse {
    let Some(client) = request.conn_data::<Arc<Peer>>().cloned() else {
        return internal_error();
    };
    tokio::select! {
        biased;
        response = draw(boards, request, uid) => response,
        // It may have to wait for its turn, and as nothing is sent before its end nobody else would notice.
        () = client.gone() => plain(HttpResponse::RequestTimeout(), "the client has hung up\n"),
    }
}

async fn draw(boards: Arc<Boards>, request: HttpRequest, uid: Path<String>) -> HttpResponse {
    let wanted = match wanted(boards, &request, uid.into_inner()).await {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let boards = &wanted.boards;
    // One at a time: it takes more memory than anything else here.
    let Ok(_alone) = boards.pixels.acquire().await else {
        return internal_error();
    };
    let mut svg = wanted.head();
    for index in 0..wanted.picture.len() {
        match boards.pictures.in_turn(wanted.panel(index)).await {
            Ok(panel) if svg.len() <= Limits::SERVICE.svg => svg.push_str(&panel),
            // Too long: what follows says so.
            Ok(_) => break,
            Err(response) => return response,
        }
    }
    svg.push_str(Picture::TAIL);
    let drawn = boards.pictures.in_turn(move || {
        let mut png = Vec::new();
        let drawn = raster::png(&svg, 1.0, Limits::SERVICE, &mut png);
        drop(svg);
        edgewatch_program::memory::trim_heap();
        drawn.map(|()| png)
    });
    match drawn.await {
        Ok(Ok(png)) => HttpResponse::Ok()
            .content_type("image/png")
            .insert_header(("Cache-Control", "no-store"))
            .body(png),
        Ok(Err(error)) => refused(format!("{error}; or take the SVG, or edgewatch render")),
        Err(response) => response,
    }
}

impl Wanted {
    fn head(&self) -> String {
        let Prepared { laid, scope, .. } = &*self.prepared;
        let problems = scope.variables.problems();
        let notes: Vec<String> = laid.dashboard.left_out.iter().cloned().chain(problems).collect();
        self.picture.head(&laid.dashboard.title, &notes, &laid.panels, scope)
    }

    /// What draws the panel number `index`.
    fn panel(&self, index: usize) -> impl FnOnce() -> String + Send + use<> {
        let (boards, prepared) = (Arc::clone(&self.boards), Arc::clone(&self.prepared));
        let picture = Arc::clone(&self.picture);
        move || picture.panel(index, &prepared.laid.panels, &prepared.scope, &*boards.source)
    }
}

async fn wanted(boards: Arc<Boards>, request: &HttpRequest, uid: String) -> Result<Wanted, HttpResponse> {
    let asked = Asked::parse(request.query_string()).map_err(refused)?;
    let size = pixels(&asked, "width", WIDTH, &WIDTHS)
        .and_then(|width| Ok((width, pixels(&asked, "height", HEIGHT, &HEIGHTS)?)));
    let (width, height) = size.map_err(refused)?;
    let Some(lease) = Lease::take(&boards, Kind::Picture) else {
        return Err(busy());
    };
    let prepared = match page::prepare(&boards, &lease, uid, asked.clone()).await {
        Ok(Ok((prepared, _))) => prepared,
        Ok(Err(Refusal::Bad(why))) => return Err(refused(why)),
        Ok(Err(Refusal::Missing(_))) => {
            return Err(plain(HttpResponse::NotFound(), "no such dashboard or panel\n"));
        }
        Ok(Err(Refusal::Broken(_))) => {
            return Err(plain(HttpResponse::InternalServerError(), "the dashboard is broken\n"));
        }
        Ok(Err(Refusal::Busy)) => return Err(busy()),
        Err(response) => return Err(response),
    };
    let panels = &prepared.laid.panels;
    // A variable's choice that was not taken must not pass for the picture of it.
    let chosen = asked.variables();
    let is_asked = |name: &str| chosen.iter().any(|(asked, _)| asked == name);
    let mut variables = prepared.scope.variables.list.iter();
    let problem = variables.find_map(|variable| {
        let problem = variable.problem.as_ref().filter(|_| is_asked(&variable.name))?;
        Some(format!("var-{}: {problem}", variable.name))
    });
    if let Some(problem) = problem {
        return Err(refused(problem));
    }
    let dark = prepared.view.theme == Some("dark");
    let alone = prepared
        .view
        .panel
        .and(prepared.sections.first())
        .and_then(|section| section.panels.first());
    let picture = Arc::new(match alone {
        Some(place) => Picture::alone(*place, width, height, dark),
        None => Picture::new(&prepared.sections, panels, width, dark),
    });
    Ok(Wanted {
        boards,
        lease,
        prepared,
        picture,
    })
}

fn pixels(asked: &Asked, name: &str, default: u32, allowed: &std::ops::RangeInclusive<u32>) -> Result<u32, String> {
    match asked.get(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|pixels| allowed.contains(pixels))
            .ok_or_else(|| {
                format!(
                    "{name}={text}: {} to {} pixels are possible",
                    allowed.start(),
                    allowed.end()
                )
            }),
    }
}

fn refused(why: String) -> HttpResponse {
    HttpResponse::BadRequest()
        .content_type("text/plain; charset=utf-8")
        .body(why + "\n")
}
