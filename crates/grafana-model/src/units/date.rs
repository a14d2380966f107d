//! Dates and times by the patterns of moment.js, which Grafana uses (<https://momentjs.com/docs/#/displaying/format/>).

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::number::fixed;

/// `value`, in milliseconds since 1970, by `pattern`, in `zone` or the device's.
pub fn date(value: f64, pattern: &str, zone: Option<&TimeZone>) -> String {
    match zoned(value, zone) {
        Some((time, later)) => by_pattern(&time, later, pattern),
        None => "Invalid date".to_owned(),
    }
}

/// By the pattern `today` on this very day.
pub fn unless_today(value: f64, other: &str, today: &str, zone: Option<&TimeZone>) -> String {
    match zoned(value, zone) {
        Some((time, later)) => {
            let is_today = later == 0 && Timestamp::now().to_zoned(time.time_zone().clone()).date() == time.date();
            by_pattern(&time, later, if is_today { today } else { other })
        }
        None => "Invalid date".to_owned(),
    }
}

/// `2 hours ago` or `in 2 hours`.
pub fn from_now(value: f64) -> String {
    let passed = (Timestamp::now().as_millisecond() as f64 - value) / 1000.0;
    let words = roughly(passed.abs());
    if passed < 0.0 {
        format!("in {words}")
    } else {
        format!("{words} ago")
    }
}

/// A span as people say it, with moment's limits.
fn roughly(seconds: f64) -> String {
    let many = |count: f64, unit: &str| match count.max(1.0) {
        1.0 if unit == "hours" => "an hour".to_owned(),
        1.0 => format!("a {}", unit.trim_end_matches('s')),
        count => format!("{} {unit}", fixed(count, Some(0))),
    };
    let (minutes, hours) = ((seconds / 60.0).round(), (seconds / 3600.0).round());
    let days = (seconds / 86_400.0).round();
    // 146097 days are 400 years.
    let months = (seconds / 86_400.0 * 4800.0 / 146_097.0).round();
    let years = (seconds / 86_400.0 * 400.0 / 146_097.0).round();
    match () {
        () if seconds.round() < 45.0 => "a few seconds".to_owned(),
        () if minutes < 45.0 => many(minutes, "minutes"),
        () if hours < 22.0 => many(hours, "hours"),
        () if days < 26.0 => many(days, "days"),
        () if months < 11.0 => many(months, "months"),
        () => many(years, "years"),
    }
}

/// The last moment of JavaScript's dates, in milliseconds since 1970; the first is as far away.
const LAST: f64 = 8.64e15;
/// The years after which the calendar repeats itself, weekdays included.
const CYCLE: i64 = 400;
/// Milliseconds of a [`CYCLE`].
const CYCLE_MILLIS: i64 = 146_097 * 86_400_000;
/// The years that jiff knows, with room for a zone at both ends: from -9998 to 9999.
const KNOWN: (i64, i64) = (-377_673_580_800_000, 253_370_764_800_000);

/// A time, and the years by which it is later than that: those beyond the year 9999 are as far back as the calendar is the same.
#[expect(clippy::cast_possible_truncation, reason = "it is within the bounds of dates")]
fn zoned(milliseconds: f64, zone: Option<&TimeZone>) -> Option<(Zoned, i64)> {
    if milliseconds.is_nan() || milliseconds.abs() > LAST {
        return None;
    }
    let milliseconds = milliseconds as i64;
    let cycles = match milliseconds {
        late if late > KNOWN.1 => (late - KNOWN.1) / CYCLE_MILLIS + 1,
        early if early < KNOWN.0 => (early - KNOWN.0) / CYCLE_MILLIS - 1,
        _ => 0,
    };
    let time = Timestamp::from_millisecond(milliseconds - cycles * CYCLE_MILLIS).ok()?;
    let zone = zone.cloned().unwrap_or_else(crate::time::device);
    Some((time.to_zoned(zone), cycles * CYCLE))
}

