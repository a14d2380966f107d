//! Numbers on dashboards are written exactly as Grafana writes them: tests/fixtures/grafana holds what its own code (the package
//! @grafana/data, version 13.2.3, English, UTC) made of each value.

use std::fmt::Debug;
use std::str::FromStr;

use edgewatch_grafana_model::units::Unit;
use jiff::tz::TimeZone;

/// Unit, decimals, what lies between, and what Grafana wrote.
struct Case<'a> {
    unit: &'a str,
    decimals: Option<u8>,
    numbers: Vec<f64>,
    expected: &'a str,
}

fn number<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

/// Asserts that `write` makes of every line of `table` what Grafana made of it.
fn assert_same(table: &str, least: usize, write: impl Fn(Unit<'_>, &Case<'_>) -> String) {
    let lines: Vec<_> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= least, "only {} cases", lines.len());
    let mut wrong = Vec::new();
    for line in &lines {
        let columns: Vec<_> = line.split('\t').collect();
        let [unit, decimals, numbers @ .., expected] = &columns[..] else {
            panic!("too few columns: {line:?}")
        };
        let case = Case {
            unit,
            decimals: (!decimals.is_empty()).then(|| number(decimals)),
            numbers: numbers.iter().map(|text| number(text)).collect(),
            expected,
        };
        let written = write(Unit::of(case.unit).in_zone(&TimeZone::UTC), &case);
        if written != case.expected {
            wrong.push(format!("{line:?} is written {written:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        lines.len(),
        wrong.join("\n")
    );
}

#[test]
fn numbers_are_written_as_grafana_writes_them() {
    assert_same(include_str!("fixtures/grafana/units.tsv"), 200, |unit, case| {
        unit.format(case.decimals, case.numbers[0]).to_string()
    });
}

#[test]
fn ticks_of_an_axis_have_the_digits_that_grafana_gives_them() {
    assert_same(include_str!("fixtures/grafana/ticks.tsv"), 100, |unit, case| {
        unit.tick(case.decimals, case.numbers[0], case.numbers[1]).to_string()
    });
}

#[test]
fn no_value_and_odd_units_are_no_panic() {
    for unit in [
        "",
        ":",
        "time:",
        "si:",
        "si:é",
        "count:",
        "bool:",
        "bool:/",
        "currency:",
        "currency:financial",
        "time:[",
        "time:\\",
        "prefix:é",
        "µ",
        "time:YYYYMMDDé",
    ] {
        for value in [f64::NAN, f64::INFINITY, f64::MIN, f64::MAX, f64::MIN_POSITIVE, -0.0] {
            for decimals in [None, Some(0), Some(255)] {
                let text = edgewatch_grafana_model::units::format(unit, decimals, value);
                assert!(
                    !value.is_nan() || text.is_empty(),
                    "{unit:?} makes {text:?} of no value"
                );
                Unit::of(unit).tick(decimals, value, value);
            }
        }
    }
    for line in include_str!("fixtures/grafana/units.tsv").lines() {
        let unit = line.split('\t').next().unwrap();
        for value in [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
        ] {
            Unit::of(unit).format(None, value);
            Unit::of(unit).format(Some(255), value);
        }
    }
}

#[test]
fn dates_are_those_of_the_zone() {
    let zone = TimeZone::fixed(jiff::tz::offset(2));
    let unit = Unit::of("dateTimeAsIso").in_zone(&zone);
    assert_eq!(unit.format(None, 0.0).text, "1970-01-01 02:00:00");
    let now = jiff::Timestamp::now().as_millisecond();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit into 53 bits")]
    let hours_ago = Unit::of("dateTimeFromNow").format(None, (now - 2 * 3_600_000) as f64);
    assert_eq!(hours_ago.text, "2 hours ago");
}
