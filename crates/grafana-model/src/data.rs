//! What queries bring, as Grafana holds it: frames of fields.

use std::sync::Arc;

use super::model::FieldOptions;
use super::time::TimeRange;
use edgewatch_prometheus_client::labels::Labels;

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
    /// As Prometheus names it: the metric, or `Value`. Transformations join columns by it, and overrides may mean it. Empty: as `name`.
    pub source: String,
    /// The labels of the series it came from.
    pub labels: Labels,
    /// One value for each row.
    pub values: Values,
    /// How it is to be shown: the panel's defaults with the overrides that match it.
    pub options: Arc<FieldOptions>,
    /// Its colour as a series, by the palette, a fixed colour or thresholds: `#rrggbb` of the dark theme. Empty for what is no number.
    pub color: String,
}

/// The values of a column. Numbers are shared with the answer that they came in, and times by the series of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Unix time in seconds.
    Times(Arc<Vec<f64>>),
    /// Numbers; NaN where there is none.
    Numbers(Arc<Vec<f64>>),
    /// Text, such as the values of a label.
    Texts(Vec<String>),
}

impl Default for Values {
    fn default() -> Self {
        Self::numbers([])
    }
}

impl Values {
    /// A column of Unix times in seconds.
    pub fn times(times: impl IntoIterator<Item = f64>) -> Self {
        Self::Times(Arc::new(times.into_iter().collect()))
    }

    /// A column of numbers.
    pub fn numbers(numbers: impl IntoIterator<Item = f64>) -> Self {
        Self::Numbers(Arc::new(numbers.into_iter().collect()))
    }

    /// A column of text.
    pub fn texts(texts: impl IntoIterator<Item = String>) -> Self {
        Self::Texts(texts.into_iter().collect())
    }

    /// A column of the same kind without rows.
    pub fn emptied(&self) -> Self {
        match self {
            Self::Times(_) => Self::times([]),
            Self::Numbers(_) => Self::numbers([]),
            Self::Texts(_) => Self::Texts(Vec::new()),
        }
    }

    /// The rows of that numbers, in that order; an empty cell for `None` and beyond the end.
    pub fn select(&self, rows: &[Option<usize>]) -> Self {
        let number =
            |values: &[f64], row: &Option<usize>| row.and_then(|row| values.get(row)).copied().unwrap_or(f64::NAN);
        match self {
            Self::Times(values) => Self::times(rows.iter().map(|row| number(values, row))),
            Self::Numbers(values) => Self::numbers(rows.iter().map(|row| number(values, row))),
            Self::Texts(values) => Self::texts(
                rows.iter()
                    .map(|row| row.and_then(|row| values.get(row)).cloned().unwrap_or_default()),
            ),
        }
    }

    /// Appends the cell `row` of `from`, an empty one if there is none. Columns of two kinds become text.
    pub fn push(&mut self, from: &Self, row: Option<usize>) {
        if self.is_empty() {
            *self = from.emptied();
        }
        match (&mut *self, from) {
            (Self::Times(values), Self::Times(other)) | (Self::Numbers(values), Self::Numbers(other)) => {
                Arc::make_mut(values).push(row.and_then(|row| other.get(row)).copied().unwrap_or(f64::NAN));
            }
            (Self::Texts(values), other) => values.push(row.map(|row| other.text(row)).unwrap_or_default()),
            (Self::Times(values) | Self::Numbers(values), _) if row.is_none() => Arc::make_mut(values).push(f64::NAN),
            (Self::Times(_) | Self::Numbers(_), _) => {
                let texts = (0..self.len()).map(|row| self.text(row)).collect();
                *self = Self::Texts(texts);
                self.push(from, row);
            }
        }
    }

    /// A cell as text, without unit; empty if it is empty.
    pub fn text(&self, row: usize) -> String {
        match self {
            Self::Times(values) | Self::Numbers(values) => {
                let value = values.get(row).copied().filter(|value| !value.is_nan());
                value.map(|value| value.to_string()).unwrap_or_default()
            }
            Self::Texts(values) => values.get(row).cloned().unwrap_or_default(),
        }
    }

    /// Whether a cell is empty.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Times(values) | Self::Numbers(values) => values.get(row).is_none_or(|value| value.is_nan()),
            Self::Texts(values) => values.get(row).is_none_or(String::is_empty),
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Times(values) | Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }

    /// True if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Field {
    /// Bytes of a column in memory without its values, with what it holds and the allocator puts between.
    pub const SIZE: usize = 500;

    /// A column without labels.
    pub fn new(name: impl Into<String>, values: Values) -> Self {
        Self {
            name: name.into(),
            values,
            ..Self::default()
        }
    }

    /// As Prometheus names it.
    pub fn source(&self) -> &str {
        if self.source.is_empty() {
            &self.name
        } else {
            &self.source
        }
    }
}

impl Frame {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.fields.iter().map(|field| field.values.len()).max().unwrap_or(0)
    }

    /// True if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the rows of that numbers, in that order.
    pub fn select(&mut self, rows: &[usize]) {
        let rows: Vec<Option<usize>> = rows.iter().copied().map(Some).collect();
        for field in &mut self.fields {
            field.values = field.values.select(&rows);
        }
    }

    /// Bytes in memory, roughly.
    pub fn size(&self) -> usize {
        let values = |values: &Values| match values {
            Values::Times(values) | Values::Numbers(values) => values.len() * size_of::<f64>(),
            Values::Texts(texts) => texts.iter().map(|text| text.len() + size_of::<String>()).sum(),
        };
        let fields = self.fields.iter();
        fields
            .map(|field| Field::SIZE + field.name.len() + values(&field.values))
            .sum()
    }

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

impl Data {
    /// Every time that any frame has, in order and once: series begin and end at times of their own, and one that was away for a while
    /// lacks some.
    pub fn times(&self) -> Vec<f64> {
        let frames = self.frames.iter().filter_map(|frame| frame.times());
        let mut times: Vec<f64> = frames.flatten().copied().collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    }
}
