//! Ranges that panels have of their own: `timeFrom` and `timeShift`, and the words for them in a panel's head.

use jiff::{Timestamp, Zoned};

use super::math::{self, Round};
use super::{TimeRange, Zone, seconds};

/// What the words of a number of units are.
const UNITS: [(char, &str); 7] = [
    ('s', "second"),
    ('m', "minute"),
    ('h', "hour"),
    ('d', "day"),
    ('w', "week"),
    ('M', "month"),
    ('y', "year"),
];

/// What a range from the beginning of a unit to now is called.
const SO_FAR: [(&str, &str); 6] = [
    ("now/d", "Today so far"),
    ("now/w", "This week so far"),
    ("now/M", "This month so far"),
    ("now/y", "This year so far"),
    ("now/fQ", "This fiscal quarter so far"),
    ("now/fy", "This fiscal year so far"),
];

impl TimeRange {
    /// The range of a panel on a page with this one, and what the panel's head says of it (nothing: it is the page's).
    ///
    /// `from` is a length up to now such as `24h`, or a beginning such as `now/d`; a page whose range does not hang on `now` (Unix
    /// time in milliseconds) is not overridden by it. `shift` moves the range into the past, such as `1d` or `1d/d`.
    pub fn of_panel(self, from: &str, shift: &str, now: Option<i64>, zone: &Zone) -> (Self, String) {
        let mut range = self;
        let mut said = Vec::new();
        if !from.is_empty() {
            let Some(text) = Text::of(from) else {
                return (range, "invalid time override".to_owned());
            };
            if let Some(now) = now.and_then(|now| Timestamp::from_millisecond(now).ok()) {
                let now = now.to_zoned(zone.clone());
                let end = |text: &str, round| math::parse(text, &now, round).ok().map(seconds);
                let Some((from, to)) = end(&text.from, Round::Down).zip(end(&text.to, Round::Up)) else {
                    return (range, "invalid time override".to_owned());
                };
                range = Self { from, to };
                said.push(text.words);
            }
        }
        if !shift.is_empty() {
            let steps = format!("-{shift}");
            let moved = |seconds: f64, round| math::apply(&steps, zoned(seconds, zone)?, round);
            let ends = moved(range.from, Round::Down).zip(moved(range.to, Round::Up));
            match ends.filter(|_| Text::of(shift).is_some()) {
                Some((from, to)) => {
                    range.from = seconds(from.timestamp());
                    range.to = seconds(to.timestamp());
                    said.push(format!("timeshift {steps}"));
                }
                None => said.push("invalid timeshift".to_owned()),
            }
        }
        // Some give an end before the beginning.
        if range.from >= range.to {
            return (self, "invalid time override".to_owned());
        }
        (range, said.join(" "))
    }
}

/// A range as one text names it.
struct Text {
    from: String,
    to: String,
    words: String,
}

impl Text {
    fn of(text: &str) -> Option<Self> {
        let is_last = !text.starts_with('+');
        let whole = match (text.contains("now"), is_last) {
            (true, _) => text.to_owned(),
            (false, true) => format!("now-{text}"),
            (false, false) => format!("now{text}"),
        };
        let words = match SO_FAR.iter().find(|(known, _)| *known == whole) {
            Some((_, words)) => (*words).to_owned(),
            None => words(&whole, is_last)?,
        };
        let now = || "now".to_owned();
        let (from, to) = if is_last { (whole, now()) } else { (now(), whole) };
        Some(Self { from, to, words })
    }
}

/// `Last 2 days` for `now-2d`. `None`: it is not of this form.
fn words(text: &str, is_last: bool) -> Option<String> {
    let rest = text.strip_prefix("now-").or_else(|| text.strip_prefix("now+"))?;
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = rest.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let (_, unit) = UNITS.iter().find(|(letter, _)| unit.starts_with(*letter))?;
    let side = if is_last { "Last" } else { "Next" };
    Some(format!("{side} {number} {unit}{}", if number > 1 { "s" } else { "" }))
}

#[expect(clippy::cast_possible_truncation, reason = "times come from milliseconds in an i64")]
fn zoned(seconds: f64, zone: &Zone) -> Option<Zoned> {
    let time = Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()?;
    Some(time.to_zoned(zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-05-13 14:35:50 in Berlin.
    const NOW: i64 = 1_778_675_750_000;

    fn of(from: &str, shift: &str, now: Option<i64>) -> (String, String, String) {
        let berlin = Zone::get("Europe/Berlin").unwrap();
        let page = TimeRange {
            from: (NOW - 3_600_000) as f64 / 1000.0,
            to: NOW as f64 / 1000.0,
        };
        let (range, said) = page.of_panel(from, shift, now, &berlin);
        let local = |seconds| super::super::local(seconds, &berlin);
        (local(range.from), local(range.to), said)
    }

    #[test]
    fn a_panel_may_have_a_range_of_its_own_and_says_so() {
        for (from, shift, begin, end, said) in [
            (
                "now/d",
                "",
                "2026-05-13 00:00:00",
                "2026-05-13 14:35:50",
                "Today so far",
            ),
            (
                "now-2d/d",
                "",
                "2026-05-11 00:00:00",
                "2026-05-13 14:35:50",
                "Last 2 days",
            ),
            ("1d/d", "", "2026-05-12 00:00:00", "2026-05-13 14:35:50", "Last 1 day"),
            ("24h", "", "2026-05-12 14:35:50", "2026-05-13 14:35:50", "Last 24 hours"),
            ("", "1d", "2026-05-12 13:35:50", "2026-05-12 14:35:50", "timeshift -1d"),
            (
                "2h",
                "1w",
                "2026-05-06 12:35:50",
                "2026-05-06 14:35:50",
                "Last 2 hours timeshift -1w",
            ),
            (
                "",
                "1d/d",
                "2026-05-12 00:00:00",
                "2026-05-12 23:59:59",
                "timeshift -1d/d",
            ),
            (
                "5",
                "",
                "2026-05-13 13:35:50",
                "2026-05-13 14:35:50",
                "invalid time override",
            ),
            (
                "",
                "soon",
                "2026-05-13 13:35:50",
                "2026-05-13 14:35:50",
                "invalid timeshift",
            ),
            ("", "", "2026-05-13 13:35:50", "2026-05-13 14:35:50", ""),
        ] {
            let expected = (begin.to_owned(), end.to_owned(), said.to_owned());
            assert_eq!(of(from, shift, Some(NOW)), expected, "{from} {shift}");
        }
    }

    #[test]
    fn an_absolute_range_is_moved_but_not_overridden() {
        let (begin, end, said) = of("24h", "1d", None);
        assert_eq!((&*begin, &*end), ("2026-05-12 13:35:50", "2026-05-12 14:35:50"));
        assert_eq!(said, "timeshift -1d");
    }
}
