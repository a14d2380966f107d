//! Names of families and labels that are only known once a file, or the settings, are read: which are names
//! (<https://prometheus.io/docs/concepts/data_model/>), and where they are. They are kept for good: a reading refers to its metric for as
//! long as it is exported, names repeat at each read, and there are few.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use edgewatch_program::lock::lock;
use thiserror::Error;

use crate::reading::{MAX_LABEL_NAME, Metric, MetricKind};

/// Families and names of labels that are kept; a program that invents names without end meets an error here.
const MAX_NAMES: usize = 1000;
/// Characters of a name.
const MAX_LENGTH: usize = 200;
/// Characters of a help text.
const MAX_HELP: usize = 500;

static METRICS: LazyLock<Mutex<HashMap<(&'static str, MetricKind), &'static Metric>>> = LazyLock::new(Mutex::default);
static LABELS: LazyLock<Mutex<HashMap<String, &'static str>>> = LazyLock::new(Mutex::default);

/// Whether a name of a metric may have that character.
pub const fn is_of_metric(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Whether that is a name of a metric.
pub fn is_metric(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_of_metric)
}

/// Whether that is a name of a label; those with two underscores in front are for Prometheus itself.
pub fn is_label(name: &str) -> bool {
    is_metric(name) && !name.contains(':') && !name.starts_with("__")
}

/// Whether a metric of that name could be one of the service's own.
pub fn is_own(name: &str) -> bool {
    ["edge_", "sensor_", "process_"].iter().any(|own| name.starts_with(own))
}

/// Why a name that the settings choose cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// Not a name of Prometheus, or one of ours.
    #[error(
        "metric {0:?}: letters, digits, _ and :, not beginning with a digit, edge_, sensor_ or process_; a counter ends in _total"
    )]
    Metric(String),
    /// Not a name of a label.
    #[error("label {0:?}: letters, digits and _, not beginning with a digit or __, at most {MAX_LABEL_NAME}")]
    Label(String),
    /// The process keeps no further names.
    #[error("more names of metrics and labels than the service keeps")]
    TooMany,
}

/// The family of that name, as the settings have it.
///
/// # Errors
/// The name cannot be one, or there are too many.
pub fn chosen_metric(name: &str, kind: MetricKind, help: &str) -> Result<&'static Metric, NameError> {
    let is_named_as_its_kind = (kind == MetricKind::Counter) == name.ends_with("_total");
    match is_metric(name) && !is_own(name) && is_named_as_its_kind {
        true => metric(name, kind, help).ok_or(NameError::TooMany),
        false => Err(NameError::Metric(name.to_owned())),
    }
}

/// The name of a label, as the settings have it.
///
/// # Errors
/// The name cannot be one, or there are too many.
pub fn chosen_label(name: &str) -> Result<&'static str, NameError> {
    match is_label(name) && name.len() <= MAX_LABEL_NAME {
        true => label(name).ok_or(NameError::TooMany),
        false => Err(NameError::Label(name.to_owned())),
    }
}

/// The family of that name and type, with the help with which it was first seen; `None` if there are too many. A name whose type differs from
/// file to file, or changes, is as many families, each of which is kept once.
pub fn metric(name: &str, kind: MetricKind, help: &str) -> Option<&'static Metric> {
    let mut metrics = lock(&METRICS);
    if let Some(known) = metrics.get(&(name, kind)) {
        return Some(known);
    }
    if metrics.len() >= MAX_NAMES || name.len() > MAX_LENGTH {
        return None;
    }
    let help: String = help.chars().filter(|c| !c.is_control()).take(MAX_HELP).collect();
    let metric: &'static Metric = Box::leak(Box::new(Metric::foreign(
        Box::leak(name.to_owned().into_boxed_str()),
        kind,
        Box::leak(help.into_boxed_str()),
    )));
    metrics.insert((metric.name, kind), metric);
    Some(metric)
}

/// The name of a label; `None` if there are too many.
pub fn label(name: &str) -> Option<&'static str> {
    let mut labels = lock(&LABELS);
    if let Some(known) = labels.get(name) {
        return Some(known);
    }
    if labels.len() >= MAX_NAMES || name.len() > MAX_LENGTH {
        return None;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    labels.insert(name.to_owned(), kept);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made anew at each read is never given back.
    #[test]
    fn a_name_that_has_two_types_in_turn_is_kept_once_for_each() {
        let of_kind = |kind| metric("names_test_queue_length", kind, "Help.").unwrap();
        let [untyped, gauge] = [MetricKind::Untyped, MetricKind::Gauge].map(of_kind);
        assert_eq!((untyped.kind, gauge.kind), (MetricKind::Untyped, MetricKind::Gauge));
        assert!(std::ptr::eq(untyped, of_kind(MetricKind::Untyped)));
        assert!(std::ptr::eq(gauge, of_kind(MetricKind::Gauge)));
    }
}
