//! Query variables: `label_values(…)`, `query_result(…)`, `metrics(…)`, `label_names()`, or a selector of series.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::options::Found;
use crate::model::Variable;
use crate::names;
use crate::pattern::Pattern;
use crate::source::{Answer, QueryError, Source};
use crate::time::TimeRange;
use edgewatch_prometheus_client::labels::Labels;

/// The options that `query` brings: filtered and named by the variable's regular expression, each once, sorted.
pub fn options(variable: &Variable, query: &str, range: TimeRange, source: &dyn Source) -> Result<Found, String> {
    let answer = ask(query.trim(), range, source)?;
    let pattern = match variable.regex.as_str() {
        "" => None,
        // Without slashes it may match anywhere here, other than elsewhere in Grafana.
        regex if !regex.starts_with('/') => Some(Pattern::new(&format!("/{regex}/"))?),
        regex => Some(Pattern::new(regex)?),
    };
    let mut options: Vec<(String, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    for text in answer.items {
        let option = match &pattern {
            Some(pattern) => cut(pattern, &text),
            None => Some((text.clone(), text)),
        };
        options.extend(option.filter(|(_, value)| seen.insert(value.clone())));
    }
    sort(&mut options, variable.sort);
    Ok(Found {
        options,
        problem: (!answer.notes.is_empty()).then(|| answer.notes.join("; ")),
    })
}

/// Text and value of an option: the groups `text` and `value`, else the first group, else the whole. `None`: it does not match.
fn cut(pattern: &Pattern, option: &str) -> Option<(String, String)> {
    let found = pattern.captures(option)?;
    let group = |name| found.name(name).map(|group| group.as_str().to_owned());
    let first = || {
        let groups = found.iter().skip(1).flatten().next();
        groups.map(|group| group.as_str().to_owned())
    };
    match (group("text"), group("value")) {
        (Some(text), Some(value)) => Some((text, value)),
        (Some(only), None) | (None, Some(only)) => Some((only.clone(), only)),
        (None, None) if found.len() == 1 => Some((option.to_owned(), option.to_owned())),
        (None, None) => first().map(|text| (text.clone(), text)),
    }
}

fn ask(query: &str, range: TimeRange, source: &dyn Source) -> Result<Answer<String>, String> {
    let (from, to) = range.snapped();
    let explain = |error: QueryError| error.to_string();
    if let Some(inside) = call(query, "label_values") {
        let (selector, label) = inside.rsplit_once(',').unwrap_or(("", inside));
        let selector = selector.trim();
        let is_all = selector.replace(' ', "") == "{}";
        let selector = if is_all { "" } else { selector };
        let found = source.label_values(label.trim(), selector, from, to).map_err(explain)?;
        return Ok(Arc::unwrap_or_clone(found));
    }
    if let Some(inside) = call(query, "metrics") {
        let pattern = Pattern::new(&format!("/{inside}/"))?;
        let mut found = Arc::unwrap_or_clone(source.label_values("__name__", "", from, to).map_err(explain)?);
        found.items.retain(|name| pattern.is_match(name));
        return Ok(found);
    }
    if let Some(inside) = call(query, "label_names") {
        let selector = format!("{{__name__=~\".*{inside}.*\"}}");
        let found = source.series(&selector, from, to).map_err(explain)?;
        let names: BTreeSet<&str> = found.items.iter().flat_map(Labels::names).collect();
        return Ok(Answer {
            items: names.into_iter().map(str::to_owned).collect(),
            notes: found.notes.clone(),
        });
    }
    if let Some(inside) = call(query, "query_result") {
        let found = source.instant(inside, to).map_err(explain)?;
        let text = |(labels, value): &(Labels, f64)| format!("{} {value} {to}", full_name(labels));
        return Ok(Answer {
            items: found.items.iter().map(text).collect(),
            notes: found.notes.clone(),
        });
    }
    if query.is_empty() {
        return Err("it has no query".to_owned());
    }
    let found = source.series(query, from, to).map_err(explain)?;
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
        3 | 4 => options.sort_by(|a, b| number(&a.0).total_cmp(&number(&b.0))),
        5 | 6 => options.sort_by_key(|option| option.0.to_lowercase()),
        7 | 8 => options.sort_by(|a, b| number(&a.0).total_cmp(&number(&b.0)).then_with(|| a.0.cmp(&b.0))),
        _ => return,
    }
    if order.is_multiple_of(2) {
        options.reverse();
    }
}

/// The first number in a text; -1 if there is none, so that it comes first.
fn number(text: &str) -> f64 {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(-1.0)
}
