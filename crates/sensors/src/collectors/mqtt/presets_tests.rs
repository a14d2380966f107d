//! Messages as devices send them.

use crate::collectors::mqtt::rules::tests::{lines, preset_rules, subscription};
use crate::settings::mqtt::Preset;

#[test]
fn what_zigbee2mqtt_sends_is_in_base_units() {
    let rules = preset_rules(Preset::Zigbee2Mqtt);
    assert_eq!(
        lines(
            &rules,
            "zigbee2mqtt/Living room",
            r#"{"battery":87,"humidity":45.2,"linkquality":120,"pressure":1013.2,"temperature":21.46,"voltage":2985,"update":{"state":"idle"}}"#
        ),
        [
            "edge_mqtt_temperature_celsius{device=Living room} 21.46",
            "edge_mqtt_humidity_ratio{device=Living room} 0.452",
            "edge_mqtt_pressure_pascals{device=Living room} 101320",
            "edge_mqtt_battery_ratio{device=Living room} 0.87",
            "edge_mqtt_link_quality{device=Living room} 120",
        ]
    );
    assert_eq!(
        lines(
            &rules,
            "zigbee2mqtt/plug",
            r#"{"state":"ON","power":12.5,"energy":1.5,"current":0.06,"temperature":null}"#
        ),
        [
            "edge_mqtt_current_amperes{device=plug} 0.06",
            "edge_mqtt_power_watts{device=plug} 12.5",
            "edge_mqtt_energy_joules_total{device=plug} 5400000",
            "edge_mqtt_on{device=plug} 1",
        ]
    );
    assert!(lines(&rules, "zigbee2mqtt/bridge/state", "online").is_empty());
}

#[test]
fn what_tasmota_sends_names_the_chip_and_other_units_are_refused() {
    let rules = preset_rules(Preset::Tasmota);
    assert_eq!(
        lines(
            &rules,
            "tele/garage/SENSOR",
            r#"{"Time":"2026-01-01T00:00:00","BME280":{"Temperature":20.6,"Humidity":51.0,"Pressure":1004.6},
               "ENERGY":{"Total":1.25,"Power":40,"Voltage":231,"Current":0.17},"TempUnit":"C","PressureUnit":"hPa"}"#
        ),
        [
            "edge_mqtt_temperature_celsius{device=garage,sensor=BME280} 20.6",
            "edge_mqtt_humidity_ratio{device=garage,sensor=BME280} 0.51",
            "edge_mqtt_pressure_pascals{device=garage,sensor=BME280} 100460",
            "edge_mqtt_power_watts{device=garage} 40",
            "edge_mqtt_voltage_volts{device=garage} 231",
            "edge_mqtt_current_amperes{device=garage} 0.17",
            "edge_mqtt_energy_joules_total{device=garage} 4500000",
        ]
    );
    assert_eq!(
        lines(
            &rules,
            "tele/garage/SENSOR",
            r#"{"SI7021":{"Temperature":69.1},"TempUnit":"F"}"#
        ),
        ["edge_mqtt_temperature_celsius{device=garage,sensor=SI7021} it has another unit than the preset knows"]
    );
}

#[test]
fn a_unit_that_the_preset_does_not_know_is_refused_and_the_other_values_are_taken() {
    let refused = "it has another unit than the preset knows";
    let message =
        r#"{"BME280":{"Temperature":21.5,"Humidity":40.1,"Pressure":29.92},"PressureUnit":"inHg","TempUnit":"C"}"#;
    assert_eq!(
        lines(&preset_rules(Preset::Tasmota), "tele/d/SENSOR", message),
        [
            "edge_mqtt_temperature_celsius{device=d,sensor=BME280} 21.5".to_owned(),
            "edge_mqtt_humidity_ratio{device=d,sensor=BME280} 0.401".to_owned(),
            format!("edge_mqtt_pressure_pascals{{device=d,sensor=BME280}} {refused}"),
        ]
    );
}

