//! Which fields an override is for.

use serde_json::Value;

use crate::data::{Cell, Field, Frame, Values};
use crate::error::{TransformError, UnsupportedError};
use crate::limits::{self, note};
use crate::model::{FieldConfig, Matcher, Property};
use crate::pattern::Pattern;
use crate::{reduce, units};

/// Which fields an override, or a transformation, is for.
pub enum Match {
    Name(String),
    Names(Vec<String>, bool),
    Pattern(Pattern),
    PatternOrNames(Pattern, Vec<String>),
    Kind(String),
    Query(String),
    Value {
        calc: String,
        op: String,
        value: Value,
    },
    /// As Grafana takes options that it does not understand.
    Nothing,
}

/// The overrides of `config`, without those that are not supported.
pub fn matchers<'c>(config: &'c FieldConfig, problems: &mut Vec<String>) -> Vec<(Match, &'c [Property])> {
    let mut found = Vec::new();
    // What is for annotations or for tables within tables is for nothing that is drawn here.
    let is_for_series = |matcher: &Matcher| matches!(matcher.scope.as_str(), "" | "series");
    for change in config.overrides.iter().filter(|change| is_for_series(&change.matcher)) {
        match matcher(&change.matcher) {
            Ok(matcher) => found.push((matcher, change.properties.as_slice())),
            Err(problem) => note(problems, format!("an override is left out: {problem}")),
        }
    }
    found
}

/// What a matcher of the dashboard means.
///
/// # Errors
/// It is not supported, or its expression is none.
pub fn matcher(matcher: &Matcher) -> Result<Match, TransformError> {
    let options = &matcher.options;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names = || {
        let names = options.get("names").and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let pattern = |value: Option<&Value>| match value.and_then(Value::as_str) {
        None | Some("") => Ok(Match::Nothing),
        Some(text) => Ok(Match::Pattern(Pattern::new(text)?)),
    };
    match matcher.id.as_str() {
        "byName" => Ok(Match::Name(text(options))),
        "byRegexp" => pattern(Some(options)),
        "byNames" => {
            let excludes = options.get("mode").and_then(Value::as_str) == Some("exclude");
            Ok(Match::Names(names(), excludes))
        }
        "byRegexpOrNames" => Ok(match pattern(options.get("pattern"))? {
            Match::Pattern(pattern) => Match::PatternOrNames(pattern, names()),
            _ => Match::Names(names(), false),
        }),
        "byType" => Ok(Match::Kind(text(options))),
        "numeric" => Ok(Match::Kind("number".to_owned())),
        "time" => Ok(Match::Kind("time".to_owned())),
        "byFrameRefID" => Ok(Match::Query(text(options))),
        "byValue" => {
            let field = |name| options.get(name).map(text).unwrap_or_default();
            match &*field("reducer") {
                "" => Ok(Match::Nothing),
                calc => Ok(Match::Value {
                    calc: calc.to_owned(),
                    op: field("op"),
                    value: options.get("value").cloned().unwrap_or_default(),
                }),
            }
        }
        other => Err(UnsupportedError::FieldMatcher(other.to_owned()).into()),
    }
}

/// Whether `field` of `frame`, whose name is `shown`, is one of those.
pub fn is_match(matcher: &Match, field: &Field, shown: &str, frame: &Frame) -> bool {
    let is_named = |name: &String| *name == field.source || name == shown;
    let is_among = |names: &[String]| names.iter().any(is_named) || is_meant(names, field);
    match matcher {
        Match::Name(name) => is_among(std::slice::from_ref(name)),
        Match::Names(names, excludes) => is_among(names) != *excludes,
        Match::Pattern(pattern) => pattern.is_match(shown),
        Match::PatternOrNames(pattern, names) => is_among(names) || pattern.is_match(shown),
        Match::Kind(kind) => *kind == kind_of(&field.values),
        Match::Query(id) => *id == frame.ref_id,
        Match::Value { calc, op, value } => match reduce::reduce(calc, &field.values) {
            // Such a calculation is the answer by itself, whatever it is to be compared with.
            Cell::Boolean(is) if matches!(calc.as_str(), "allIsZero" | "allIsNull") => is,
            found => compare(&found, op, value),
        },
        Match::Nothing => false,
    }
}

/// What dashboards of earlier times mean by a name: `Value` any metric, `Time` any time.
fn is_meant(names: &[String], field: &Field) -> bool {
    let is = |name: &str| names.iter().any(|other| other == name);
    if is("Value") {
        return field.labels.get("__name__") == Some(field.source.as_str());
    }
    (is("Time") || is("time")) && field.values.is_times()
}

fn kind_of(values: &Values) -> &'static str {
    match values {
        Values::Times(_) => "time",
        Values::Numbers(_) => "number",
        Values::Texts(_) => "string",
        Values::Booleans(_) => "boolean",
    }
}

/// As JavaScript compares: what is equal is so as text, what is greater as number, and null is neither.
fn compare(left: &Cell<'_>, op: &str, right: &Value) -> bool {
    let text = match right {
        Value::String(text) => text.clone(),
        Value::Number(number) => units::shortest(number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    };
    let is_missing = left.is_null() || right.is_null();
    let is_equal = left.to_string() == text;
    let (left, right) = (left.as_number(), units::parse(text.trim()).unwrap_or(f64::NAN));
    match op {
        "" | "eq" | "=" | "==" => is_equal,
        "neq" | "!=" => !is_equal,
        "gte" | ">=" | "lte" | "<=" if is_missing => is_equal,
        _ if is_missing => false,
        "gt" | ">" => left > right,
        "gte" | ">=" => left >= right,
        "lt" | "<" => left < right,
        "lte" | "<=" => left <= right,
        _ => false,
    }
}

/// Leaves out the overrides by regular expression if to try them all on every name would take too long.
pub fn bound_matchers(matchers: &mut Vec<(Match, &[Property])>, frames: &[Frame], problems: &mut Vec<String>) {
    let is_pattern =
        |(matcher, _): &(Match, &[Property])| matches!(matcher, Match::Pattern(_) | Match::PatternOrNames(..));
    let patterns = matchers.iter().filter(|matcher| is_pattern(matcher)).count();
    let fields = frames.iter().flat_map(|frame| &frame.fields);
    let names: usize = fields
        .map(|field| field.source.len().max(field.legend.as_ref().map_or(0, String::len)))
        .sum();
    if patterns.saturating_mul(names) > limits::MATCHING {
        matchers.retain(|matcher| !is_pattern(matcher));
        note(
            problems,
            format!("{patterns} overrides by regular expression are left out: there are too many names to try them on"),
        );
    }
}
