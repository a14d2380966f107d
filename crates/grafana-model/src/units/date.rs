//! Dates and times by the patterns of moment.js, which Grafana uses (<https://momentjs.com/docs/#/displaying/format/>).

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::number::fixed;

/// `value`, in milliseconds since 1970, by `pattern`, in `zone` or the device's.
pub fn date(value: f64, pattern: &str, zone: Option<&TimeZone>) -> String {
    match zoned(value, zone) {
        Some(time) => by_pattern(&time, pattern),
        None => "Invalid date".to_owned(),
    }
}

/// By the pattern `today` on this very day.
pub fn unless_today(value: f64, other: &str, today: &str, zone: Option<&TimeZone>) -> String {
    match zoned(value, zone) {
        Some(time) => {
            let is_today = Timestamp::now().to_zoned(time.time_zone().clone()).date() == time.date();
            by_pattern(&time, if is_today { today } else { other })
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

#[expect(
    clippy::cast_possible_truncation,
    reason = "out of range is out of the calendar as well"
)]
fn zoned(milliseconds: f64, zone: Option<&TimeZone>) -> Option<Zoned> {
    let time = Timestamp::from_millisecond(milliseconds as i64).ok()?;
    Some(time.to_zoned(zone.cloned().unwrap_or_else(crate::time::device)))
}

/// What stands for a token.
enum Token {
    /// A format of [`Zoned::strftime`].
    Format(&'static str),
    /// The day of the month with its ending: `1st`.
    Day,
    /// The quarter of the year.
    Quarter,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// Moment's tokens, longer ones before those they begin with. What is none of them stands for itself.
fn token(rest: &str) -> Option<(Token, usize)> {
    use Token::{Day, Format, Milliseconds, Quarter};
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
        b'Z' => token("ZZ", Format("%z")).or_else(|| token("Z", Format("%:z"))),
        b'z' => token("z", Format("%Z")),
        b'X' => token("X", Format("%s")),
        b'x' => token("x", Milliseconds),
        b'L' => token("LTS", Format("%-I:%M:%S %p"))
            .or_else(|| token("LT", Format("%-I:%M %p")))
            .or_else(|| token("LL", Format("%B %-d, %Y")))
            .or_else(|| token("L", Format("%m/%d/%Y"))),
        _ => None,
    }
}

fn by_pattern(time: &Zoned, pattern: &str) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some((literal, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            text.push_str(literal);
            rest = behind;
        } else if let Some((token, length)) = token(rest) {
            text.push_str(&match token {
                Token::Format(format) => time.strftime(format).to_string(),
                Token::Day => ordinal(time.day()),
                Token::Quarter => ((time.month() - 1) / 3 + 1).to_string(),
                Token::Milliseconds => time.timestamp().as_millisecond().to_string(),
            });
            rest = &rest[length..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
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
