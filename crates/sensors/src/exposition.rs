//! Readings in the Prometheus text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>). The service's own counters are encoded by the
//! `prometheus` crate; readings are written as they are, since its types would need several allocations for each.

use std::collections::HashSet;
use std::fmt::Write;
use std::ops::Range;
use std::time::Instant;

use prometheus::proto::MetricFamily;
use prometheus::{Encoder as _, TextEncoder};

use crate::reading::{Metric, MetricKind, Reading};
use crate::sampler::{CollectorState, LastReading, Sampler};
use crate::settings::Collect;

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
/// The same under node_exporter's names, with `collect = "full"`.
const NODE_SUCCESS: Metric = Metric::gauge(
    "node_scrape_collector_success",
    "",
    "Whether the last read of the source brought every value it knows of.",
);
const NODE_DURATION: Metric = Metric::gauge(
    "node_scrape_collector_duration_seconds",
    "seconds",
    "Duration of the last read that ended.",
);

/// Encodes scrapes. Keeps its buffers from one to the next, so that readings cost no allocation.
#[derive(Default)]
pub struct Encoder {
    samples: String,
    runs: Vec<Run>,
    /// The foreign series so far ([`Reading::series`]): of those alone two sources can have the same.
    foreign: HashSet<u64>,
    text: Vec<u8>,
}

/// Samples of one family that follow each other in the buffer.
struct Run {
    metric: &'static Metric,
    samples: Range<usize>,
}

impl Encoder {
    /// The service's `own` counters and then the readings, family by family in the order of their names.
    ///
    /// # Errors
    /// None in practice: the encoder of counters refuses only a family without samples or name.
    pub fn encode(&mut self, sampler: &Sampler, own: &[MetricFamily]) -> prometheus::Result<&[u8]> {
        self.samples.clear();
        self.runs.clear();
        self.foreign.clear();
        let now = Instant::now();
        // What other programs have named comes last (see `collectors::ALL`), and gives way.
        let is_full = sampler.collect() == Collect::Full;
        sampler.visit(|collector, state| {
            if state.has_output() {
                self.add_source(collector, state, own, now);
                if is_full {
                    let labels = || [("collector", collector)].into_iter();
                    self.add(&NODE_SUCCESS, labels(), f64::from(u8::from(state.is_ok())));
                    self.add(&NODE_DURATION, labels(), state.duration.as_secs_f64());
                }
            }
        });
        // Two collectors may export the same family, whose samples must stand together.
        self.runs
            .sort_unstable_by_key(|run| (run.metric.name, run.samples.start));
        self.text.clear();
        TextEncoder::new().encode(own, &mut self.text)?;
        let mut previous = "";
        for Run { metric, samples } in &self.runs {
            if metric.name != previous {
                head(metric, &mut self.text);
                previous = metric.name;
            }
            self.text.extend_from_slice(self.samples[samples.clone()].as_bytes());
        }
        Ok(&self.text)
    }

    fn add_source(&mut self, collector: &'static str, state: &CollectorState, own: &[MetricFamily], now: Instant) {
        let mut dropped = state.dropped;
        for LastReading { reading, .. } in &state.readings {
            if reading.metric.is_foreign && self.is_taken(reading, own) {
                dropped += 1;
            } else if let Ok(value) = reading.value {
                let labels = reading.labels.iter().map(|(name, value)| (*name, value.as_str()));
                self.add(reading.metric, labels, value);
            }
        }
        let mut about = |metric, value| self.add(metric, [("source", collector)].into_iter(), value);
        about(&SUCCESS, f64::from(u8::from(state.is_ok())));
        about(&DURATION, state.duration.as_secs_f64());
        about(&AGE, state.age(now).as_secs_f64());
        about(&PERIOD, state.period.as_secs_f64());
        // Nothing is left out almost everywhere; the series would be as many as there are sources.
        if dropped > 0 {
            about(&DROPPED, dropped as f64);
        }
    }

    /// Whether the series of another program is one of ours, or of a source that comes before; otherwise it is this one's from now on. Also one
    /// without a value takes its place: in that of a meter that fails the value of another must not be seen.
    fn is_taken(&mut self, reading: &Reading, own: &[MetricFamily]) -> bool {
        let series = reading.series(self.foreign.hasher());
        self.is_ours(reading.metric.name, own) || !self.foreign.insert(series)
    }

    /// Whether a family of that name is the service's own, or a collector's.
    fn is_ours(&self, name: &str, own: &[MetricFamily]) -> bool {
        let mut read = self.runs.iter().map(|run| run.metric);
        read.any(|metric| !metric.is_foreign && metric.name == name) || own.iter().any(|family| family.name() == name)
    }

    fn add<'a>(&mut self, metric: &'static Metric, labels: impl Iterator<Item = (&'static str, &'a str)>, value: f64) {
        let text = &mut self.samples;
        let start = text.len();
        text.push_str(metric.name);
        let mut separator = "{";
        for (name, value) in labels {
            text.push_str(separator);
            text.push_str(name);
            text.push_str("=\"");
            escape(value, text);
            text.push('"');
            separator = ",";
        }
        text.push_str(if separator == "," { "} " } else { " " });
        number(value, text);
        text.push('\n');
        // Not by name, which is as long as most: the same family at another address only begins another run.
        match self.runs.last_mut() {
            Some(run) if std::ptr::eq(run.metric, metric) => run.samples.end = text.len(),
            _ => self.runs.push(Run {
                metric,
                samples: start..text.len(),
            }),
        }
    }
}

/// What stands above the samples of a family.
fn head(metric: &Metric, text: &mut Vec<u8>) {
    let Metric { name, help, .. } = metric;
    let kind = match metric.kind {
        MetricKind::Gauge => "gauge",
        MetricKind::Counter => "counter",
        MetricKind::Untyped => "untyped",
    };
    for part in ["# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"] {
        text.extend_from_slice(part.as_bytes());
    }
}

/// A value in the shortest digits that stand for it.
fn number(value: f64, text: &mut String) {
    /// 2^53: below it every whole number is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // Most values are whole, for which there is nothing to search.
    if value.trunc() == value && value.abs() < EXACT && !(value == 0.0 && value.is_sign_negative()) {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and exact in 64 bits")]
        text.push_str(itoa::Buffer::new().format(value as i64));
    } else {
        // Writing to a string cannot fail.
        let _ = write!(text, "{value}");
    }
}

/// A label value between its quotes.
fn escape(value: &str, text: &mut String) {
    let mut rest = value;
    // By bytes, of which no other character has one of these: nearly every value is only looked through.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'\\' | b'"' | b'\n')) {
        text.push_str(&rest[..at]);
        text.push_str(match rest.as_bytes()[at] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for value in [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            -41.25,
            1e15,
            9_007_199_254_740_991.0,
            9_007_199_254_740_992.0,
            -9_007_199_254_740_993.0,
            1.8e19,
            1e300,
            5e-324,
        ] {
            let mut text = String::new();
            number(value, &mut text);
            assert_eq!(text, format!("{value}"));
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
        }
    }

    #[test]
    fn what_would_end_a_label_is_escaped() {
        let mut text = String::new();
        escape("a \"b\\c\nd\" ä\\", &mut text);
        assert_eq!(text, "a \\\"b\\\\c\\nd\\\" ä\\\\");
    }
}
