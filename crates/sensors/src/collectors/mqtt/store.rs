//! What has come through the broker: the last value of each series, bounded whatever is published.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::rules::{Found, Rule, find};
use crate::reading::{Labels, Metric};
use crate::settings::Limits;

/// Topics that are kept; messages of others are counted, not kept.
const MAX_TOPICS: usize = 256;
/// Bytes of a topic; MQTT allows 65,535, and it is kept with the topic and with each of its values. Messages of a longer one are counted,
/// not looked at.
const MAX_TOPIC: usize = 512;
/// Time after which a topic without messages is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// What became of messages since the start of the process: a reload loses no count.
pub static MESSAGES: [(&str, AtomicU64); 4] = [
    ("taken", AtomicU64::new(0)),
    ("unused", AtomicU64::new(0)),
    ("invalid", AtomicU64::new(0)),
    ("dropped", AtomicU64::new(0)),
];

/// The connection to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The first attempt has not ended.
    Starting,
    /// Connected; the reason why a part of the subscriptions is refused.
    Connected(Option<String>),
    /// Why there is no connection.
    Failed(String),
}

/// A value.
#[derive(Debug)]
pub struct Value {
    pub metric: &'static Metric,
    pub labels: Labels,
    pub value: f64,
    topic: String,
    at: Instant,
    stale_after: Duration,
}

/// A topic of which something was taken.
#[derive(Debug, Default)]
pub struct Topic {
    /// When the last message came; absent while there was only the one that the broker had kept, whose age nobody knows.
    pub at: Option<Instant>,
    /// Why the last message, or a part of it, could not be used.
    pub error: Option<String>,
    last: Option<Instant>,
}

/// Values, topics and the connection.
#[derive(Debug)]
pub struct Store {
    pub link: Link,
    pub values: Vec<Value>,
    pub topics: BTreeMap<String, Topic>,
    limits: Limits,
}

impl Store {
    /// An empty one for as many series, with labels as long, as `limits` lets through.
    pub fn new(limits: &Limits) -> Self {
        Self {
            link: Link::Starting,
            values: Vec::new(),
            topics: BTreeMap::new(),
            limits: limits.clone(),
        }
    }

    /// Takes a message. One that the broker has kept (`retained`) replaces nothing that came since.
    pub fn take(&mut self, rules: &[Rule], topic: &str, message: &[u8], retained: bool, now: Instant) {
        if topic.len() > MAX_TOPIC {
            return count("dropped");
        }
        let found = find(rules, topic, message, self.limits.label_length);
        if found.as_ref().is_ok_and(Vec::is_empty) {
            return count("unused");
        }
        if !self.topics.contains_key(topic) && self.topics.len() >= MAX_TOPICS {
            return count("dropped");
        }
        let entry = self.topics.entry(topic.to_owned()).or_default();
        if retained && entry.at.is_some() {
            return count("unused");
        }
        entry.last = Some(now);
        entry.at = (!retained).then_some(now);
        entry.error = None;
        match found {
            Err(what) => {
                entry.error = Some(what);
                self.values.retain(|value| value.topic != topic);
                count("invalid");
            }
            Ok(found) => {
                let mut is_complete = true;
                for found in found {
                    is_complete &= self.keep(topic, found, now);
                }
                let is_valid = self.topics.get(topic).is_some_and(|topic| topic.error.is_none());
                count(match (is_valid, is_complete) {
                    (false, _) => "invalid",
                    (true, false) => "dropped",
                    (true, true) => "taken",
                });
            }
        }
    }

    /// False if there is no room.
    fn keep(&mut self, topic: &str, found: Found, now: Instant) -> bool {
        let same = |value: &Value| value.metric.name == found.metric.name && value.labels == found.labels;
        let position = self.values.iter().position(same);
        let number = match found.value {
            Ok(number) => number,
            Err(what) => {
                if let Some(entry) = self.topics.get_mut(topic) {
                    entry.error = Some(format!("{}: {what}", found.metric.name));
                }
                position.map(|position| self.values.remove(position));
                return true;
            }
        };
        let value = Value {
            metric: found.metric,
            labels: found.labels,
            value: number,
            topic: topic.to_owned(),
            at: now,
            stale_after: found.stale_after,
        };
        match position {
            Some(position) => self.values[position] = value,
            None if self.values.len() < self.limits.readings_per_source => self.values.push(value),
            None => return false,
        }
        true
    }

    /// Ends what is too old.
    pub fn forget_old(&mut self, now: Instant) {
        self.values.retain(|value| now < value.at + value.stale_after);
        self.topics
            .retain(|_, topic| topic.last.is_some_and(|last| now < last + FORGOTTEN));
    }
}

