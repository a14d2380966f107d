//! From a panel to its data: variables, queries, names, overrides, transformations.

mod alerts;

use std::sync::Arc;

use super::data::{Data, Field, Frame, Values, is_null};
use super::limits::{self, note};
use super::model::{Panel, Target};
use super::panel::PanelKind;
use super::scope::Scope;
use super::source::{Answered, QueryError, Source, Within};
use super::time::interval;
use super::variables::format::Place;
use super::variables::template;
use crate::error::{TargetError, TooLong};
use crate::{frames, names, overrides, support, transform};

/// By how much the points of a series become fewer when the answer is too large.
const COARSER: usize = 4;
/// With fewer points a graph says nothing.
const LEAST_POINTS: usize = 10;

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
///
/// What takes too long is left out, and a panic is one of the problems: neither may keep the others of a page from being shown.
pub fn evaluate(panel: &Panel, scope: &Scope, points: usize, source: &dyn Source) -> Data {
    limits::guarded(|| evaluate_unguarded(panel, scope, points, source)).unwrap_or_else(|problem| Data {
        range: scope.range,
        problems: vec![problem.to_string()],
        has_failed: true,
        ..Data::default()
    })
}

fn evaluate_unguarded(panel: &Panel, scope: &Scope, points: usize, source: &dyn Source) -> Data {
    let mut scope = scope.clone();
    scope.deadline = scope.deadline.within(limits::PANEL_TIME);
    let source = &Within {
        source,
        deadline: &scope.deadline.clone(),
    };
    let (from, shift) = (scope.text(&panel.time_from), scope.text(&panel.time_shift));
    let (range, own_range) = scope.range.of_panel(&from, &shift, scope.now, &scope.zone);
    scope.range = range;
    let mut data = Data {
        range,
        own_range: if panel.hide_time_override {
            String::new()
        } else {
            own_range
        },
        nothing: overrides::nothing(panel, &scope),
        ..Data::default()
    };
    for problem in support::of_panel(panel) {
        note(&mut data.problems, problem);
    }
    if let PanelKind::AlertList(options) = panel.kind() {
        alerts::list(options, &scope, source, &mut data);
        return data;
    }
    let mut room = Room::default();
    for target in panel.targets.iter().filter(|target| !target.hide) {
        if let Err(problem) = support::of_target(panel, target) {
            failed(&mut data, problem.to_string());
        } else if !target.expr.trim().is_empty() {
            ask(panel, target, &scope, points, source, &mut room, &mut data);
        }
    }
    if room.left_out > 0 {
        let problem = format!(
            "{} series are left out: a panel holds {} series and {} values",
            room.left_out,
            limits::SERIES,
            limits::VALUES
        );
        note(&mut data.problems, problem);
    }
    names::automatic(&mut data.frames, |query| {
        let mut targets = panel.targets.iter();
        targets.any(|target| target.ref_id == query && target.legend_format == "__auto")
    });
    frames::finish(panel, &mut data);
    transform::apply(&panel.transformations, &scope, &mut data);
    overrides::apply(panel, &mut data.frames, &scope, &mut data.problems);
    if let PanelKind::Table(table) = panel.kind() {
        transform::sort_table(table, &mut data.frames);
    }
    data
}

/// Points of a series for which there is room for `points`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn most_points(panel: &Panel, points: usize) -> usize {
    match panel.max_data_points {
        Some(most) if most >= 1.0 => points.min(most as usize),
        _ => points,
    }
}

fn steps_of(panel: &Panel, target: &Target, scope: &Scope, points: usize) -> Steps {
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

/// A query as Prometheus is asked it.
struct Expression {
    text: String,
    /// A variable of it that has no value. It is asked all the same, as by Grafana: `{job=~"$job"}` matches what has no such label.
    unset: Option<String>,
}

fn expression(target: &Target, scope: &Scope, steps: Steps) -> Result<Expression, TargetError<TooLong>> {
    let mut unset = None;
    let expanded = template::expand_whole(&target.expr, |reference| match reference.name {
        "__interval" => Some(interval::format(steps.step)),
        "__interval_ms" => Some(steps.step.to_string()),
        "__rate_interval" => Some(interval::format(steps.rate)),
        "__rate_interval_ms" => Some(steps.rate.to_string()),
        name => {
            let variable = scope.variables.get(name);
            if variable.is_some_and(|variable| variable.values().iter().all(String::is_empty)) {
                unset.get_or_insert_with(|| name.to_owned());
            }
            scope.value(reference, Place::Query)
        }
    });
    let text = expanded.map_err(|source| TargetError {
        query: target.ref_id.clone(),
        source,
    })?;
    Ok(Expression { text, unset })
}

/// What a panel still takes.
struct Room {
    series: usize,
    values: usize,
    left_out: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            series: limits::SERIES,
            values: limits::VALUES,
            left_out: 0,
        }
    }
}

