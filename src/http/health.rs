//! `GET /healthz` and `GET /readyz`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::{App, plain};

/// The server answers. The watchdog asks this of itself.
pub async fn alive() -> HttpResponse {
    plain(HttpResponse::Ok(), "alive\n")
}

/// Every source has been tried, and reading goes on.
pub async fn ready(app: Data<App>) -> HttpResponse {
    let sampler = &app.live().sampler;
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
