//! Metrics, readings, and the recorder that a collector fills with them.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use crate::error::{ErrorKind, ReadError};

/// How a value behaves over time, in Prometheus' terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only grows, from 0 at the start of what it counts.
    Counter,
    /// A value of which nobody has said.
    Untyped,
}

/// A metric family, defined beside the collector that reads it.
#[derive(Debug, PartialEq)]
pub struct Metric {
    /// Name in Prometheus; ends in the base unit, and in `_total` for a counter.
    pub name: &'static str,
    /// Gauge or counter.
    pub kind: MetricKind,
    /// Unit for people and for `/sensor` (`celsius`, `bytes`, `seconds`, …); empty if the value has none.
    pub unit: &'static str,
    /// One sentence for `# HELP`.
    pub help: &'static str,
    /// Minimum and maximum of a plausible value, in the metric's unit. A value outside is a fault of the sensor, its wires or its driver.
    pub range: (f64, f64),
    /// Another program, or the settings, named it: it gives way to a family of ours with the same name.
    pub is_foreign: bool,
}

impl Metric {
    /// A gauge.
    pub const fn gauge(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: MetricKind::Gauge,
            unit,
            help,
            range: (f64::NEG_INFINITY, f64::INFINITY),
            is_foreign: false,
        }
    }

    /// A counter.
    pub const fn counter(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: MetricKind::Counter,
            unit,
            help,
            range: (f64::NEG_INFINITY, f64::INFINITY),
            is_foreign: false,
        }
    }

    /// A metric that another program has named.
    pub const fn foreign(name: &'static str, kind: MetricKind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            unit: "",
            help,
            range: (f64::NEG_INFINITY, f64::INFINITY),
            is_foreign: true,
        }
    }

    /// True if the value is finite and within the range.
    pub fn is_plausible(&self, value: f64) -> bool {
        value.is_finite() && (self.range.0..=self.range.1).contains(&value)
    }

    /// The value, if it is plausible.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(&self, value: f64) -> Result<f64, String> {
        let (min, max) = self.range;
        match (self.is_plausible(value), value.is_finite()) {
            (true, _) => Ok(value),
            (false, true) => Err(format!("{value} cannot be: it is not within {min} and {max}")),
            (false, false) => Err(format!("{value} is not a finite number")),
        }
    }

    /// The same metric with a range of plausible values.
    pub const fn within(mut self, range: (f64, f64)) -> Self {
        self.range = range;
        self
    }
}

/// Names and values of labels, in the same order for every reading of a series.
pub type Labels = Vec<(&'static str, String)>;

/// One value, or the reason why there is none.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The family.
    pub metric: &'static Metric,
    /// Identify the series within the family.
    pub labels: Labels,
    /// A finite number in the metric's unit and within its range, or the kind of the failure.
    pub value: Result<f64, ErrorKind>,
    /// The part of the hardware that it was read from, if the collector has parts ([`Recorder::begin_part`]).
    pub part: Option<Arc<str>>,
}

impl Reading {
    /// True if both are of the same series.
    pub fn is_same_series(&self, other: &Self) -> bool {
        self.metric.name == other.metric.name && self.labels == other.labels
    }

    /// A number for the series as Prometheus tells it from others: the order of labels is nothing, and a label without a value is none. Of two
    /// series it is the same as seldom as two hashes are.
    pub fn series(&self, hasher: &impl BuildHasher) -> u64 {
        let labels = self.labels.iter().filter(|(_, value)| !value.is_empty());
        labels.fold(hasher.hash_one(self.metric.name), |series, label| {
            series.wrapping_add(hasher.hash_one(label))
        })
    }
}

/// Labels of a series. The shipped scrape takes 32, with `job` and `instance`; one series beyond fails it for all.
pub const MAX_LABELS: usize = 30;
/// Bytes of a label's name, as the shipped scrape takes them.
pub const MAX_LABEL_NAME: usize = 64;

/// Bounds of what one read may record.
#[derive(Clone, Copy, Debug)]
pub struct RecorderLimits {
    /// Readings of one collector; more are counted, not kept.
    pub readings: usize,
    /// Bytes of a label value; the rest is cut off.
    pub label_length: usize,
}

/// Whether the part of that name is to be read by the current reader.
pub type PartFilter<'a> = Box<dyn FnMut(&Arc<str>) -> bool + 'a>;

/// Records one read of a collector: readings, errors and events, bounded for any hardware.
pub struct Recorder<'a> {
    limits: RecorderLimits,
    filter: PartFilter<'a>,
    part: Option<Arc<str>>,
    /// Numbers of readings, errors, events and dropped readings when the current part began.
    before: [usize; 4],
    readings: Vec<Reading>,
    errors: Vec<ReadError>,
    events: Vec<&'static str>,
    dropped: usize,
}

impl<'a> Recorder<'a> {
    /// An empty recorder, for those parts that `filter` accepts.
    pub fn new(limits: RecorderLimits, filter: PartFilter<'a>) -> Self {
        Self {
            limits,
            filter,
            part: None,
            before: [0; 4],
            readings: Vec::new(),
            errors: Vec::new(),
            events: Vec::new(),
            dropped: 0,
        }
    }

