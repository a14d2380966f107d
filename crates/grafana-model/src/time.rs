//! Time ranges as Grafana's addresses bear them (`now-6h`, `now/d`, milliseconds since the epoch), and the grid of range queries.

pub mod interval;
mod math;
mod own;
mod zone;

pub use jiff::tz::TimeZone as Zone;
pub(crate) use zone::offset;
pub use zone::{device, zone, zone_or_problem};

use crate::error::RangeError;
use jiff::Timestamp;

/// The range that a dashboard shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimeRange {
    /// Unix time in seconds.
    pub from: f64,
    /// Unix time in seconds, after `from`.
    pub to: f64,
}

impl TimeRange {
    /// The range from `from` to `to` in Grafana's syntax: `now-6h`, `now-1d/d`, `now/w`, milliseconds since the epoch,
    /// `2026-01-02T03:04:05Z`, `2026-01-02 03:04:05`, `20260102T030405`. `now` is Unix time in milliseconds. `/d` cuts down to the
    /// beginning of the day in `from` and up to its end in `to`, in the zone.
    ///
    /// # Errors
    /// One end is no time, or `from` does not lie before `to`.
    pub fn parse(from: &str, to: &str, now: i64, zone: &Zone) -> Result<Self, RangeError> {
        let now = Timestamp::from_millisecond(now)
            .map_err(RangeError::Clock)?
            .to_zoned(zone.clone());
        let start = math::parse(from, &now, math::Round::Down)?;
        let end = math::parse(to, &now, math::Round::Up)?;
        if start >= end {
            return Err(RangeError::Empty {
                from: from.to_owned(),
                to: to.to_owned(),
            });
        }
        Ok(Self {
            from: seconds(start),
            to: seconds(end),
        })
    }

    /// Both ends in milliseconds, in whole minutes around the range: for what changes slowly, so that many ask the same.
    #[expect(clippy::cast_possible_truncation, reason = "times come from milliseconds in an i64")]
    pub fn snapped(&self) -> (i64, i64) {
        let minute = |seconds: f64| (seconds / 60.0) as i64 * 60_000;
        (minute(self.from), minute(self.to + 59.999))
    }

    /// Its length in milliseconds.
    #[expect(clippy::cast_possible_truncation, reason = "times come from milliseconds in an i64")]
    pub fn millis(&self) -> i64 {
        ((self.to - self.from) * 1000.0).round() as i64
    }

    /// What a variable of Grafana's says of its length: `__range` (`90s`) and `__range_s` in whole seconds, rounded, and `__range_ms`.
    pub fn variable(&self, name: &str) -> Option<String> {
        let length = self.millis();
        let seconds = (length + 500) / 1000;
        match name {
            "__range" => Some(format!("{seconds}s")),
            "__range_s" => Some(seconds.to_string()),
            "__range_ms" => Some(length.to_string()),
            _ => None,
        }
    }

    /// The time of a link, as [`parse`](Self::parse) reads it: Grafana takes a date without a zone for one in UTC there, and for one in the
    /// zone of the page where a person types it.
    pub fn of_link(text: &str) -> String {
        dated(text, || Zone::UTC)
    }

    /// The time of a file, as [`parse`](Self::parse) reads it: there Grafana takes a date without a zone for one in the browser's, whatever
    /// the zone of the dashboard is. Here that is the device's.
    pub(crate) fn of_file(text: &str) -> String {
        dated(text, zone::device)
    }

    /// Whether a range that is written so hangs on what the time is.
    pub fn is_relative(from: &str, to: &str) -> bool {
        from.contains("now") || to.contains("now")
    }
}

/// The points of a range query: `start`, `start + step`, … , `len` of them. The start is a multiple of the step, so that equal
/// dashboards ask equal queries, counted from a midnight of the page's zone, so that steps of days are days there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Unix time in milliseconds.
    pub start: i64,
    /// Milliseconds, above 0.
    pub step: i64,
    /// Number of points.
    pub len: usize,
}

impl Grid {
    /// The grid that covers `range`: both ends are moved down to a multiple of `step` milliseconds on clocks that are `offset`
    /// milliseconds ahead of UTC.
    #[expect(clippy::cast_possible_truncation, reason = "times come from milliseconds in an i64")]
    pub fn new(range: TimeRange, step: i64, offset: i64) -> Self {
        let step = step.max(1);
        let aligned = |seconds: f64| ((seconds * 1000.0).round() as i64 + offset).div_euclid(step) * step - offset;
        let (start, end) = (aligned(range.from), aligned(range.to));
        Self {
            start,
            step,
            len: usize::try_from((end - start) / step).unwrap_or_default() + 1,
        }
    }

    /// Unix time in seconds of point `index`.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit into 53 bits")]
    pub fn at(&self, index: usize) -> f64 {
        (self.start + self.step * index as i64) as f64 / 1000.0
    }

    /// Unix time in seconds of every point.
    pub fn times(&self) -> Vec<f64> {
        (0..self.len).map(|index| self.at(index)).collect()
    }
}

/// A date without a zone as milliseconds, read in `zone`; anything else, which needs no zone and so none that is read from a file, as it is.
fn dated(text: &str, zone: impl FnOnce() -> Zone) -> String {
    match math::civil(text).and_then(|time| time.to_zoned(zone()).ok()) {
        Some(time) => time.timestamp().as_millisecond().to_string(),
        None => text.to_owned(),
    }
}

/// The time (Unix time in seconds) that a text means, such as ISO 8601; in `zone` if it names none.
pub(crate) fn moment(text: &str, zone: &Zone) -> Option<f64> {
    let now = Timestamp::now().to_zoned(zone.clone());
    math::parse(text, &now, math::Round::Down).ok().map(seconds)
}

/// A time (Unix time in seconds) for people: `2026-01-02 03:04:05` in `zone`.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
pub fn local(seconds: f64, zone: &Zone) -> String {
    let time = Timestamp::from_millisecond((seconds * 1000.0) as i64).unwrap_or_default();
    time.to_zoned(zone.clone()).strftime("%F %T").to_string()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit into 53 bits")]
fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_range_is_rounded_wherever_it_is_named() {
        let range = TimeRange { from: 0.0, to: 89.7 };
        let said = ["__range", "__range_s", "__range_ms", "__interval"].map(|name| range.variable(name));
        assert_eq!(
            said,
            [Some("90s".into()), Some("90".into()), Some("89700".into()), None]
        );
    }

    #[test]
    fn a_grid_starts_and_ends_at_multiples_of_its_step() {
        let range = TimeRange {
            from: 1_700_000_007.0,
            to: 1_700_003_607.0,
        };
        let grid = Grid::new(range, 15_000, 0);
        assert_eq!((grid.start, grid.len), (1_699_999_995_000, 241));
        assert_eq!(grid.at(240), 1_700_003_595.0);
        assert_eq!(grid.times().len(), 241);
    }
}
