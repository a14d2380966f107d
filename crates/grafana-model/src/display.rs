//! How a value is shown: its text by unit, decimals and mappings, and its colour by thresholds and mappings.

use super::color;
use super::limits;
use super::model::{FieldOptions, Mapping, MappingResult, Step, ThresholdMode};
use super::time::Zone;
use super::units;

/// A value for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Display {
    /// With unit, or the text that a mapping puts in its place.
    pub text: String,
    /// `#rrggbb` of the dark theme (see [`color::for_light`]), or `transparent`, if a mapping, a threshold or a fixed colour gives it
    /// one; `None` where its colour is that of its series, [`super::data::Field::color`].
    pub color: Option<String>,
}

/// How the number `value` (NaN: none) is shown.
pub fn number(options: &FieldOptions, value: f64) -> Display {
    number_with(options, value, None)
}

/// As [`number`], with `decimals` digits behind the point where the field does not say how many: for the ticks of an axis.
pub fn number_with(options: &FieldOptions, value: f64, decimals: Option<u8>) -> Display {
    let mapped = options
        .mappings
        .iter()
        .find_map(|mapping| map_number(mapping, value))
        .unwrap_or_default();
    let text = mapped.text.unwrap_or_else(|| {
        if value.is_nan() {
            options.no_value.clone().unwrap_or_default()
        } else {
            with_unit(options, decimals, value)
        }
    });
    Display {
        text: limits::cut(text, limits::NAME),
        color: mapped
            .color
            .map(|name| color::hex(&name))
            .or_else(|| color_of(options, value)),
    }
}

fn with_unit(options: &FieldOptions, decimals: Option<u8>, value: f64) -> String {
    let unit = units::Unit::of(&options.unit);
    let unit = match &options.zone {
        Some(zone) => unit.in_zone(zone),
        None => unit,
    };
    unit.format(options.digits().or(decimals), value).to_string()
}

/// How a text is shown.
pub fn text(options: &FieldOptions, value: &str) -> Display {
    let mapped = options
        .mappings
        .iter()
        .find_map(|mapping| map_text(mapping, value))
        .unwrap_or_default();
    let text = mapped.text.unwrap_or_else(|| {
        let shown = if value.is_empty() {
            options.no_value.as_deref().unwrap_or_default()
        } else {
            value
        };
        shown.to_owned()
    });
    Display {
        text: limits::cut(text, limits::NAME),
        color: mapped
            .color
            .map(|name| color::hex(&name))
            .or_else(|| color_of(options, f64::NEG_INFINITY)),
    }
}

/// How a time (Unix time in seconds) is shown: by the unit of the field if it is one of dates, else as `2026-01-02 03:04:05`.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
pub fn time(options: &FieldOptions, seconds: f64, zone: &Zone) -> String {
    if options.unit.starts_with("dateTime") || options.unit.starts_with("time:") {
        return with_unit(options, None, seconds * 1000.0);
    }
    if seconds.is_nan() {
        return options.no_value.clone().unwrap_or_default();
    }
    match jiff::Timestamp::from_millisecond((seconds * 1000.0) as i64) {
        Ok(time) => time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => String::new(),
    }
}

/// The colour of `value` by the mode of the field; `None` where it is that of the series.
pub fn color_of(options: &FieldOptions, value: f64) -> Option<String> {
    match options.color.mode.as_str() {
        "thresholds" | "" => threshold(options, value).map(|step| color::hex(&step.color)),
        "fixed" => Some(color::hex(
            options.color.fixed_color.as_deref().unwrap_or(color::FALLBACK),
        )),
        mode => color::continuous(mode, share(options, value).unwrap_or_default()),
    }
}

/// The threshold that `value` has reached: the last one in order, or the first for what lies below all and for no value.
pub fn threshold(options: &FieldOptions, value: f64) -> Option<&Step> {
    let steps = &options.thresholds.steps;
    let value = match options.thresholds.mode {
        ThresholdMode::Absolute => value,
        ThresholdMode::Percentage => share(options, value).map_or(f64::NEG_INFINITY, |share| share * 100.0),
    };
    let reached = |step: &&Step| step.value.is_none_or(|limit| value >= limit);
    steps.iter().rev().find(reached).or_else(|| steps.first())
}

/// How far `value` is on the way from the least to the greatest value of the field, 0 to 1 between them. `None`: there is no
/// such way.
pub fn share(options: &FieldOptions, value: f64) -> Option<f64> {
    let (min, max) = options.bounds();
    let share = (value - min) / (max - min);
    share.is_finite().then_some(share)
}

