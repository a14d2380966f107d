//! Readings in the Prometheus text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>), encoded by the `prometheus` crate.

use std::collections::BTreeMap;
use std::time::Instant;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric as Sample, MetricFamily, MetricType};
use prometheus::{Encoder, TextEncoder};

use crate::reading::{Labels, Metric, MetricKind};
use crate::sampler::Sampler;
use crate::telemetry::Telemetry;

/// The media type, byte for byte: Prometheus 3 refuses a scrape whose type it does not know.
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

/// Writes everything that the service knows into `text`, which is emptied first and keeps its memory from scrape to scrape.
///
/// # Errors
/// None in practice: the encoder refuses only a family without samples or name.
pub fn encode(sampler: &Sampler, telemetry: &Telemetry, text: &mut Vec<u8>) -> prometheus::Result<()> {
    text.clear();
    let mut families = Families::default();
    let now = Instant::now();
    sampler.visit(|source, state| {
        if !state.is_present() {
            return;
        }
        for held in &state.readings {
            if let Ok(value) = held.reading.value {
                families.add(held.reading.metric, &held.reading.labels, value);
            }
        }
        let labels = vec![("source", source.to_owned())];
        families.add(&SUCCESS, &labels, f64::from(u8::from(state.is_good())));
        families.add(&DURATION, &labels, state.duration.as_secs_f64());
        families.add(&AGE, &labels, state.age(now).as_secs_f64());
        families.add(&PERIOD, &labels, state.period.as_secs_f64());
        families.add(&DROPPED, &labels, state.dropped as f64);
    });
    let mut all = telemetry.gather();
    all.extend(families.0.into_values());
    TextEncoder::new().encode(&all, text)
}

/// Families by name, since two sources may export the same one.
#[derive(Default)]
struct Families(BTreeMap<&'static str, MetricFamily>);

impl Families {
    fn add(&mut self, metric: &'static Metric, labels: &Labels, value: f64) {
        let family = self.0.entry(metric.name).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(metric.name.to_owned());
            family.set_help(metric.help.to_owned());
            family.set_field_type(match metric.kind {
                MetricKind::Gauge => MetricType::GAUGE,
                MetricKind::Counter => MetricType::COUNTER,
            });
            family
        });
        let labels = labels.iter().map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value(value.clone());
            pair
        });
        let mut sample = Sample::from_label(labels.collect());
        match metric.kind {
            MetricKind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                sample.set_gauge(gauge);
            }
            MetricKind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                sample.set_counter(counter);
            }
        }
        family.mut_metric().push(sample);
    }
}
