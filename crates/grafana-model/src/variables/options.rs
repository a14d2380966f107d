//! What can be chosen, by the kind of variable.

use serde_json::Value;

use super::format::Place;
use super::query::Found;
use super::{ALL, AUTO, Resolved, Variables, query, template};
use crate::error::{UnsupportedError, VariableError};
use crate::limits;
use crate::model::Variable;
use crate::source::Source;
use crate::support;
use crate::time::{TimeRange, interval};

/// More options than a person can choose from; each of them is sent to each viewer.
const MAX_OPTIONS: usize = 500;

/// The text of a variable's query, whichever form it has.
pub fn definition(variable: &Variable) -> String {
    match &variable.query {
        Value::String(query) => query.clone(),
        Value::Object(query) => query
            .get("query")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        _ => String::new(),
    }
}

/// `variable` with its options and what is chosen of them. They take their bytes from `room`: all variables together must fit
/// into a page, and each of its panels.
pub fn resolve(
    variable: &Variable,
    asked: &[(String, String)],
    range: TimeRange,
    source: &dyn Source,
    before: &Variables,
    room: &mut usize,
) -> Resolved {
    let found = find(variable, range, source, before);
    let mut resolved = Resolved {
        name: variable.name.clone(),
        label: variable.label.clone(),
        hidden: variable.hide == 2 || matches!(variable.kind.as_str(), "constant" | "adhoc"),
        multi: variable.multi,
        fitting: fitting(variable, range),
        all: variable.all_value.clone().filter(|all| !all.is_empty()),
        ..Resolved::default()
    };
    match found {
        Ok(found) => {
            resolved.options = found.options;
            resolved.problem = found.problem;
        }
        // These two name what they are about.
        Err(problem @ (VariableError::Unsupported(UnsupportedError::Broken(_)) | VariableError::Filters(_))) => {
            resolved.problem = Some(problem.to_string());
        }
        Err(problem) => resolved.problem = Some(format!("the variable {}: {problem}", variable.name)),
    }
    if resolved.options.len() > MAX_OPTIONS {
        let count = resolved.options.len();
        resolved.problem = Some(format!("only {MAX_OPTIONS} of {count} values can be chosen"));
        resolved.options.truncate(MAX_OPTIONS);
    }
    shorten(&mut resolved, room);
    let is_asked_for = matches!(variable.kind.as_str(), "query" | "custom" | "datasource");
    if is_asked_for && resolved.options.is_empty() {
        resolved
            .problem
            .get_or_insert_with(|| "there are no values to choose from: what uses it finds nothing".to_owned());
    }
    if variable.include_all && !resolved.options.is_empty() {
        resolved.options.insert(0, ("All".to_owned(), ALL.to_owned()));
    }
    choose(variable, asked, &mut resolved);
    resolved
}

/// Leaves out what is too long to be chosen by a person, and what does not fit any more.
fn shorten(resolved: &mut Resolved, room: &mut usize) {
    let count = resolved.options.len();
    // The texts alone, such as that of a constant, are bounded as texts of the dashboard.
    if count > 1 {
        resolved
            .options
            .retain(|(text, value)| text.len() <= limits::NAME && value.len() <= limits::NAME);
    }
    let mut fits = |(text, value): &(String, String)| {
        let left = room.checked_sub(text.len() + value.len() + 2 * size_of::<String>());
        *room = left.unwrap_or(*room);
        left.is_some()
    };
    resolved.options.retain(|option| fits(option));
    let left_out = count - resolved.options.len();
    if left_out > 0 {
        resolved.problem.get_or_insert_with(|| {
            format!(
                "{left_out} of {count} values are left out: they are longer than {} KiB, or all values to choose from are \
                 longer than {} KiB",
                limits::NAME >> 10,
                limits::CHOICES >> 10
            )
        });
    }
}

