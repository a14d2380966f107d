//! One value for a whole series: what stat, gauge and bar gauge show, and what legends and the transformation `reduce` compute.

mod shown;

pub use shown::{Shown, shown};

/// Grafana's name of a calculation: `lastNotNull`, `mean`, … as people read it. `None`: it is not supported.
pub fn title(calc: &str) -> Option<&'static str> {
    Some(match calc {
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
        "allIsZero" => "All zeros",
        "allIsNull" => "All nulls",
        "changeCount" => "Change count",
        "distinctCount" | "uniqueValues" => "Distinct count",
        "stdDev" => "StdDev",
        "variance" => "Variance",
        _ => return percentile(calc).and(Some("Percentile")),
    })
}

/// `p95` is 95.
fn percentile(calc: &str) -> Option<f64> {
    let percent = calc.strip_prefix('p')?.parse().ok()?;
    (1.0..100.0).contains(&percent).then_some(percent)
}

/// The result of Grafana's calculation `calc` over `numbers`; NaN are the missing ones, and the answer if there is none.
#[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
pub fn reduce(calc: &str, numbers: &[f64]) -> f64 {
    let mut present = numbers.iter().copied().filter(|value| !value.is_nan());
    let as_number = |is_true| if is_true { 1.0 } else { 0.0 };
    match calc {
        "lastNotNull" | "current" => present.next_back().unwrap_or(f64::NAN),
        "last" => numbers.last().copied().unwrap_or(f64::NAN),
        "firstNotNull" => present.next().unwrap_or(f64::NAN),
        "first" => numbers.first().copied().unwrap_or(f64::NAN),
        "min" => present.fold(f64::NAN, f64::min),
        "max" => present.fold(f64::NAN, f64::max),
        "sum" | "total" => present.sum(),
        "mean" | "avg" => mean(numbers),
        "median" => quantile(numbers, 50.0),
        "count" => numbers.iter().filter(|value| !value.is_nan()).count() as f64,
        "countAll" => numbers.len() as f64,
        "range" => reduce("max", numbers) - reduce("min", numbers),
        "diff" => reduce("lastNotNull", numbers) - reduce("firstNotNull", numbers),
        "diffperc" => reduce("diff", numbers) / reduce("firstNotNull", numbers),
        "delta" => delta(numbers),
        "step" => pairs(numbers)
            .map(|(before, after)| after - before)
            .fold(f64::NAN, f64::min),
        "logmin" => present.filter(|value| *value > 0.0).fold(f64::NAN, f64::min),
        "allIsZero" => as_number(present.clone().next().is_some() && present.all(|value| value == 0.0)),
        "allIsNull" => as_number(present.next().is_none()),
        "changeCount" => pairs(numbers).filter(|(before, after)| before != after).count() as f64,
        "distinctCount" | "uniqueValues" => {
            let mut sorted: Vec<u64> = present.map(|value| (value + 0.0).to_bits()).collect();
            sorted.sort_unstable();
            sorted.dedup();
            sorted.len() as f64
        }
        "variance" => variance(numbers),
        "stdDev" => variance(numbers).sqrt(),
        _ => percentile(calc).map_or(f64::NAN, |percent| quantile(numbers, percent)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
fn mean(numbers: &[f64]) -> f64 {
    let present = numbers.iter().filter(|value| !value.is_nan());
    let (count, sum) = present.fold((0usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
fn variance(numbers: &[f64]) -> f64 {
    let mean = mean(numbers);
    let present = numbers.iter().filter(|value| !value.is_nan());
    let (count, squares) = present.fold((0usize, 0.0), |(count, sum), value| {
        (count + 1, sum + (value - mean).powi(2))
    });
    squares / count as f64
}

/// The smallest value that `percent` of the values do not exceed.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index"
)]
fn quantile(numbers: &[f64], percent: f64) -> f64 {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let index = ((sorted.len().saturating_sub(1)) as f64 * percent / 100.0).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// Values beside each other, without the missing ones.
fn pairs(numbers: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let present = || numbers.iter().copied().filter(|value| !value.is_nan());
    present().zip(present().skip(1))
}

/// The increase of a counter, which may begin again at 0.
fn delta(numbers: &[f64]) -> f64 {
    pairs(numbers)
        .map(|(before, after)| if after < before { after } else { after - before })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: [f64; 7] = [f64::NAN, 2.0, 4.0, f64::NAN, 1.0, 1.0, f64::NAN];

    #[test]
    fn calculations_are_grafanas() {
        for (calc, expected) in [
            ("lastNotNull", 1.0),
            ("current", 1.0),
            ("firstNotNull", 2.0),
            ("min", 1.0),
            ("max", 4.0),
            ("mean", 2.0),
            ("sum", 8.0),
            ("count", 4.0),
            ("countAll", 7.0),
            ("range", 3.0),
            ("diff", -1.0),
            ("diffperc", -0.5),
            ("delta", 3.0),
            ("step", -3.0),
            ("logmin", 1.0),
            ("allIsZero", 0.0),
            ("allIsNull", 0.0),
            ("changeCount", 2.0),
            ("distinctCount", 3.0),
            ("median", 2.0),
            ("p99", 4.0),
            ("variance", 1.5),
        ] {
            assert_eq!(reduce(calc, &SOME), expected, "{calc}");
            assert!(title(calc).is_some(), "{calc}");
        }
        assert!(reduce("last", &SOME).is_nan() && reduce("first", &SOME).is_nan());
        assert!(title("p0").is_none() && title("fortune").is_none());
    }

    #[test]
    fn nothing_is_not_zero() {
        for calc in [
            "lastNotNull",
            "min",
            "max",
            "mean",
            "range",
            "diff",
            "median",
            "stdDev",
            "fortune",
        ] {
            assert!(
                reduce(calc, &[]).is_nan() && reduce(calc, &[f64::NAN]).is_nan(),
                "{calc}"
            );
        }
        assert_eq!(reduce("allIsNull", &[f64::NAN]), 1.0);
    }
}
