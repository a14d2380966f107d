//! One value for a whole series: what stat, gauge and bar gauge show, and what legends and the transformation `reduce` compute.

pub(crate) mod order;
mod shown;
mod standard;

pub use shown::{Shown, is_nothing, is_words_for_nothing, shown};

use std::borrow::Cow;
use std::collections::HashSet;

use super::data::{Cell, NULL, Values, is_null};
use order::sort_as_javascript;
use standard::Standard;

/// Grafana's name of a calculation: `lastNotNull`, `mean`, … as people read it. `None`: it is not supported.
pub fn title(calc: &str) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match calc {
        "lastNotNull" | "current" => "Last *",
        "last" => "Last",
        "firstNotNull" => "First *",
        "first" => "First",
        "min" => "Min",
        "max" => "Max",
        "mean" | "avg" => "Mean",
        "median" => "Median",
        "sum" | "total" => "Total",
        "count" => "Count",
        "countAll" => "Count all",
        "range" => "Range",
        "delta" => "Delta",
        "step" => "Step",
        "diff" => "Difference",
        "diffperc" => "Difference percent",
        "logmin" => "Min (above zero)",
        "allIsZero" => "All Zeros",
        "allIsNull" => "All Nulls",
        "changeCount" => "Change Count",
        "distinctCount" => "Distinct Count",
        "stdDev" => "StdDev",
        "variance" => "Variance",
        _ => return percentile(calc).map(|percent| Cow::Owned(format!("{percent}{} %", ending(percent)))),
    }))
}

/// What stands behind an ordinal number.
const fn ending(number: u8) -> &'static str {
    match (number, number % 10) {
        (4..=20, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

/// The unit of a result where it is another than that of the values: of counts none, and percent of a difference in percent.
pub fn unit(calc: &str) -> Option<&'static str> {
    match calc {
        "count" | "changeCount" | "distinctCount" => Some("none"),
        "diffperc" => Some("percent"),
        _ => None,
    }
}

/// `p95` is 95.
fn percentile(calc: &str) -> Option<u8> {
    let percent = calc.strip_prefix('p')?.parse().ok()?;
    (1..100).contains(&percent).then_some(percent)
}

/// The result of Grafana's calculation `calc` over a column. What is null is left out by most of them, NaN by some.
#[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
pub fn reduce(calc: &str, values: &Values) -> Cell<'static> {
    if values.is_empty() {
        return match calc {
            "sum" | "total" | "count" | "countAll" => Cell::Number(0.0),
            "allIsZero" => Cell::Boolean(false),
            "allIsNull" => Cell::Boolean(true),
            _ => Cell::Null,
        };
    }
    let is = |cell: &Cell<'_>| !cell.is_null() && !matches!(cell, Cell::Number(number) if number.is_nan());
    match calc {
        "lastNotNull" | "current" => values.cells().rev().find(is).unwrap_or(Cell::Null).into_owned(),
        "firstNotNull" => values.cells().find(is).unwrap_or(Cell::Null).into_owned(),
        "last" => values.cell(values.len() - 1).into_owned(),
        "first" => values.cell(0).into_owned(),
        "countAll" => Cell::Number(values.len() as f64),
        "changeCount" => Cell::Number(changes(values) as f64),
        "distinctCount" => Cell::Number(distinct(values) as f64),
        "variance" => Cell::Number(variance(values)),
        "stdDev" => Cell::Number(variance(values).sqrt()),
        "median" => median(values),
        _ => match percentile(calc) {
            Some(percent) => quantile(values, percent),
            None => Standard::of(values).result(calc),
        },
    }
}

/// The same over numbers of one row.
pub fn reduce_numbers(calc: &str, numbers: Vec<f64>) -> f64 {
    match reduce(calc, &Values::numbers(numbers)) {
        Cell::Null => NULL,
        cell => cell.as_number(),
    }
}

/// The numbers of a column as JavaScript has them, times in milliseconds; those of a text that is none are NaN.
fn numbers(values: &Values) -> Vec<f64> {
    let present = values.cells().filter(|cell| !cell.is_null());
    present.map(|cell| cell.as_number()).collect()
}

/// A result that is of the same kind as the values.
fn alike(values: &Values, number: f64) -> Cell<'static> {
    match values {
        Values::Times(_) => Cell::Time(number / 1000.0),
        Values::Numbers(_) | Values::Texts(_) | Values::Booleans(_) => Cell::Number(number),
    }
}

/// Welford's algorithm, over which Grafana's last digits come.
fn variance(values: &Values) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    if matches!(values, Values::Texts(_) | Values::Booleans(_)) {
        return 0.0;
    }
    for number in numbers(values) {
        count += 1.0;
        let before = mean;
        mean += (number - before) / count;
        squares += (number - before) * (number - mean);
    }
    if count > 0.0 { squares / count } else { 0.0 }
}

