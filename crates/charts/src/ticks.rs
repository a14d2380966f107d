//! The ticks of an axis: round values with texts that say them.

use super::graph::Tick;
use super::scale::{Distribution, Scale};
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::model::FieldOptions;
use edgewatch_grafana_model::units::{self, decade};

/// About `count` ticks of an axis whose values are written as those of a field with `options`.
pub fn ticks(scale: &Scale, options: &FieldOptions, count: usize) -> Vec<Tick> {
    let values = if units::is_boolean(&options.unit) {
        vec![0.0, 1.0]
    } else {
        values(scale, &options.unit, count.max(1))
    };
    let step = match scale.distribution {
        Distribution::Linear => values.windows(2).map(|two| (two[1] - two[0]).abs()).reduce(f64::min),
        // The digits of the least would be far too many for the greatest.
        Distribution::Log(_) | Distribution::Symlog(_) => None,
    };
    let tick = |value: &f64| {
        Some(Tick {
            at: scale.fraction(*value),
            text: display::tick(options, step, *value)?,
        })
    };
    values.iter().filter_map(tick).collect()
}

/// About `count` values at round numbers of `unit`.
fn values(scale: &Scale, unit: &str, count: usize) -> Vec<f64> {
    match scale.distribution {
        Distribution::Linear => even(scale, unit, count),
        Distribution::Log(base) => by_magnitude(scale, base, count),
        Distribution::Symlog(threshold) => symmetric(scale, threshold, count),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a few ticks"
)]
fn even(scale: &Scale, unit: &str, count: usize) -> Vec<f64> {
    let least = (scale.max - scale.min) / count as f64;
    let step = round_step(unit, least);
    let first = (scale.min / step - 1e-9).ceil();
    let last = (scale.max / step + 1e-9).floor();
    let number = (last - first).clamp(0.0, 1000.0) as usize;
    (0..=number).map(|index| (first + index as f64) * step).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few ticks"
)]
fn by_magnitude(scale: &Scale, base: f64, count: usize) -> Vec<f64> {
    let first = (scale.min.log(base) - 1e-9).ceil();
    let last = (scale.max.log(base) + 1e-9).floor();
    let number = (last - first).clamp(0.0, 1000.0) as usize;
    let every = (number / count).max(1);
    (0..=number)
        .step_by(every)
        .map(|index| base.powf(first + index as f64))
        .collect()
}

/// 0, and powers of ten of the threshold on both sides.
fn symmetric(scale: &Scale, threshold: f64, count: usize) -> Vec<f64> {
    let powers = (0..40).map(|power| threshold * 10_f64.powi(power));
    let powers: Vec<f64> = powers
        .take_while(|value| *value <= scale.min.abs().max(scale.max.abs()))
        .collect();
    let every = (powers.len() * 2 + 1).div_ceil(count).max(1);
    let below = powers.iter().rev().map(|value| -value);
    let all = below.chain([0.0]).chain(powers.iter().copied());
    // Counted from 0, so that it is among them.
    let shift = powers.len() % every;
    let kept = all.skip(shift).step_by(every);
    kept.filter(|value| (scale.min..=scale.max).contains(value)).collect()
}

/// The least round step of `unit` that is not below `least`.
fn round_step(unit: &str, least: f64) -> f64 {
    match unit {
        "bytes" | "bits" | "kbytes" | "mbytes" | "gbytes" | "binBps" | "binbps" => binary_step(least),
        "s" | "dtdurations" | "dthms" | "clocks" if least > 1.0 => time_step(least),
        "ms" | "dtdurationms" | "clockms" if least > 1000.0 => time_step(least / 1000.0) * 1000.0,
        "m" if least > 1.0 => time_step(least * 60.0) / 60.0,
        _ => decimal_step(least),
    }
}

/// The least 1, 2, 2.5 or 5 with any power of ten that is not below `least`.
pub fn decimal_step(least: f64) -> f64 {
    let magnitude = 10_f64.powi(decade(least));
    if !(least > 0.0 && least.is_finite() && magnitude > 0.0) {
        return if least > 0.0 { least } else { 1.0 };
    }
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * magnitude >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * magnitude
}

fn binary_step(least: f64) -> f64 {
    if least <= 1.0 {
        return decimal_step(least);
    }
    let mut step = 1.0;
    while step < least * (1.0 - 1e-9) && step.is_finite() {
        step *= 2.0;
    }
    step
}