/// What stands for a token.
enum Token {
    /// A format of [`Zoned::strftime`].
    Format(&'static str),
    /// The day of the month with its ending: `1st`.
    Day,
    /// The quarter of the year.
    Quarter,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// How far the zone is from UTC, in whole minutes, with this between the hours and them.
    Offset(&'static str),
}

/// Moment's tokens, longer ones before those they begin with. What is none of them stands for itself.
fn token(rest: &str) -> Option<(Token, usize)> {
    use Token::{Day, Format, Milliseconds, Offset, Quarter, Seconds};
    let token = |name: &str, token| rest.starts_with(name).then_some((token, name.len()));
    match rest.as_bytes().first()? {
        b'Y' => token("YYYY", Format("%Y")).or_else(|| token("YY", Format("%y"))),
        b'Q' => token("Q", Quarter),
        b'M' => token("MMMM", Format("%B"))
            .or_else(|| token("MMM", Format("%b")))
            .or_else(|| token("MM", Format("%m")))
            .or_else(|| token("M", Format("%-m"))),
        b'D' => token("DDDD", Format("%j"))
            .or_else(|| token("DDD", Format("%-j")))
            .or_else(|| token("DD", Format("%d")))
            .or_else(|| token("Do", Day))
            .or_else(|| token("D", Format("%-d"))),
        b'd' => token("dddd", Format("%A"))
            .or_else(|| token("ddd", Format("%a")))
            .or_else(|| token("d", Format("%w"))),
        b'e' => token("e", Format("%w")),
        b'E' => token("E", Format("%u")),
        b'G' => token("GGGG", Format("%G")),
        b'W' => token("WW", Format("%V")).or_else(|| token("W", Format("%-V"))),
        b'H' => token("HH", Format("%H")).or_else(|| token("H", Format("%-H"))),
        b'h' => token("hh", Format("%I")).or_else(|| token("h", Format("%-I"))),
        b'm' => token("mm", Format("%M")).or_else(|| token("m", Format("%-M"))),
        b's' => token("ss", Format("%S")).or_else(|| token("s", Format("%-S"))),
        b'S' => token("SSS", Format("%3f"))
            .or_else(|| token("SS", Format("%2f")))
            .or_else(|| token("S", Format("%1f"))),
        b'A' => token("A", Format("%p")),
        b'a' => token("a", Format("%P")),
        b'Z' => token("ZZ", Offset("")).or_else(|| token("Z", Offset(":"))),
        b'z' => token("z", Format("%Z")),
        b'X' => token("X", Seconds),
        b'x' => token("x", Milliseconds),
        b'L' => token("LTS", Format("%-I:%M:%S %p"))
            .or_else(|| token("LT", Format("%-I:%M %p")))
            .or_else(|| token("LL", Format("%B %-d, %Y")))
            .or_else(|| token("L", Format("%m/%d/%Y"))),
        _ => None,
    }
}

/// `time`, `later` years later.
fn by_pattern(time: &Zoned, later: i64, pattern: &str) -> String {
    let milliseconds = || time.timestamp().as_millisecond() + later / CYCLE * CYCLE_MILLIS;
    // No zone has years of its own: only they differ.
    let formatted = |format: &str| match later {
        0 => time.strftime(format).to_string(),
        later => {
            let year = format!("{:04}", i64::from(time.year()) + later);
            let of_week = format!("{:04}", i64::from(time.date().iso_week_date().year()) + later);
            time.strftime(&format.replace("%Y", &year).replace("%G", &of_week))
                .to_string()
        }
    };
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some((literal, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            text.push_str(literal);
            rest = behind;
        } else if let Some((token, length)) = token(rest) {
            text.push_str(&match token {
                Token::Format(format) => formatted(format),
                Token::Day => ordinal(time.day()),
                Token::Quarter => ((time.month() - 1) / 3 + 1).to_string(),
                Token::Seconds => milliseconds().div_euclid(1000).to_string(),
                Token::Milliseconds => milliseconds().to_string(),
                Token::Offset(between) => offset(time, between),
            });
            rest = &rest[length..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

/// `+01:00`. Before there were zones some places were seconds apart from whole minutes.
fn offset(time: &Zoned, between: &str) -> String {
    let seconds = time.offset().seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
}

fn ordinal(day: i8) -> String {
    let ending = match (day, day % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{day}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: f64, pattern: &str, zone: &str) -> String {
        date(milliseconds, pattern, Some(&crate::time::zone(zone)))
    }

    #[test]
    fn dates_reach_as_far_as_in_javascript() {
        // As moment.js writes them.
        for (milliseconds, zone, written) in [
            (253_402_300_799_999.0, "utc", "Fri, Dec 31st 9999 23:59:59.999 +00:00"),
            (
                253_402_300_799_999.0,
                "Europe/Berlin",
                "Sat, Jan 1st 10000 00:59:59.999 +01:00",
            ),
            (
                253_402_300_799_999.0,
                "America/New_York",
                "Fri, Dec 31st 9999 18:59:59.999 -05:00",
            ),
            (LAST, "utc", "Sat, Sep 13th 275760 00:00:00.000 +00:00"),
            (
                -62_135_596_800_000.0,
                "Europe/Berlin",
                "Mon, Jan 1st 0001 00:53:28.000 +00:53",
            ),
            (LAST + 1.0, "utc", "Invalid date"),
            (f64::NAN, "utc", "Invalid date"),
        ] {
            let shown = at(milliseconds, "ddd, MMM Do YYYY HH:mm:ss.SSS Z", zone);
            assert_eq!(shown, written, "{milliseconds} {zone}");
        }
        assert_eq!(
            at(LAST, "[at] LT L LL LTS", "utc"),
            "at 12:00 AM 09/13/275760 September 13, 275760 12:00:00 AM"
        );
        assert_eq!(at(LAST, "X x", "utc"), "8640000000000 8640000000000000");
    }

    #[test]
    fn every_moment_of_the_calendar_has_a_date() {
        let all = (-1000..=1000).map(|part| LAST * f64::from(part) / 1000.0);
        for milliseconds in all.chain([-LAST]) {
            for zone in ["utc", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
                assert_ne!(at(milliseconds, "YYYY", zone), "Invalid date", "{milliseconds} {zone}");
                let written = at(milliseconds, "x", zone);
                assert_eq!(written, (milliseconds as i64).to_string(), "{zone}");
            }
        }
    }
}
