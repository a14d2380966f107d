//! How a value is shown: its text by unit, decimals and mappings, and its colour by thresholds and mappings.

use super::color;
use super::data::{Cell, Field, NULL, Values, is_null};
use super::limits;
use super::model::{FieldOptions, Mapping, MappingResult, Step, ThresholdMode};
use super::reduce;
use super::time::Zone;
use super::units::{self, leading_number};

/// A value for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Display {
    /// With unit, or the text that a mapping puts in its place.
    pub text: String,
    /// `#rrggbb` of the dark theme (see [`color::for_light`]), or `transparent`, if a mapping, a threshold or a fixed colour gives it
    /// one; `None` where its colour is that of its series, [`super::data::Field::color`].
    pub color: Option<String>,
}

/// How a calculation over a field is shown in a legend: of counts without the unit, of a difference in percent with that.
pub fn reduced(field: &Field, calc: &str) -> Display {
    let result = reduce::reduce(calc, &field.values);
    match reduce::unit(calc) {
        None => cell(&field.options, &result),
        Some(unit) => {
            let options = FieldOptions {
                unit: unit.to_owned(),
                ..FieldOptions::clone(&field.options)
            };
            cell(&options, &result)
        }
    }
}

/// How a value is shown that comes from a column of numbers, or from a calculation over one.
pub fn cell(options: &FieldOptions, cell: &Cell<'_>) -> Display {
    match cell {
        Cell::Null => number(options, NULL),
        Cell::Number(value) => number(options, *value),
        Cell::Text(value) => text(options, Some(value)),
        Cell::Boolean(is) => boolean(options, *is),
        Cell::Time(seconds) => Display {
            text: time(
                options,
                *seconds,
                &options.zone.clone().unwrap_or_else(super::time::device),
            ),
            color: color_within(options, cell.as_number(), NO_NUMBERS),
        },
    }
}

/// How the number `value` is shown; [`NULL`]: there is none.
pub fn number(options: &FieldOptions, value: f64) -> Display {
    number_within(options, value, options.bounds())
}

/// The text of a tick of an axis whose ticks are `step` apart; without a step it has the digits that it needs by itself. `None`: with
/// the digits that the field has, it would say another value.
pub fn tick(options: &FieldOptions, step: Option<f64>, value: f64) -> Option<String> {
    let unit = unit(options);
    let digits = options.digits();
    let mapped = mapped(options, |mapping| map_number(mapping, value)).text;
    let text = match (mapped, step) {
        (Some(text), _) => text,
        (None, _) if digits.is_some_and(|digits| !unit.says(digits, value)) => return None,
        (None, Some(step)) => unit.tick(digits, step, value).to_string(),
        (None, None) => unit.format(digits, value).to_string(),
    };
    Some(limits::cut(text, limits::NAME))
}

/// The least difference of values that their texts can tell, if the digits of the field set one.
pub fn grain(options: &FieldOptions) -> Option<f64> {
    options.digits().and_then(|digits| unit(options).grain(digits))
}

fn number_within(options: &FieldOptions, value: f64, bounds: (f64, f64)) -> Display {
    let mapped = mapped(options, |mapping| map_number(mapping, value));
    // Grafana takes what has the unit `string` for a text, even a number.
    let is_text = options.unit == "string";
    let text = mapped.text.unwrap_or_else(|| {
        if is_null(value) {
            options.no_value.clone().unwrap_or_default()
        } else if value.is_nan() || is_text {
            units::shortest(value)
        } else {
            with_unit(options, value)
        }
    });
    let for_color = if value.is_nan() || is_text {
        f64::NEG_INFINITY
    } else {
        value
    };
    display(text, mapped.color, || color_within(options, for_color, bounds))
}

/// How it is shown whether something is.
fn boolean(options: &FieldOptions, is: bool) -> Display {
    let mapped = mapped(options, |mapping| map_text(mapping, &is.to_string()));
    let text = mapped.text.unwrap_or_else(|| is.to_string());
    display(text, mapped.color, || color_of(options, f64::from(u8::from(is))))
}

fn mapped(options: &FieldOptions, map: impl FnMut(&Mapping) -> Option<MappingResult>) -> MappingResult {
    options.mappings.iter().find_map(map).unwrap_or_default()
}

/// A text with the colour that a mapping gives it, or that of its value.
fn display(text: String, mapped: Option<String>, of_value: impl FnOnce() -> Option<String>) -> Display {
    let mapped = mapped.filter(|name| !name.is_empty());
    Display {
        text: limits::cut(text, limits::NAME),
        color: mapped.map(|name| color::hex(&name)).or_else(of_value),
    }
}

/// The least and the greatest value of a column that has no numbers.
const NO_NUMBERS: (f64, f64) = (0.0, 100.0);

fn with_unit(options: &FieldOptions, value: f64) -> String {
    unit(options).format(options.digits(), value).to_string()
}

fn unit(options: &FieldOptions) -> units::Unit<'_> {
    let unit = units::Unit::of(&options.unit);
    match &options.zone {
        Some(zone) => unit.in_zone(zone),
        None => unit,
    }
}

