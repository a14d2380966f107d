//! What becomes of a message: the rules of all subscriptions and presets, and the values that they find in it.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use super::presets;
use super::topic::{Filter, Pointer};
use crate::collectors::names::{self, NameError};
use crate::reading::{Labels, MAX_LABELS, Metric, clean_label};
use crate::settings::mqtt::{Mqtt, Subscription};

/// Bytes of a message that is looked at.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// Where a value is, and what it means.
#[derive(Debug)]
pub struct Rule {
    /// The filter as text, to subscribe to.
    pub topic: String,
    /// The topics that it is for.
    pub filter: Filter,
    /// Where the value is in a message.
    pub pointer: Pointer,
    /// What it becomes.
    pub metric: &'static Metric,
    /// Names, and values in which `$1` stands for what a wildcard did.
    pub labels: Vec<(&'static str, String)>,
    /// What it is multiplied by.
    pub scale: f64,
    /// What is added after that.
    pub offset: f64,
    /// Texts that are numbers; `true` and `false` without quotes are among them.
    pub texts: Vec<(String, f64)>,
    /// Other texts are no value and no error: the topic, or the field, is also that of other things than the metric is of.
    pub ignores_texts: bool,
    /// Time after which it is no longer exported.
    pub stale_after: Duration,
    /// A pointer to where a message may name the unit of the value, and the only one that it may be.
    pub unit: Option<(Pointer, &'static str)>,
}

/// Why a subscription is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RuleError {
    /// Not a filter.
    #[error("topic {0:?}: + and # stand alone in a level, and # at the end")]
    Topic(String),
    /// Not a pointer.
    #[error("pointer {0:?}: empty, or /NAME for each step, such as /temperature or /*/Power")]
    Pointer(String),
    /// Neither a name of a metric nor of a label.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Too many labels.
    #[error("more than {MAX_LABELS} labels")]
    Labels,
    /// Refers to a wildcard that is not there.
    #[error("label value {0:?}: there are {1} wildcards in the topic and the pointer")]
    Wildcard(String, usize),
    /// A factor that makes every value the same, or none.
    #[error("scale has to be a number other than 0, offset a number")]
    Scale,
}

/// The rules of `settings`.
///
/// # Errors
/// The first subscription that cannot be used, with its number.
pub fn rules(settings: &Mqtt) -> Result<Vec<Rule>, (usize, RuleError)> {
    let mut rules = Vec::new();
    for preset in &settings.presets {
        rules.extend(presets::rules(*preset, settings.stale_after));
    }
    for (number, subscription) in settings.subscriptions.iter().enumerate() {
        rules.push(rule(subscription, settings.stale_after).map_err(|error| (number, error))?);
    }
    Ok(rules)
}

fn rule(settings: &Subscription, stale_after: Duration) -> Result<Rule, RuleError> {
    let filter = Filter::parse(&settings.topic).ok_or_else(|| RuleError::Topic(settings.topic.clone()))?;
    let pointer = Pointer::parse(&settings.pointer).ok_or_else(|| RuleError::Pointer(settings.pointer.clone()))?;
    if !settings.scale.is_normal() || !settings.offset.is_finite() {
        return Err(RuleError::Scale);
    }
    if settings.labels.len() > MAX_LABELS {
        return Err(RuleError::Labels);
    }
    let wildcards = filter.wildcards() + pointer.wildcards();
    let mut labels = Vec::new();
    for (name, value) in &settings.labels {
        if expand(value, &vec![""; wildcards]).is_none() {
            return Err(RuleError::Wildcard(value.clone(), wildcards));
        }
        labels.push((names::chosen_label(name)?, value.clone()));
    }
    let metric = names::chosen_metric(&settings.metric, settings.kind.into(), "Published through MQTT.")?;
    Ok(Rule {
        topic: settings.topic.clone(),
        filter,
        pointer,
        metric,
        labels,
        scale: settings.scale,
        offset: settings.offset,
        // What the settings say of a text comes first.
        texts: settings
            .texts
            .iter()
            .map(|(text, value)| (text.clone(), *value))
            .chain(yes_and_no())
            .collect(),
        ignores_texts: false,
        stale_after: settings.stale_after.unwrap_or(stale_after),
        unit: None,
    })
}

/// The texts that say whether something is so.
pub fn yes_and_no() -> impl Iterator<Item = (String, f64)> {
    let yes = ["true", "ON", "on"].map(|text| (text.to_owned(), 1.0));
    let no = ["false", "OFF", "off"].map(|text| (text.to_owned(), 0.0));
    yes.into_iter().chain(no)
}

/// `text` with `$1` replaced by the first of `found`, and so on; `None` if it refers to more than there are.
fn expand(text: &str, found: &[&str]) -> Option<String> {
    let mut parts = text.split('$');
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        expanded.push_str(found.get(index)?);
        expanded.push_str(rest);
    }
    Some(expanded)
}

