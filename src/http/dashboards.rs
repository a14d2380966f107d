//! The shipped dashboards: a list, and each as the JSON that Grafana imports.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use maud::html;
use serde::Serialize;

use super::{App, plain, status};

/// A dashboard of `grafana-dashboards/`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Dashboard {
    /// Its uid in Grafana.
    pub uid: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// The Grafana model.
    #[serde(skip)]
    pub json: &'static str,
}

/// Every shipped dashboard.
pub const SHIPPED: [Dashboard; 3] = [
    Dashboard {
        uid: "edgewatch-overview",
        title: "Overview",
        about: "Is everything up, and how is the device doing?",
        json: include_str!("../../grafana-dashboards/overview.json"),
    },
    Dashboard {
        uid: "edgewatch-hardware",
        title: "Hardware",
        about: "Sensors, their health, and the clock.",
        json: include_str!("../../grafana-dashboards/hardware.json"),
    },
    Dashboard {
        uid: "edgewatch-budget",
        title: "Budget",
        about: "Memory and CPU of the stack against its limits.",
        json: include_str!("../../grafana-dashboards/budget.json"),
    },
];

/// The list for people.
pub async fn list(app: Data<App>, request: actix_web::HttpRequest) -> HttpResponse {
    let live = app.live();
    let grafana = status::link(live.settings.links.grafana.as_deref(), &request, status::GRAFANA_PORT);
    let body = html! {
        p {
            "Shipped with edgewatch. "
            @if grafana.is_some() { "Grafana shows them; it may take some seconds to wake up." }
            @else { "They are drawn by Grafana, which does not run here: import the JSON into one that does." }
        }
        ul.cards {
            @for dashboard in SHIPPED {
                li {
                    h2 { (dashboard.title) }
                    p { (dashboard.about) }
                    @if let Some(grafana) = &grafana {
                        a href=(format!("{grafana}/d/{}", dashboard.uid)) { "Open in Grafana" }
                        " · "
                    }
                    a href=(format!("/dashboards/{}.json", dashboard.uid)) { "JSON" }
                }
            }
        }
    };
    status::respond("Dashboards", None, &body)
}

/// The list for programs: uid, title and purpose of each.
pub async fn list_json() -> HttpResponse {
    HttpResponse::Ok().json(SHIPPED)
}

/// The Grafana model of one dashboard.
pub async fn download(uid: Path<String>) -> HttpResponse {
    match SHIPPED.iter().find(|dashboard| dashboard.uid == *uid) {
        Some(dashboard) => HttpResponse::Ok().content_type("application/json").body(dashboard.json),
        None => plain(HttpResponse::NotFound(), "no such dashboard\n"),
    }
}