/// How a text is shown, or none: a text that is a number has the unit, if there is one.
pub fn text(options: &FieldOptions, value: Option<&str>) -> Display {
    let Some(value) = value else {
        return number(options, NULL);
    };
    if units::is_date(&options.unit) {
        let time = super::time::moment(value, &Zone::UTC).map_or(f64::NAN, |seconds| seconds * 1000.0);
        return number_within(options, time, NO_NUMBERS);
    }
    let mapped = mapped(options, |mapping| map_text(mapping, value));
    let numeric = match options.unit.as_str() {
        "" | "string" => None,
        _ => units::parse(value.trim()),
    };
    let text = mapped.text.unwrap_or_else(|| match (numeric, value) {
        (Some(number), _) => with_unit(options, number),
        (None, "") => options.no_value.clone().unwrap_or_default(),
        (None, value) => value.to_owned(),
    });
    let value = numeric.unwrap_or(f64::NEG_INFINITY);
    display(text, mapped.color, || color_within(options, value, NO_NUMBERS))
}

/// Whether a column of times spans less than a minute, so that seconds do not tell them apart.
pub(crate) fn is_within_a_minute(values: &Values) -> bool {
    match values {
        Values::Times(times) => match times.as_slice() {
            [first, .., last] => (last - first).abs() < 60.0,
            _ => false,
        },
        Values::Numbers(_) | Values::Texts(_) | Values::Booleans(_) => false,
    }
}

/// The text of [`text`] without the unit that a number in it has.
pub(crate) fn without_unit(options: &FieldOptions, value: &str) -> String {
    let number = units::parse(value.trim()).filter(|_| !matches!(options.unit.as_str(), "" | "string"));
    match number.filter(|_| !units::is_date(&options.unit) && options.mappings.is_empty()) {
        Some(number) => units::Unit::of(&options.unit).format(options.digits(), number).text,
        None => text(options, Some(value)).text,
    }
}

/// How a time (Unix time in seconds) is shown: by the unit of the field if it is one of dates, else as `2026-01-02 03:04:05`, with
/// milliseconds where the column spans less than a minute.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
pub fn time(options: &FieldOptions, seconds: f64, zone: &Zone) -> String {
    if is_null(seconds) {
        return options.no_value.clone().unwrap_or_default();
    }
    if units::is_date(&options.unit) {
        return with_unit(options, seconds * 1000.0);
    }
    let format = if options.shows_milliseconds {
        "%Y-%m-%d %H:%M:%S.%3f"
    } else {
        "%Y-%m-%d %H:%M:%S"
    };
    match jiff::Timestamp::from_millisecond((seconds * 1000.0).round() as i64) {
        Ok(time) => time.to_zoned(zone.clone()).strftime(format).to_string(),
        Err(_) => String::new(),
    }
}

/// The colour of `value` by the mode of the field; `None` where it is that of the series.
pub fn color_of(options: &FieldOptions, value: f64) -> Option<String> {
    color_within(options, value, options.bounds())
}

/// The same between a least and a greatest value.
pub(crate) fn color_within(options: &FieldOptions, value: f64, bounds: (f64, f64)) -> Option<String> {
    let mode = options.color.mode.as_str();
    if color::is_of_series(mode) {
        return None;
    }
    let share = if value == f64::NEG_INFINITY {
        0.0
    } else {
        share_of(bounds, value)
    };
    let by_threshold = || color::hex(reached(options, value, share).map_or(color::FALLBACK, |step| &step.color));
    Some(color::continuous(mode, share).unwrap_or_else(by_threshold))
}

/// The threshold that `value` has reached: the last one in order, or the first for what lies below all and for no value. Those that
/// do not ascend are not looked at beyond the first that is not reached.
pub fn threshold(options: &FieldOptions, value: f64) -> Option<&Step> {
    let share = if value == f64::NEG_INFINITY {
        0.0
    } else {
        share(options, value)
    };
    reached(options, value, share)
}

fn reached(options: &FieldOptions, value: f64, share: f64) -> Option<&Step> {
    let steps = &options.thresholds.steps;
    let value = match options.thresholds.mode {
        ThresholdMode::Absolute => value,
        ThresholdMode::Percentage => share * 100.0,
    };
    let reached = |step: &&Step| step.value.is_none_or(|limit| value >= limit);
    steps.iter().take_while(reached).last().or_else(|| steps.first())
}

/// How far `value` is on the way from the least to the greatest value of the field, 0 to 1 between them.
pub fn share(options: &FieldOptions, value: f64) -> f64 {
    share_of(options.bounds(), value)
}

fn share_of((min, max): (f64, f64), value: f64) -> f64 {
    let share = (value - min) / (max - min);
    if share.is_nan() { 0.0 } else { share }
}

fn map_number(mapping: &Mapping, value: f64) -> Option<MappingResult> {
    match mapping {
        Mapping::Value(_) if is_null(value) => None,
        Mapping::Value(results) => results.get(&units::shortest(value)).cloned(),
        Mapping::Range { from, to, result } => {
            let inside = !value.is_nan() && from.is_none_or(|from| value >= from) && to.is_none_or(|to| value <= to);
            inside.then(|| result.clone())
        }
        Mapping::Regex { .. } => None,
        Mapping::Special { r#match, result } => {
            let is_match = match r#match.as_str() {
                "null" => is_null(value),
                "nan" => value.is_nan() && !is_null(value),
                "null+nan" => value.is_nan(),
                _ => false,
            };
            is_match.then(|| result.clone())
        }
    }
}

fn map_text(mapping: &Mapping, value: &str) -> Option<MappingResult> {
    match mapping {
        Mapping::Value(results) => results.get(value).cloned(),
        Mapping::Range { .. } => map_number(mapping, leading_number(value)?),
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
                _ => false,
            };
            is_match.then(|| result.clone())
        }
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
        assert_eq!(text(&options, Some("up")).text, "running");
        assert_eq!(text(&options, Some("eth12")).text, "wire 12");
        assert_eq!(text(&options, Some("wlan0")).text, "wlan0");
        assert_eq!(text(&options, Some("")).text, "-");
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
