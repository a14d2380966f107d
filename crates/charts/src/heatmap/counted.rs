//! Buckets that are counted here: how many values of all series lie in each, at each time.

use super::{Rows, limit_text, most_rows};
use crate::scale::Distribution;
use crate::ticks;
use edgewatch_grafana_model::data::{Data, Field, Frame};
use edgewatch_grafana_model::panel::heatmap::{BucketMode, Buckets, Count, Heatmap, Spans};
use edgewatch_grafana_model::time::{TimeRange, interval};

/// Buckets of a panel that does not say how many there are.
const USUAL: f64 = 24.0;
/// Buckets of a panel.
const MOST: usize = 200;

/// How values are put into buckets, which have whole numbers.
#[derive(Clone, Copy)]
enum Division {
    /// Each is so high.
    Even(f64),
    /// So many for each power of the base.
    ByMagnitude { base: f64, parts: f64 },
}

impl Division {
    /// As the panel says, for values from `low` to `high`.
    fn of(buckets: &Buckets, low: f64, high: f64) -> Self {
        let wanted = buckets.value.map(|Count(number)| number);
        if let Distribution::Log(base) = Distribution::of(&buckets.scale) {
            let parts = wanted.unwrap_or(1.0).round().clamp(1.0, 10.0);
            return Self::ByMagnitude { base, parts };
        }
        let size = match (buckets.mode, wanted.filter(|number| *number > 0.0)) {
            (BucketMode::Size, Some(size)) => size.max((high - low) / MOST as f64),
            (BucketMode::Count, Some(number)) => ticks::decimal_step((high - low) / number.clamp(1.0, 100.0)),
            (BucketMode::Size | BucketMode::Count, None) => ticks::decimal_step((high - low) / USUAL),
        };
        Self::Even(if size > 0.0 && size.is_finite() { size } else { 1.0 })
    }

    /// The number of the bucket of a value; not finite: there is none.
    fn bucket(self, value: f64) -> f64 {
        match self {
            Self::Even(size) => (value / size).floor(),
            // A logarithm of a power may be a hair below the whole number.
            Self::ByMagnitude { base, parts } => (value.log(base) * parts + 1e-9).floor(),
        }
    }

    /// Where a bucket begins.
    fn begin(self, bucket: f64) -> f64 {
        match self {
            Self::Even(size) => bucket * size,
            Self::ByMagnitude { base, parts } => base.powf(bucket / parts),
        }
    }
}

/// The buckets of `data` with their counts.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few buckets"
)]
pub fn counted(options: &Heatmap, data: &Data) -> Rows {
    let buckets = &options.calculation.y_buckets;
    let distribution = Distribution::of(&buckets.scale);
    let fields: Vec<(&[f64], &Field, &[f64])> = data
        .frames
        .iter()
        .filter_map(|frame: &Frame| Some((frame, frame.times()?)))
        .flat_map(|(frame, times)| frame.numbers().map(move |(field, numbers)| (times, field, numbers)))
        .collect();
    let values = fields.iter().flat_map(|(.., numbers)| numbers.iter().copied());
    let (low, high) = distribution.ends(values.filter(|value| value.is_finite()));
    let Some((_, field, _)) = fields.first().filter(|_| low <= high) else {
        return Rows::default();
    };
    let division = Division::of(buckets, low, high);
    let span = span(&options.calculation.x_buckets, data.range);
    // A value stands for the time before it, and so does a span for all that lie in it.
    let at = |time: f64| match span {
        Some(span) => (time / span).floor() * span + span,
        None => time,
    };
    let mut times: Vec<f64> = data.times().into_iter().map(at).collect();
    times.dedup();
    let first = division.bucket(low);
    let number = ((division.bucket(high) - first) as usize)
        .saturating_add(1)
        .min(most_rows(&times).min(MOST + 1));
    let begin = |row: usize| division.begin(first + row as f64);
    let mut rows: Vec<(String, Vec<f64>)> = (0..number)
        .map(|row| (limit_text(options, field, begin(row)), vec![0.0; times.len()]))
        .collect();
    for (own, _, numbers) in &fields {
        for (time, value) in own.iter().zip(*numbers).filter(|(_, value)| value.is_finite()) {
            let bucket = division.bucket(*value);
            let Ok(column) = times.binary_search_by(|other| other.total_cmp(&at(*time))) else {
                continue;
            };
            if let (true, Some((_, counts))) = (
                bucket.is_finite(),
                rows.get_mut(((bucket - first) as usize).min(number - 1)),
            ) {
                counts[column] += 1.0;
            }
        }
    }
    let mut row = 0..;
    rows.retain(|_| row.next().is_some_and(|row| options.y_axis.shows(Some(begin(row)))));
    Rows { times, rows }
}

/// The seconds in which values are counted together, if the panel wants more than a step of its query.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "milliseconds of a range"
)]
fn span(spans: &Spans, range: TimeRange) -> Option<f64> {
    let millis = match spans.mode {
        BucketMode::Size => interval::parse(&spans.value)?,
        BucketMode::Count => {
            let number = spans.value.parse::<f64>().ok().filter(|number| *number >= 1.0)?;
            interval::step(range.millis(), number as usize, 1)
        }
    };
    Some(millis as f64 / 1000.0)
}
