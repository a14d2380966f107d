//! How often values lie where: `histogram`, for the transformation and for the panel of that name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, read};
use crate::data::{Field, Frame, Values};
use crate::error::TransformError;
use crate::scope::Scope;
use crate::units;

/// Buckets by which a range is divided, where no size is given.
const COUNT: f64 = 30.0;
/// Buckets that are counted at most.
const MOST: usize = 10_000;

/// How values are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Buckets {
    /// The width of a bucket.
    pub size: Option<f64>,
    /// Into how many the range is divided, without a size.
    pub count: Option<f64>,
    /// Where a bucket begins.
    pub offset: f64,
    /// All series together.
    pub combine: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Histogram {
    bucket_size: Value,
    bucket_offset: Value,
    combine: Option<bool>,
}

/// `histogram`: the ends of buckets, and how many values of each series lie between them.
pub fn histogram(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Histogram = read(options)?;
    let number = |value: &Value| match value {
        Value::String(text) => units::leading_number(text),
        value => value.as_f64(),
    };
    let buckets = Buckets {
        size: number(&options.bucket_size),
        count: None,
        offset: number(&options.bucket_offset).unwrap_or(0.0),
        combine: options.combine == Some(true),
    };
    if frames.is_empty() {
        return Ok(frames);
    }
    Ok(count(&frames, buckets)?.into_iter().collect())
}

/// The columns `xMin`, `xMax`, and one for each series. `None`: there are no numbers.
///
/// # Errors
/// There would be too many.
pub fn count(frames: &[Frame], buckets: Buckets) -> Result<Option<Frame>, TransformError> {
    let fields: Vec<(&Field, &[f64])> = frames.iter().flat_map(Frame::numbers).collect();
    let Some((first, _)) = fields.first() else {
        return Ok(None);
    };
    let finite = |values: &[f64]| {
        values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect::<Vec<_>>()
    };
    let values: Vec<Vec<f64>> = fields.iter().map(|(_, values)| finite(values)).collect();
    let size = match buckets.size.filter(|size| *size > 0.0) {
        Some(size) => size,
        None => size_for(
            values.concat(),
            buckets.count.filter(|count| *count > 0.0).unwrap_or(COUNT),
        ),
    };
    // By whole numbers: the beginnings of equal buckets are equal.
    let place = |value: f64| rounded(((value - buckets.offset) / size).floor() * size + buckets.offset);
    let mut counts: BTreeMap<Ordered, Vec<f64>> = BTreeMap::new();
    for (index, values) in values.iter().enumerate() {
        for value in values {
            let row = counts
                .entry(Ordered(place(*value)))
                .or_insert_with(|| vec![0.0; fields.len()]);
            if let Some(count) = row.get_mut(index) {
                *count += 1.0;
            }
        }
        if counts.len() > MOST {
            return Err(TransformError::Buckets(MOST));
        }
    }
    fits(counts.len() * (fields.len() + 2) * size_of::<f64>())?;
    let ends = |shift: f64| Values::numbers(counts.keys().map(move |start| start.0 + shift));
    let unit = fields
        .iter()
        .map(|(field, _)| *field)
        .find(|field| !field.options.unit.is_empty())
        .unwrap_or(first);
    let end = |name: &str, shift| Field {
        options: unit.options.clone(),
        ..Field::new(name, ends(shift))
    };
    let mut columns = vec![end("xMin", 0.0), end("xMax", size)];
    if buckets.combine {
        let sums = counts.values().map(|row| row.iter().sum());
        columns.push(Field {
            renamed: Some("Count".to_owned()),
            ..first.with(Values::numbers(sums))
        });
    } else {
        let of = |index: usize| Values::numbers(counts.values().map(move |row| row.get(index).copied().unwrap_or(0.0)));
        columns.extend(
            fields
                .iter()
                .enumerate()
                .map(|(index, (field, _))| field.with(of(index))),
        );
    }
    Ok(Some(Frame {
        ref_id: "histogram".to_owned(),
        fields: columns,
        ..Frame::default()
    }))
}

/// A number with an order.
#[derive(Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// To nine digits behind the point. No value lies below 0 by a hair.
fn rounded(value: f64) -> f64 {
    let rounded = (value * 1e9).round() / 1e9;
    let rounded = if rounded.is_finite() { rounded } else { value };
    rounded + 0.0
}

/// The least round width that divides the range of `values` into at most `count` buckets and parts no two values that touch.
fn size_for(mut values: Vec<f64>, count: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let gaps = values
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .filter(|gap| *gap != 0.0);
    let smallest = if values.len() == 1 {
        1.0
    } else {
        gaps.fold(f64::INFINITY, f64::min)
    };
    let range = values
        .last()
        .zip(values.first())
        .map_or(0.0, |(last, first)| last - first);
    let wanted = range / count;
    sizes().find(|size| wanted < *size && *size >= smallest).unwrap_or(1.0)
}

/// 1, 2, 2.5, 4 and 5 with powers of ten; of whole numbers below 10 only those that are whole.
fn sizes() -> impl Iterator<Item = f64> {
    let scaled = |power: i32| {
        let factors: &[f64] = match power {
            0 => &[1.0, 2.0, 4.0, 5.0],
            _ => &[1.0, 2.0, 2.5, 4.0, 5.0],
        };
        factors.iter().map(move |factor| {
            if power < 0 {
                factor / 10_f64.powi(-power)
            } else {
                factor * 10_f64.powi(power)
            }
        })
    };
    (-9..=9).flat_map(scaled)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{series, transform};

    #[test]
    fn values_are_counted_in_buckets() {
        let frames = || {
            vec![
                series("A", "a", &[], &[1.0, 2.0, 2.5, 9.0]),
                series("A", "b", &[], &[4.0, f64::NAN]),
            ]
        };
        let counted = transform("histogram", json!({"bucketSize": "5"}), frames());
        assert_eq!(counted, [["xMin|xMax|a|b", "0|5|3|1", "5|10|1|0"]]);
        let counted = transform(
            "histogram",
            json!({"bucketSize": 5, "bucketOffset": 1, "combine": true}),
            frames(),
        );
        assert_eq!(counted, [["xMin|xMax|Count", "1|6|4", "6|11|1"]]);
        let found = transform("histogram", json!({}), frames());
        assert_eq!(
            found[0][1], "1|1.5|1|0",
            "a round width no less than the least distance of two values"
        );
    }

    #[test]
    fn a_width_that_makes_too_many_buckets_is_refused() {
        let values: Vec<f64> = (0..20_000).map(f64::from).collect();
        let scope = super::super::testing::scope();
        let counted = super::histogram(
            &json!({"bucketSize": 0.5}),
            &scope,
            vec![series("A", "a", &[], &values)],
        );
        assert!(counted.is_err());
    }
}
