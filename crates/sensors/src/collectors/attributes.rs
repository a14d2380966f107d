//! Devices of a class that are a directory of attributes each, of which a table says which are exported.

use crate::error::{ErrorKind, ReadError};
use crate::reading::{Metric, Recorder};
use crate::sysfs::Root;

/// An attribute that is exported.
pub struct Attribute {
    /// Its file in the directory of the device.
    file: &'static str,
    /// How many of its unit make the base unit.
    units: f64,
    /// How many base units its unit is, if that is more than one.
    times: f64,
    /// Its metric.
    pub metric: Metric,
    /// What to make of it if the driver has no value.
    need: Need,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// It is what the device measures: that there is no value is told.
    Expected,
    /// Many drivers have it without a value, or for root only: it is left out then.
    Optional,
}

impl Attribute {
    /// What the device measures.
    pub const fn new(file: &'static str, units: f64, metric: Metric) -> Self {
        Self {
            file,
            units,
            times: 1.0,
            metric,
            need: Need::Expected,
        }
    }

    /// What the device may say beside that: a limit, a time, what only root may read.
    pub const fn optional(file: &'static str, units: f64, metric: Metric) -> Self {
        let mut attribute = Self::new(file, units, metric);
        attribute.need = Need::Optional;
        attribute
    }

    /// For an attribute whose unit is a multiple of the base unit, such as kilohertz.
    pub const fn times(mut self, times: f64) -> Self {
        self.times = times;
        self
    }

    /// The value in the base unit; `None` if it is optional and there is none.
    fn read(&self, sysfs: &Root, directory: &str) -> Option<Result<f64, ReadError>> {
        let path = format!("{directory}/{}", self.file);
        let value = sysfs.value_of(&self.metric, path, self.units);
        let is_none =
            |error: &ReadError| error.kind() == ErrorKind::NotReady || error.is_refused() || error.is_denied();
        match value {
            Err(error) if self.need == Need::Optional && is_none(&error) => None,
            value => Some(value.map(|value| value * self.times)),
        }
    }
}

/// Reads the attributes of one device.
pub fn record(
    sysfs: &Root,
    directory: &str,
    attributes: &'static [Attribute],
    labels: &[(&'static str, &str)],
    recorder: &mut Recorder,
) {
    for attribute in attributes {
        if !sysfs.exists(format!("{directory}/{}", attribute.file)) || !recorder.has_room() {
            continue;
        }
        if let Some(value) = attribute.read(sysfs, directory) {
            recorder.record(&attribute.metric, labels, value);
        }
    }
}

/// Exports what a device says of itself as labels of a metric that is always 1. False if it says nothing.
pub fn record_info(
    sysfs: &Root,
    directory: &str,
    metric: &'static Metric,
    device: Option<(&'static str, &str)>,
    files: &[(&'static str, &str)],
    recorder: &mut Recorder,
) -> bool {
    let texts = texts(sysfs, directory, files);
    if !texts.is_empty() && recorder.has_room() {
        let texts = texts.iter().map(|(label, text)| (*label, text.as_str()));
        recorder.push(metric, &device.into_iter().chain(texts).collect::<Vec<_>>(), 1.0);
    }
    !texts.is_empty()
}

/// Those of the files that have a text, with the name of the label that it becomes.
pub fn texts(sysfs: &Root, directory: &str, files: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let text =
        |(label, file): &(&'static str, &str)| Some((*label, sysfs.attribute(format!("{directory}/{file}")).ok()?));
    files.iter().filter_map(text).collect()
}
