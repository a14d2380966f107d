//! The ticks of time axes: at round local times, also across a change of the clocks.

use jiff::{Timestamp, ToSpan, Unit, Zoned, ZonedRound};

use super::graph::Tick;
use edgewatch_grafana_model::time::{TimeRange, Zone};

/// A distance of ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Millis(i64),
    Seconds(i64),
    Minutes(i64),
    Hours(i64),
    Days(i64),
    Months(i64),
}

/// Up to so many seconds the time of day is enough: a day may have 25 hours.
const DAY: f64 = 90_000.0;

const STEPS: [Step; 38] = {
    use Step::{Days, Hours, Millis, Minutes, Months, Seconds};
    [
        Millis(1),
        Millis(5),
        Millis(10),
        Millis(50),
        Millis(100),
        Millis(500),
        Seconds(1),
        Seconds(2),
        Seconds(5),
        Seconds(10),
        Seconds(15),
        Seconds(30),
        Minutes(1),
        Minutes(2),
        Minutes(5),
        Minutes(10),
        Minutes(15),
        Minutes(20),
        Minutes(30),
        Hours(1),
        Hours(2),
        Hours(3),
        Hours(4),
        Hours(6),
        Hours(8),
        Hours(12),
        Days(1),
        Days(2),
        Days(3),
        Days(5),
        Days(7),
        Days(10),
        Days(15),
        Months(1),
        Months(3),
        Months(6),
        Months(12),
        Months(60),
    ]
};

impl Step {
    fn seconds(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let of = |number: i64, seconds: f64| number as f64 * seconds;
        match self {
            Self::Millis(number) => of(number, 0.001),
            Self::Seconds(number) => of(number, 1.0),
            Self::Minutes(number) => of(number, 60.0),
            Self::Hours(number) => of(number, 3600.0),
            Self::Days(number) => of(number, 86_400.0),
            Self::Months(number) => of(number, 2_629_800.0),
        }
    }
}

/// At most about `count` ticks of `range`, with their times in `zone`.
pub fn ticks(range: TimeRange, count: usize, zone: &Zone) -> Vec<Tick> {
    place(range, count.max(1), zone).unwrap_or_default()
}

/// `None` if the range is none that a calendar has.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a few ticks; milliseconds of this age fit"
)]
fn place(range: TimeRange, count: usize, zone: &Zone) -> Option<Vec<Tick>> {
    let length = range.to - range.from;
    if length.is_nan() || length <= 0.0 {
        return None;
    }
    let step = STEPS
        .into_iter()
        .find(|step| length / step.seconds() <= count as f64)
        .unwrap_or(Step::Months(1200));
    let start = Timestamp::from_millisecond((range.from * 1000.0) as i64)
        .ok()?
        .to_zoned(zone.clone());
    let first = floor(&start, step)?;
    let mut ticks = Vec::new();
    let mut last = f64::NEG_INFINITY;
    for index in 0..=count as i64 + 62 {
        let time = after(&first, step, index)?;
        let at = time.timestamp().as_millisecond() as f64 / 1000.0;
        if at > range.to {
            break;
        }
        // When clocks go back, a local time comes twice.
        if at >= range.from && at > last && is_round(&time, step) {
            ticks.push(Tick {
                at: (at - range.from) / length,
                text: text(&time, step, length),
            });
            last = at;
        }
    }
    Some(ticks)
}

/// The last round time that is not after `time`.
fn floor(time: &Zoned, step: Step) -> Option<Zoned> {
    let midnight = time.start_of_day().ok()?;
    let down = |unit, number| {
        time.round(
            ZonedRound::new()
                .smallest(unit)
                .increment(number)
                .mode(jiff::RoundMode::Floor),
        )
        .ok()
    };
    match step {
        Step::Millis(number) => down(Unit::Millisecond, number),
        Step::Seconds(number) => down(Unit::Second, number),
        Step::Minutes(number) => down(Unit::Minute, number),
        // From midnight on by the clock on the wall.
        Step::Hours(_) => Some(midnight),
        Step::Days(_) => midnight.first_of_month().ok(),
        Step::Months(number) => {
            let years = i16::try_from(number / 12).unwrap_or(1).max(1);
            let year = time.year().div_euclid(years) * years;
            midnight.first_of_year().ok()?.with().year(year).build().ok()
        }
    }
}

