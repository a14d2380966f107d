//! The frame of every page, and links to other parts of the stack.

use actix_web::{HttpRequest, HttpResponse};
use edgewatch_program::host;
use maud::{DOCTYPE, Markup, html};

/// Grafana's port, where the settings give no link.
pub const GRAFANA_PORT: u16 = 3000;

/// A whole page around `body`.
pub fn respond(title: &str, refresh: Option<u32>, body: &Markup) -> HttpResponse {
    let host = host::name();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(seconds) = refresh { meta http-equiv="refresh" content=(seconds); }
                title { (title) " · " (host) " · edgewatch" }
                link rel="icon" href="/favicon.svg";
                link rel="stylesheet" href="/style.css";
            }
            body {
                header {
                    h1 { a href="/" { "edgewatch" } " " span.host { (host) } }
                    p { (title) }
                }
                main { (body) }
                footer { "edgewatch " (env!("CARGO_PKG_VERSION")) " · " a href="/metrics" { "metrics" } " · " a href="/sensor" { "JSON" } }
            }
        }
    };
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .body(page.into_string())
}

/// The URL of another part of the stack: that of the settings, or on the host of the request; `None` if the settings say that there is
/// none.
pub fn link(set: Option<&str>, request: &HttpRequest, port: u16) -> Option<String> {
    match set {
        Some("") => None,
        Some(link) => Some(link.trim_end_matches('/').to_owned()),
        None => {
            let connection = request.connection_info();
            let authority = connection.host();
            // The port follows the last colon, but not the one within the brackets of an IPv6 address.
            let host = match authority.rsplit_once(':') {
                Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
                _ => authority,
            };
            Some(format!("http://{host}:{port}"))
        }
    }
}
