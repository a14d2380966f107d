//! Which fields an override is for.

use serde_json::Value;

use crate::data::{Field, Frame, Values};
use crate::limits::{self, note};
use crate::model::{FieldConfig, Matcher, Property};
use crate::pattern::Pattern;
use crate::reduce;

/// Which fields an override is for.
pub enum Match {
    Name(String),
    Names(Vec<String>, bool),
    Pattern(Pattern),
    Kind(String),
    Query(String),
    Value { calc: String, op: String, value: f64 },
}

/// The overrides of `config`, without those that are not supported.
pub fn matchers<'c>(config: &'c FieldConfig, problems: &mut Vec<String>) -> Vec<(Match, &'c [Property])> {
    let mut found = Vec::new();
    for change in &config.overrides {
        match matcher(&change.matcher) {
            Ok(matcher) => found.push((matcher, change.properties.as_slice())),
            Err(problem) => note(problems, format!("an override is left out: {problem}")),
        }
    }
    found
}

fn matcher(matcher: &Matcher) -> Result<Match, String> {
    let options = &matcher.options;
    let text = || options.as_str().unwrap_or_default().to_owned();
    match matcher.id.as_str() {
        "byName" => Ok(Match::Name(text())),
        "byRegexp" => Pattern::new(options.as_str().unwrap_or_default()).map(Match::Pattern),
        "byNames" => {
            let names = options.get("names").and_then(Value::as_array).into_iter().flatten();
            let names = names.filter_map(Value::as_str).map(str::to_owned).collect();
            let excludes = options.get("mode").and_then(Value::as_str) == Some("exclude");
            Ok(Match::Names(names, excludes))
        }
        "byType" => Ok(Match::Kind(text())),
        "numeric" => Ok(Match::Kind("number".to_owned())),
        "time" => Ok(Match::Kind("time".to_owned())),
        "byFrameRefID" => Ok(Match::Query(text())),
        "byValue" => {
            let field = |name| options.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(Match::Value {
                calc: field("reducer"),
                op: field("op"),
                value: options.get("value").and_then(Value::as_f64).unwrap_or_default(),
            })
        }
        other => Err(format!("fields cannot be chosen by {other:?}")),
    }
}

/// Whether a field, which the query `query` brought, is one of those.
pub fn is_match(matcher: &Match, field: &Field, query: &str) -> bool {
    let is_named = |name: &String| *name == field.name || *name == field.source;
    match matcher {
        Match::Name(name) => is_named(name),
        Match::Names(names, excludes) => names.iter().any(is_named) != *excludes,
        Match::Pattern(pattern) => pattern.is_match(&field.name),
        Match::Kind(kind) => *kind == kind_of(&field.values),
        Match::Query(id) => id == query,
        Match::Value { calc, op, value } => match &field.values {
            Values::Numbers(numbers) => compare(reduce::reduce(calc, numbers), op, *value),
            Values::Times(_) | Values::Texts(_) => false,
        },
    }
}

fn kind_of(values: &Values) -> &'static str {
    match values {
        Values::Times(_) => "time",
        Values::Numbers(_) => "number",
        Values::Texts(_) => "string",
    }
}

fn compare(left: f64, op: &str, right: f64) -> bool {
    match op {
        "gt" | ">" => left > right,
        "gte" | ">=" => left >= right,
        "lt" | "<" => left < right,
        "lte" | "<=" => left <= right,
        "eq" | "=" | "==" => left == right,
        "neq" | "!=" => left != right,
        _ => false,
    }
}

/// Leaves out the overrides by regular expression if to try them all on every name would take too long.
pub fn bound_matchers(matchers: &mut Vec<(Match, &[Property])>, frames: &[Frame], problems: &mut Vec<String>) {
    let is_pattern = |(matcher, _): &(Match, &[Property])| matches!(matcher, Match::Pattern(_));
    let patterns = matchers.iter().filter(|matcher| is_pattern(matcher)).count();
    let fields = frames.iter().flat_map(|frame| &frame.fields);
    let names: usize = fields.map(|field| field.name.len()).sum();
    if patterns.saturating_mul(names) > limits::MATCHING {
        matchers.retain(|matcher| !is_pattern(matcher));
        note(
            problems,
            format!("{patterns} overrides by regular expression are left out: there are too many names to try them on"),
        );
    }
}
