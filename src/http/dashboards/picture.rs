//! `/render/d/UID.svg`: a dashboard, or one panel of it, as a picture.

use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::asked::Asked;
use super::page::{self, Refusal};
use super::stream::{self, Lease, Piece};
use super::{busy, plain};
use crate::dashboards::picture::Picture;
use crate::http::App;

/// Pixels, if the address does not say.
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 400;
/// What can be asked for.
const WIDTHS: std::ops::RangeInclusive<u32> = 300..=4000;
const HEIGHTS: std::ops::RangeInclusive<u32> = 100..=4000;

/// The picture.
pub async fn picture(app: Data<App>, request: HttpRequest, uid: Path<String>) -> HttpResponse {
    let live = app.live();
    let asked = match Asked::parse(request.query_string()) {
        Ok(asked) => asked,
        Err(why) => return refused(why),
    };
    let size = pixels(&asked, "width", WIDTH, &WIDTHS)
        .and_then(|width| Ok((width, pixels(&asked, "height", HEIGHT, &HEIGHTS)?)));
    let (width, height) = match size {
        Ok(size) => size,
        Err(why) => return refused(why),
    };
    let Some(lease) = Lease::take(&live.boards) else {
        return busy();
    };
    let prepared = match page::prepare(&live, uid.into_inner(), asked).await {
        Ok(Ok((prepared, _))) => prepared,
        Ok(Err(Refusal::Bad(why))) => return refused(why),
        Ok(Err(Refusal::Missing(_))) => return plain(HttpResponse::NotFound(), "no such dashboard or panel\n"),
        Ok(Err(Refusal::Broken(_))) => return plain(HttpResponse::InternalServerError(), "the dashboard is broken\n"),
        Ok(Err(Refusal::Busy)) => return busy(),
        Err(response) => return response,
    };
    stream::sweep_when_idle(&live);
    let panels = &prepared.laid.panels;
    // A variable's choice that was not taken must not pass for the picture of it.
    let problem = prepared.scope.variables.list.iter().find_map(|variable| {
        let problem = variable.problem.as_ref()?;
        Some(format!("var-{}: {problem}", variable.name))
    });
    if let Some(problem) = problem {
        return refused(problem);
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
    let head = picture.head(&prepared.laid.dashboard.title, panels, &prepared.scope);
    let mut pieces = vec![Piece::Ready(head)];
    for index in 0..picture.len() {
        let (boards, prepared, picture) = (Arc::clone(&live.boards), Arc::clone(&prepared), Arc::clone(&picture));
        pieces.push(Piece::Work(Box::new(move || {
            picture.panel(index, &prepared.laid.panels, &prepared.scope, &*boards.source)
        })));
    }
    pieces.push(Piece::Ready(Picture::TAIL.to_owned()));
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(stream::body(live, lease, pieces))
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
