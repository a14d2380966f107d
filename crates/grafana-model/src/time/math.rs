//! `now-1d/d` and dates.

use super::Zone;
use crate::error::RangeError;
use jiff::civil::{DateTime, Time};
use jiff::{Span, Timestamp, ToSpan, Zoned};

/// What `/d` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// To the beginning of the day.
    Down,
    /// To its last millisecond.
    Up,
}

/// Formats of dates without a zone.
const FORMATS: [&str; 6] = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y%m%dT%H%M%S",
    "%Y-%m-%d",
];

/// The time that `text` stands for, in the zone of `now` if it names none.
pub fn parse(text: &str, now: &Zoned, round: Round) -> Result<Timestamp, RangeError> {
    let unknown = || RangeError::Time(text.to_owned());
    if let Some(steps) = text.strip_prefix("now") {
        let steps: String = steps.chars().filter(|c| !c.is_whitespace()).collect();
        return apply(&steps, now.clone(), round)
            .map(|time| time.timestamp())
            .ok_or_else(unknown);
    }
    let with_zone: Option<Timestamp> = text.parse().ok();
    with_zone
        .or_else(|| date(text, now.time_zone()))
        .or_else(|| millis(text))
        .ok_or_else(unknown)
}

/// Milliseconds since 1970, of which Grafana reads the whole ones.
fn millis(text: &str) -> Option<Timestamp> {
    let whole = match text.split_once('.') {
        Some((whole, part)) if part.bytes().all(|byte| byte.is_ascii_digit()) => whole,
        _ => text,
    };
    Timestamp::from_millisecond(whole.parse().ok()?).ok()
}

fn date(text: &str, zone: &Zone) -> Option<Timestamp> {
    civil(text)?.to_zoned(zone.clone()).ok().map(|time| time.timestamp())
}

/// The date and time that `text` says without a zone. `None`: it is none, or names a zone.
pub fn civil(text: &str) -> Option<DateTime> {
    // A civil time is read from these as well, without a look at the offset.
    if text.parse::<Timestamp>().is_ok() {
        return None;
    }
    let parsed = FORMATS.iter().find_map(|format| {
        let broken = jiff::fmt::strtime::parse(format, text).ok()?;
        let date = broken.to_date().ok()?;
        Some(date.to_datetime(broken.to_time().unwrap_or(Time::midnight())))
    });
    parsed.or_else(|| text.parse().ok())
}

/// `-1d/d` and the like, from left to right. `None`: it is not of this form, or leads out of the calendar.
pub fn apply(mut steps: &str, mut time: Zoned, round: Round) -> Option<Zoned> {
    // The midnight of a day that has none, since clocks are put forward then: days are counted from there.
    let mut midnight: Option<DateTime> = None;
    while !steps.is_empty() {
        let sign = steps.chars().next()?;
        steps = steps.get(sign.len_utf8()..)?;
        let digits = steps.find(|c: char| !c.is_ascii_digit())?;
        let (number, rest) = steps.split_at(digits);
        if number.len() > MAX_DIGITS {
            return None;
        }
        let count: i64 = if number.is_empty() { 1 } else { number.parse().ok()? };
        // `f` is for a fiscal year: here it begins in January.
        let rest = rest.strip_prefix('f').unwrap_or(rest);
        let unit = rest.chars().next()?;
        steps = rest.get(unit.len_utf8()..)?;
        let span = span(count, unit)?;
        let span = if sign == '-' { -span } else { span };
        time = match (sign, midnight.take().filter(|_| "dwMQy".contains(unit))) {
            ('+' | '-', Some(midnight)) => midnight
                .checked_add(span)
                .ok()?
                .to_zoned(time.time_zone().clone())
                .ok()?,
            ('+' | '-', None) => time.checked_add(span).ok()?,
            ('/', _) if count == 1 => {
                let cut = cut(&time, unit, round)?;
                let start = cut.date().to_datetime(Time::midnight());
                let is_put_off = round == Round::Down && "dwMQy".contains(unit) && cut.datetime() != start;
                midnight = is_put_off.then_some(start);
                cut
            }
            _ => return None,
        };
    }
    Some(time)
}

/// Digits of a number, as many as Grafana reads.
const MAX_DIGITS: usize = 5;

fn span(count: i64, unit: char) -> Option<Span> {
    let span = Span::new();
    match unit {
        'y' => span.try_years(count),
        'Q' => span.try_months(count.checked_mul(3)?),
        'M' => span.try_months(count),
        'w' => span.try_weeks(count),
        'd' => span.try_days(count),
        'h' => span.try_hours(count),
        'm' => span.try_minutes(count),
        's' => span.try_seconds(count),
        _ => return None,
    }
    .ok()
}

