//! From values to places on an axis: its range, and its ticks at round numbers.

use edgewatch_grafana_model::panel::timeseries::{self, ScaleDistribution};
use edgewatch_grafana_model::units::{self, decade};

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Evenly.
    Linear,
    /// By magnitude, to this base; what is not above 0 has no place.
    Log(f64),
    /// By magnitude on both sides of 0, evenly up to about this distance from it.
    Symlog(f64),
}

impl Distribution {
    /// As the options of a field say.
    pub fn of(options: &ScaleDistribution) -> Self {
        match options.kind {
            timeseries::Distribution::Linear => Self::Linear,
            timeseries::Distribution::Log => Self::Log(options.log.filter(|base| *base > 1.0).unwrap_or(2.0)),
            timeseries::Distribution::Symlog => Self::Symlog(
                options
                    .linear_threshold
                    .filter(|threshold| *threshold > 0.0)
                    .unwrap_or(1.0),
            ),
        }
    }
}

/// What an axis must or should show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Never less.
    pub min: Option<f64>,
    /// Never more.
    pub max: Option<f64>,
    /// At least from here.
    pub soft_min: Option<f64>,
    /// At least up to here.
    pub soft_max: Option<f64>,
    /// 0 lies in the middle.
    pub centered: bool,
}

/// The range of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// At the bottom.
    pub min: f64,
    /// At the top, above `min`.
    pub max: f64,
    /// In between.
    pub distribution: Distribution,
}

/// The greatest value that is told from greater ones.
const MOST: f64 = 1e300;

impl Scale {
    /// The range for values from `low` to `high` (not finite: there are none). `whole` is what a unit counts as full, for values
    /// that are all 0: 1 for a share, 100 else.
    pub fn new(low: f64, high: f64, limits: Limits, distribution: Distribution, whole: f64) -> Self {
        let (low, high) = match (low.is_finite() && high.is_finite(), distribution) {
            // Nothing real is beyond, and sums stay finite.
            (true, _) => (low.clamp(-MOST, MOST), high.clamp(-MOST, MOST)),
            (false, Distribution::Linear | Distribution::Symlog(_)) => (0.0, 0.0),
            (false, Distribution::Log(_)) => (1.0, 1.0),
        };
        let (mut min, mut max) = match distribution {
            Distribution::Linear | Distribution::Symlog(_) => (
                padded(
                    low,
                    high,
                    limits.soft_min.or((low >= 0.0).then_some(0.0)),
                    limits.soft_min.is_some(),
                ),
                -padded(
                    -high,
                    -low,
                    limits.soft_max.or((high <= 0.0).then_some(0.0)).map(|soft| -soft),
                    limits.soft_max.is_some(),
                ),
            ),
            Distribution::Log(base) => (
                base.powf(low.max(f64::MIN_POSITIVE).log(base).floor()),
                base.powf(high.max(f64::MIN_POSITIVE).log(base).ceil()),
            ),
        };
        if limits.centered {
            max = min.abs().max(max.abs());
            min = -max;
        }
        min = limits.min.unwrap_or(min);
        max = limits.max.unwrap_or(max);
        if let (Distribution::Log(_), true) = (distribution, min <= 0.0) {
            min = (max / 1e6).max(f64::MIN_POSITIVE);
        }
        if min == 0.0 && max == 0.0 {
            max = whole;
        }
        if !(min < max && (max - min).is_finite()) {
            (min, max) = match distribution {
                Distribution::Linear | Distribution::Symlog(_)
                    if max <= min && min.is_finite() && min.abs() < 1e300 =>
                {
                    (min, min + min.abs().max(1.0))
                }
                Distribution::Linear | Distribution::Symlog(_) => (0.0, whole),
                Distribution::Log(base) => (max.max(f64::MIN_POSITIVE) / base, max.max(f64::MIN_POSITIVE)),
            };
        }
        Self { min, max, distribution }
    }

