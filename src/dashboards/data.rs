//! What queries bring, as Grafana holds it: frames of fields.

use std::sync::Arc;

use super::model::FieldOptions;
use super::time::TimeRange;
use crate::client::prometheus::Labels;

/// A table of columns of equal length. A range query brings one frame for each series: a field `Time` and a field of numbers.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Its name, if it has one.
    pub name: String,
    /// The query it came from: `A`, `B`, …; empty after a transformation that joins several.
    pub ref_id: String,
    /// The columns.
    pub fields: Vec<Field>,
}

/// A column.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// As people read it: the legend, or the head of a column.
    pub name: String,
    /// The labels of the series it came from.
    pub labels: Labels,
    /// One value for each row.
    pub values: Values,
    /// How it is to be shown: the panel's defaults with the overrides that match it.
    pub options: Arc<FieldOptions>,
    /// Its colour as a series, by the palette, a fixed colour or thresholds: `#rrggbb` of the dark theme. Empty for what is no number.
    pub color: String,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Unix time in seconds.
    Times(Vec<f64>),
    /// Numbers; NaN where there is none.
    Numbers(Vec<f64>),
    /// Text, such as the values of a label.
    Texts(Vec<String>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Numbers(Vec::new())
    }
}

impl Values {
    /// The number of rows.
    pub const fn len(&self) -> usize {
        match self {
            Self::Times(values) | Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }

    /// True if there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Frame {
    /// The field of times, if it has one.
    pub fn times(&self) -> Option<&[f64]> {
        self.fields.iter().find_map(|field| match &field.values {
            Values::Times(times) => Some(times.as_slice()),
            Values::Numbers(_) | Values::Texts(_) => None,
        })
    }

    /// The fields of numbers.
    pub fn numbers(&self) -> impl Iterator<Item = (&Field, &[f64])> {
        self.fields.iter().filter_map(|field| match &field.values {
            Values::Numbers(numbers) => Some((field, numbers.as_slice())),
            Values::Times(_) | Values::Texts(_) => None,
        })
    }
}

/// What a panel shows.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// After transformations.
    pub frames: Vec<Frame>,
    /// Why some or all of it is missing, for people: Prometheus' own words, or what is not supported.
    pub problems: Vec<String>,
    /// The range that the panel shows, which may be another than the page's.
    pub range: TimeRange,
}
