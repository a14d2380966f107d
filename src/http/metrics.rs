//! `GET /metrics`.

use std::cell::RefCell;
use std::io::Write;
use std::net::SocketAddr;

use actix_web::http::header::{AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, Encoding, VARY};
use actix_web::web::{Bytes, Data, Header};
use actix_web::{HttpRequest, HttpResponse, http::header::HeaderValue};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{App, internal_error};
use edgewatch_program::listen::is_loopback;
use edgewatch_sensors::exposition::{self, Encoder};

thread_local! {
    /// Reused by each scrape, which allocates only what it sends.
    static ENCODER: RefCell<Encoder> = RefCell::default();
}

/// All metrics in the text format, independent of `Accept`; compressed only for a client on another machine that accepts gzip.
pub(crate) async fn metrics(
    app: Data<App>,
    request: HttpRequest,
    accepted: Option<Header<AcceptEncoding>>,
) -> HttpResponse {
    let current = app.current();
    current.sampler.refresh().await;
    let gzip = !is_local(request.peer_addr()) && accepted.is_some_and(|Header(accepted)| wants_gzip(&accepted));
    let body = ENCODER.with_borrow_mut(|encoder| {
        let mut own = app.telemetry.gather();
        own.extend(current.security.tls.iter().flat_map(|tls| tls.gather()));
        let text = encoder.encode(&current.sampler, &own)?;
        let body = match gzip {
            true => compress(text)?,
            false => Bytes::copy_from_slice(text),
        };
        Ok::<_, MetricsError>(body)
    });
    match body {
        Ok(body) => {
            let mut response = HttpResponse::Ok();
            response
                .insert_header((CONTENT_TYPE, HeaderValue::from_static(exposition::CONTENT_TYPE)))
                .insert_header((VARY, HeaderValue::from_static("Accept-Encoding")));
            if gzip {
                response.insert_header((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
            }
            response.body(body)
        }
        Err(error) => {
            tracing::error!("cannot encode the metrics: {error}");
            internal_error()
        }
    }
}

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
enum MetricsError {
    #[error("{0}")]
    Encode(#[from] prometheus::Error),
    #[error("{0}")]
    Compress(#[from] std::io::Error),
}

/// Whether the client runs on this machine, as the appliance's own Prometheus does. It always accepts gzip, but there is no network
/// traffic to save: compression would double the CPU time of a scrape, and take 300 KB each time.
fn is_local(peer: Option<SocketAddr>) -> bool {
    // A Unix socket has no address.
    peer.is_none_or(|peer| is_loopback(peer.ip()))
}

fn wants_gzip(accepted: &AcceptEncoding) -> bool {
    accepted.negotiate([Encoding::identity(), Encoding::gzip()].iter()) == Some(Encoding::gzip())
}

fn compress(text: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    encoder.write_all(text)?;
    Ok(Bytes::from(encoder.finish()?))
}
