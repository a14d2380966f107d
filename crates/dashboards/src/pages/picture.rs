//! `/render/d/UID.svg` and `.png`: a dashboard, or one panel of it, as a picture.

use std::ops::RangeInclusive;
use std::sync::Arc;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use super::error::PageError;
use super::prepare::{self, Prepared};
use super::query::{InvalidQuery, PageQuery};
use super::stream::{self, Piece, RenderPermit};
use super::{Kind, Peer, RenderContext, RequestContext};
use crate::notes::notes;
use crate::picture::Picture;
use edgewatch_charts::raster::{self, Limits};

/// Default size in pixels.
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 400;
/// Allowed sizes.
const WIDTHS: RangeInclusive<u32> = 300..=4000;
const HEIGHTS: RangeInclusive<u32> = 100..=4000;

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
) -> Result<HttpResponse, PageError> {
    let request = prepare(context, &request, uid.into_inner()).await?;
    let mut pieces = vec![Piece::Ready(request.head())];
    pieces.extend((0..request.picture.len()).map(|index| Piece::Blocking(Box::new(request.panel(index)))));
    pieces.push(Piece::Ready(Picture::TAIL.to_owned()));
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(stream::body(request.context, request.permit, pieces)))
}

/// The picture as PNG.
pub(crate) async fn png(
    RequestContext(context): RequestContext,
    request: HttpRequest,
    uid: Path<String>,
) -> Result<HttpResponse, PageError> {
    let client = request.conn_data::<Arc<Peer>>().cloned().ok_or(PageError::Internal)?;
    let png = tokio::select! {
        biased;
        png = rasterize(context, &request, uid.into_inner()) => png?,
        // While it waits in the queue nothing is written, and the HTTP library does not notice it.
        () = client.disconnected() => return Err(PageError::Disconnected),
    };
    Ok(HttpResponse::Ok()
        .content_type("image/png")
        .insert_header(("Cache-Control", "no-store"))
        .body(png))
}

async fn rasterize(context: Arc<RenderContext>, request: &HttpRequest, uid: String) -> Result<Vec<u8>, PageError> {
    let request = prepare(context, request, uid).await?;
    let context = &request.context;
    // One at a time: it takes more memory than anything else here.
    let _rasterizer = context.rasterizer.acquire().await.map_err(|_| PageError::Internal)?;
    let mut svg = request.head();
    for index in 0..request.picture.len() {
        let panel = context.pictures.run(request.panel(index)).await?;
        if svg.len() > Limits::SERVICE.svg {
            // Too long: the rasterizer reports that.
            break;
        }
        svg.push_str(&panel);
    }
    svg.push_str(Picture::TAIL);
    let png = context.pictures.run(move || {
        let mut png = Vec::new();
        let result = raster::png(&svg, 1.0, Limits::SERVICE, &mut png);
        drop(svg);
        edgewatch_program::memory::trim_heap();
        result.map(|()| png)
    });
    png.await?.map_err(|error| PageError::Picture(error.to_string()))
}

impl PictureRequest {
    fn head(&self) -> String {
        let Prepared {
            laid_out, scope, view, ..
        } = &*self.prepared;
        let notes = notes(view.zone_problem.as_ref(), &laid_out.dashboard, &scope.variables);
        let notes: Vec<String> = notes.collect();
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

async fn prepare(context: Arc<RenderContext>, request: &HttpRequest, uid: String) -> Result<PictureRequest, PageError> {
    let query = PageQuery::parse(request.query_string())?;
    let width = pixels(&query, "width", WIDTH, WIDTHS)?;
    let height = pixels(&query, "height", HEIGHT, HEIGHTS)?;
    let permit = RenderPermit::acquire(&context, Kind::Picture)?;
    let (prepared, query) = prepare::prepare(&context, &permit, uid, query).await?;
    let panels = &prepared.laid_out.panels;
    // An invalid value of a variable must not give a picture with another value.
    let chosen = query.variables();
    let is_chosen = |name: &str| chosen.iter().any(|(chosen, _)| chosen == name);
    for variable in &prepared.scope.variables.list {
        if let Some(problem) = variable.problem.as_ref().filter(|_| is_chosen(&variable.name)) {
            return Err(InvalidQuery::Variable {
                name: variable.name.clone(),
                problem: problem.clone(),
            }
            .into());
        }
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

fn pixels(
    query: &PageQuery,
    name: &'static str,
    default: u32,
    allowed: RangeInclusive<u32>,
) -> Result<u32, InvalidQuery> {
    let Some(text) = query.get(name) else {
        return Ok(default);
    };
    let pixels = text.parse().ok().filter(|pixels| allowed.contains(pixels));
    pixels.ok_or_else(|| InvalidQuery::Pixels {
        name,
        value: text.to_owned(),
        allowed,
    })
}
