//! Query variables: `label_values(…)`, `query_result(…)`, `metrics(…)`, `label_names()`, or a selector of series.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::collation;
use crate::error::VariableError;
use crate::model::Variable;
use crate::names;
use crate::pattern::Pattern;
use crate::source::{Answer, Source};
use crate::time::TimeRange;
use edgewatch_prometheus_client::labels::Labels;

/// What can be chosen, text and value of each, and what the person must know of it.
#[derive(Debug, Default)]
pub struct Found {
    /// Text and value.
    pub options: Vec<(String, String)>,
    /// What is missing.
    pub problem: Option<String>,
}

impl From<Vec<(String, String)>> for Found {
    fn from(options: Vec<(String, String)>) -> Self {
        Self { options, problem: None }
    }
}

/// The options that `query` brings: filtered and named by the variable's regular expression, each once, sorted.
pub fn options(
    variable: &Variable,
    query: &str,
    range: TimeRange,
    source: &dyn Source,
) -> Result<Found, VariableError> {
    let answer = ask(query.trim(), range, source)?;
    let pattern = match variable.regex.as_str() {
        "" => None,
        regex => Some(Pattern::new(regex)?),
    };
    let mut options: Vec<(String, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    for text in answer.items {
        let found = match &pattern {
            Some(pattern) => cut(pattern, &text),
            None => vec![(text.clone(), text)],
        };
        options.extend(found.into_iter().filter(|(_, value)| seen.insert(value.clone())));
    }
    sort(&mut options, variable.sort);
    Ok(Found {
        options,
        problem: (!answer.notes.is_empty()).then(|| answer.notes.join("; ")),
    })
}

/// Text and value of the options that an expression cuts out of a text: the groups `text` and `value`, of whichever match, else the
/// first group of each match, else the whole text.
fn cut(pattern: &Pattern, option: &str) -> Vec<(String, String)> {
    let matches = pattern.each(option);
    let Some(first) = matches.first() else {
        return Vec::new();
    };
    let named = |name: &str| {
        let groups = matches.iter().filter_map(|found| found.name(name));
        let mut texts = groups.map(|group| group.as_str()).filter(|text| !text.is_empty());
        texts.next().map(str::to_owned)
    };
    match (named("text"), named("value")) {
        (Some(text), Some(value)) => return vec![(text, value)],
        (Some(only), None) | (None, Some(only)) => return vec![(only.clone(), only)],
        (None, None) if first.len() == 1 => return vec![(option.to_owned(), option.to_owned())],
        (None, None) => {}
    }
    let groups = matches.iter().filter_map(|found| found.get(1));
    let texts = groups.map(|group| group.as_str().to_owned());
    texts.map(|text| (text.clone(), text)).collect()
}

fn ask(query: &str, range: TimeRange, source: &dyn Source) -> Result<Answer<String>, VariableError> {
    let (from, to) = range.snapped();
    if let Some(inside) = call(query, "label_values") {
        let (selector, label) = inside.rsplit_once(',').unwrap_or(("", inside));
        let selector = selector.trim();
        let is_all = selector.replace(' ', "") == "{}";
        let selector = if is_all { "" } else { selector };
        let found = source.label_values(label.trim(), selector, from, to)?;
        return Ok(Arc::unwrap_or_clone(found));
    }
    if let Some(inside) = call(query, "metrics") {
        let pattern = Pattern::new(&format!("/{inside}/"))?;
        let mut found = Arc::unwrap_or_clone(source.label_values("__name__", "", from, to)?);
        found.items.retain(|name| pattern.is_match(name));
        return Ok(found);
    }
    if let Some(inside) = call(query, "label_names") {
        let selector = format!("{{__name__=~\".*{inside}.*\"}}");
        let found = source.series(&selector, from, to)?;
        let names: BTreeSet<&str> = found.items.iter().flat_map(Labels::names).collect();
        return Ok(Answer {
            items: names.into_iter().map(str::to_owned).collect(),
            notes: found.notes.clone(),
        });
    }
    if let Some(inside) = call(query, "query_result") {
        let found = source.instant(inside, to)?;
        let text = |(labels, value): &(Labels, f64)| format!("{} {value} {to}", full_name(labels));
        return Ok(Answer {
            items: found.items.iter().map(text).collect(),
            notes: found.notes.clone(),
        });
    }
    if query.is_empty() {
        return Err(VariableError::NoQuery);
    }
    let found = source.series(query, from, to)?;
    Ok(Answer {
        items: found.items.iter().map(full_name).collect(),
        notes: found.notes.clone(),
    })
}

/// `name{a="b",c="d"}`, as Grafana writes the series that variables are cut out of: without spaces.
fn full_name(labels: &Labels) -> String {
    let name = names::of_labels(labels).replace("\", ", "\",");
    if name.contains('{') {
        name
    } else {
        format!("{name}{{}}")
    }
}

/// What is between the parentheses of `name(…)`.
fn call<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    let inside = query.strip_prefix(name)?.trim_start().strip_prefix('(')?;
    inside.trim_end().strip_suffix(')').map(str::trim)
}

/// Sorts as the dashboard says: 0 not, 1 and 2 by name, 3 and 4 by the first number, 5 and 6 without case, 7 and 8 naturally; even
/// ones descend.
fn sort(options: &mut [(String, String)], order: u8) {
    match order {
        1 | 2 => options.sort_by(|a, b| a.0.cmp(&b.0)),
        3 | 4 => options.sort_by_key(|option| number(&option.0)),
        5 | 6 => options.sort_by_key(|option| option.0.to_lowercase()),
        7 | 8 => options.sort_by(|a, b| {
            let plain = |option: &(String, String)| option.0.to_lowercase();
            collation::compare_naturally(&a.0, &b.0).then_with(|| plain(a).cmp(&plain(b)))
        }),
        _ => return,
    }
    if order.is_multiple_of(2) {
        options.reverse();
    }
}

/// The first whole number in a text; -1 if there is none, so that it comes first.
fn number(text: &str) -> i128 {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(-1)
}