/// The beginning of the unit that `time` lies in, or its last millisecond. Weeks begin on Monday (ISO 8601).
fn cut(time: &Zoned, unit: char, round: Round) -> Option<Zoned> {
    let day = time.start_of_day().ok()?;
    let back = |days: i8| day.checked_sub(i64::from(days).days()).ok()?.start_of_day().ok();
    let start = match unit {
        'y' => time.first_of_year().ok()?.start_of_day().ok()?,
        'Q' => {
            let month = (time.month() - 1) / 3 * 3 + 1;
            time.with().month(month).day(1).build().ok()?.start_of_day().ok()?
        }
        'M' => time.first_of_month().ok()?.start_of_day().ok()?,
        'w' => back(time.weekday().to_monday_zero_offset())?,
        'd' => day,
        'h' => time.with().minute(0).second(0).subsec_nanosecond(0).build().ok()?,
        'm' => time.with().second(0).subsec_nanosecond(0).build().ok()?,
        's' => time.with().subsec_nanosecond(0).build().ok()?,
        _ => return None,
    };
    match round {
        Round::Down => Some(start),
        Round::Up if "dwMQy".contains(unit) => {
            // By the calendar: where clocks are changed at midnight, a day ends at another distance from its beginning.
            let next = start.date().checked_add(span(1, unit)?).ok()?;
            let last = next.to_datetime(Time::midnight()).checked_sub(1.millisecond()).ok()?;
            last.to_zoned(time.time_zone().clone()).ok()
        }
        Round::Up => {
            let next = start.checked_add(span(1, unit)?).ok()?;
            next.checked_sub(1.millisecond()).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TimeRange, Zone};
    use super::*;

    fn at(text: &str, round: Round) -> String {
        let now: Zoned = "2026-05-13T14:35:50.500+02:00[Europe/Berlin]".parse().unwrap();
        let time = parse(text, &now, round).unwrap();
        time.to_zoned(now.time_zone().clone()).datetime().to_string()
    }

    #[test]
    fn grafanas_ranges_are_understood() {
        for (text, down, up) in [
            ("now", "2026-05-13T14:35:50.5", "2026-05-13T14:35:50.5"),
            ("now-6h", "2026-05-13T08:35:50.5", "2026-05-13T08:35:50.5"),
            ("now+1m", "2026-05-13T14:36:50.5", "2026-05-13T14:36:50.5"),
            ("now-d", "2026-05-12T14:35:50.5", "2026-05-12T14:35:50.5"),
            ("now/d", "2026-05-13T00:00:00", "2026-05-13T23:59:59.999"),
            ("now-1d/d", "2026-05-12T00:00:00", "2026-05-12T23:59:59.999"),
            ("now/w", "2026-05-11T00:00:00", "2026-05-17T23:59:59.999"),
            ("now/M", "2026-05-01T00:00:00", "2026-05-31T23:59:59.999"),
            ("now/Q", "2026-04-01T00:00:00", "2026-06-30T23:59:59.999"),
            ("now/fQ", "2026-04-01T00:00:00", "2026-06-30T23:59:59.999"),
            ("now/y", "2026-01-01T00:00:00", "2026-12-31T23:59:59.999"),
            ("now-1M/M", "2026-04-01T00:00:00", "2026-04-30T23:59:59.999"),
            ("now/h", "2026-05-13T14:00:00", "2026-05-13T14:59:59.999"),
            ("now/d-2h", "2026-05-12T22:00:00", "2026-05-13T21:59:59.999"),
            ("1778675750500", "2026-05-13T14:35:50.5", "2026-05-13T14:35:50.5"),
            ("2026-05-13T12:00:00.000Z", "2026-05-13T14:00:00", "2026-05-13T14:00:00"),
            ("2026-05-13 12:00:00", "2026-05-13T12:00:00", "2026-05-13T12:00:00"),
            ("2026-05-13T12:00", "2026-05-13T12:00:00", "2026-05-13T12:00:00"),
            ("20260513T120000", "2026-05-13T12:00:00", "2026-05-13T12:00:00"),
            ("20260513", "2026-05-13T00:00:00", "2026-05-13T00:00:00"),
            ("2026-05-13", "2026-05-13T00:00:00", "2026-05-13T00:00:00"),
            ("1778675750500.9", "2026-05-13T14:35:50.5", "2026-05-13T14:35:50.5"),
            ("12345678", "1970-01-01T04:25:45.678", "1970-01-01T04:25:45.678"),
            ("-1", "1970-01-01T00:59:59.999", "1970-01-01T00:59:59.999"),
        ] {
            assert_eq!((&*at(text, Round::Down), &*at(text, Round::Up)), (down, up), "{text}");
        }
    }

    #[test]
    fn a_day_of_the_clock_change_has_its_own_length() {
        let berlin = Zone::get("Europe/Berlin").unwrap();
        let noon = "2026-03-29T12:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        let range = TimeRange::parse("now/d", "now/d", noon, &berlin).unwrap();
        assert_eq!(range.millis(), 23 * 3_600_000 - 1);
    }

    #[test]
    fn what_is_no_time_is_named() {
        let now = 1_778_675_750_500;
        for odd in [
            "",
            "yesterday",
            "now-",
            "now-1",
            "now-1x",
            "now/2d",
            "now-99999999y",
            "nowish",
            "2026-13-01",
            "99999999999999999999",
            "1e12",
            "5 May 2026",
        ] {
            let error = TimeRange::parse(odd, "now", now, &Zone::UTC).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{odd:?} is no time")), "{error}");
        }
        let error = TimeRange::parse("now", "now-1h", now, &Zone::UTC)
            .unwrap_err()
            .to_string();
        assert!(error.contains("from must lie before to"), "{error}");
    }
}
