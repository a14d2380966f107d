//! The other addresses that Grafana's links have: a panel by itself (`/d-solo/UID?panelId=2`), and pictures (`/render/d/UID`,
//! `/render/d-solo/UID?panelId=2`). They lead to ours.

use actix_web::http::header::LOCATION;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use super::query::PageQuery;
use crate::response::plain;

/// `/d-solo/UID` and `/d-solo/UID/any-name`.
pub(crate) async fn panel(request: HttpRequest, path: Path<String>) -> HttpResponse {
    redirect(&request, &path, "/d/", "")
}

/// `/render/d/UID`, `/render/d-solo/UID`, with any name behind.
pub(crate) async fn picture(request: HttpRequest, path: Path<String>) -> HttpResponse {
    redirect(&request, &path, "/render/d/", ".png")
}

fn redirect(request: &HttpRequest, path: &str, before: &str, behind: &str) -> HttpResponse {
    match target(path, request.query_string(), before, behind) {
        Some(target) => HttpResponse::Found().insert_header((LOCATION, target)).finish(),
        None => plain(HttpResponse::NotFound(), "not found\n"),
    }
}

/// Where a link leads to; `None`: it names no dashboard.
fn target(path: &str, query: &str, before: &str, behind: &str) -> Option<String> {
    let uid = path.split('/').next()?;
    let is_uid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if uid.is_empty() || !uid.bytes().all(is_uid) {
        return None;
    }
    let query = PageQuery::parse(query).ok()?;
    let panel = query
        .get("panelId")
        .or_else(|| query.get("viewPanel"))
        .map(str::to_owned);
    let changes = [("panelId", None), ("viewPanel", panel.as_deref())];
    Some(query.with(&format!("{before}{uid}{behind}"), &changes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grafanas_other_addresses_lead_to_ours() {
        assert_eq!(
            target("v/any-name", "orgId=1&panelId=2&var-h=a%26b", "/d/", "").as_deref(),
            Some("/d/v?orgId=1&var-h=a%26b&viewPanel=2")
        );
        assert_eq!(
            target("v", "width=1000&panelId=panel-2", "/render/d/", ".png").as_deref(),
            Some("/render/d/v.png?width=1000&viewPanel=panel-2")
        );
        assert_eq!(
            target("v/x", "", "/render/d/", ".png").as_deref(),
            Some("/render/d/v.png")
        );
        assert_eq!(target("//evil.example", "", "/d/", ""), None);
        assert_eq!(target("a\r\nb", "", "/d/", ""), None);
    }
}
