//! Messages as subscriptions read them, and as nobody should send them.

use super::*;
use crate::settings::mqtt::Preset;

pub(in crate::collectors::mqtt) fn preset_rules(preset: Preset) -> Vec<Rule> {
    presets::rules(preset, Duration::from_secs(60))
}

fn find(rules: &[Rule], topic: &str, message: &[u8]) -> Result<Vec<Found>, String> {
    super::find(rules, topic, message, 128)
}

/// `name{label=value} number`, for each value.
pub(in crate::collectors::mqtt) fn lines(rules: &[Rule], topic: &str, message: &str) -> Vec<String> {
    let found = find(rules, topic, message.as_bytes()).unwrap();
    let line = |found: &Found| {
        let labels = found.labels.iter().filter(|(_, value)| !value.is_empty());
        let labels: Vec<_> = labels.map(|(name, value)| format!("{name}={value}")).collect();
        let value = found.value.as_ref().map_or_else(ToOwned::to_owned, ToString::to_string);
        format!("{}{{{}}} {value}", found.metric.name, labels.join(","))
    };
    found.iter().map(line).collect()
}

pub(in crate::collectors::mqtt) fn subscription(toml: &str) -> Result<Rule, RuleError> {
    rule(&toml::from_str(toml).unwrap(), Duration::from_secs(60))
}

#[test]
fn what_is_not_finite_is_told_as_such() {
    assert_eq!(
        lines(&preset_rules(Preset::Esphome), "attic/sensor/air/state", "nan"),
        ["edge_mqtt_value{device=attic,sensor=air} NaN is not a finite number"]
    );
}

#[test]
fn a_subscription_says_where_the_value_is_and_what_it_means() {
    let rules = [subscription(
        r#"
        topic = "meter/+/state"
        metric = "water_level_meters"
        pointer = "/tanks/*/cm"
        labels = { site = "$1", tank = "t-$2" }
        scale = 0.01
        offset = 0.5
        texts = { empty = 0 }
        "#,
    )
    .unwrap()];
    assert_eq!(
        lines(
            &rules,
            "meter/north/state",
            r#"{"tanks":{"a":{"cm":150},"b":{"cm":"empty"},"c":{"cm":"25"},"d":{"mm":1},"e":{"cm":[]}}}"#
        ),
        [
            "water_level_meters{site=north,tank=t-a} 2",
            "water_level_meters{site=north,tank=t-b} 0.5",
            "water_level_meters{site=north,tank=t-c} 0.75",
            "water_level_meters{site=north,tank=t-e} a list or an object, not a number",
        ]
    );
}

#[test]
fn a_subscription_that_cannot_work_is_refused_with_what_would() {
    let with = |change: &str| {
        let mut settings = toml::from_str::<toml::Table>("topic = \"a/+\"\nmetric = \"x\"").unwrap();
        settings.extend(toml::from_str::<toml::Table>(change).unwrap());
        subscription(&settings.to_string()).unwrap_err()
    };
    assert!(matches!(with("topic = \"a/#/b\""), RuleError::Topic(_)));
    assert!(matches!(with("pointer = \"temperature\""), RuleError::Pointer(_)));
    for name in ["", "1x", "a-b", "edge_x", "process_x", "x_total"] {
        assert!(
            matches!(
                with(&format!("metric = \"{name}\"")),
                RuleError::Name(NameError::Metric(_))
            ),
            "{name}"
        );
    }
    assert!(matches!(
        with("type = \"counter\""),
        RuleError::Name(NameError::Metric(_))
    ));
    for name in ["1", "__name__", "a:b", ""] {
        assert!(
            matches!(
                with(&format!("labels = {{ \"{name}\" = \"x\" }}")),
                RuleError::Name(NameError::Label(_))
            ),
            "{name}"
        );
    }
    for value in ["$2", "$0", "$", "$x"] {
        assert!(
            matches!(
                with(&format!("labels = {{ l = \"{value}\" }}")),
                RuleError::Wildcard(_, 1)
            ),
            "{value}"
        );
    }
    for change in ["scale = 0", "scale = nan", "offset = inf"] {
        assert_eq!(with(change), RuleError::Scale, "{change}");
    }
}

#[test]
fn a_message_that_is_none_is_an_error_and_what_cannot_be_is_no_value() {
    let rules = preset_rules(Preset::Zigbee2Mqtt);
    for message in [
        b"{".as_slice(),
        b"nope",
        b"\xff\xfe",
        b"{} {}",
        &[b' '; MAX_MESSAGE + 1],
    ] {
        assert!(find(&rules, "zigbee2mqtt/a", message).is_err());
    }
    // Deeper than any document of a device.
    assert!(find(&rules, "zigbee2mqtt/a", "[".repeat(10_000).as_bytes()).is_err());
    assert!(lines(&rules, "zigbee2mqtt/a", "").is_empty());
    for value in ["1e999", "-300", "\"hot\"", "\"NaN\""] {
        let found = find(
            &rules,
            "zigbee2mqtt/a",
            format!("{{\"temperature\":{value}}}").as_bytes(),
        );
        assert!(found.is_err() || found.unwrap()[0].value.is_err(), "{value}");
    }
}

#[test]
fn whatever_bytes_come_the_outcome_is_values_or_an_error() {
    let rules: Vec<Rule> = [
        Preset::Zigbee2Mqtt,
        Preset::Tasmota,
        Preset::Shelly,
        Preset::RuuviGateway,
        Preset::Esphome,
    ]
    .into_iter()
    .flat_map(preset_rules)
    .collect();
    let seed = br#"{"BME280":{"Temperature":20.6,"x":[1,2]},"temperature":"1e3","battery":{"percent":87}}"#;
    let mut state = 16_u64;
    for topic in ["zigbee2mqtt/a", "tele/a/SENSOR", "a/status/b", "a/sensor/b/state"] {
        for _ in 0..5_000 {
            let mut bytes = seed.to_vec();
            for _ in 0..3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let position = (state >> 33) as usize % bytes.len();
                bytes[position] = (state >> 24) as u8;
            }
            for found in find(&rules, topic, &bytes).unwrap_or_default() {
                assert!(found.value.is_err() || found.metric.is_plausible(found.value.unwrap()));
            }
        }
    }
}