/// A value in a message.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// What it becomes.
    pub metric: &'static Metric,
    /// Its labels, expanded, and no longer than they are exported.
    pub labels: Labels,
    /// The value in the metric's unit, or what is there instead.
    pub value: Result<f64, String>,
    /// Time after which it is no longer exported.
    pub stale_after: Duration,
}

/// Every value that the rules find in a message, with labels of at most `label_length` bytes: each value keeps the names above it, which a
/// publisher chooses. What is not there, or null, is no value and no error: devices send what has changed.
///
/// # Errors
/// The message as a whole cannot be used.
pub fn find(rules: &[Rule], topic: &str, message: &[u8], label_length: usize) -> Result<Vec<Found>, String> {
    if message.len() > MAX_MESSAGE {
        return Err(format!("{} bytes are too many", message.len()));
    }
    let text = std::str::from_utf8(message).map_err(|_| "not UTF-8".to_owned())?.trim();
    let mut document: Option<Value> = None;
    let mut found = Vec::new();
    for rule in rules {
        let Some(topic_parts) = rule.filter.matches(topic) else {
            continue;
        };
        let mut add = |names: &[&str], value: Result<f64, String>| {
            let parts: Vec<&str> = topic_parts.iter().chain(names).copied().collect();
            let label = |(name, value): &(&'static str, String)| {
                let value = expand(value, &parts).unwrap_or_default();
                (*name, clean_label(&value, label_length))
            };
            found.push(Found {
                metric: rule.metric,
                labels: rule.labels.iter().map(label).collect(),
                value: value.and_then(|value| rule.convert(value)),
                stale_after: rule.stale_after,
            });
        };
        if rule.pointer.is_whole() {
            // An empty message removes what the broker had kept.
            if !text.is_empty()
                && let Some(value) = rule.number(text)
            {
                add(&[], value);
            }
            continue;
        }
        if document.is_none() {
            document = match text.is_empty() {
                true => Some(Value::Null),
                false => Some(serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?),
            };
        }
        let document = document.as_ref().unwrap_or(&Value::Null);
        let has_other_unit = rule.unit.as_ref().is_some_and(|(pointer, unit)| {
            let there = pointer.find(document);
            there
                .iter()
                .any(|(_, value)| !value.is_null() && value.as_str() != Some(*unit))
        });
        for (names, value) in rule.pointer.find(document) {
            let value = match value {
                Value::Null => None,
                _ if has_other_unit => Some(Err("it has another unit than the preset knows".to_owned())),
                Value::Number(number) => Some(number.as_f64().ok_or_else(|| "not a number".to_owned())),
                Value::Bool(on) => rule.number(if *on { "true" } else { "false" }),
                Value::String(text) => rule.number(text),
                Value::Array(_) | Value::Object(_) => Some(Err("a list or an object, not a number".to_owned())),
            };
            if let Some(value) = value {
                add(&names, value);
            }
        }
    }
    Ok(found)
}

impl Rule {
    /// The number that a text is, or why it is none; nothing if it is another thing's.
    fn number(&self, text: &str) -> Option<Result<f64, String>> {
        let text = text.trim();
        let known = self.texts.iter().find(|(known, _)| known == text);
        match known.map(|(_, value)| *value).or_else(|| text.parse().ok()) {
            Some(number) => Some(Ok(number)),
            None if self.ignores_texts => None,
            None => {
                let shown: String = text.chars().take(40).collect();
                Some(Err(format!("{shown:?} is not a number")))
            }
        }
    }

    fn convert(&self, value: f64) -> Result<f64, String> {
        self.metric.check(value * self.scale + self.offset)
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
pub(super) mod tests;
