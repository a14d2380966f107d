//! Intervals: the step of range queries, chosen as Grafana chooses it, and texts such as `15s`.

/// Grafana's steps in milliseconds, and up to which interval each of them stands for it.
const STEPS: [(f64, i64); 29] = [
    (10.0, 1),
    (15.0, 10),
    (35.0, 20),
    (75.0, 50),
    (150.0, 100),
    (350.0, 200),
    (750.0, 500),
    (1_500.0, 1_000),
    (3_500.0, 2_000),
    (7_500.0, 5_000),
    (12_500.0, 10_000),
    (17_500.0, 15_000),
    (25_000.0, 20_000),
    (45_000.0, 30_000),
    (90_000.0, MINUTE),
    (210_000.0, 2 * MINUTE),
    (450_000.0, 5 * MINUTE),
    (750_000.0, 10 * MINUTE),
    (1_050_000.0, 15 * MINUTE),
    (1_500_000.0, 20 * MINUTE),
    (2_700_000.0, 30 * MINUTE),
    (5_400_000.0, HOUR),
    (9_000_000.0, 2 * HOUR),
    (16_200_000.0, 3 * HOUR),
    (32_400_000.0, 6 * HOUR),
    (86_400_000.0, 12 * HOUR),
    (604_800_000.0, DAY),
    (1_814_400_000.0, 7 * DAY),
    (3_628_800_000.0, 30 * DAY),
];

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Points of a series, however long the range: what a wide screen can show. Grafana's own limit, and Prometheus', is ten times as many.
pub const MAX_POINTS: usize = 1500;

/// The longest interval in milliseconds. Sums of some of them are far from the end of an i64.
const LONGEST: i64 = 200 * 365 * DAY;

/// The units of an interval in milliseconds, the longest first.
const UNITS: [(&str, i64); 8] = [
    ("y", 365 * DAY),
    ("M", 30 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", 1000),
    ("ms", 1),
];

/// The step in milliseconds for `points` points in a range of `length` milliseconds: Grafana's nearest, at least `min`.
#[expect(clippy::cast_precision_loss, reason = "lengths of ranges are far below 2^53 ms")]
pub fn step(length: i64, points: usize, min: i64) -> i64 {
    let least = length as f64 / MAX_POINTS as f64;
    let bound = STEPS.iter().find(|(_, step)| *step as f64 >= least);
    // Beyond Grafana's steps lie years.
    let bound = bound.map_or_else(|| (least / DAY as f64).ceil() as i64 * DAY, |(_, step)| *step);
    nice(length as f64 / points.max(1) as f64).max(min).max(bound)
}

/// The length of `rate()`'s range in milliseconds: long enough for four scrapes, so that one that is late or lost makes no gap,
/// and for the step and a scrape, so that no increase falls between two points.
pub const fn rate(step: i64, scrape: i64) -> i64 {
    if step > 3 * scrape { step + scrape } else { 4 * scrape }
}

fn nice(interval: f64) -> i64 {
    let found = STEPS.iter().find(|(limit, _)| interval < *limit);
    found.map_or(365 * DAY, |(_, step)| *step)
}

/// The milliseconds of `15s`, `>15s`, `1h`, `250ms`; a number alone is in seconds, as in Grafana. `None`: it is none of these.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
#[expect(clippy::cast_precision_loss, reason = "units are far below 2^53 ms")]
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('>');
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "" => 1000,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    // Grafana reads whole numbers: half an hour is `30m`.
    let length = number.parse::<f64>().ok()?.trunc() * unit as f64;
    (1.0..=LONGEST as f64).contains(&length).then_some(length as i64)
}

/// The shortest text of an interval that PromQL reads: `15s`, `1m`, `1500ms`.
pub fn format(interval: i64) -> String {
    // PromQL has no months.
    let units = UNITS.iter().filter(|(name, _)| *name != "M");
    let mut fitting = units.filter(|(_, length)| interval != 0 && interval % length == 0);
    fitting.next().map_or_else(
        || format!("{interval}ms"),
        |(name, length)| format!("{}{name}", interval / length),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_grafanas() {
        for (hours, points, min, step_in_seconds) in [
            (1, 1000, 0, 5),
            (6, 1000, 0, 20),
            (6, 1000, 15, 20),
            (6, 1000, 60, 60),
            (24, 1000, 15, 60),
            (24 * 7, 1000, 15, 600),
            (24 * 30, 500, 15, 3600),
            (24 * 365, 100, 15, 86400),
        ] {
            let step = step(hours * HOUR, points, min * 1000);
            assert_eq!(step, step_in_seconds * 1000, "{hours} h, {points} points");
        }
    }

    #[test]
    fn points_are_bounded_however_long_the_range() {
        assert_eq!(step(30 * DAY, 1_000_000, 1000), 30 * MINUTE);
        for years in [1, 5, 57, 300, 30_000] {
            let length = years * 365 * DAY;
            assert!(length / step(length, 720, 15_000) <= 1500, "{years} years");
        }
    }

    #[test]
    fn the_range_of_rates_holds_four_scrapes() {
        assert_eq!(rate(15_000, 15_000), 60_000);
        assert_eq!(rate(120_000, 15_000), 135_000);
        assert_eq!(rate(1_000, 1_000), 4_000);
    }

    #[test]
    fn intervals_are_read_and_written() {
        for (text, millis) in [
            ("15s", Some(15_000)),
            (">1m", Some(60_000)),
            ("30", Some(30_000)),
            ("250ms", Some(250)),
            ("1.5h", Some(3_600_000)),
            ("1d", Some(DAY)),
            ("", None),
            ("0s", None),
            ("$x", None),
            ("1 fortnight", None),
        ] {
            assert_eq!(parse(text), millis, "{text}");
        }
        for (millis, text) in [
            (60_000, "1m"),
            (90_000, "90s"),
            (1_500, "1500ms"),
            (DAY, "1d"),
            (30 * DAY, "30d"),
        ] {
            assert_eq!(format(millis), text);
        }
    }
}
