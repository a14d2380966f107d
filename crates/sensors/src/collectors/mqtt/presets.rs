//! How kinds of devices publish, as their documentation says. Where one name has several units (Zigbee2MQTT's `voltage` is in volts of a plug and
//! in millivolts of a battery) the value is left out rather than guessed.

use std::time::Duration;

use super::rules::{Rule, yes_and_no};
use super::topic::{Filter, Pointer};
use crate::plausible::{AMPERES, CELSIUS, HUMIDITY, NOT_NEGATIVE, RATIO, SWITCH, VOLTS, WATTS};
use crate::reading::Metric;
use crate::settings::mqtt::Preset;

const TEMPERATURE: Metric = Metric::gauge("edge_mqtt_temperature_celsius", "celsius", "Temperature.").within(CELSIUS);
const HUMIDITY_RATIO: Metric =
    Metric::gauge("edge_mqtt_humidity_ratio", "ratio", "Relative humidity, 0 to 1.").within(HUMIDITY);
const PRESSURE: Metric = Metric::gauge("edge_mqtt_pressure_pascals", "pascals", "Air pressure.").within(NOT_NEGATIVE);
const BATTERY: Metric = Metric::gauge(
    "edge_mqtt_battery_ratio",
    "ratio",
    "Charge of the device's battery, 0 to 1.",
)
.within(RATIO);
const VOLTAGE: Metric = Metric::gauge("edge_mqtt_voltage_volts", "volts", "Voltage.").within(VOLTS);
const CURRENT: Metric = Metric::gauge("edge_mqtt_current_amperes", "amperes", "Current.").within(AMPERES);
const POWER: Metric = Metric::gauge("edge_mqtt_power_watts", "watts", "Power.").within(WATTS);
const ENERGY: Metric = Metric::counter("edge_mqtt_energy_joules_total", "joules", "Energy used.").within(NOT_NEGATIVE);
const CARBON_DIOXIDE: Metric = Metric::gauge(
    "edge_mqtt_carbon_dioxide_ratio",
    "ratio",
    "Share of carbon dioxide in the air; a millionth is 1 ppm.",
)
.within(RATIO);
const PARTICLES: Metric = Metric::gauge(
    "edge_mqtt_pm2_5_grams_per_cubic_meter",
    "grams_per_cubic_meter",
    "Mass of particles up to 2.5 µm in the air.",
)
.within(NOT_NEGATIVE);
const ILLUMINANCE: Metric = Metric::gauge("edge_mqtt_illuminance_lux", "lux", "Illuminance.").within(NOT_NEGATIVE);
const CONTACT: Metric = Metric::gauge("edge_mqtt_contact", "", "1 while a door or a window is closed.").within(SWITCH);
const OCCUPANCY: Metric = Metric::gauge("edge_mqtt_occupancy", "", "1 while somebody is there.").within(SWITCH);
const WATER_LEAK: Metric = Metric::gauge(
    "edge_mqtt_water_leak",
    "",
    "1 while there is water where none should be.",
)
.within(SWITCH);
const ON: Metric = Metric::gauge("edge_mqtt_on", "", "1 while it is on.").within(SWITCH);
const LINK_QUALITY: Metric = Metric::gauge(
    "edge_mqtt_link_quality",
    "",
    "Quality of the radio link as the device tells it, 0 to 255.",
)
.within(NOT_NEGATIVE);
const VALUE: Metric = Metric::gauge(
    "edge_mqtt_value",
    "",
    "A value of which the topic tells no unit: that of the sensor as it is configured.",
);

const PERCENT: f64 = 0.01;
const HECTOPASCALS: f64 = 100.0;
const KILOWATT_HOURS: f64 = 3.6e6;
const WATT_HOURS: f64 = 3600.0;
const WATT_MINUTES: f64 = 60.0;
const MILLIONTHS: f64 = 1e-6;

/// Topic, pointer, metric, scale, and what the labels `device` and `sensor` are.
type Row = (
    &'static str,
    &'static str,
    &'static Metric,
    f64,
    &'static str,
    &'static str,
);

