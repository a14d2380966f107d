//! Times of ranges, and intervals.

use edgewatch_grafana_model::time::{self, TimeRange, interval};
use serde_json::Value;

use super::text;

pub fn time(case: &Value) -> String {
    let whole = |name: &str| case[name].as_f64().unwrap_or_default() as i64;
    match text(case, "kind") {
        "interval" => interval::step(whole("length"), whole("points") as usize, whole("least")).to_string(),
        "length" => interval::parse(text(case, "text")).map_or_else(|| "none".to_owned(), |length| length.to_string()),
        "panel" => of_panel(case),
        "link" => {
            let from = TimeRange::of_link(text(case, "text"));
            begin(&from, case).unwrap_or_else(|| "none".to_owned())
        }
        _ => {
            let now: jiff::Timestamp = text(case, "now").parse().unwrap();
            let zone = time::zone(text(case, "zone"));
            let asked = text(case, "text");
            let (from, to) = match text(case, "end") {
                "from" => (asked, "2999-01-01T00:00:00Z"),
                _ => ("1900-01-01T00:00:00Z", asked),
            };
            match TimeRange::parse(from, to, now.as_millisecond(), &zone) {
                Ok(range) => {
                    let seconds = if text(case, "end") == "from" {
                        range.from
                    } else {
                        range.to
                    };
                    iso(seconds)
                }
                Err(_) => "none".to_owned(),
            }
        }
    }
}

/// Where a range from `from` to a far future begins.
fn begin(from: &str, case: &Value) -> Option<String> {
    let now: jiff::Timestamp = text(case, "now").parse().unwrap();
    let zone = time::zone(text(case, "zone"));
    let range = TimeRange::parse(from, "4102444800000", now.as_millisecond(), &zone);
    range.ok().map(|range| iso(range.from))
}

fn iso(seconds: f64) -> String {
    let time = jiff::Timestamp::from_millisecond((seconds * 1000.0).round() as i64).unwrap();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A panel's own range, and what its head says.
fn of_panel(case: &Value) -> String {
    let now: jiff::Timestamp = text(case, "now").parse().unwrap();
    let now = now.as_millisecond();
    let zone = time::zone(text(case, "zone"));
    let (from, to) = (text(case, "from"), text(case, "to"));
    let page = TimeRange::parse(from, to, now, &zone).unwrap();
    let now = TimeRange::is_relative(from, to).then_some(now);
    let (range, said) = page.of_panel(text(case, "length"), text(case, "shift"), now, &zone);
    let line = format!("{} {} {said}", iso(range.from), iso(range.to));
    line.trim_end().to_owned()
}