    /// The place of `value`: 0 at the bottom, 1 at the top; beyond them outside. NaN where it has none.
    pub fn fraction(&self, value: f64) -> f64 {
        match self.distribution {
            Distribution::Linear => (value - self.min) / (self.max - self.min),
            Distribution::Log(_) if value <= 0.0 => f64::NAN,
            Distribution::Log(_) => (value.ln() - self.min.ln()) / (self.max.ln() - self.min.ln()),
            Distribution::Symlog(threshold) => {
                let place = |value: f64| (value / threshold).asinh();
                (place(value) - place(self.min)) / (place(self.max) - place(self.min))
            }
        }
    }

    /// About `count` values at round numbers of `unit`.
    pub fn ticks(&self, unit: &str, count: usize) -> Vec<f64> {
        match self.distribution {
            Distribution::Linear => self.even_ticks(unit, count.max(1)),
            Distribution::Log(base) => self.log_ticks(base, count.max(1)),
            Distribution::Symlog(threshold) => self.symmetric_ticks(threshold, count.max(1)),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a few ticks"
    )]
    fn even_ticks(&self, unit: &str, count: usize) -> Vec<f64> {
        let least = (self.max - self.min) / count as f64;
        let step = round_step(unit, least);
        let first = (self.min / step - 1e-9).ceil();
        let last = (self.max / step + 1e-9).floor();
        let number = (last - first).clamp(0.0, 1000.0) as usize;
        (0..=number).map(|index| (first + index as f64) * step).collect()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few ticks"
    )]
    fn log_ticks(&self, base: f64, count: usize) -> Vec<f64> {
        let first = (self.min.log(base) - 1e-9).ceil();
        let last = (self.max.log(base) + 1e-9).floor();
        let number = (last - first).clamp(0.0, 1000.0) as usize;
        let every = (number / count).max(1);
        (0..=number)
            .step_by(every)
            .map(|index| base.powf(first + index as f64))
            .collect()
    }

    /// 0, and powers of ten of the threshold on both sides.
    fn symmetric_ticks(&self, threshold: f64, count: usize) -> Vec<f64> {
        let powers = (0..40).map(|power| threshold * 10_f64.powi(power));
        let powers: Vec<f64> = powers
            .take_while(|value| *value <= self.min.abs().max(self.max.abs()))
            .collect();
        let every = (powers.len() * 2 + 1).div_ceil(count).max(1);
        let below = powers.iter().rev().map(|value| -value);
        let all = below.chain([0.0]).chain(powers.iter().copied());
        // Counted from 0, so that it is among them.
        let shift = powers.len() % every;
        let kept = all.skip(shift).step_by(every);
        kept.filter(|value| (self.min..=self.max).contains(value)).collect()
    }
}