impl Room {
    /// Whether there is room for one more series with so many values.
    const fn take(&mut self, values: usize) -> bool {
        if self.series == 0 || self.values < values {
            self.left_out += 1;
            return false;
        }
        self.series -= 1;
        self.values -= values;
        true
    }
}

fn ask(
    panel: &Panel,
    target: &Target,
    scope: &Scope,
    points: usize,
    source: &dyn Source,
    room: &mut Room,
    data: &mut Data,
) {
    let mut points = most_points(panel, points);
    let mut steps = steps_of(panel, target, scope, points);
    let mut series = Vec::new();
    let query = loop {
        let query = match expression(target, scope, steps) {
            Ok(query) => query,
            Err(problem) => return failed(data, problem.to_string()),
        };
        let is_range = target.range.unwrap_or(!target.instant) || !target.instant;
        if !is_range {
            break query;
        }
        let grid = scope.grid(steps.step);
        let answer = source.range(&query.text, grid);
        points /= COARSER;
        let coarser = steps_of(panel, target, scope, points);
        if matches!(answer, Err(QueryError::TooLarge(_))) && points >= LEAST_POINTS && coarser != steps {
            steps = coarser;
            continue;
        }
        let times = Arc::new(grid.times());
        for found in take(answer, &query, data) {
            if room.take(found.values.len()) {
                let interval = grid.step as f64 / 1000.0;
                let (times, values) = samples(&times, found.values);
                series.push((times, found.labels, values, interval));
            }
        }
        break query;
    };
    let legend = template::expand(&target.legend_format, |reference| scope.value(reference, Place::Plain));
    if target.instant {
        // A multiple of the interval of scrapes, as a range query ends at one: many viewers ask the same.
        let now = scope.grid(scope.min_step);
        let at = now.start + now.step * i64::try_from(now.len - 1).unwrap_or_default();
        let times = Arc::new(vec![now.at(now.len - 1)]);
        for (labels, value) in take(source.instant(&query.text, at), &query, data) {
            if room.take(1) {
                series.push((Arc::clone(&times), labels, Arc::new(vec![value]), 0.0));
            }
        }
    }
    let named = series.into_iter().map(|(times, labels, values, interval)| {
        let name = names::of_series(&legend, &labels, &query.text);
        let value = Field {
            legend: Some(name.clone()),
            ..Field::new(labels.get("__name__").unwrap_or("Value"), Values::Numbers(values))
        };
        Frame {
            name,
            ref_id: target.ref_id.clone(),
            fields: vec![Field::new("Time", Values::Times(times)), Field { labels, ..value }],
            interval,
        }
    });
    data.frames.extend(named);
}

/// Says why a query brings nothing.
fn failed(data: &mut Data, problem: String) {
    data.has_failed = true;
    note(&mut data.problems, problem);
}

/// What the answer to `query` holds. What the person must know of it goes to the problems, as does an error.
fn take<T: Clone>(answer: Answered<T>, query: &Expression, data: &mut Data) -> Vec<T> {
    data.has_failed |= answer.is_err();
    let (items, notes) = match (answer.map(Arc::unwrap_or_clone), &query.unset) {
        (Ok(answer), _) => (answer.items, answer.notes),
        // What is wrong with it is that the value is missing, as on a device whose history begins.
        (Err(QueryError::Refused(_)), Some(name)) => (
            Vec::new(),
            vec![format!(
                "the variable {name} has no value, and there is no query without it"
            )],
        ),
        (Err(error), _) => (Vec::new(), vec![error.to_string()]),
    };
    for problem in notes {
        note(&mut data.problems, problem);
    }
    items
}

/// The points of a series that there are, as Grafana holds them: times and values. Those of a series without gaps are shared.
fn samples(times: &Arc<Vec<f64>>, values: Arc<Vec<f64>>) -> (Arc<Vec<f64>>, Arc<Vec<f64>>) {
    if !values.iter().any(|value| is_null(*value)) {
        return (Arc::clone(times), values);
    }
    let there = times.iter().zip(&*values).filter(|(_, value)| !is_null(**value));
    let (times, values): (Vec<f64>, Vec<f64>) = there.map(|(time, value)| (*time, *value)).unzip();
    (times.into(), values.into())
}

#[cfg(test)]
mod tests;