/// Takes what is asked for, else what the dashboard was saved with, else the first option.
fn choose(variable: &Variable, asked: &[(String, String)], resolved: &mut Resolved) {
    let is_option = |value: &str| resolved.options.iter().any(|(_, option)| option == value);
    let wanted: Vec<&str> = asked
        .iter()
        .filter(|(name, _)| *name == variable.name)
        .map(|(_, value)| &**value)
        .collect();
    let as_option = |value: &&str| {
        // As older versions of Grafana wrote it.
        let is_auto = *value == "auto" || value.starts_with("$__auto_interval");
        match *value {
            "All" if is_option(ALL) => ALL.to_owned(),
            _ if is_auto && is_option(AUTO) => AUTO.to_owned(),
            value => value.to_owned(),
        }
    };
    let known = |value: &String| is_option(value);
    let mut chosen: Vec<String> = wanted.iter().map(as_option).filter(known).collect();
    if chosen.len() < wanted.len() && !resolved.options.is_empty() {
        let unknown = wanted
            .iter()
            .find(|value| !is_option(&as_option(value)))
            .copied()
            .unwrap_or_default();
        let name = &variable.name;
        resolved
            .problem
            .get_or_insert_with(|| format!("{unknown:?} cannot be chosen for {name}"));
    }
    if chosen.is_empty() {
        let saved = match variable.current.get("value") {
            Some(Value::String(value)) => vec![value.clone()],
            // A list is no choice where one can be chosen.
            Some(Value::Array(values)) if !variable.multi && values.iter().all(|value| value != ALL) => Vec::new(),
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            // As a variable that was never chosen has it, and an option may be.
            _ => vec![String::new()],
        };
        chosen = saved
            .iter()
            .map(|value| as_option(&value.as_str()))
            .filter(known)
            .collect();
    }
    if chosen.is_empty() {
        chosen.extend(resolved.options.first().map(|(_, value)| value.clone()));
    }
    if chosen.iter().any(|value| value == ALL) {
        chosen = vec![ALL.to_owned()];
    } else if !variable.multi {
        chosen.truncate(1);
    }
    resolved.chosen = chosen;
}

fn find(
    variable: &Variable,
    range: TimeRange,
    source: &dyn Source,
    before: &Variables,
) -> Result<Found, VariableError> {
    if let Some(why) = &variable.broken {
        return Err(UnsupportedError::Broken(why.clone()).into());
    }
    let definition = definition(variable);
    match variable.kind.as_str() {
        "query" => {
            support::datasource(&variable.datasource)?;
            let query = template::expand_whole(&definition, |reference| {
                before
                    .value(reference, Place::Query)
                    .or_else(|| built_in(reference.name, range))
            });
            query::options(variable, &query?, range, source)
        }
        "custom" => {
            let definition = template::expand_whole(&definition, |reference| before.value(reference, Place::Plain));
            Ok(custom(&definition?).into())
        }
        "constant" | "textbox" => Ok(vec![(definition.clone(), definition)].into()),
        "interval" => Ok(intervals(variable, &definition).into()),
        "datasource" => match definition.as_str() {
            "prometheus" => Ok(vec![("Prometheus".to_owned(), "prometheus".to_owned())].into()),
            other => Err(VariableError::DataSource(other.to_owned())),
        },
        "adhoc" if variable.filters.as_array().is_none_or(Vec::is_empty) => Ok(Found::default()),
        "adhoc" => Err(VariableError::Filters(variable.name.clone())),
        other => Err(UnsupportedError::Variable(other.to_owned()).into()),
    }
}

fn built_in(name: &str, range: TimeRange) -> Option<String> {
    let length = range.millis();
    match name {
        "__interval" | "__rate_interval" => Some(interval::format(interval::step(length, 100, 60_000))),
        _ => range.variable(name),
    }
}

/// `a, b, shown : value`; a comma that belongs to a value is written `\,`.
fn custom(definition: &str) -> Vec<(String, String)> {
    let escaped = definition.replace("\\,", "\u{0}");
    let parts = escaped.split(',').filter(|part| !part.is_empty());
    let options = parts.map(|part| {
        let part = part.replace('\u{0}', ",");
        match part.rsplit_once(" : ") {
            Some((text, value)) if !text.trim().is_empty() => (text.trim().to_owned(), value.trim().to_owned()),
            _ => (part.trim().to_owned(), part.trim().to_owned()),
        }
    });
    options.collect()
}

/// `1m,10m,1h`, and in front the one that fits the range, if it may be chosen.
fn intervals(variable: &Variable, definition: &str) -> Vec<(String, String)> {
    let parts = definition
        .split(',')
        .map(|part| part.trim().trim_matches(['"', '\'']).to_owned());
    let parts = parts.filter(|part| !part.is_empty() && !part.starts_with('$') && part != "auto");
    let auto = variable.auto.then(|| ("Auto".to_owned(), AUTO.to_owned()));
    auto.into_iter().chain(parts.map(|part| (part.clone(), part))).collect()
}

/// The interval that fits the range.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn fitting(variable: &Variable, range: TimeRange) -> String {
    let count = variable.auto_count.map_or(30, |count| count.max(1.0) as usize);
    let min = interval::parse(&variable.auto_min).unwrap_or(10_000);
    interval::format(interval::step(range.millis(), count, min))
}