    /// Announces that what follows is read from one of several devices (a chip, a zone, a mount), each of which can be slow, or hang,
    /// independently of the others: such a part is isolated from then on. `part` names it, the same at each read. On `false` the
    /// collector skips it: another reader has it.
    pub fn begin_part(&mut self, part: &str) -> bool {
        let part = Arc::from(part);
        let is_read = (self.filter)(&part);
        if is_read {
            self.part = Some(part);
            self.before = self.counts();
        }
        is_read
    }

    fn counts(&self) -> [usize; 4] {
        [self.readings.len(), self.errors.len(), self.events.len(), self.dropped]
    }

    /// Discards everything that was recorded before the current part.
    pub fn keep_last_part(&mut self) {
        let [readings, errors, events, dropped] = std::mem::take(&mut self.before);
        self.readings.drain(..readings);
        self.errors.drain(..errors);
        self.events.drain(..events);
        self.dropped -= dropped;
    }

    /// Adds a value. One that is not finite or not plausible is counted as an invalid read.
    pub fn push(&mut self, metric: &'static Metric, labels: &[(&'static str, &str)], value: f64) {
        self.record(metric, labels, Ok(value));
    }

    /// Adds a value or the failure to read it. A missing file is neither: the hardware does not have it.
    pub fn record(&mut self, metric: &'static Metric, labels: &[(&'static str, &str)], value: Result<f64, ReadError>) {
        if matches!(&value, Err(error) if error.is_missing()) {
            return;
        }
        let value = value.and_then(|value| metric.check(value).map_err(|what| invalid(metric, labels, what)));
        if self.is_full() {
            self.drop_one();
            return;
        }
        let value = value.map_err(|error| {
            let kind = error.kind();
            self.errors.push(error);
            kind
        });
        let labels = labels
            .iter()
            .map(|(name, value)| (*name, clean_label(value, self.limits.label_length)))
            .collect();
        self.readings.push(Reading {
            metric,
            labels,
            value,
            part: self.part.clone(),
        });
    }

    /// True once the limit is reached. A collector then reads no more files, and calls [`Recorder::drop_one`] for each it skips.
    pub fn is_full(&self) -> bool {
        self.readings.len() >= self.limits.readings
    }

    /// True once half of the limit is taken. What is less than a measurement (a limit, a setting) is then skipped as above, so that it takes no
    /// measurement's place.
    pub fn is_half_full(&self) -> bool {
        self.readings.len() >= self.limits.readings / 2
    }

    /// True if there is room for a reading; if there is none, counts one that is skipped.
    pub fn has_room(&mut self) -> bool {
        if self.is_full() {
            self.drop_one();
        }
        !self.is_full()
    }

    /// Counts a reading that was skipped.
    pub fn drop_one(&mut self) {
        self.dropped += 1;
    }

    /// Counts a failure that belongs to no reading, such as a directory that cannot be listed.
    pub fn fail(&mut self, error: ReadError) {
        self.errors.push(error);
    }

    /// What was read. That something is not there is no failure; another error is one.
    pub fn present<T>(&mut self, read: Result<T, ReadError>) -> Option<T> {
        read.map_err(|error| {
            if !error.is_missing() {
                self.fail(error);
            }
        })
        .ok()
    }

    /// Counts an event in `sensor_failed_events_total` under `reason`.
    pub fn event(&mut self, reason: &'static str) {
        self.events.push(reason);
    }

    /// Ends the read. Of a series that was recorded twice the first is kept, and the other counted as dropped: Prometheus would keep one of
    /// them too, and say so where nobody looks for a fault of a sensor.
    pub fn finish(mut self) -> Collected {
        let mut unique: Vec<Reading> = Vec::with_capacity(self.readings.len());
        let mut seen = HashSet::with_capacity(self.readings.len());
        for reading in self.readings {
            if seen.insert(reading.series(seen.hasher())) {
                unique.push(reading);
            } else {
                self.dropped += 1;
            }
        }
        Collected {
            readings: unique,
            errors: self.errors,
            events: self.events,
            dropped: self.dropped,
        }
    }
}

/// The result of one read.
#[derive(Debug)]
pub struct Collected {
    /// Readings, each series once.
    pub readings: Vec<Reading>,
    /// Failures, in the order in which they happened.
    pub errors: Vec<ReadError>,
    /// Reasons for `sensor_failed_events_total`.
    pub events: Vec<&'static str>,
    /// Readings above the limit, or of duplicate series.
    pub dropped: usize,
}

/// Names the series, since a chip can have dozens of sensors.
fn invalid(metric: &Metric, labels: &[(&'static str, &str)], what: String) -> ReadError {
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    ReadError::invalid(format!("{}{{{}}}", metric.name, labels.join(",")).as_ref(), what)
}

/// A label value that is safe to show and to store: control characters become spaces, and it is at most `length` bytes, as Prometheus
/// counts them.
pub(crate) fn clean_label(value: &str, length: usize) -> String {
    let value = value.trim();
    let fits = value.char_indices().take_while(|(at, c)| at + c.len_utf8() <= length);
    fits.map(|(_, c)| if c.is_control() { ' ' } else { c }).collect()
}
