//! What devices publish and what programs leave in files: any bytes end with values that can be, or an error.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use edgewatch_sensors::collectors::mqtt::rules::{Rule, find, rules};
use edgewatch_sensors::collectors::textfile::COLLECTOR;
use edgewatch_sensors::reading::{MAX_LABELS, Recorder, RecorderLimits};
use edgewatch_sensors::settings::Settings;
use edgewatch_sensors::settings::mqtt::{Mqtt, Preset};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let presets = vec![Preset::Esphome, Preset::Shelly, Preset::Tasmota, Preset::Zigbee2Mqtt];
    let settings = Mqtt {
        presets,
        ..Mqtt::default()
    };
    rules(&settings).unwrap()
});
static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

fuzz_target!(|message: (&str, &[u8])| {
    let (topic, message) = message;
    for topic in [topic, "zigbee2mqtt/a", "tele/a/SENSOR", "a/status/b", "a/sensor/b/state"] {
        for found in find(&RULES, topic, message).unwrap_or_default() {
            assert!(found.value.is_err() || found.value.is_ok_and(|value| found.metric.is_plausible(value)));
        }
    }
    fs::write(DIRECTORY.path().join("a.prom"), message).unwrap();
    let mut settings = Settings::default();
    settings.textfile.directories = vec![DIRECTORY.path().to_owned()];
    let limits = RecorderLimits {
        readings: settings.limits.readings_per_source,
        label_length: settings.limits.label_length,
    };
    let mut recorder = Recorder::new(limits, Box::new(|_| true));
    (COLLECTOR.open)(&settings).unwrap().collect(&mut recorder).unwrap();
    let collected = recorder.finish();
    assert!(collected.readings.len() <= limits.readings);
    assert!(collected.readings.iter().all(|reading| reading.labels.len() <= MAX_LABELS));
});