#[test]
fn a_text_of_another_kind_of_device_is_no_value_and_no_error() {
    let zigbee = preset_rules(Preset::Zigbee2Mqtt);
    for message in [r#"{"position":100,"state":"OPEN"}"#, r#"{"state":"LOCK"}"#] {
        assert!(lines(&zigbee, "zigbee2mqtt/d", message).is_empty(), "{message}");
    }
    assert_eq!(
        lines(&zigbee, "zigbee2mqtt/d", r#"{"state":"OFF"}"#),
        ["edge_mqtt_on{device=d} 0"]
    );
    let esphome = preset_rules(Preset::Esphome);
    assert!(lines(&esphome, "attic/sensor/firmware/state", "Version 2026.1").is_empty());
}

#[test]
fn yes_and_no_are_no_measurements() {
    for (field, metric) in [
        ("temperature", "edge_mqtt_temperature_celsius"),
        ("humidity", "edge_mqtt_humidity_ratio"),
        ("battery", "edge_mqtt_battery_ratio"),
        ("co2", "edge_mqtt_carbon_dioxide_ratio"),
    ] {
        for (value, told) in [("true", "true"), ("\"ON\"", "ON")] {
            assert_eq!(
                lines(
                    &preset_rules(Preset::Zigbee2Mqtt),
                    "zigbee2mqtt/d",
                    &format!("{{\"{field}\":{value}}}")
                ),
                [format!("{metric}{{device=d}} {told:?} is not a number")]
            );
        }
    }
    let own = [subscription("topic = \"a\"\nmetric = \"x\"\npointer = \"/on\"").unwrap()];
    assert_eq!(lines(&own, "a", r#"{"on":true}"#), ["x{} 1"]);
}

#[test]
fn what_shelly_and_esphome_send_is_understood() {
    assert_eq!(
        lines(
            &preset_rules(Preset::Shelly),
            "shellyplus1pm-a8032ab/status/switch:0",
            r#"{"id":0,"output":true,"apower":8.9,"voltage":230.1,"current":0.05,"aenergy":{"total":6.532,"by_minute":[45.1]},"temperature":{"tC":23.5,"tF":74.4}}"#
        ),
        [
            "edge_mqtt_temperature_celsius{device=shellyplus1pm-a8032ab,sensor=switch:0} 23.5",
            "edge_mqtt_power_watts{device=shellyplus1pm-a8032ab,sensor=switch:0} 8.9",
            "edge_mqtt_voltage_volts{device=shellyplus1pm-a8032ab,sensor=switch:0} 230.1",
            "edge_mqtt_current_amperes{device=shellyplus1pm-a8032ab,sensor=switch:0} 0.05",
            "edge_mqtt_energy_joules_total{device=shellyplus1pm-a8032ab,sensor=switch:0} 23515.2",
            "edge_mqtt_on{device=shellyplus1pm-a8032ab,sensor=switch:0} 1",
        ]
    );
    assert_eq!(
        lines(
            &preset_rules(Preset::Shelly),
            "shellies/shelly1pm-1/relay/0/energy",
            "120"
        ),
        ["edge_mqtt_energy_joules_total{device=shelly1pm-1,sensor=relay 0} 7200"]
    );
    assert_eq!(
        lines(
            &preset_rules(Preset::Esphome),
            "attic/sensor/air_temperature/state",
            "18.25"
        ),
        ["edge_mqtt_value{device=attic,sensor=air_temperature} 18.25"]
    );
}

#[test]
fn each_value_that_a_preset_knows_is_in_its_base_unit() {
    let zigbee =
        |message: &'static str, expected: &'static str| (Preset::Zigbee2Mqtt, "zigbee2mqtt/d", message, expected);
    let tasmota = |message: &'static str, expected: &'static str| (Preset::Tasmota, "tele/d/SENSOR", message, expected);
    let shelly =
        |topic: &'static str, message: &'static str, expected: &'static str| (Preset::Shelly, topic, message, expected);
    let esphome = |topic: &'static str, message: &'static str, expected: &'static str| {
        (Preset::Esphome, topic, message, expected)
    };
    for (preset, topic, message, expected) in [
        zigbee(r#"{"co2":750}"#, "edge_mqtt_carbon_dioxide_ratio{device=d} 0.00075"),
        zigbee(
            r#"{"pm25":12}"#,
            "edge_mqtt_pm2_5_grams_per_cubic_meter{device=d} 0.000012",
        ),
        zigbee(r#"{"illuminance":320}"#, "edge_mqtt_illuminance_lux{device=d} 320"),
        zigbee(r#"{"contact":false}"#, "edge_mqtt_contact{device=d} 0"),
        zigbee(r#"{"occupancy":true}"#, "edge_mqtt_occupancy{device=d} 1"),
        zigbee(r#"{"water_leak":true}"#, "edge_mqtt_water_leak{device=d} 1"),
        tasmota(
            r#"{"BH1750":{"Illuminance":77}}"#,
            "edge_mqtt_illuminance_lux{device=d,sensor=BH1750} 77",
        ),
        tasmota(
            r#"{"SCD30":{"CarbonDioxide":750}}"#,
            "edge_mqtt_carbon_dioxide_ratio{device=d,sensor=SCD30} 0.00075",
        ),
        tasmota(
            r#"{"PMS5003":{"PM2.5":12}}"#,
            "edge_mqtt_pm2_5_grams_per_cubic_meter{device=d,sensor=PMS5003} 0.000012",
        ),
        (
            Preset::Tasmota,
            "tele/d/STATE",
            r#"{"POWER":"ON"}"#,
            "edge_mqtt_on{device=d} 1",
        ),
        shelly(
            "d/status/temperature:0",
            r#"{"id":0,"tC":22.9,"tF":73.2}"#,
            "edge_mqtt_temperature_celsius{device=d,sensor=temperature:0} 22.9",
        ),
        shelly(
            "d/status/humidity:0",
            r#"{"id":0,"rh":58.5}"#,
            "edge_mqtt_humidity_ratio{device=d,sensor=humidity:0} 0.585",
        ),
        shelly(
            "d/status/devicepower:0",
            r#"{"battery":{"V":5.9,"percent":100}}"#,
            "edge_mqtt_battery_ratio{device=d,sensor=devicepower:0} 1",
        ),
        shelly(
            "d/status/em:0",
            r#"{"total_act_power":951.2}"#,
            "edge_mqtt_power_watts{device=d,sensor=em:0} 951.2",
        ),
        shelly(
            "d/status/emdata:0",
            r#"{"total_act":2}"#,
            "edge_mqtt_energy_joules_total{device=d,sensor=emdata:0} 7200",
        ),
        shelly(
            "shellies/d/sensor/temperature",
            "21.5",
            "edge_mqtt_temperature_celsius{device=d} 21.5",
        ),
        shelly(
            "shellies/d/sensor/humidity",
            "50",
            "edge_mqtt_humidity_ratio{device=d} 0.5",
        ),
        shelly(
            "shellies/d/sensor/battery",
            "75",
            "edge_mqtt_battery_ratio{device=d} 0.75",
        ),
        shelly("shellies/d/relay/0", "off", "edge_mqtt_on{device=d,sensor=relay 0} 0"),
        shelly(
            "shellies/d/relay/0/power",
            "40.5",
            "edge_mqtt_power_watts{device=d,sensor=relay 0} 40.5",
        ),
        esphome(
            "d/binary_sensor/door/state",
            "ON",
            "edge_mqtt_on{device=d,sensor=door} 1",
        ),
        esphome("d/switch/pump/state", "OFF", "edge_mqtt_on{device=d,sensor=pump} 0"),
    ] {
        assert_eq!(
            lines(&preset_rules(preset), topic, message),
            [expected],
            "{topic} {message}"
        );
    }
}

#[test]
fn what_a_ruuvi_gateway_decodes_is_named_after_the_tag() {
    let rules = preset_rules(Preset::RuuviGateway);
    let topic = "ruuvi/F4:D9:16:FE:4F:AD/E3:75:CF:37:4E:23";
    let decoded = r#"{"gw_mac":"F4:D9:16:FE:4F:AD","rssi":-51,"data":"0201061BFF9904","dataFormat":5,"temperature":-8.545,
        "humidity":76.5,"pressure":101018,"accelX":1.020,"voltage":2.75,"id":"E3:75:CF:37:4E:23"}"#;
    assert_eq!(
        lines(&rules, topic, decoded),
        [
            "edge_mqtt_temperature_celsius{device=E3:75:CF:37:4E:23} -8.545",
            "edge_mqtt_humidity_ratio{device=E3:75:CF:37:4E:23} 0.765",
            "edge_mqtt_pressure_pascals{device=E3:75:CF:37:4E:23} 101018",
            "edge_mqtt_voltage_volts{device=E3:75:CF:37:4E:23} 2.75",
        ]
    );
    assert!(lines(&rules, topic, r#"{"rssi":-51,"data":"0201061BFF9904"}"#).is_empty());
    assert!(lines(&rules, "ruuvi/F4:D9:16:FE:4F:AD/gw_status", r#"{"state":"online"}"#).is_empty());
}
