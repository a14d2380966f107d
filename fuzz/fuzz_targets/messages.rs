//! What devices publish, what meters hold in registers, and what programs leave in files: any bytes end with values that can be, or an error.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use edgewatch_sensors::collectors::modbus::registers::{Line, lines};
use edgewatch_sensors::collectors::mqtt::rules::{Rule, find, rules};
use edgewatch_sensors::collectors::textfile::COLLECTOR;
use edgewatch_sensors::reading::{MAX_LABELS, Recorder, RecorderLimits};
use edgewatch_sensors::settings::Settings;
use edgewatch_sensors::settings::modbus::{Bus, Device, Encoding, Modbus, Order, Parity, Register, Table};
use edgewatch_sensors::settings::mqtt::{Mqtt, Preset};
use edgewatch_sensors::settings::ValueKind;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let presets = vec![Preset::Esphome, Preset::RuuviGateway, Preset::Shelly, Preset::Tasmota, Preset::Zigbee2Mqtt];
    let settings = Mqtt {
        presets,
        ..Mqtt::default()
    };
    rules(&settings).unwrap()
});
/// A register of each encoding.
static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    use Encoding::{F32, F64, I16, I32, I64, U16, U32, U64};
    let register = |encoding| Register {
        metric: "x".to_owned(),
        kind: ValueKind::Gauge,
        table: Table::Holding,
        address: 0,
        encoding,
        order: Order::Dcba,
        absent: Some(0xFFFF),
        scale: 0.1,
        offset: -1.0,
        labels: Default::default(),
    };
    let device = Device {
        unit: 1,
        labels: Default::default(),
        registers: [U16, I16, U32, I32, F32, U64, I64, F64].map(register).into(),
    };
    let bus = Bus {
        name: "b".to_owned(),
        address: Some(([127, 0, 0, 1], 502).into()),
        port: None,
        baud: 9600,
        parity: Parity::Even,
        stop_bits: 1,
        timeout: std::time::Duration::from_secs(1),
        devices: vec![device],
    };
    lines(&Modbus { buses: vec![bus] }).unwrap()
});
static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

fuzz_target!(|message: (&str, &[u8])| {
    let (topic, message) = message;
    for topic in [topic, "zigbee2mqtt/a", "tele/a/SENSOR", "ruuvi/a/b", "a/status/b", "a/sensor/b/state"] {
        for found in find(&RULES, topic, message).unwrap_or_default() {
            assert!(found.value.is_err() || found.value.is_ok_and(|value| found.metric.is_plausible(value)));
        }
    }
    let words: Vec<u16> = message.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    for point in &LINES[0].units[0].points {
        if let Some(registers) = words.get(..usize::from(point.count)) {
            let _ = point.value(registers);
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
