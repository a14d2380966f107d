//! From values to places on an axis: its range. Its ticks are in [`super::ticks`].

use edgewatch_grafana_model::panel::timeseries::{self, ScaleDistribution};
use edgewatch_grafana_model::units::decade;

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
            // Grafana knows these bases and takes 10 for any other.
            timeseries::Distribution::Log => Self::Log(options.log.filter(|base| *base == 2.0).unwrap_or(10.0)),
            timeseries::Distribution::Symlog => Self::Symlog(
                options
                    .linear_threshold
                    .filter(|threshold| *threshold > 0.0)
                    .unwrap_or(1.0),
            ),
        }
    }

    /// The least and the greatest of the values that have a place on such an axis; not finite: none has.
    pub fn ends(self, values: impl IntoIterator<Item = f64>) -> (f64, f64) {
        let has_place = |value: &f64| !matches!(self, Self::Log(_)) || *value > 0.0;
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let values = values.into_iter().filter(has_place);
        values.fold(ends, |(low, high), value| (low.min(value), high.max(value)))
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
    /// The ends that nothing else sets are multiples of this: texts say nothing in between.
    pub grain: Option<f64>,
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
/// The least value above 0 that a logarithmic axis tells from lesser ones.
const LEAST: f64 = 1e-300;

impl Scale {
    /// The range for values from `low` to `high` (not finite: there are none). `whole` is what a unit counts as full, for values
    /// that are all 0: 1 for a share, 100 else.
    pub fn new(low: f64, high: f64, limits: Limits, distribution: Distribution, whole: f64) -> Self {
        let has_values = low.is_finite() && high.is_finite();
        let (min, max) = match distribution {
            Distribution::Linear | Distribution::Symlog(_) => {
                let (low, high) = if has_values { (low, high) } else { (0.0, 0.0) };
                // Nothing real is beyond, and sums stay finite.
                even(low.clamp(-MOST, MOST), high.clamp(-MOST, MOST), limits, whole)
            }
            Distribution::Log(base) => {
                let (low, high) = if has_values { (low, high) } else { (1.0, 1.0) };
                by_magnitude(low.clamp(LEAST, MOST), high.clamp(LEAST, MOST), limits, base)
            }
        };
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
}

/// The range of an axis on which the values from `low` to `high` lie evenly.
fn even(low: f64, high: f64, limits: Limits, whole: f64) -> (f64, f64) {
    let mut min = padded(
        low,
        high,
        limits.soft_min.or((low >= 0.0).then_some(0.0)),
        limits.soft_min.is_some(),
    );
    let mut max = -padded(
        -high,
        -low,
        limits.soft_max.or((high <= 0.0).then_some(0.0)).map(|soft| -soft),
        limits.soft_max.is_some(),
    );
    if limits.centered {
        max = min.abs().max(max.abs());
        min = -max;
    }
    if let Some(grain) = limits.grain {
        (min, max) = (
            (min / grain + 1e-9).floor() * grain,
            (max / grain - 1e-9).ceil() * grain,
        );
    }
    min = limits.min.unwrap_or(min);
    max = limits.max.unwrap_or(max);
    if min == 0.0 && max == 0.0 {
        max = whole;
    }
    if min < max && (max - min).is_finite() {
        (min, max)
    } else if max <= min && min.is_finite() && min.abs() < 1e300 {
        (min, min + min.abs().max(1.0))
    } else {
        (0.0, whole)
    }
}

/// The range of a logarithmic axis for values from `low` to `high`, which are above 0: whole powers of `base`. A limit that is not above
/// 0 has no place on it and counts as none.
fn by_magnitude(low: f64, high: f64, limits: Limits, base: f64) -> (f64, f64) {
    let limit = |limit: Option<f64>| limit.filter(|limit| *limit > 0.0);
    // A logarithm of a power may be a hair beside the whole number.
    let down = |value: f64| base.powf((value.log(base) + 1e-9).floor());
    let up = |value: f64| base.powf((value.log(base) - 1e-9).ceil());
    let min = down(limit(limits.min).unwrap_or(low));
    let max = up(limit(limits.max).unwrap_or(high));
    if min < max && max.is_finite() {
        (min, max)
    } else {
        (max.clamp(LEAST, MOST) / base, max.clamp(LEAST, MOST))
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
    fn a_range_ends_where_texts_can_say_so() {
        let whole = Limits {
            grain: Some(1.0),
            ..Limits::default()
        };
        assert_eq!(limited(0.0, 0.3, whole), (0.0, 1.0));
        assert_eq!(limited(-0.5, 1.2, whole), (-1.0, 2.0));
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
                    }
                }
            }
        }
    }

    #[test]
    fn a_logarithmic_axis_begins_below_the_least_value_above_0() {
        let log = Distribution::Log(10.0);
        let range = |values: &[f64], limits: Limits| {
            let (low, high) = log.ends(values.iter().copied());
            let scale = Scale::new(low, high, limits, log, 100.0);
            (scale.min, scale.max)
        };
        let none = Limits::default();
        assert!(near(range(&[0.0, 0.05, -3.0, 30.0], none), (0.01, 100.0)));
        assert!(near(range(&[0.0, -1.0], none), (0.1, 1.0)));
        let from_0 = Limits { min: Some(0.0), ..none };
        assert!(near(range(&[20.0, 80.0], from_0), (10.0, 100.0)));
        let from_5 = Limits { min: Some(5.0), ..none };
        assert!(near(range(&[20.0, 80.0], from_5), (1.0, 100.0)));
    }
}
