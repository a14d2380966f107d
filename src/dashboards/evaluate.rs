//! From a panel to its data: variables, queries, names, overrides, transformations.

use std::sync::Arc;

use super::data::{Data, Field, Frame, Values};
use super::model::{Panel, Target};
use super::source::{Answered, Source};
use super::time::{Grid, TimeRange, Zone, interval};
use super::variables::Variables;
use super::variables::format::Place;
use super::variables::template::{self, Reference};
use super::{frames, names, overrides, support, transform};
use crate::client::prometheus::Labels;

/// What a dashboard is looked at with.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The range of the page.
    pub range: TimeRange,
    /// What is chosen.
    pub variables: Variables,
    /// The least step in milliseconds: the interval at which Prometheus scrapes.
    pub min_step: i64,
    /// For dates.
    pub zone: Zone,
    /// The title of the dashboard, for `$__dashboard`.
    pub dashboard: String,
}

impl Scope {
    /// `text` with its variables: for titles and texts.
    pub fn text(&self, text: &str) -> String {
        template::expand(text, |reference| self.value(reference, Place::Text))
    }

    /// What a variable stands for, Grafana's own among them, except for those that need a step.
    pub fn value(&self, reference: Reference<'_>, place: Place) -> Option<String> {
        let millis = |seconds: f64| format!("{:.0}", seconds * 1000.0);
        let length = self.range.millis();
        match (reference.name, reference.path) {
            ("__from", "") => Some(millis(self.range.from)),
            ("__to", "") => Some(millis(self.range.to)),
            ("__range", "") => Some(format!("{}s", (length + 500) / 1000)),
            ("__range_s", "") => Some(((length + 500) / 1000).to_string()),
            ("__range_ms", "") => Some(length.to_string()),
            ("__dashboard", _) => Some(self.dashboard.clone()),
            ("__timezone", "") => Some(self.zone.iana_name().unwrap_or("utc").to_owned()),
            ("timeFilter" | "__timeFilter", _) => None,
            _ => self.variables.value(reference, place),
        }
    }
}

/// The steps of a query in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Steps {
    /// Between two points.
    step: i64,
    /// Over which rates are taken.
    rate: i64,
}

/// The data of `panel`, with at most `points` points a series. Failures of single queries lie in [`Data::problems`], beside what
/// the others brought.
pub fn evaluate(panel: &Panel, scope: &Scope, points: usize, source: &dyn Source) -> Data {
    let mut scope = scope.clone();
    scope.range = scope
        .range
        .of_panel(&scope.text(&panel.time_from), &scope.text(&panel.time_shift));
    let mut data = Data {
        range: scope.range,
        problems: support::of_panel(panel),
        ..Data::default()
    };
    for target in panel.targets.iter().filter(|target| !target.hide) {
        if let Err(problem) = support::of_target(panel, target) {
            data.problems.push(problem);
        } else if !target.expr.trim().is_empty() {
            ask(panel, target, &scope, points, source, &mut data);
        }
    }
    frames::finish(panel, &mut data);
    names::automatic(&mut data.frames);
    transform::apply(&panel.transformations, &scope, &mut data);
    overrides::apply(panel, &mut data.frames, &scope, &mut data.problems);
    if panel.kind == "table" {
        transform::sort_table(&panel.options, &mut data.frames);
    }
    data
}

fn steps(panel: &Panel, target: &Target, scope: &Scope, points: usize) -> Steps {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let points = match panel.max_data_points {
        Some(most) if most >= 1.0 => points.min(most as usize),
        _ => points,
    };
    let length = scope.range.millis();
    let least = |text: &str| interval::parse(&scope.text(text));
    let of_panel = least(&panel.interval).unwrap_or(scope.min_step);
    let coarse = interval::step(length, points, of_panel);
    let scrape = least(&target.interval).unwrap_or(scope.min_step);
    let fine = coarse.max(scrape);
    match target.interval.as_str() {
        "$__rate_interval" | "${__rate_interval}" => {
            let rate = interval::rate(coarse, scope.min_step);
            Steps { step: rate, rate }
        }
        _ => {
            #[expect(clippy::cast_possible_truncation, reason = "a small factor")]
            let factor = target
                .interval_factor
                .map_or(1, |factor| factor.clamp(1.0, 1000.0) as i64);
            Steps {
                step: fine * factor,
                rate: interval::rate(coarse, scrape),
            }
        }
    }
}

fn expression(target: &Target, scope: &Scope, steps: Steps) -> String {
    template::expand(&target.expr, |reference| match reference.name {
        "__interval" => Some(interval::format(steps.step)),
        "__interval_ms" => Some(steps.step.to_string()),
        "__rate_interval" => Some(interval::format(steps.rate)),
        "__rate_interval_ms" => Some(steps.rate.to_string()),
        _ => scope.value(reference, Place::Query),
    })
}

fn ask(panel: &Panel, target: &Target, scope: &Scope, points: usize, source: &dyn Source, data: &mut Data) {
    let steps = steps(panel, target, scope, points);
    let query = expression(target, scope, steps);
    let legend = template::expand(&target.legend_format, |reference| scope.value(reference, Place::Text));
    let is_range = target.range.unwrap_or(!target.instant) || !target.instant;
    let mut series = Vec::new();
    if is_range {
        let grid = Grid::new(scope.range, steps.step);
        let times = grid.times();
        for (labels, values) in take(source.range(&query, grid), &mut data.problems, |series| {
            (series.labels, series.values)
        }) {
            series.push((times.clone(), labels, values));
        }
    }
    if target.instant {
        // A multiple of the interval of scrapes, as a range query ends at one: many viewers ask the same.
        let now = Grid::new(scope.range, scope.min_step);
        let at = now.start + now.step * i64::try_from(now.len - 1).unwrap_or_default();
        for (labels, value) in take(source.instant(&query, at), &mut data.problems, |found| found) {
            series.push((vec![now.at(now.len - 1)], labels, vec![value]));
        }
    }
    let named = series.into_iter().map(|(times, labels, values)| {
        let name = names::of_series(&legend, &labels, &query);
        frame(target, name, times, labels, values)
    });
    data.frames.extend(named);
}

/// What an answer holds. What the person must know of it goes to `problems`, as does an error.
fn take<T: Clone, U>(answer: Answered<T>, problems: &mut Vec<String>, part: impl Fn(T) -> U) -> Vec<U> {
    let (items, notes) = match answer.map(Arc::try_unwrap) {
        Ok(Ok(own)) => (own.items, own.notes),
        Ok(Err(shared)) => (shared.items.clone(), shared.notes.clone()),
        Err(error) => (Vec::new(), vec![error.to_string()]),
    };
    for note in notes {
        if !problems.contains(&note) {
            problems.push(note);
        }
    }
    items.into_iter().map(part).collect()
}

fn frame(target: &Target, name: String, times: Vec<f64>, labels: Labels, values: Vec<f64>) -> Frame {
    let value = Field {
        source: labels.get("__name__").cloned().unwrap_or_else(|| "Value".to_owned()),
        labels,
        ..Field::new(name.clone(), Values::Numbers(values))
    };
    Frame {
        name,
        ref_id: target.ref_id.clone(),
        fields: vec![Field::new("Time", Values::Times(times)), value],
    }
}
