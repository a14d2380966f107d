//! One value for a whole series: what stat, gauge and bar gauge show, and what legends and the transformation `reduce` compute.

use serde::Deserialize;

use super::data::{Data, Field, Frame, Values};
use super::display::{self, Display};
use super::model::Panel;
use super::pattern::Pattern;

/// What Grafana shows at most, where a panel says nothing else.
const LIMIT: usize = 25;

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

/// `options.reduceOptions` of a panel.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReduceOptions {
    /// Shows every value in place of one for each field.
    pub values: bool,
    /// How many at most.
    pub limit: Option<f64>,
    /// Calculations.
    pub calcs: Vec<String>,
    /// Which fields: empty for numbers, else a regular expression.
    pub fields: String,
}

impl ReduceOptions {
    /// Those of `panel`.
    pub fn of(panel: &Panel) -> Self {
        let options = panel.options.get("reduceOptions").cloned().unwrap_or_default();
        serde_json::from_value(options).unwrap_or_default()
    }
}

/// One of the values that a stat, gauge or bar gauge shows.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// What it is.
    pub title: String,
    /// NaN if it is a text, or missing.
    pub value: f64,
    /// Its text, and its colour: never empty.
    pub display: Display,
    /// Where it comes from.
    pub field: &'a Field,
    /// The times of the series behind it (Unix time in seconds); empty if it is of one point in time.
    pub times: &'a [f64],
}

impl Shown<'_> {
    /// Its colour.
    pub fn color(&self) -> &str {
        self.display.color.as_deref().unwrap_or(&self.field.color)
    }
}

/// What a stat, gauge or bar gauge shows of `data`.
pub fn shown<'a>(panel: &Panel, data: &'a Data) -> Vec<Shown<'a>> {
    let mut options = ReduceOptions::of(panel);
    if options.calcs.is_empty() {
        options.calcs.push("lastNotNull".to_owned());
    }
    let fields = (!options.fields.is_empty()).then(|| Pattern::new(&options.fields));
    let is_wanted = |field: &Field| match &fields {
        None => matches!(field.values, Values::Numbers(_)),
        Some(Ok(pattern)) => pattern.is_match(&field.name),
        Some(Err(_)) => false,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let limit = options.limit.map_or(LIMIT, |limit| limit.max(1.0) as usize);
    let wanted = data
        .frames
        .iter()
        .flat_map(|frame| frame.fields.iter().map(move |field| (frame, field)));
    let mut found = Vec::new();
    for (frame, field) in wanted.filter(|(_, field)| is_wanted(field)) {
        if options.values {
            found.extend((0..field.values.len()).map(|row| row_of(frame, field, row)));
        } else {
            found.extend(
                options
                    .calcs
                    .iter()
                    .map(|calc| calculated(frame, field, calc, options.calcs.len() > 1)),
            );
        }
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    found
}

fn calculated<'a>(frame: &'a Frame, field: &'a Field, calc: &str, several: bool) -> Shown<'a> {
    let (value, display) = match &field.values {
        Values::Numbers(numbers) => {
            let value = reduce(calc, numbers);
            (value, display::number(&field.options, value))
        }
        Values::Texts(texts) => {
            let text = if calc.starts_with("first") {
                texts.first()
            } else {
                texts.last()
            };
            (f64::NAN, display::text(&field.options, text.map_or("", String::as_str)))
        }
        Values::Times(times) => (
            f64::NAN,
            time(
                field,
                if calc.starts_with("first") {
                    times.first()
                } else {
                    times.last()
                },
            ),
        ),
    };
    let title = match title(calc) {
        Some(calc) if several => format!("{calc} {}", field.name),
        _ => field.name.clone(),
    };
    let times = frame.times().filter(|times| times.len() > 1).unwrap_or_default();
    Shown {
        title,
        value,
        display,
        field,
        times,
    }
}

fn row_of<'a>(frame: &'a Frame, field: &'a Field, row: usize) -> Shown<'a> {
    let (value, display) = match &field.values {
        Values::Numbers(numbers) => {
            let value = numbers.get(row).copied().unwrap_or(f64::NAN);
            (value, display::number(&field.options, value))
        }
        Values::Texts(texts) => (
            f64::NAN,
            display::text(&field.options, texts.get(row).map_or("", String::as_str)),
        ),
        Values::Times(times) => (f64::NAN, time(field, times.get(row))),
    };
    // A row of a table is named by its texts, as in Grafana.
    let texts = frame.fields.iter().filter_map(|other| match &other.values {
        Values::Texts(texts) => texts.get(row).cloned(),
        Values::Times(_) | Values::Numbers(_) => None,
    });
    let mut title = texts.collect::<Vec<_>>().join(" ");
    let numbers = frame
        .fields
        .iter()
        .filter(|field| matches!(field.values, Values::Numbers(_)))
        .count();
    if title.is_empty() {
        title.clone_from(&field.name);
    } else if numbers > 1 {
        title = format!("{title} {}", field.name);
    }
    Shown {
        title,
        value,
        display,
        field,
        times: &[],
    }
}

fn time(field: &Field, seconds: Option<&f64>) -> Display {
    let zone = field.options.zone.clone().unwrap_or_else(super::time::Zone::system);
    Display {
        text: seconds
            .map(|seconds| display::time(&field.options, *seconds, &zone))
            .unwrap_or_default(),
        color: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    fn field(name: &str, values: Values) -> Field {
        Field {
            name: name.to_owned(),
            values,
            ..Field::default()
        }
    }

    fn data() -> Data {
        let frame = Frame {
            fields: vec![
                field("Time", Values::Times(vec![1.0, 2.0])),
                field("device", Values::Texts(vec!["sda".into(), "sdb".into()])),
                field("used", Values::Numbers(vec![10.0, 30.0])),
            ],
            ..Frame::default()
        };
        Data {
            frames: vec![frame],
            ..Data::default()
        }
    }

    fn titles(reduce: serde_json::Value) -> Vec<(String, f64)> {
        let panel: Panel = serde_json::from_value(json!({"options": {"reduceOptions": reduce}})).unwrap();
        let data = data();
        shown(&panel, &data)
            .into_iter()
            .map(|shown| (shown.title, shown.value))
            .collect()
    }

    #[test]
    fn a_panel_shows_one_value_for_each_field_and_calculation() {
        assert_eq!(titles(json!({})), [("used".to_owned(), 30.0)]);
        assert_eq!(
            titles(json!({"calcs": ["min", "mean"]})),
            [("Min used".to_owned(), 10.0), ("Mean used".to_owned(), 20.0)]
        );
    }

    #[test]
    fn or_every_value_named_by_its_row() {
        assert_eq!(
            titles(json!({"values": true})),
            [("sda".to_owned(), 10.0), ("sdb".to_owned(), 30.0)]
        );
        assert_eq!(titles(json!({"values": true, "limit": 1})).len(), 1);
    }

    #[test]
    fn fields_are_chosen_by_a_pattern() {
        let data = data();
        let panel: Panel =
            serde_json::from_value(json!({"options": {"reduceOptions": {"fields": "/^device$/"}}})).unwrap();
        let shown = shown(&panel, &data);
        assert_eq!((shown.len(), &*shown[0].display.text), (1, "sdb"));
    }
}