fn count(result: &str) {
    if let Some((_, counter)) = MESSAGES.iter().find(|(name, _)| *name == result) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::mqtt::rules::rules;
    use crate::settings::mqtt::{Mqtt, Preset};

    struct Broker {
        rules: Vec<Rule>,
        store: Store,
        start: Instant,
    }

    impl Broker {
        fn new() -> Self {
            let settings = Mqtt {
                presets: vec![Preset::Zigbee2Mqtt],
                stale_after: Duration::from_secs(60),
                ..Mqtt::default()
            };
            Self {
                rules: rules(&settings).unwrap(),
                store: Store::new(&Limits {
                    readings_per_source: 4,
                    label_length: 16,
                }),
                start: Instant::now(),
            }
        }

        /// `seconds` after the start.
        fn publish(&mut self, topic: &str, message: &str, retained: bool, seconds: u64) {
            let now = self.start + Duration::from_secs(seconds);
            self.store.take(&self.rules, topic, message.as_bytes(), retained, now);
        }

        fn values(&mut self, seconds: u64) -> Vec<f64> {
            self.store.forget_old(self.start + Duration::from_secs(seconds));
            self.store.values.iter().map(|value| value.value).collect()
        }
    }

    #[test]
    fn the_last_value_stays_until_it_is_stale() {
        let mut broker = Broker::new();
        broker.publish("zigbee2mqtt/a", r#"{"temperature":20}"#, false, 0);
        broker.publish("zigbee2mqtt/a", r#"{"temperature":21}"#, false, 30);
        broker.publish("zigbee2mqtt/a", r#"{"linkquality":3}"#, false, 50);
        assert_eq!(broker.values(89), [21.0, 3.0]);
        assert_eq!(broker.values(90), [3.0]);
        assert_eq!(broker.values(110), [0.0; 0]);
        assert_eq!(broker.store.topics.len(), 1);
        broker.values(51 + 24 * 3600);
        assert!(broker.store.topics.is_empty());
    }

    #[test]
    fn what_the_broker_kept_has_no_age_and_replaces_nothing_newer() {
        let mut broker = Broker::new();
        broker.publish("zigbee2mqtt/a", r#"{"temperature":20}"#, true, 0);
        assert_eq!(broker.values(1), [20.0]);
        assert_eq!(broker.store.topics["zigbee2mqtt/a"].at, None);
        broker.publish("zigbee2mqtt/a", r#"{"temperature":21}"#, false, 2);
        broker.publish("zigbee2mqtt/a", r#"{"temperature":20}"#, true, 3);
        assert_eq!(broker.values(3), [21.0]);
    }

    #[test]
    fn a_bad_message_takes_away_its_own_values_only_and_is_over_with_the_next() {
        let mut broker = Broker::new();
        broker.publish("zigbee2mqtt/a", r#"{"temperature":20,"battery":50}"#, false, 0);
        broker.publish("zigbee2mqtt/b", r#"{"temperature":10}"#, false, 0);
        broker.publish("zigbee2mqtt/a", r#"{"temperature":"hot"}"#, false, 1);
        assert_eq!(broker.values(1), [0.5, 10.0]);
        let error = broker.store.topics["zigbee2mqtt/a"].error.clone().unwrap();
        assert_eq!(error, "edge_mqtt_temperature_celsius: \"hot\" is not a number");
        broker.publish("zigbee2mqtt/a", "{", false, 2);
        assert_eq!(broker.values(2), [10.0]);
        broker.publish("zigbee2mqtt/a", r#"{"temperature":22}"#, false, 3);
        assert_eq!(broker.store.topics["zigbee2mqtt/a"].error, None);
        assert_eq!(broker.values(3), [10.0, 22.0]);
    }

    #[test]
    fn a_value_without_room_costs_no_other_of_its_message() {
        let mut broker = Broker::new();
        for number in 0..4 {
            broker.publish(&format!("zigbee2mqtt/{number}"), r#"{"linkquality":1}"#, false, 0);
        }
        broker.publish("zigbee2mqtt/0", r#"{"temperature":20,"linkquality":9}"#, false, 1);
        assert_eq!(broker.values(1), [9.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn topics_and_series_are_bounded() {
        let mut broker = Broker::new();
        for number in 0..1000 {
            broker.publish(&format!("zigbee2mqtt/{number}"), r#"{"temperature":20}"#, false, 0);
            broker.publish(&format!("zigbee2mqtt/bad{number}"), "{", false, 0);
        }
        assert_eq!((broker.store.topics.len(), broker.values(1).len()), (MAX_TOPICS, 4));
    }

    #[test]
    fn what_is_kept_of_a_topic_and_of_names_in_a_message_is_bounded() {
        let mut broker = Broker::new();
        let long = "é".repeat(200);
        broker.publish(&format!("zigbee2mqtt/{long}"), r#"{"temperature":20}"#, false, 0);
        broker.publish(&format!("zigbee2mqtt/{long}{long}"), r#"{"temperature":20}"#, false, 0);
        assert_eq!((broker.store.topics.len(), broker.values(1).len()), (1, 1));
        assert_eq!(broker.store.values[0].labels[0].1, "é".repeat(8));
    }
}