/// The time that is `index` steps after `first`.
fn after(first: &Zoned, step: Step, index: i64) -> Option<Zoned> {
    let span = match step {
        Step::Millis(number) => (number * index).milliseconds(),
        Step::Seconds(number) => (number * index).seconds(),
        Step::Minutes(number) => (number * index).minutes(),
        // Added to the clock on the wall, not to the time that passes.
        Step::Hours(number) => {
            let wall = first.datetime().checked_add((number * index).hours()).ok()?;
            return wall.to_zoned(first.time_zone().clone()).ok();
        }
        Step::Days(number) => (number * index).days(),
        Step::Months(number) => (number * index).months(),
    };
    first.checked_add(span).ok()
}

/// Whether a step of days begins anew with each month, so that the 31st is not beside the 1st.
fn is_round(time: &Zoned, step: Step) -> bool {
    match step {
        Step::Millis(_) | Step::Seconds(_) | Step::Minutes(_) | Step::Hours(_) | Step::Months(_) => true,
        Step::Days(_) => time.hour() == 0,
    }
}

/// As Grafana writes it: the finer the ticks, the finer the text; the date where the range is more than a day.
fn text(time: &Zoned, step: Step, length: f64) -> String {
    let format = match step {
        Step::Millis(_) => "%H:%M:%S.%3f",
        Step::Seconds(_) => "%H:%M:%S",
        Step::Minutes(_) | Step::Hours(_) if length <= DAY => "%H:%M",
        Step::Minutes(_) | Step::Hours(_) => "%m/%d %H:%M",
        Step::Days(_) => "%m/%d",
        Step::Months(12..) => "%Y",
        Step::Months(_) => "%Y-%m",
    };
    time.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgewatch_grafana_model::time::zone;

    fn texts(from: &str, to: &str, count: usize, name: &str) -> Vec<String> {
        let seconds = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond() as f64 / 1000.0;
        let range = TimeRange {
            from: seconds(from),
            to: seconds(to),
        };
        let ticks = ticks(range, count, &zone(name));
        assert!(ticks.iter().all(|tick| (0.0..=1.0).contains(&tick.at)), "{ticks:?}");
        ticks.into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn ticks_are_at_round_times_of_the_zone() {
        let of = |name| texts("2026-05-13T08:07:00Z", "2026-05-13T14:07:00Z", 6, name);
        assert_eq!(of("utc"), ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00"]);
        assert_eq!(
            of("Asia/Kolkata"),
            ["14:00", "15:00", "16:00", "17:00", "18:00", "19:00"]
        );
        assert_eq!(
            texts("2026-05-13T08:07:03Z", "2026-05-13T08:07:43Z", 4, "utc"),
            ["08:07:10", "08:07:20", "08:07:30", "08:07:40"]
        );
    }

    #[test]
    fn long_ranges_show_dates() {
        assert_eq!(
            texts("2026-05-13T00:00:00Z", "2026-05-15T00:00:00Z", 4, "utc")[1],
            "05/13 12:00"
        );
        assert_eq!(
            texts("2026-05-13T08:00:00Z", "2026-05-20T08:00:00Z", 7, "utc"),
            ["05/14", "05/15", "05/16", "05/17", "05/18", "05/19", "05/20"]
        );
        assert_eq!(
            texts("2026-01-13T08:00:00Z", "2026-05-20T08:00:00Z", 7, "utc"),
            ["2026-02", "2026-03", "2026-04", "2026-05"]
        );
    }

    #[test]
    fn ticks_keep_to_the_wall_clock_when_it_changes() {
        let spring = texts("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 8, "Europe/Berlin");
        assert_eq!(
            spring,
            [
                "00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "00:00"
            ]
        );
        let autumn = texts("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 9, "Europe/Berlin");
        assert_eq!(autumn[..4], ["00:00", "03:00", "06:00", "09:00"]);
    }

    #[test]
    fn a_range_that_no_calendar_has_gets_no_ticks() {
        for (from, to) in [
            (0.0, 0.0),
            (f64::NAN, 1.0),
            (-1e300, 1e300),
            (0.0, f64::INFINITY),
            (10.0, 5.0),
        ] {
            assert!(ticks(TimeRange { from, to }, 6, &Zone::UTC).len() < 100);
        }
    }
}
