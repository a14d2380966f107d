//! `GET /`: the status page. Works without JavaScript and on a phone.

use std::time::Instant;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use edgewatch_dashboards::frame::{GRAFANA_PORT, link, respond};
use maud::{Markup, html};

use super::{App, Reloadable, key_figures};
use crate::config::Settings;
use crate::format::{duration, quantity};
use crate::readings::{Row, devices};
use edgewatch_dashboards::library::SHIPPED;
use edgewatch_sensors::collectors::{self, simulated};
use edgewatch_sensors::sampler::CollectorState;

/// Prometheus' port, where the settings give no link.
const PROMETHEUS_PORT: u16 = 9090;
/// Seconds after which a browser reloads the page.
const REFRESH: u32 = 10;

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("favicon.svg");

pub(crate) async fn page(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let current = app.current();
    current.sampler.refresh().await;
    let now = Instant::now();
    let mut sources = html! {};
    // What is attached first; the counters of the host are collapsed.
    let (mut hardware, mut host) = (html! {}, html! {});
    let mut failing = 0;
    current.sampler.visit(|name, state| {
        if !state.has_output() {
            return;
        }
        failing += usize::from(!state.is_ok());
        sources = html! { (sources) (source_row(name, state, now)) };
        if is_about_devices(name) {
            hardware = html! { (hardware) (source_table(name, state, now, true)) };
        } else {
            host = html! { (host) (source_table(name, state, now, false)) };
        }
    });
    let body = html! {
        (notices(&app, &current))
        (summary(&app, &current, failing))
        @if let Some(tls) = &current.security.tls {
            p.fingerprint { "SHA-256 of the certificate of this device: " code { (tls.fingerprint) } }
        }
        (links(&current.settings, &request))
        h2 { "Sources" }
        table.sources {
            thead { tr { th { "source" } th { "state" } th.number { "readings" } th.number { "age" } th.number { "took" } } }
            tbody { (sources) }
        }
        h2 { "Readings" }
        (hardware)
        (host)
    };
    respond("Status", Some(REFRESH), &body)
}

/// The style sheet of every page.
pub(crate) async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("Cache-Control", "max-age=3600"))
        .body(STYLE)
}

pub(crate) async fn icon() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", "max-age=86400"))
        .body(ICON)
}

fn notices(app: &App, current: &Reloadable) -> Markup {
    let settings = &current.settings;
    let open = current.security.open_address(&app.addresses).is_some();
    html! {
        @if open {
            p.notice.bad { "Everybody in the network can read this page: " code { "http.insecure = true" } " is set." }
        }
        @if simulated::COLLECTOR.is_enabled(&settings.sensors()) {
            p.notice { "Readings of the chip " code { "simulated" } " are made up: the simulated source is switched on." }
        }
    }
}

fn summary(app: &App, current: &Reloadable, failing: usize) -> Markup {
    let (class, text) = if !current.sampler.is_complete() {
        ("warn", "taking the first sample".to_owned())
    } else if !current.sampler.is_progressing() {
        ("bad", "the sampler is stuck".to_owned())
    } else if failing == 1 {
        ("warn", "1 source fails".to_owned())
    } else if failing > 1 {
        ("warn", format!("{failing} sources fail"))
    } else {
        ("good", "all sources read".to_owned())
    };
    html! {
        ul.summary {
            li { span.label { "sampler" } strong class=(class) { (text) } }
            li { span.label { "service up" } strong { (duration(app.uptime())) } }
            @for (label, value) in key_figures::list(&current.sampler) { li { span.label { (label) } strong { (value) } } }
        }
    }
}

fn links(settings: &Settings, request: &HttpRequest) -> Markup {
    let prometheus = link(settings.links.prometheus.as_deref(), request, PROMETHEUS_PORT);
    let grafana = link(settings.links.grafana.as_deref(), request, GRAFANA_PORT);
    html! {
        nav {
            @for dashboard in SHIPPED { a href=(format!("/d/{}", dashboard.uid)) { (dashboard.title) } }
            a href="/dashboards" { "All dashboards" }
            @match prometheus {
                Some(address) => a href=(address) { "Prometheus" },
                None => span.absent { "Prometheus does not run here" },
            }
            @match grafana {
                Some(address) => a href=(address) { "Grafana" },
                None => span.absent { "Grafana does not run here" },
            }
        }
    }
}

fn source_row(name: &str, state: &CollectorState, now: Instant) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "#" (name) } { (name) } }
            td {
                @if state.is_ok() { span.good { "ok" } }
                @else {
                    span.bad { "fails" }
                    @for error in state.errors.iter().take(5) { div.detail { (error.what) } }
                    @if state.errors.len() > 5 { div.detail { "and " (state.errors.len() - 5) " more" } }
                }
                @if state.dropped > 0 { div.detail { (state.dropped) " left out: above limits.readings_per_source" } }
            }
            td.number { (state.readings.len()) }
            td.number { (duration(state.age(now))) }
            td.number { (duration(state.duration)) }
        }
    }
}

/// The devices of a source as a person would name them; what each value is called in Prometheus stands below.
fn source_table(name: &'static str, state: &CollectorState, now: Instant, open: bool) -> Markup {
    let failing = state.readings.iter().any(|last| last.reading.value.is_err());
    html! {
        details id=(name) open[open || failing] {
            summary { (name) span.count { (state.readings.len()) } }
            @for device in devices(name, &state.readings) {
                @if !device.title.is_empty() {
                    h3 { (device.title) @if !device.description.is_empty() { span.count { (device.description) } } }
                }
                table.readings { tbody { @for row in &device.readings { (reading_row(row, now)) } } }
            }
        }
    }
}

/// Collectors of what people attach, which needs no hardware of this device.
const INPUTS: [&str; 4] = ["modbus", "mqtt", "simulated", "textfile"];

fn is_about_devices(name: &str) -> bool {
    let definition = collectors::find(name);
    INPUTS.contains(&name) || definition.is_some_and(|definition| definition.needs.is_some())
}

fn reading_row(row: &Row, now: Instant) -> Markup {
    html! {
        tr {
            th scope="row" {
                @if !row.sensor.is_empty() { (row.sensor) ": " }
                (row.quantity)
                div.detail { (row.metric) }
            }
            @match row.value {
                Some(value) => td.number { (quantity(value, row.unit)) },
                None => td.number.bad { (row.error.unwrap_or_default()) ", last good " (duration(now - row.since)) " ago" },
            }
        }
    }
}
