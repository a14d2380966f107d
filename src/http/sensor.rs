//! `GET /sensor`: the latest readings as JSON.

use std::collections::BTreeMap;
use std::time::Instant;

use actix_web::web::Data;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::{App, internal_error};
use crate::telemetry::ROUTE_ERROR;

use edgewatch_program::time::unix_time;
use edgewatch_sensors::sampler::{CollectorState, Sampler};
use edgewatch_sensors::settings::FaultKind;

/// The JSON document.
#[derive(Serialize)]
struct Document {
    /// Unix time of the response, in seconds.
    time: f64,
    sources: Vec<SourceEntry>,
    readings: Vec<ReadingEntry>,
}

#[derive(Serialize)]
struct SourceEntry {
    name: &'static str,
    success: bool,
    age_seconds: f64,
    dropped: usize,
    errors: Vec<String>,
}

#[derive(Serialize)]
struct ReadingEntry {
    source: &'static str,
    name: &'static str,
    labels: BTreeMap<&'static str, String>,
    /// `null` if the last read failed.
    value: Option<f64>,
    unit: &'static str,
    /// Time since the value was last good.
    age_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// The latest readings, or 503 with a reason before there are any.
pub(crate) async fn sensor(app: Data<App>) -> HttpResponse {
    let telemetry = &app.telemetry;
    telemetry.requests.inc();
    let timer = telemetry.latency.start_timer();
    let response = respond(&app).await.unwrap_or_else(|error| {
        tracing::error!("cannot answer /sensor: {error}");
        telemetry.reads.failures.with_label_values(&[ROUTE_ERROR]).inc();
        error.error_response()
    });
    timer.observe_duration();
    response
}

/// Why there is no document. The reason is logged, and not disclosed to the client.
#[derive(Debug, thiserror::Error)]
enum SensorError {
    /// A fault of `[[simulated.faults]]`.
    #[error("injected fault")]
    Injected,
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl ResponseError for SensorError {
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Injected | Self::Json(_) => internal_error(),
        }
    }
}

async fn respond(app: &App) -> Result<HttpResponse, SensorError> {
    let current = app.current();
    for fault in &current.settings.simulated.faults {
        match fault.kind {
            FaultKind::RouteError if fault.is_active(app.uptime()) => return Err(SensorError::Injected),
            #[expect(clippy::panic, reason = "the fault that the settings ask for")]
            FaultKind::RoutePanic if fault.is_active(app.uptime()) => panic!("injected fault"),
            _ => {}
        }
    }
    if !current.sampler.is_complete() {
        return Ok(HttpResponse::ServiceUnavailable()
            .insert_header(("Retry-After", "1"))
            .json(serde_json::json!({ "error": "the first sample is not complete yet" })));
    }
    current.sampler.refresh().await;
    let body = serde_json::to_vec(&document(&current.sampler))?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header(("Cache-Control", "no-store"))
        .body(body))
}

fn document(sampler: &Sampler) -> Document {
    let now = Instant::now();
    let mut document = Document {
        time: unix_time(),
        sources: Vec::new(),
        readings: Vec::new(),
    };
    sampler.visit(|source, state| {
        if !state.has_output() {
            return;
        }
        document.sources.push(SourceEntry {
            name: source,
            success: state.is_ok(),
            age_seconds: state.age(now).as_secs_f64(),
            dropped: state.dropped,
            errors: state.errors.iter().map(ToString::to_string).collect(),
        });
        document.readings.extend(entries(source, state, now));
    });
    document
}

fn entries(source: &'static str, state: &CollectorState, now: Instant) -> impl Iterator<Item = ReadingEntry> {
    state.readings.iter().map(move |last| {
        let reading = &last.reading;
        ReadingEntry {
            source,
            name: reading.metric.name,
            labels: reading.labels.iter().cloned().collect(),
            value: reading.value.ok(),
            unit: reading.metric.unit,
            age_seconds: now.saturating_duration_since(last.since).as_secs_f64(),
            error: reading.value.err().map(|kind| kind.name()),
        }
    })
}
