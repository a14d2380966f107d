//! Spans of time.

use super::formatted::Formatted;
use super::number::fixed;

/// The unit of spans below a limit.
#[derive(Debug)]
pub struct Stage {
    /// Where the next stage begins.
    below: f64,
    /// What the number is multiplied with …
    times: f64,
    /// … or divided by: a division by 60 is not the same as a multiplication with its inverse.
    over: f64,
    name: &'static str,
    /// With an `s` above 1. Grafana leaves it out where the unit is the panel's own.
    plural: bool,
}

const fn stage(below: f64, over: f64, name: &'static str) -> Stage {
    Stage {
        below,
        times: 1.0,
        over,
        name,
        plural: true,
    }
}

const fn own(below: f64, name: &'static str) -> Stage {
    Stage {
        below,
        times: 1.0,
        over: 1.0,
        name,
        plural: false,
    }
}

const fn smaller(below: f64, times: f64, name: &'static str) -> Stage {
    Stage {
        below,
        times,
        over: 1.0,
        name,
        plural: false,
    }
}

const ON: f64 = f64::INFINITY;

pub const NANOSECONDS: &[Stage] = &[
    own(1e3, "ns"),
    stage(1e6, 1e3, "µs"),
    stage(1e9, 1e6, "ms"),
    stage(6e10, 1e9, "s"),
    stage(3.6e12, 6e10, "min"),
    stage(8.64e13, 3.6e12, "hour"),
    stage(ON, 8.64e13, "day"),
];

pub const MICROSECONDS: &[Stage] = &[own(1e3, "µs"), stage(1e6, 1e3, "ms"), stage(ON, 1e6, "s")];

pub const MILLISECONDS: &[Stage] = &[
    own(1e3, "ms"),
    stage(6e4, 1e3, "s"),
    stage(3.6e6, 6e4, "min"),
    stage(8.64e7, 3.6e6, "hour"),
    stage(3.1536e10, 8.64e7, "day"),
    stage(ON, 3.1536e10, "year"),
];

const SECONDS: &[Stage] = &[
    smaller(1e-6, 1e9, "ns"),
    smaller(1e-3, 1e6, "µs"),
    smaller(1.0, 1e3, "ms"),
    own(60.0, "s"),
    stage(3600.0, 60.0, "min"),
    stage(86_400.0, 3600.0, "hour"),
    stage(604_800.0, 86_400.0, "day"),
    stage(31_536_000.0, 604_800.0, "week"),
    // The tropical year, as Grafana has it here and nowhere else.
    stage(ON, 31_556_900.0, "year"),
];

pub const MINUTES: &[Stage] = &[
    own(60.0, "min"),
    stage(1440.0, 60.0, "hour"),
    stage(10_080.0, 1440.0, "day"),
    stage(604_800.0, 10_080.0, "week"),
    stage(ON, 525_948.0, "year"),
];

pub const HOURS: &[Stage] = &[
    own(24.0, "hour"),
    stage(168.0, 24.0, "day"),
    stage(8760.0, 168.0, "week"),
    stage(ON, 8760.0, "year"),
];

pub const DAYS: &[Stage] = &[
    stage(7.0, 1.0, "day"),
    stage(365.0, 7.0, "week"),
    stage(ON, 365.0, "year"),
];

/// `value` in the unit of its stage.
pub fn scaled(stages: &[Stage], decimals: Option<u8>, value: f64) -> Formatted {
    let Some(stage) = stages.iter().find(|stage| value.abs() < stage.below).or(stages.last()) else {
        return Formatted::text(fixed(value, decimals));
    };
    let scaled = value * stage.times / stage.over;
    let has_plural = matches!(stage.name, "min" | "hour" | "day" | "week" | "year");
    let plural = if has_plural && stage.plural && scaled.abs() > 1.0 {
        "s"
    } else {
        ""
    };
    Formatted::suffixed(fixed(scaled, decimals), format!(" {}{plural}", stage.name))
}

