//! A stand-in for Prometheus that has series for whatever it is asked: it reads of a query which labels an answer bears, and invents
//! the rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::common::upstream::{Reply, Upstream};

/// Series of an answer.
const SERIES: usize = 3;
/// Buckets of a histogram.
const BUCKETS: [&str; 5] = ["0.1", "1", "10", "100", "+Inf"];
/// Points of a series at most, so that answers stay small.
const POINTS: f64 = 1500.0;
/// What takes labels away, but for those that it names.
const AGGREGATORS: [&str; 12] = [
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "stddev",
    "stdvar",
    "group",
    "quantile",
    "count_values",
    "absent",
    "scalar",
];

/// The labels that a dashboard names beside its queries, by the metric of the query.
pub type Labels = BTreeMap<String, BTreeSet<String>>;

/// One that answers every query. Series that are not aggregated also bear the labels that legends, fields and transformations name.
pub fn prometheus(legends: Labels) -> Upstream {
    Upstream::start(move |target| {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // The type of a result comes before it, which an object that is sorted has not.
        let data = match answer(path, query, &legends) {
            Data::Of(kind, result) => format!("{{\"resultType\":\"{kind}\",\"result\":{}}}", json!(result)),
            Data::Plain(data) => data.to_string(),
        };
        Reply::Json(200, format!("{{\"status\":\"success\",\"data\":{data}}}"))
    })
}

/// What an answer holds.
enum Data {
    /// The result of a query, of that type.
    Of(&'static str, Vec<Value>),
    /// Names and the like.
    Plain(Value),
}

fn answer(path: &str, query: &str, legends: &Labels) -> Data {
    if path.ends_with("/query_range") {
        let number = |name: &str| after(query, name).trim_end_matches('s').parse::<f64>().unwrap_or(0.0);
        let (start, end, step) = (number("start"), number("end"), number("step").max(0.001));
        let count = ((end - start) / step + 1e-9).clamp(0.0, POINTS) as usize;
        let series = series(expression(query), legends)
            .into_iter()
            .enumerate()
            .map(|(index, labels)| {
                let values: Vec<Value> = (0..=count)
                    .map(|point| json!([start + point as f64 * step, value(index, point)]))
                    .collect();
                json!({"metric": labels, "values": values})
            });
        return Data::Of("matrix", series.collect());
    }
    if path.ends_with("/query") {
        let series = series(expression(query), legends).into_iter().enumerate();
        let series = series.map(|(index, labels)| json!({"metric": labels, "value": [1.8e9, value(index, 7)]}));
        return Data::Of("vector", series.collect());
    }
    if let Some((_, label)) = path.strip_suffix("/values").and_then(|path| path.rsplit_once('/')) {
        return Data::Plain(json!([format!("{label}_a"), format!("{label}_b")]));
    }
    if path.ends_with("/series") {
        let selector = after(query, "match[]");
        return Data::Plain(json!(series(selector, legends)));
    }
    if path.ends_with("/targets") {
        return Data::Plain(
            json!({"activeTargets": [{"labels": {"job": "a"}, "health": "up", "lastError": "", "scrapeInterval": "15s"}], "droppedTargets": []}),
        );
    }
    Data::Plain(json!([]))
}

/// A parameter that is a number or the last one.
fn after<'q>(query: &'q str, name: &str) -> &'q str {
    let marked = format!("{name}=");
    let begin = query
        .rfind(&format!("&{marked}"))
        .map(|at| at + 1)
        .or_else(|| query.starts_with(&marked).then_some(0));
    let rest = begin.and_then(|at| query.get(at + marked.len()..)).unwrap_or_default();
    match name {
        "match[]" => rest.rsplit_once("&start=").map_or(rest, |(selector, _)| selector),
        _ => rest.split('&').next().unwrap_or_default(),
    }
}