fn median(values: &Values) -> Cell<'static> {
    let mut sorted = numbers(values);
    sort_as_javascript(&mut sorted);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => Cell::Number(f64::NAN),
        length if length.is_multiple_of(2) => alike(values, f64::midpoint(at(middle - 1), at(middle))),
        _ => alike(values, at(middle)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index"
)]
fn quantile(values: &Values, percent: u8) -> Cell<'static> {
    let index = |length: usize| ((length - 1) as f64 * (f64::from(percent) / 100.0) + 0.5).floor() as usize;
    if let Values::Texts(_) = values {
        // Texts are not in order: to JavaScript no difference of theirs is a number.
        let present: Vec<Cell<'_>> = values.cells().filter(|cell| !cell.is_null()).collect();
        let found = present
            .len()
            .checked_sub(1)
            .and_then(|_| present.get(index(present.len())));
        return found.cloned().map_or(Cell::Null, Cell::into_owned);
    }
    let mut sorted = numbers(values);
    sort_as_javascript(&mut sorted);
    match sorted.len() {
        0 => Cell::Null,
        length => sorted
            .get(index(length))
            .map_or(Cell::Null, |number| alike(values, *number)),
    }
}

/// How often a value is another than the one before; NaN is another than NaN.
fn changes(values: &Values) -> usize {
    let present = || values.cells().filter(|cell| !cell.is_null());
    present()
        .zip(present().skip(1))
        .filter(|(before, after)| !is_same(before, after))
        .count()
}

/// JavaScript's `===`.
pub fn is_same(one: &Cell<'_>, other: &Cell<'_>) -> bool {
    match (one, other) {
        (Cell::Null, Cell::Null) => true,
        (Cell::Time(one), Cell::Time(other)) | (Cell::Number(one), Cell::Number(other)) => one == other,
        (Cell::Text(one), Cell::Text(other)) => one == other,
        (Cell::Boolean(one), Cell::Boolean(other)) => one == other,
        _ => false,
    }
}

fn distinct(values: &Values) -> usize {
    match values {
        Values::Times(numbers) | Values::Numbers(numbers) => {
            let present = numbers.iter().filter(|number| !is_null(**number));
            // All NaN are one, and the two zeros.
            let bits = present.map(|number| {
                if number.is_nan() {
                    f64::NAN.to_bits()
                } else {
                    (number + 0.0).to_bits()
                }
            });
            bits.collect::<HashSet<u64>>().len()
        }
        Values::Texts(texts) => texts.iter().flatten().collect::<HashSet<_>>().len(),
        Values::Booleans(values) => values.iter().flatten().collect::<HashSet<_>>().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: [f64; 7] = [NULL, 2.0, 4.0, NULL, 1.0, 1.0, NULL];

    fn of(calc: &str, numbers: &[f64]) -> String {
        reduce(calc, &Values::numbers(numbers.iter().copied())).to_string()
    }

    #[test]
    fn calculations_are_grafanas() {
        for (calc, expected) in [
            ("lastNotNull", "1"),
            ("current", "1"),
            ("firstNotNull", "2"),
            ("min", "1"),
            ("max", "4"),
            ("mean", "2"),
            ("sum", "8"),
            ("count", "4"),
            ("countAll", "7"),
            ("range", "3"),
            ("diff", "-1"),
            ("diffperc", "-50"),
            ("delta", "2"),
            ("step", "-3"),
            ("logmin", "1"),
            ("allIsZero", "false"),
            ("allIsNull", "false"),
            ("changeCount", "2"),
            ("distinctCount", "3"),
            ("median", "1.5"),
            ("p99", "4"),
            ("variance", "1.5"),
            ("last", "null"),
            ("first", "null"),
        ] {
            assert_eq!(of(calc, &SOME), expected, "{calc}");
            assert!(title(calc).is_some(), "{calc}");
        }
        assert!(title("p0").is_none() && title("fortune").is_none());
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 21, 95].map(|percent| title(&format!("p{percent}")).unwrap()),
            [
                "1st %", "2nd %", "3rd %", "4th %", "11th %", "12th %", "21st %", "95th %"
            ]
        );
    }

    #[test]
    fn nan_is_a_value_that_is_no_number() {
        for (calc, expected) in [
            ("lastNotNull", "1"),
            ("last", "NaN"),
            ("count", "2"),
            ("sum", "1"),
            ("variance", "NaN"),
            ("changeCount", "1"),
        ] {
            assert_eq!(of(calc, &[1.0, NULL, f64::NAN]), expected, "{calc}");
        }
    }

    #[test]
    fn nothing_is_not_zero() {
        for calc in ["lastNotNull", "min", "max", "mean", "range", "diff", "fortune"] {
            assert_eq!(
                (of(calc, &[]), of(calc, &[NULL])),
                ("null".into(), "null".into()),
                "{calc}"
            );
        }
        assert_eq!(of("allIsNull", &[NULL]), "true");
    }
}