/// `value` seconds in the unit that makes it short. Nothing at all is 0 s, not 0 ns.
pub fn seconds(decimals: Option<u8>, value: f64) -> Formatted {
    if value == 0.0 {
        Formatted::suffixed("0".to_owned(), " s")
    } else {
        scaled(SECONDS, decimals, value)
    }
}

/// From the longest to the shortest, in milliseconds: whole numbers, so that remainders stay exact.
const WORDS: [(&str, f64); 8] = [
    ("year", 3.1536e10),
    ("month", 2.592e9),
    ("week", 6.048e8),
    ("day", 8.64e7),
    ("hour", 3.6e6),
    ("minute", 6e4),
    ("second", 1e3),
    ("millisecond", 1.0),
];

/// `2 hours, 5 minutes`: `decimals` units behind the first that is not 0.
pub fn words(milliseconds: f64, unit: &str, decimals: Option<u8>, value: f64) -> Formatted {
    if value == 0.0 {
        return Formatted::suffixed("0".to_owned(), format!(" {unit}s"));
    }
    if value.is_infinite() {
        return Formatted::text(fixed(value, decimals));
    }
    let whole = value.abs() * milliseconds;
    let mut left = whole;
    let text = WORDS
        .iter()
        .skip_while(|(_, length)| whole < *length)
        .take(usize::from(decimals.unwrap_or(0)) + 1)
        .map(|(name, length)| {
            let count = (left / length).floor();
            left %= length;
            format!("{count} {name}{}", if count == 1.0 { "" } else { "s" })
        })
        .collect::<Vec<_>>()
        .join(", ");
    ago(text, value)
}

/// `hh:mm:ss` of seconds.
pub fn hours_minutes_seconds(value: f64) -> Formatted {
    if value.is_infinite() {
        return Formatted::text(fixed(value, None));
    }
    ago(clock_face(value.abs()), value)
}

/// `d hh:mm:ss` of seconds.
pub fn days_hours_minutes_seconds(value: f64) -> Formatted {
    if value.is_infinite() {
        return Formatted::text(fixed(value, None));
    }
    let days = (value.abs() / 86_400.0).floor();
    let rest = clock_face(value.abs() - days * 86_400.0);
    ago(if days > 0.0 { format!("{days} d {rest}") } else { rest }, value)
}

/// Milliseconds beyond which JavaScript has no dates, which Grafana takes the parts of a span from.
const LAST_DATE: f64 = 8.64e15;

/// `26h:05m:00s:000ms` of milliseconds; `decimals` units behind the first.
pub fn clock(value: f64, decimals: Option<u8>) -> String {
    if value.is_infinite() {
        return fixed(value, None);
    }
    let whole = value.trunc();
    if whole.abs() > LAST_DATE {
        let hours = format!("{}h", (value / 3.6e6).floor());
        return match decimals {
            _ if value < 1e3 => "Invalid date".to_owned(),
            Some(0) => hours,
            _ => format!("{hours}:Invalid date"),
        };
    }
    let parts = [
        format!("{}h", (value / 3.6e6).floor()),
        format!("{:02}m", (whole / 6e4).floor().rem_euclid(60.0)),
        format!("{:02}s", (whole / 1e3).floor().rem_euclid(60.0)),
        // Adding 0 takes the sign from a zero.
        format!("{:03}ms", whole.rem_euclid(1e3) + 0.0),
    ];
    let first = [3.6e6, 6e4, 1e3].iter().position(|limit| value >= *limit).unwrap_or(3);
    let shown = decimals.map_or(parts.len(), |decimals| usize::from(decimals) + 1);
    let shown = parts.iter().skip(first).take(shown);
    shown.map(String::as_str).collect::<Vec<_>>().join(":")
}

fn clock_face(seconds: f64) -> String {
    let hours = (seconds / 3600.0).floor();
    let minutes = (seconds % 3600.0 / 60.0).floor();
    format!("{hours:02}:{minutes:02}:{:02}", (seconds % 60.0).floor())
}

/// Spans below zero have passed.
fn ago(text: String, value: f64) -> Formatted {
    Formatted::suffixed(text, if value < 0.0 { " ago" } else { "" })
}