fn time_step(least: f64) -> f64 {
    const STEPS: [f64; 15] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0,
    ];
    const DAY: f64 = 86400.0;
    let step = STEPS.into_iter().chain([21600.0, 43200.0]).find(|step| *step >= least);
    step.unwrap_or_else(|| {
        if least <= DAY {
            DAY
        } else {
            decimal_step(least / DAY) * DAY
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scale::Limits;
    use super::*;

    #[test]
    fn ticks_are_round_in_their_unit() {
        let ticks = |unit: &str, max: f64| {
            let scale = Scale {
                min: 0.0,
                max,
                distribution: Distribution::Linear,
            };
            values(&scale, unit, 5)
        };
        assert_eq!(ticks("short", 100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks("percentunit", 1.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        let mib = 1024.0 * 1024.0;
        assert_eq!(ticks("bytes", 4.0 * mib), [0.0, mib, 2.0 * mib, 3.0 * mib, 4.0 * mib]);
        assert_eq!(ticks("s", 300.0), [0.0, 60.0, 120.0, 180.0, 240.0, 300.0]);
        assert_eq!(
            ticks("ms", 150_000.0),
            [0.0, 30_000.0, 60_000.0, 90_000.0, 120_000.0, 150_000.0]
        );
    }

    #[test]
    fn logarithmic_ticks_are_powers() {
        let scale = Scale::new(3.0, 40_000.0, Limits::default(), Distribution::Log(10.0), 100.0);
        assert_eq!(
            values(&scale, "short", 10),
            [1.0, 10.0, 100.0, 1000.0, 10_000.0, 100_000.0]
        );
        assert!((scale.fraction(1000.0) - 0.6).abs() < 1e-9);
        assert!(scale.fraction(0.0).is_nan());
    }

    #[test]
    fn a_symmetric_scale_shows_both_sides_of_0_by_magnitude() {
        let scale = Scale::new(
            -100.0,
            100.0,
            Limits {
                min: Some(-100.0),
                max: Some(100.0),
                ..Limits::default()
            },
            Distribution::Symlog(1.0),
            100.0,
        );
        assert_eq!(values(&scale, "short", 9), [-100.0, -10.0, -1.0, 0.0, 1.0, 10.0, 100.0]);
        assert!((scale.fraction(0.0) - 0.5).abs() < 1e-9 && scale.fraction(10.0) > 0.75);
    }

    #[test]
    fn a_tick_of_any_size_is_written_as_a_number() {
        for unit in ["", "short", "s", "bytes", "reqps", "percentunit"] {
            let scale = Scale::new(1e-300, 1e300, Limits::default(), Distribution::Log(10.0), 100.0);
            let options = FieldOptions {
                unit: unit.to_owned(),
                ..FieldOptions::default()
            };
            for tick in ticks(&scale, &options, 120) {
                assert!(!tick.text.contains("NaN") && tick.text.len() < 40, "{unit} {tick:?}");
            }
        }
    }

    #[test]
    fn a_logarithmic_tick_has_the_digits_that_it_needs_itself() {
        let scale = Scale::new(0.001, 100.0, Limits::default(), Distribution::Log(10.0), 100.0);
        let options = FieldOptions {
            unit: "s".to_owned(),
            ..FieldOptions::default()
        };
        let texts: Vec<String> = ticks(&scale, &options, 10).into_iter().map(|tick| tick.text).collect();
        assert_eq!(texts, ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "1.67 mins"]);
    }

    fn texts(options: serde_json::Value, max: f64) -> Vec<String> {
        let scale = Scale {
            min: 0.0,
            max,
            distribution: Distribution::Linear,
        };
        let options = serde_json::from_value(options).unwrap();
        ticks(&scale, &options, 5).into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn no_tick_says_a_value_that_lies_elsewhere() {
        assert_eq!(texts(json!({"decimals": 0}), 1.0), ["0", "1"]);
        assert_eq!(texts(json!({"decimals": 0}), 12.0), ["0", "5", "10"]);
        assert_eq!(texts(json!({"decimals": 1}), 1.2), ["0.0", "0.5", "1.0"]);
        assert_eq!(texts(json!({"decimals": 0, "unit": "short"}), 5000.0).len(), 6);
        let percent = texts(json!({"decimals": 0, "unit": "percentunit"}), 0.1);
        assert_eq!(percent, ["0%", "2%", "4%", "6%", "8%", "10%"]);
        assert_eq!(texts(json!({"unit": "bool_on_off"}), 1.0), ["Off", "On"]);
    }

    #[test]
    fn a_tick_has_the_text_that_its_value_is_mapped_to() {
        let states = json!({"0": {"text": "Down"}, "1": {"text": "Up"}});
        let options = json!({"decimals": 0, "mappings": [{"type": "value", "options": states}]});
        assert_eq!(texts(options, 2.0), ["Down", "Up", "2"]);
    }
}
