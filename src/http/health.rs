//! `GET /healthz` and `GET /readyz`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::{App, plain};

/// Liveness, which the watchdog's probe requests.
pub(crate) async fn alive() -> HttpResponse {
    plain(HttpResponse::Ok(), "alive\n")
}

/// Readiness: every collector has been attempted, and the sampler makes progress.
pub(crate) async fn ready(app: Data<App>) -> HttpResponse {
    let sampler = &app.current().sampler;
    if !sampler.is_complete() {
        plain(
            HttpResponse::ServiceUnavailable(),
            "the first sample is not complete yet\n",
        )
    } else if !sampler.is_progressing() {
        plain(
            HttpResponse::ServiceUnavailable(),
            "the readings are stale: every source is stuck\n",
        )
    } else {
        plain(HttpResponse::Ok(), "ready\n")
    }
}