/// The lower end of a range for values from `low` to `high`, with some air below. It does not go past `soft` by the air alone.
/// A range without extent gets one as big as its value. An asked-for soft limit is always shown, one at 0 only if it is near.
fn padded(low: f64, high: f64, soft: Option<f64>, asked: bool) -> f64 {
    let extent = high - low;
    let size = low.abs().max(high.abs());
    let is_flat = extent <= size * 1e-10;
    let air = if !is_flat { extent * 0.1 } else { size };
    // Down to a round number of a tenth of the magnitude.
    let grain = 10_f64.powi(decade((if is_flat { size } else { extent }).max(f64::MIN_POSITIVE))) / 10.0;
    let end = if grain > 0.0 {
        ((low - air) / grain).floor() * grain
    } else {
        low
    };
    match soft {
        Some(soft) if asked => end.min(soft).max(if low >= soft { soft } else { f64::NEG_INFINITY }),
        Some(soft) if low >= soft && end <= soft => soft,
        Some(_) | None => end,
    }
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

/// The texts of ticks, as Grafana writes them: each is scaled by itself, with the digits that the least step between two needs.
pub fn tick_texts(unit: &str, decimals: Option<u8>, ticks: &[f64]) -> Vec<String> {
    let unit = units::Unit::of(unit);
    let steps = ticks.windows(2).map(|two| (two[1] - two[0]).abs());
    let step = steps.filter(|step| *step > 0.0).reduce(f64::min).unwrap_or(1.0);
    let texts = ticks.iter().map(|value| unit.tick(decimals, step, *value).to_string());
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: f64, high: f64) -> (f64, f64) {
        limited(low, high, Limits::default())
    }

    fn limited(low: f64, high: f64, limits: Limits) -> (f64, f64) {
        let scale = Scale::new(low, high, limits, Distribution::Linear, 100.0);
        (scale.min, scale.max)
    }

    fn near((a, b): (f64, f64), (c, d): (f64, f64)) -> bool {
        (a - c).abs() <= c.abs() * 1e-9 && (b - d).abs() <= d.abs() * 1e-9
    }

    #[test]
    fn a_range_has_air_but_does_not_cross_zero_for_it() {
        assert!(near(range(1.0, 10.0), (0.0, 10.9)));
        assert!(near(range(100.0, 110.0), (99.0, 111.0)));
        assert!(near(range(-10.0, -1.0), (-10.9, 0.0)));
        let (min, max) = range(-5.0, 5.0);
        assert!(min < -5.0 && max > 5.0);
    }

    #[test]
    fn constant_and_missing_values_get_a_range() {
        assert_eq!(range(50.0, 50.0), (0.0, 100.0));
        assert_eq!(range(-50.0, -50.0), (-100.0, 0.0));
        assert_eq!(range(0.0, 0.0), (0.0, 100.0));
        assert_eq!(range(f64::INFINITY, f64::NEG_INFINITY), (0.0, 100.0));
    }

    #[test]
    fn hard_limits_hold_and_soft_ones_give_way() {
        let limits = Limits {
            min: Some(0.0),
            max: Some(1.0),
            ..Limits::default()
        };
        assert_eq!(limited(-7.0, 7.0, limits), (0.0, 1.0));
        let limits = Limits {
            soft_min: Some(0.0),
            soft_max: Some(100.0),
            ..Limits::default()
        };
        assert_eq!(limited(40.0, 50.0, limits), (0.0, 100.0));
        let (min, max) = limited(-40.0, 150.0, limits);
        assert!(min < -40.0 && max > 150.0);
        let limits = Limits {
            centered: true,
            ..Limits::default()
        };
        let (min, max) = limited(1.0, 10.0, limits);
        assert_eq!(min, -max);
    }

    #[test]
    fn any_range_is_finite_and_not_empty() {
        let odd = [
            0.0, -0.0, 1e-320, -1e-300, 1e-9, 1.0, -1.0, 1e15, 1e300, -1e308, 1.7e308,
        ];
        for low in odd {
            for high in odd.into_iter().filter(|high| *high >= low) {
                for distribution in [
                    Distribution::Linear,
                    Distribution::Log(10.0),
                    Distribution::Log(2.0),
                    Distribution::Symlog(1.0),
                ] {
                    for min in [None, Some(5.0), Some(-1e308)] {
                        let limits = Limits {
                            min,
                            ..Limits::default()
                        };
                        let scale = Scale::new(low, high, limits, distribution, 100.0);
                        assert!(scale.min < scale.max, "{low} {high} {scale:?}");
                        assert!((scale.max - scale.min).is_finite(), "{low} {high} {scale:?}");
                        assert!(scale.ticks("bytes", 5).len() <= 1100, "{low} {high} {scale:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn ticks_are_round_in_their_unit() {
        let ticks = |unit: &str, max: f64| {
            let scale = Scale {
                min: 0.0,
                max,
                distribution: Distribution::Linear,
            };
            scale.ticks(unit, 5)
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
            scale.ticks("short", 10),
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
        assert_eq!(scale.ticks("short", 9), [-100.0, -10.0, -1.0, 0.0, 1.0, 10.0, 100.0]);
        assert!((scale.fraction(0.0) - 0.5).abs() < 1e-9 && scale.fraction(10.0) > 0.75);
    }
}