/// <https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html>, from version 2 on: before, `illuminance` was no lux.
const ZIGBEE2MQTT: &[Row] = &[
    ("zigbee2mqtt/+", "/temperature", &TEMPERATURE, 1.0, "$1", ""),
    ("zigbee2mqtt/+", "/humidity", &HUMIDITY_RATIO, PERCENT, "$1", ""),
    ("zigbee2mqtt/+", "/pressure", &PRESSURE, HECTOPASCALS, "$1", ""),
    ("zigbee2mqtt/+", "/battery", &BATTERY, PERCENT, "$1", ""),
    ("zigbee2mqtt/+", "/current", &CURRENT, 1.0, "$1", ""),
    ("zigbee2mqtt/+", "/power", &POWER, 1.0, "$1", ""),
    ("zigbee2mqtt/+", "/energy", &ENERGY, KILOWATT_HOURS, "$1", ""),
    ("zigbee2mqtt/+", "/co2", &CARBON_DIOXIDE, MILLIONTHS, "$1", ""),
    ("zigbee2mqtt/+", "/pm25", &PARTICLES, MILLIONTHS, "$1", ""),
    ("zigbee2mqtt/+", "/illuminance", &ILLUMINANCE, 1.0, "$1", ""),
    ("zigbee2mqtt/+", "/contact", &CONTACT, 1.0, "$1", ""),
    ("zigbee2mqtt/+", "/occupancy", &OCCUPANCY, 1.0, "$1", ""),
    ("zigbee2mqtt/+", "/water_leak", &WATER_LEAK, 1.0, "$1", ""),
    ("zigbee2mqtt/+", "/state", &ON, 1.0, "$1", ""),
    ("zigbee2mqtt/+", "/linkquality", &LINK_QUALITY, 1.0, "$1", ""),
];

/// <https://tasmota.github.io/docs/MQTT/>: the message of each `TelePeriod`.
const TASMOTA: &[Row] = &[
    ("tele/+/SENSOR", "/*/Temperature", &TEMPERATURE, 1.0, "$1", "$2"),
    ("tele/+/SENSOR", "/*/Humidity", &HUMIDITY_RATIO, PERCENT, "$1", "$2"),
    ("tele/+/SENSOR", "/*/Pressure", &PRESSURE, HECTOPASCALS, "$1", "$2"),
    ("tele/+/SENSOR", "/*/Illuminance", &ILLUMINANCE, 1.0, "$1", "$2"),
    (
        "tele/+/SENSOR",
        "/*/CarbonDioxide",
        &CARBON_DIOXIDE,
        MILLIONTHS,
        "$1",
        "$2",
    ),
    ("tele/+/SENSOR", "/*/PM2.5", &PARTICLES, MILLIONTHS, "$1", "$2"),
    ("tele/+/SENSOR", "/ENERGY/Power", &POWER, 1.0, "$1", ""),
    ("tele/+/SENSOR", "/ENERGY/Voltage", &VOLTAGE, 1.0, "$1", ""),
    ("tele/+/SENSOR", "/ENERGY/Current", &CURRENT, 1.0, "$1", ""),
    ("tele/+/SENSOR", "/ENERGY/Total", &ENERGY, KILOWATT_HOURS, "$1", ""),
    ("tele/+/STATE", "/POWER", &ON, 1.0, "$1", ""),
];

/// <https://shelly-api-docs.shelly.cloud/gen2/>, with "Generic status update over MQTT"; and the first generation's own topics.
const SHELLY: &[Row] = &[
    ("+/status/+", "/tC", &TEMPERATURE, 1.0, "$1", "$2"),
    ("+/status/+", "/temperature/tC", &TEMPERATURE, 1.0, "$1", "$2"),
    ("+/status/+", "/rh", &HUMIDITY_RATIO, PERCENT, "$1", "$2"),
    ("+/status/+", "/battery/percent", &BATTERY, PERCENT, "$1", "$2"),
    ("+/status/+", "/apower", &POWER, 1.0, "$1", "$2"),
    ("+/status/+", "/total_act_power", &POWER, 1.0, "$1", "$2"),
    ("+/status/+", "/voltage", &VOLTAGE, 1.0, "$1", "$2"),
    ("+/status/+", "/current", &CURRENT, 1.0, "$1", "$2"),
    ("+/status/+", "/aenergy/total", &ENERGY, WATT_HOURS, "$1", "$2"),
    ("+/status/+", "/total_act", &ENERGY, WATT_HOURS, "$1", "$2"),
    ("+/status/+", "/output", &ON, 1.0, "$1", "$2"),
    ("shellies/+/sensor/temperature", "", &TEMPERATURE, 1.0, "$1", ""),
    ("shellies/+/sensor/humidity", "", &HUMIDITY_RATIO, PERCENT, "$1", ""),
    ("shellies/+/sensor/battery", "", &BATTERY, PERCENT, "$1", ""),
    ("shellies/+/relay/+", "", &ON, 1.0, "$1", "relay $2"),
    ("shellies/+/relay/+/power", "", &POWER, 1.0, "$1", "relay $2"),
    ("shellies/+/relay/+/energy", "", &ENERGY, WATT_MINUTES, "$1", "relay $2"),
];