/// The PromQL of a request, which may hold an ampersand.
fn expression(query: &str) -> &str {
    let rest = query.split_once("query=").map_or("", |(_, rest)| rest);
    let end = ["&start=", "&time=", "&timeout=", "&end=", "&step=", "&limit="]
        .iter()
        .filter_map(|next| rest.rfind(next))
        .min();
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// The label sets that a query brings.
fn series(query: &str, legends: &Labels) -> Vec<Value> {
    let words = words(query);
    let is_aggregated = words
        .iter()
        .any(|(word, next)| AGGREGATORS.contains(&word.as_str()) && (*next == '(' || *next == 'b'));
    let mut labels = grouped(query);
    if !is_aggregated {
        labels.extend(matched(query));
        // The names of functions are no metrics.
        let metrics = words.iter().filter(|(_, next)| *next != '(');
        let named = metrics.filter_map(|(word, _)| legends.get(word));
        labels.extend(named.flatten().cloned());
        labels.extend(["instance".to_owned(), "job".to_owned()]);
    }
    let buckets = labels.remove("le") || query.contains("_bucket");
    let is_quantile = query.contains("histogram_quantile");
    let name = words
        .iter()
        .find(|(word, next)| *next != '(' && word.contains('_') && !word.starts_with("__"))
        .map(|(word, _)| word.clone());
    let has_name = !is_aggregated && !words.iter().any(|(_, next)| *next == '(');
    let count = if labels.is_empty() { 1 } else { SERIES };
    let mut sets = Vec::new();
    for index in 0..count {
        let mut set = serde_json::Map::new();
        for label in &labels {
            set.insert(label.clone(), json!(format!("{label}_{}", ['a', 'b', 'c'][index % 3])));
        }
        if let Some(name) = name.as_ref().filter(|_| has_name) {
            set.insert("__name__".to_owned(), json!(name));
        }
        if buckets && !is_quantile {
            for le in BUCKETS {
                set.insert("le".to_owned(), json!(le));
                sets.push(Value::Object(set.clone()));
            }
        } else {
            sets.push(Value::Object(set));
        }
    }
    sets
}

/// Deterministic, above 0, and of another size for each series.
fn value(series: usize, point: usize) -> String {
    let wave = (point as f64 / 9.0 + series as f64).sin();
    format!("{:.3}", 20.0 * (series + 1) as f64 + 8.0 * wave)
}

/// The words of a query outside of braces and quotes, each with the sign behind it (`b` before `by`).
pub fn words(query: &str) -> Vec<(String, char)> {
    let mut found = Vec::new();
    let (mut depth, mut quote, mut word) = (0_usize, None, String::new());
    let letters: Vec<char> = query.chars().chain([' ']).collect();
    for (at, letter) in letters.iter().copied().enumerate() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, letter) if depth == 0 && (letter.is_ascii_alphanumeric() || letter == '_' || letter == ':') => {
                word.push(letter);
                continue;
            }
            (None, _) => {}
        }
        if !word.is_empty() {
            let rest: String = letters.get(at..).unwrap_or_default().iter().collect();
            let rest = rest.trim_start();
            let next = if rest.starts_with("by") || rest.starts_with("without") {
                'b'
            } else {
                rest.chars().next().unwrap_or(' ')
            };
            found.push((std::mem::take(&mut word), next));
        }
    }
    found
}

/// The labels of every `by (…)`.
fn grouped(query: &str) -> BTreeSet<String> {
    let lowered = query.to_lowercase();
    let mut labels = BTreeSet::new();
    for (at, _) in lowered.match_indices("by") {
        let is_word =
            at == 0 || !lowered.as_bytes()[at - 1].is_ascii_alphanumeric() && lowered.as_bytes()[at - 1] != b'_';
        let rest = query.get(at + 2..).unwrap_or_default().trim_start();
        if let Some(list) = rest
            .strip_prefix('(')
            .filter(|_| is_word)
            .and_then(|rest| rest.split(')').next())
        {
            labels.extend(
                list.split(',')
                    .map(|label| label.trim().to_owned())
                    .filter(|label| !label.is_empty() && !label.contains('$')),
            );
        }
    }
    labels
}

/// The labels of every selector.
fn matched(query: &str) -> BTreeSet<String> {
    let inside = query.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let names = inside.flat_map(|inside| inside.split(',')).filter_map(|part| {
        let name = part.split(['=', '!']).next()?.trim();
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && part.contains('"');
        is_name.then(|| name.to_owned())
    });
    names.filter(|name| name != "__name__").collect()
}

#[test]
fn an_answer_bears_the_labels_that_its_query_leaves() {
    let legends = Labels::from([("x_total".to_owned(), BTreeSet::from(["device".to_owned()]))]);
    let labels = |query: &str| {
        series(query, &legends)[0]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(labels("sum by (host, job) (rate(x_total{a=\"b\"}[5m]))"), "host job");
    assert_eq!(labels("sum(x_total)"), "");
    assert_eq!(labels("x_total{mode=~\"a,b\"}"), "__name__ device instance job mode");
    assert_eq!(
        labels("histogram_quantile(0.9, sum(rate(x_bucket[5m])) by (le, path))"),
        "path"
    );
    assert_eq!(series("sum(rate(x_bucket[5m])) by (le)", &legends).len(), BUCKETS.len());
    assert_eq!(expression("query=a{b=\"&\"}&start=1&end=2&step=3"), "a{b=\"&\"}");
}
