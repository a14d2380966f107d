//! The service's own metrics, with the `prometheus` crate. They survive a reload, unlike the sampler.

use std::sync::Arc;

use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, proto::MetricFamily};

use crate::reload::Reloads;
use edgewatch_sensors::counters::Counters;

/// `sensor_failed_events_total{reason="route_error"}`.
pub(crate) const ROUTE_ERROR: &str = "route_error";

/// Routes by which requests are counted; any other path is `other`, so that a scanner cannot make series.
pub(crate) const HANDLERS: [&str; 7] = [
    "dashboards",
    "healthz",
    "metrics",
    "other",
    "readyz",
    "sensor",
    "status",
];
const CODES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Why the service closed a connection: `edge_http_connections_closed_total{reason}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// Too many connections from its address.
    AddressLimit,
    /// It waited for its client, and another one connected.
    Evicted,
    /// The request, or the handshake of TLS, took longer than `http.client_timeout`.
    SlowRequest,
    /// The head of the request was too long.
    LongHead,
    /// The client did not read the response.
    NotReading,
    /// The request was not HTTP, or the client did not agree to TLS.
    Malformed,
}

impl CloseReason {
    pub(crate) const ALL: [Self; 6] = [
        Self::AddressLimit,
        Self::Evicted,
        Self::SlowRequest,
        Self::LongHead,
        Self::NotReading,
        Self::Malformed,
    ];

    /// The value of the label.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AddressLimit => "address",
            Self::Evicted => "made_room",
            Self::SlowRequest => "slow_request",
            Self::LongHead => "long_head",
            Self::NotReading => "not_reading",
            Self::Malformed => "malformed",
        }
    }
}

pub(crate) struct Telemetry {
    registry: Registry,
    /// Requests to `/sensor`.
    pub(crate) requests: IntCounter,
    /// Seconds to answer a request to `/sensor`.
    pub(crate) latency: Histogram,
    /// Those of the sampler, and failures by reason.
    pub(crate) reads: Arc<Counters>,
    /// Requests refused for their credentials.
    pub(crate) auth_failures: IntCounter,
    /// Passwords that were checked against a hash.
    pub(crate) auth_checks: IntCounter,
    http_requests: IntCounterVec,
    connections_closed: IntCounterVec,
    /// Of the settings.
    pub(crate) reloads: Reloads,
}

impl Telemetry {
    /// All counters at 0, with every label value that can occur.
    ///
    /// # Errors
    /// None in practice: the names are constants that a test registers.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let requests = IntCounter::new("sensor_requests_total", "Requests to /sensor.")?;
        let latency = Histogram::with_opts(
            HistogramOpts::new(
                "sensor_processing_latency_seconds",
                "Time to answer a request to /sensor, in seconds.",
            )
            .buckets(vec![
                0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0,
            ]),
        )?;
        let reads = Counters::new(&registry)?;
        reads.failures.with_label_values(&[ROUTE_ERROR]);
        let http_requests = IntCounterVec::new(
            Opts::new(
                "edge_http_requests_total",
                "Requests by handler and class of status code.",
            ),
            &["handler", "code"],
        )?;
        for handler in HANDLERS {
            for code in CODES {
                http_requests.with_label_values(&[handler, code]);
            }
        }
        let connections_closed = IntCounterVec::new(
            Opts::new(
                "edge_http_connections_closed_total",
                "Connections that the service closed to protect itself, by reason.",
            ),
            &["reason"],
        )?;
        for reason in CloseReason::ALL {
            connections_closed.with_label_values(&[reason.name()]);
        }
        let auth_failures = IntCounter::new(
            "edge_auth_failures_total",
            "Requests refused for wrong credentials, or for others that were wrong before.",
        )?;
        let auth_checks = IntCounter::new(
            "edge_auth_checks_total",
            "Passwords checked against a hash, which takes CPU on purpose; known ones are not.",
        )?;
        let build = Gauge::with_opts(
            Opts::new("edge_build_info", "The version of edgewatch; always 1.")
                .const_label("version", env!("CARGO_PKG_VERSION")),
        )?;
        build.set(1.0);
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(latency.clone()))?;
        registry.register(Box::new(http_requests.clone()))?;
        registry.register(Box::new(auth_failures.clone()))?;
        registry.register(Box::new(auth_checks.clone()))?;
        registry.register(Box::new(connections_closed.clone()))?;
        registry.register(Box::new(build))?;
        let reloads = Reloads::new(&registry, "edge_", "")?;
        Ok(Self {
            registry,
            requests,
            latency,
            reads: Arc::new(reads),
            auth_failures,
            auth_checks,
            http_requests,
            connections_closed,
            reloads,
        })
    }

    /// Counts a request by one of [`HANDLERS`] and its status code; no handler responds with 1xx.
    pub(crate) fn count_response(&self, handler: &str, status: u16) {
        let class = match status {
            ..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        self.http_requests.with_label_values(&[handler, class]).inc();
    }

    /// Counts a connection that the service closed to protect itself.
    pub(crate) fn closed(&self, reason: CloseReason) {
        self.connections_closed.with_label_values(&[reason.name()]).inc();
    }

    /// The families, sorted by name.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_can_be_registered() {
        assert!(Telemetry::new().unwrap().gather().len() >= 8);
    }
}
