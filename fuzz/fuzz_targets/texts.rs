//! The small languages within a dashboard and an address: templates, patterns, times, intervals, units.

#![no_main]

use edgewatch_grafana_model::pattern::Pattern;
use edgewatch_grafana_model::time::{TimeRange, Zone, interval};
use edgewatch_grafana_model::units;
use edgewatch_grafana_model::variables::template;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, f64, Option<u8>)| {
    let (text, other, number, digits) = input;
    let _ = template::names(text);
    let expanded = template::expand(text, |_| Some(other.to_owned()));
    assert!(
        expanded.len() <= text.len() * (other.len() + 1),
        "a value is put in for each reference, once"
    );
    if let Ok(pattern) = Pattern::new(text) {
        let _ = (pattern.is_match(other), pattern.replace(other, "$1${2}$$"));
    }
    let _ = TimeRange::parse(text, other, 1_800_000_000_000, &Zone::UTC);
    if let Some(millis) = interval::parse(text) {
        let _ = interval::format(millis);
    }
    let _ = units::format(text, digits, number);
});
