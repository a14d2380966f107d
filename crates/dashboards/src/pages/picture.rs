//! `/render/d/UID.svg` and `.png`: a dashboard, or one panel of it, as a picture.

use std::sync::Arc;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use super::page::{self, Prepared, Refusal};
use super::query::PageQuery;
use super::stream::{self, Piece, RenderPermit};
use super::{Kind, Peer, RenderContext, RequestContext, busy, internal_error, plain};
use crate::picture::Picture;
use edgewatch_charts::raster::{self, Limits};

/// Default size in pixels.
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 400;
/// Allowed sizes.
const WIDTHS: std::ops::RangeInclusive<u32> = 300..=4000;
const HEIGHTS: std::ops::RangeInclusive<u32> = 100..=4000;

/// A request for a picture.
struct PictureRequest {
    context: Arc<RenderContext>,
    permit: RenderPermit,
    prepared: Arc<Prepared>,
    picture: Arc<Picture>,
}

/// The picture as SVG, sent panel by panel.
pub(crate) async fn svg(
    RequestContext(context): RequestContext,
    request: HttpRequest,
    uid: Path<String>,
) -> HttpResponse {
    let request = match prepare(context, &request, uid.into_inner()).await {
        Ok(picture) => picture,
        Err(response) => return response,
    };
    let mut pieces = vec![Piece::Ready(request.head())];
    pieces.extend((0..request.picture.len()).map(|index| Piece::Blocking(Box::new(request.panel(index)))));
    pieces.push(Piece::Ready(Picture::TAIL.to_owned()));
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(stream::body(request.context, request.permit, pieces))
}

/// The picture as PNG.
pub(crate) async fn png(
    RequestContext(context): RequestContext,
    request: HttpRequest,
    uid: Path<String>,
) -> HttpResponse {
    let Some(client) = request.conn_data::<Arc<Peer>>().cloned() else {
        return internal_error();
    };
    tokio::select! {
        biased;
        response = draw(context, request, uid) => response,
        // While it waits in the queue nothing is written, and the HTTP library does not notice it.
        () = client.disconnected() => plain(HttpResponse::RequestTimeout(), "the client has hung up\n"),
    }
}

async fn draw(context: Arc<RenderContext>, request: HttpRequest, uid: Path<String>) -> HttpResponse {
    let request = match prepare(context, &request, uid.into_inner()).await {
        Ok(picture) => picture,
        Err(response) => return response,
    };
    let context = &request.context;
    // One at a time: it takes more memory than anything else here.
    let Ok(_rasterizer) = context.rasterizer.acquire().await else {
        return internal_error();
    };
    let mut svg = request.head();
    for index in 0..request.picture.len() {
        match context.pictures.run(request.panel(index)).await {
            Ok(panel) if svg.len() <= Limits::SERVICE.svg => svg.push_str(&panel),
            // Too long: the rasterizer reports that.
            Ok(_) => break,
            Err(response) => return response,
        }
    }
    svg.push_str(Picture::TAIL);
    let rasterized = context.pictures.run(move || {
        let mut png = Vec::new();
        let result = raster::png(&svg, 1.0, Limits::SERVICE, &mut png);
        drop(svg);
        edgewatch_program::memory::trim_heap();
        result.map(|()| png)
    });
    match rasterized.await {
        Ok(Ok(png)) => HttpResponse::Ok()
            .content_type("image/png")
            .insert_header(("Cache-Control", "no-store"))
            .body(png),
        Ok(Err(error)) => refused(format!("{error}; or take the SVG, or edgewatch render")),
        Err(response) => response,
    }
}

impl PictureRequest {
    fn head(&self) -> String {
        let Prepared { laid_out, scope, .. } = &*self.prepared;
        let problems = scope.variables.problems();
        let notes: Vec<String> = laid_out.dashboard.left_out.iter().cloned().chain(problems).collect();
        self.picture
            .head(&laid_out.dashboard.title, &notes, &laid_out.panels, scope)
    }

    /// Renders the panel number `index`.
    fn panel(&self, index: usize) -> impl FnOnce() -> String + Send + use<> {
        let (context, prepared) = (Arc::clone(&self.context), Arc::clone(&self.prepared));
        let picture = Arc::clone(&self.picture);
        move || picture.panel(index, &prepared.laid_out.panels, &prepared.scope, &*context.source)
    }
}

async fn prepare(
    context: Arc<RenderContext>,
    request: &HttpRequest,
    uid: String,
) -> Result<PictureRequest, HttpResponse> {
    let query = PageQuery::parse(request.query_string()).map_err(refused)?;
    let size = pixels(&query, "width", WIDTH, &WIDTHS)
        .and_then(|width| Ok((width, pixels(&query, "height", HEIGHT, &HEIGHTS)?)));
    let (width, height) = size.map_err(refused)?;
    let Some(permit) = RenderPermit::acquire(&context, Kind::Picture) else {
        return Err(busy());
    };
    let prepared = match page::prepare(&context, &permit, uid, query.clone()).await {
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
    let panels = &prepared.laid_out.panels;
    // An invalid value of a variable must not give a picture with another value.
    let chosen = query.variables();
    let is_chosen = |name: &str| chosen.iter().any(|(chosen, _)| chosen == name);
    let mut variables = prepared.scope.variables.list.iter();
    let problem = variables.find_map(|variable| {
        let problem = variable.problem.as_ref().filter(|_| is_chosen(&variable.name))?;
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
    Ok(PictureRequest {
        context,
        permit,
        prepared,
        picture,
    })
}

fn pixels(query: &PageQuery, name: &str, default: u32, allowed: &std::ops::RangeInclusive<u32>) -> Result<u32, String> {
    match query.get(name) {
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
