//! A digest in JSON for programs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::digest::{Digest, Item};
use crate::message::Message;

/// Alerts of one payload. More are counted.
const MAX_ALERTS: usize = 200;
/// Bytes of the text in ours.
const MAX_TEXT: usize = 16 << 10;
/// The end of an alert that has none, as Alertmanager writes it: Go's zero time.
const NO_END: &str = "0001-01-01T00:00:00Z";

/// Ours, docs/notifications.md. `alerts` are how many of them are told one by one.
pub fn edgewatch(message: &Message<'_>, alerts: usize) -> Value {
    let digest = message.digest;
    let of_one = |item: &Item| {
        json!({
            "id": id(item),
            "state": item.news.name(),
            "alert": item.name(),
            "severity": item.severity().name(),
            "summary": item.words.summary,
            "description": item.words.description,
            "remedy": item.words.remedy,
            "since": time(item.since),
            "until": (!item.news.is_firing()).then(|| time(item.until)),
            "times": item.times,
            "labels": item.labels,
        })
    };
    let told = alerts.min(MAX_ALERTS).min(digest.items.len());
    json!({
        "version": 1,
        "device": message.device.name,
        "link": message.device.link,
        "severity": digest.severity().name(),
        "firing": digest.is_firing(),
        "subject": message.subject(),
        "text": message.text(MAX_TEXT.min(100 + 200 * told)),
        "alerts": digest.items.iter().take(told).map(of_one).collect::<Vec<_>>(),
        "more": digest.more + digest.items.len() - told,
    })
}

/// That of Alertmanager, version 4 (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>).
pub fn alertmanager(message: &Message<'_>, alerts: usize) -> Value {
    let (digest, device) = (message.digest, message.device);
    let told = alerts.min(MAX_ALERTS).min(digest.items.len());
    let items = &digest.items[..told];
    let status = |is_firing| if is_firing { "firing" } else { "resolved" };
    let of_one = |item: &Item| {
        json!({
            "status": status(item.news.is_firing()),
            "labels": labels(item, &device.name),
            "annotations": annotations(item),
            "startsAt": time(item.since),
            "endsAt": if item.news.is_firing() { NO_END.to_owned() } else { time(item.until) },
            "generatorURL": device.link,
            "fingerprint": id(item),
        })
    };
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{edge={:?}}}", device.name),
        "truncatedAlerts": digest.more + digest.items.len() - told,
        "status": status(digest.is_firing()),
        "receiver": "edgewatch",
        "groupLabels": {"edge": device.name},
        "commonLabels": common(items.iter().map(|item| labels(item, &device.name))),
        "commonAnnotations": common(items.iter().map(annotations)),
        "externalURL": device.link,
        "alerts": items.iter().map(of_one).collect::<Vec<_>>(),
    })
}

/// How many alerts a payload tells one by one at most.
pub fn most(digest: &Digest) -> usize {
    digest.items.len().min(MAX_ALERTS)
}

fn labels(item: &Item, device: &str) -> BTreeMap<String, String> {
    let mut labels = item.labels.clone();
    labels.entry("edge".to_owned()).or_insert_with(|| device.to_owned());
    labels
}

fn annotations(item: &Item) -> BTreeMap<String, String> {
    let words = &item.words;
    [
        ("summary", &words.summary),
        ("description", &words.description),
        ("remedy", &words.remedy),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .map(|(name, text)| (name.to_owned(), text.clone()))
    .collect()
}

/// The pairs that all have.
fn common(mut sets: impl Iterator<Item = BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut common = sets.next().unwrap_or_default();
    for set in sets {
        common.retain(|name, value| set.get(name) == Some(value));
    }
    common
}

/// 16 hexadecimal digits, as Alertmanager writes them.
fn id(item: &Item) -> String {
    format!("{:016x}", item.fingerprint())
}

/// RFC 3339.
fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| NO_END.to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests;
