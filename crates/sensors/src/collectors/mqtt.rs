//! Values that devices publish through an MQTT broker (<https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html>): a thread of its own is
//! connected, and the last value of each series is kept here.

mod connection;
mod presets;
pub mod rules;
mod store;
mod topic;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgewatch_program::lock::lock;

use crate::collectors::lasting::Lasting;
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{ErrorKind, OpenError, ReadError};
use crate::plausible::{NOT_NEGATIVE, SWITCH};
use crate::reading::{Metric, Recorder};
use crate::settings::mqtt::{Address, Mqtt};
use crate::settings::{Collect, Limits, Settings};
use connection::Connection;
use rules::Rule;
use store::{Link, MESSAGES, Store};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "mqtt",
    needs: None,
    collect: Collect::Standard,
    // What has come is in memory.
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const CONNECTED: Metric = Metric::gauge(
    "edge_mqtt_connected",
    "",
    "1 while there is a connection to the broker.",
)
.within(SWITCH);
const MESSAGE_COUNT: Metric = Metric::counter(
    "edge_mqtt_messages_total",
    "",
    "Messages by what became of them: taken, unused (no value in it), invalid, dropped (no room, or a topic that is too long).",
);
const AGE: Metric = Metric::gauge(
    "edge_mqtt_age_seconds",
    "seconds",
    "Time since the last message of a topic; absent while there was only one that the broker had kept.",
)
.within(NOT_NEGATIVE);

/// Of a broker.
struct Subscriber {
    settings: Mqtt,
    address: Address,
    rules: Arc<Vec<Rule>>,
    store: Arc<Mutex<Store>>,
    connection: Mutex<Option<Connection>>,
}

/// Without a broker there is nothing to read, and no thread.
struct Nothing;

impl Collector for Nothing {
    fn collect(&mut self, _: &mut Recorder) -> Result<(), ReadError> {
        Ok(())
    }
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    let mqtt = &settings.mqtt;
    let Some(address) = mqtt.url.as_deref().and_then(Address::parse) else {
        return Ok(Box::new(Nothing));
    };
    let rules = rules::rules(mqtt).map_err(|(number, error)| OpenError::Subscription(number, error))?;
    // A device on a battery publishes once an hour: its value must not wait for that after each reload.
    static SUBSCRIBERS: Lasting<(Mqtt, Limits), Subscriber> = Lasting::new();
    Ok(Box::new(SUBSCRIBERS.get(
        (mqtt.clone(), settings.limits.clone()),
        || Subscriber {
            settings: mqtt.clone(),
            address,
            rules: Arc::new(rules),
            store: Arc::new(Mutex::new(Store::new(&settings.limits))),
            connection: Mutex::default(),
        },
    )))
}

impl Subscriber {
    /// Starts the thread that is connected, if there is none.
    fn connect(&self) -> Result<(), ReadError> {
        let mut connection = lock(&self.connection);
        if !connection.as_ref().is_some_and(Connection::is_running) {
            let (rules, store) = (Arc::clone(&self.rules), Arc::clone(&self.store));
            let started = Connection::start(&self.settings, self.address.clone(), rules, store);
            *connection = Some(started.map_err(|source| ReadError::Io {
                path: PathBuf::from("thread of MQTT"),
                source,
            })?);
        }
        Ok(())
    }
}

impl Collector for Arc<Subscriber> {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        self.connect()?;
        let now = Instant::now();
        let mut store = lock(&self.store);
        store.forget_old(now);
        let problem = match &store.link {
            Link::Starting => return Ok(()),
            Link::Connected(refused) => refused.as_ref(),
            Link::Failed(why) => Some(why),
        };
        if let Some(what) = problem {
            recorder.fail(ReadError::Remote {
                kind: ErrorKind::Io,
                address: self.address.to_string(),
                what: what.clone(),
            });
        }
        let is_connected = matches!(store.link, Link::Connected(_));
        recorder.push(&CONNECTED, &[], f64::from(u8::from(is_connected)));
        for (result, count) in &MESSAGES {
            recorder.push(
                &MESSAGE_COUNT,
                &[("result", result)],
                count.load(Ordering::Relaxed) as f64,
            );
        }
        for value in &store.values {
            let labels: Vec<_> = value
                .labels
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            recorder.push(value.metric, &labels, value.value);
        }
        for (topic, state) in &store.topics {
            if let Some(what) = &state.error {
                recorder.fail(ReadError::invalid(topic.as_ref(), what.clone()));
            }
            if let Some(at) = state.at {
                recorder.push(&AGE, &[("topic", topic)], (now - at).as_secs_f64());
            }
        }
        Ok(())
    }
}
