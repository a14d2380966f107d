//! Query variables: `label_values(…)`, `query_result(…)`, `metrics(…)`, `label_names()`, or a selector of series.

use crate::dashboards::model::Variable;
use crate::dashboards::names;
use crate::dashboards::pattern::Pattern;
use crate::dashboards::source::{QueryError, Source};
use crate::dashboards::time::TimeRange;

/// The options that `query` brings: filtered and named by the variable's regular expression, each once, sorted.
pub fn options(
    variable: &Variable,
    query: &str,
    range: TimeRange,
    source: &dyn Source,
) -> Result<Vec<(String, String)>, String> {
    let texts = ask(query.trim(), range, source)?;
    let mut options: Vec<(String, String)> = Vec::new();
    let pattern = match variable.regex.as_str() {
        "" => None,
        // Without slashes it may match anywhere here, other than elsewhere in Grafana.
        regex if !regex.starts_with('/') => Some(Pattern::new(&format!("/{regex}/"))?),
        regex => Some(Pattern::new(regex)?),
    };
    for text in texts {
        let Some(option) = pattern
            .as_ref()
            .map_or_else(|| Some((text.clone(), text.clone())), |pattern| cut(pattern, &text))
        else {
            continue;
        };
        if !options.iter().any(|(_, value)| *value == option.1) {
            options.push(option);
        }
    }
    sort(&mut options, variable.sort);
    Ok(options)
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

#[expect(clippy::cast_possible_truncation, reason = "times come from milliseconds in an i64")]
fn ask(query: &str, range: TimeRange, source: &dyn Source) -> Result<Vec<String>, String> {
    let (from, to) = ((range.from * 1000.0) as i64, (range.to * 1000.0) as i64);
    let explain = |error: QueryError| error.to_string();
    if let Some(inside) = call(query, "label_values") {
        let (selector, label) = inside.rsplit_once(',').unwrap_or(("", inside));
        let selector = selector.trim();
        let selector = if selector.replace(' ', "") == "{}" {
            ""
        } else {
            selector
        };
        return source.label_values(label.trim(), selector, from, to).map_err(explain);
    }
    if let Some(inside) = call(query, "metrics") {
        let pattern = Pattern::new(&format!("/{inside}/"))?;
        let names = source.label_values("__name__", "", from, to).map_err(explain)?;
        return Ok(names.into_iter().filter(|name| pattern.is_match(name)).collect());
    }
    if let Some(inside) = call(query, "label_names") {
        let selector = format!("{{__name__=~\".*{inside}.*\"}}");
        let series = source.series(&selector, from, to).map_err(explain)?;
        let names: std::collections::BTreeSet<String> = series
            .into_iter()
            .flat_map(std::collections::BTreeMap::into_keys)
            .collect();
        return Ok(names.into_iter().collect());
    }
    if let Some(inside) = call(query, "query_result") {
        let found = source.instant(inside, to).map_err(explain)?;
        let text = |(labels, value)| format!("{} {value} {to}", full_name(&labels));
        return Ok(found.into_iter().map(text).collect());
    }
    if query.is_empty() {
        return Err("it has no query".to_owned());
    }
    let series = source.series(query, from, to).map_err(explain)?;
    Ok(series.iter().map(full_name).collect())
}

/// `name{a="b",c="d"}`, as Grafana writes the series that variables are cut out of: without spaces.
fn full_name(labels: &crate::client::prometheus::Labels) -> String {
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
    if order % 2 == 0 {
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
