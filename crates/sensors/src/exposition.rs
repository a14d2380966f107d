//! Readings in the Prometheus text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>). The service's own counters are encoded by the
//! `prometheus` crate; readings are written as they are, since its types would need several allocations for each.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use prometheus::proto::MetricFamily;
use prometheus::{Encoder, TextEncoder};

use crate::reading::{Metric, MetricKind};
use crate::sampler::{LastReading, Sampler};

/// The media type, byte for byte: Prometheus 3 rejects a scrape with an unknown one.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const SUCCESS: Metric = Metric::gauge(
    "edge_source_success",
    "",
    "Whether the last read of the source brought every value it knows of.",
);
const DURATION: Metric = Metric::gauge(
    "edge_source_duration_seconds",
    "seconds",
    "Duration of the last read that ended.",
);
const AGE: Metric = Metric::gauge(
    "edge_source_age_seconds",
    "seconds",
    "Age of the oldest reading of the source.",
);
const PERIOD: Metric = Metric::gauge(
    "edge_source_period_seconds",
    "seconds",
    "Longest time between two reads of the source.",
);
const DROPPED: Metric = Metric::gauge(
    "edge_source_readings_dropped",
    "",
    "Readings of the last read beyond the limit, or without a series of their own.",
);

/// Writes the readings, and the service's `own` counters before them, into `text`, which is emptied first and keeps its memory from scrape to scrape.
///
/// # Errors
/// None in practice: the encoder refuses only a family without samples or name.
pub fn encode(sampler: &Sampler, own: &[MetricFamily], text: &mut Vec<u8>) -> prometheus::Result<()> {
    text.clear();
    let mut families = Families::default();
    let now = Instant::now();
    sampler.visit(|collector, state| {
        if !state.has_output() {
            return;
        }
        for LastReading { reading, .. } in &state.readings {
            if let Ok(value) = reading.value {
                let labels = reading.labels.iter().map(|(name, value)| (*name, value.as_str()));
                families.add(reading.metric, labels, value);
            }
        }
        let mut about = |metric, value| families.add(metric, [("source", collector)].into_iter(), value);
        about(&SUCCESS, f64::from(u8::from(state.is_ok())));
        about(&DURATION, state.duration.as_secs_f64());
        about(&AGE, state.age(now).as_secs_f64());
        about(&PERIOD, state.period.as_secs_f64());
        // Nothing is left out almost everywhere; the series would be as many as there are sources.
        if state.dropped > 0 {
            about(&DROPPED, state.dropped as f64);
        }
    });
    TextEncoder::new().encode(own, text)?;
    for family in families.0.values() {
        text.extend_from_slice(family.as_bytes());
    }
    Ok(())
}

/// The text of each family by its name, since two collectors may export the same one.
#[derive(Default)]
struct Families(BTreeMap<&'static str, String>);

impl Families {
    fn add<'a>(&mut self, metric: &'static Metric, labels: impl Iterator<Item = (&'static str, &'a str)>, value: f64) {
        let name = metric.name;
        let text = self.0.entry(name).or_insert_with(|| {
            let kind = match metric.kind {
                MetricKind::Gauge => "gauge",
                MetricKind::Counter => "counter",
            };
            format!("# HELP {name} {}\n# TYPE {name} {kind}\n", metric.help)
        });
        text.push_str(name);
        let mut separator = '{';
        for (name, value) in labels {
            text.push(separator);
            text.push_str(name);
            text.push_str("=\"");
            escape(value, text);
            text.push('"');
            separator = ',';
        }
        if separator == ',' {
            text.push('}');
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, " {value}");
    }
}

/// A label value between its quotes.
fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}