/// <https://esphome.io/components/mqtt/>: the state of each sensor, whose unit only the node's own configuration tells.
const ESPHOME: &[Row] = &[
    ("+/sensor/+/state", "", &VALUE, 1.0, "$1", "$2"),
    ("+/binary_sensor/+/state", "", &ON, 1.0, "$1", "$2"),
    ("+/switch/+/state", "", &ON, 1.0, "$1", "$2"),
];

/// <https://docs.ruuvi.com/ruuvi-gateway-firmware/data-formats>, where the gateway decodes what its tags send; raw messages have no value in them.
const RUUVI_GATEWAY: &[Row] = &[
    ("ruuvi/+/+", "/temperature", &TEMPERATURE, 1.0, "$2", ""),
    ("ruuvi/+/+", "/humidity", &HUMIDITY_RATIO, PERCENT, "$2", ""),
    ("ruuvi/+/+", "/pressure", &PRESSURE, 1.0, "$2", ""),
    ("ruuvi/+/+", "/voltage", &VOLTAGE, 1.0, "$2", ""),
];

/// The rules of a preset.
pub fn rules(preset: Preset, stale_after: Duration) -> Vec<Rule> {
    let rows = match preset {
        Preset::Esphome => ESPHOME,
        Preset::RuuviGateway => RUUVI_GATEWAY,
        Preset::Shelly => SHELLY,
        Preset::Tasmota => TASMOTA,
        Preset::Zigbee2Mqtt => ZIGBEE2MQTT,
    };
    let rule = |&(topic, pointer, metric, scale, device, sensor): &Row| {
        Some(Rule {
            topic: topic.to_owned(),
            filter: Filter::parse(topic)?,
            pointer: Pointer::parse(pointer)?,
            metric,
            labels: vec![("device", device.to_owned()), ("sensor", sensor.to_owned())],
            scale,
            offset: 0.0,
            texts: match is_yes_or_no(metric) {
                true => yes_and_no().collect(),
                false => Vec::new(),
            },
            ignores_texts: has_other_texts(preset, metric),
            stale_after,
            unit: told_unit(preset, metric),
        })
    };
    rows.iter().filter_map(rule).collect()
}

/// A share of a whole is within the same range, but has a unit.
fn is_yes_or_no(metric: &Metric) -> bool {
    metric.range == SWITCH && metric.unit.is_empty()
}

/// Zigbee2MQTT's `state` is also that of blinds (`OPEN`) and locks (`LOCK`), and ESPHome's text sensors publish where its sensors do.
fn has_other_texts(preset: Preset, metric: &Metric) -> bool {
    match preset {
        Preset::Zigbee2Mqtt => metric.name == ON.name,
        Preset::Esphome => metric.name == VALUE.name,
        Preset::RuuviGateway | Preset::Shelly | Preset::Tasmota => false,
    }
}

/// Tasmota says with which units it was configured.
fn told_unit(preset: Preset, metric: &Metric) -> Option<(Pointer, &'static str)> {
    let (pointer, unit) = match (preset, metric.name) {
        (Preset::Tasmota, name) if name == TEMPERATURE.name => ("/TempUnit", "C"),
        (Preset::Tasmota, name) if name == PRESSURE.name => ("/PressureUnit", "hPa"),
        _ => return None,
    };
    Pointer::parse(pointer).map(|pointer| (pointer, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_preset_is_a_rule_and_no_preset_finds_a_value_twice() {
        for (preset, rows) in [
            (Preset::Esphome, ESPHOME),
            (Preset::RuuviGateway, RUUVI_GATEWAY),
            (Preset::Shelly, SHELLY),
            (Preset::Tasmota, TASMOTA),
            (Preset::Zigbee2Mqtt, ZIGBEE2MQTT),
        ] {
            let rules = rules(preset, Duration::from_secs(1));
            assert_eq!(rules.len(), rows.len(), "{preset:?}");
            for (index, rule) in rules.iter().enumerate() {
                let same = |other: &Rule| other.topic == rule.topic && other.pointer == rule.pointer;
                assert!(!rules[index + 1..].iter().any(same), "{rule:?}");
            }
        }
    }
}

#[cfg(test)]
#[path = "presets_tests.rs"]
mod messages;