fn map_number(mapping: &Mapping, value: f64) -> Option<MappingResult> {
    match mapping {
        Mapping::Value(results) if value.is_nan() => results.get("NaN").or_else(|| results.get("null")).cloned(),
        Mapping::Value(results) => results.get(&key(value)).cloned(),
        Mapping::Range { from, to, result } => {
            let inside = !value.is_nan() && from.is_none_or(|from| value >= from) && to.is_none_or(|to| value <= to);
            inside.then(|| result.clone())
        }
        Mapping::Regex { .. } => None,
        Mapping::Special { r#match, result } => {
            let is_missing = value.is_nan() && matches!(r#match.as_str(), "null" | "nan" | "null+nan");
            is_missing.then(|| result.clone())
        }
    }
}

fn map_text(mapping: &Mapping, value: &str) -> Option<MappingResult> {
    match mapping {
        Mapping::Value(results) => results.get(value).cloned(),
        Mapping::Range { .. } => map_number(mapping, value.trim().parse().ok()?),
        Mapping::Regex { pattern, result } => {
            let pattern = pattern.get()?;
            let is_match = pattern.is_match(value);
            is_match.then(|| MappingResult {
                text: result.text.as_ref().map(|text| pattern.replace(value, text)),
                ..result.clone()
            })
        }
        Mapping::Special { r#match, result } => {
            let is_match = match r#match.as_str() {
                "empty" => value.is_empty(),
                "true" | "false" => value == r#match,
                "nan" | "null+nan" => value == "NaN",
                _ => false,
            };
            is_match.then(|| result.clone())
        }
    }
}

/// A number as JavaScript writes it, for it is the key of value mappings.
fn key(value: f64) -> String {
    match value {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value => units::shortest(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(json: serde_json::Value) -> FieldOptions {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_threshold_is_the_last_that_is_reached() {
        let options = options(
            json!({"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": [
            {"color": "green", "value": null}, {"color": "orange", "value": 60}, {"color": "red", "value": 80}]}}),
        );
        for (value, name) in [
            (0.0, "green"),
            (60.0, "orange"),
            (79.9, "orange"),
            (1e9, "red"),
            (f64::NAN, "green"),
            (-5.0, "green"),
        ] {
            assert_eq!(number(&options, value).color, Some(color::hex(name)), "{value}");
        }
    }

    #[test]
    fn percentages_are_of_the_way_from_min_to_max() {
        let mut options = options(
            json!({"min": 100, "max": 200, "thresholds": {"mode": "percentage", "steps": [
            {"color": "green", "value": null}, {"color": "red", "value": 80}]}}),
        );
        assert_eq!(number(&options, 179.0).color, Some(color::hex("green")));
        assert_eq!(number(&options, 180.0).color, Some(color::hex("red")));
        (options.min, options.max, options.range) = (None, None, Some((0.0, 100.0)));
        assert_eq!(number(&options, 85.0).color, Some(color::hex("red")));
    }

    #[test]
    fn missing_thresholds_are_grafanas() {
        let options = options(json!({}));
        assert_eq!(threshold(&options, 79.0).map(|step| &*step.color), Some("green"));
        assert_eq!(threshold(&options, 80.0).map(|step| &*step.color), Some("red"));
    }

    #[test]
    fn mappings_come_before_units_and_thresholds() {
        let options = options(json!({"unit": "s", "noValue": "none", "mappings": [
            {"type": "value", "options": {"0": {"text": "down", "color": "red"}, "1.5": {"color": "blue"}}},
            {"type": "range", "options": {"from": 10, "to": null, "result": {"text": "much"}}},
            {"type": "special", "options": {"match": "nan", "result": {"text": "gone", "color": "#123456"}}}]}));
        let shown = |value| number(&options, value);
        assert_eq!(shown(0.0).text, "down");
        assert_eq!(shown(-0.0).color, Some(color::hex("red")));
        assert_eq!(shown(1.5).color, Some(color::hex("blue")));
        assert_eq!(shown(1.5).text, units::format("s", None, 1.5));
        assert_eq!(shown(1e6).text, "much");
        assert_eq!(
            (&*shown(f64::NAN).text, shown(f64::NAN).color.as_deref()),
            ("gone", Some("#123456"))
        );
    }

    #[test]
    fn a_number_is_mapped_by_the_key_that_javascript_writes() {
        let options = options(json!({"mappings": [{"type": "value", "options": {
            "1e+21": {"text": "huge"}, "1e-7": {"text": "tiny"}, "0": {"text": "none"}, "100000000000000000000": {"text": "large"}}}]}));
        for (value, text) in [(1e21, "huge"), (1e-7, "tiny"), (-0.0, "none"), (1e20, "large")] {
            assert_eq!(number(&options, value).text, text, "{value}");
        }
    }

    #[test]
    fn texts_are_mapped_by_value_and_pattern() {
        let options = options(json!({"mappings": [
            {"type": "value", "options": {"up": {"text": "running"}}},
            {"type": "regex", "options": {"pattern": "/^eth(\\d+)$/", "result": {"text": "wire $1"}}},
            {"type": "special", "options": {"match": "empty", "result": {"text": "-"}}}]}));
        assert_eq!(text(&options, "up").text, "running");
        assert_eq!(text(&options, "eth12").text, "wire 12");
        assert_eq!(text(&options, "wlan0").text, "wlan0");
        assert_eq!(text(&options, "").text, "-");
    }

    #[test]
    fn a_series_has_its_own_colour_in_the_modes_of_series() {
        let options = options(json!({"color": {"mode": "palette-classic"}}));
        assert_eq!(number(&options, 1.0).color, None);
    }

    #[test]
    fn times_are_in_the_zone() {
        let berlin = super::super::time::zone("Europe/Berlin");
        assert_eq!(
            time(&FieldOptions::default(), 1_778_675_750.0, &berlin),
            "2026-05-13 14:35:50"
        );
        assert_eq!(time(&FieldOptions::default(), f64::INFINITY, &berlin), "");
    }
}
