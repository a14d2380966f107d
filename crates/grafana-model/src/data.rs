//! What queries bring, as Grafana holds it: frames of fields.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::model::{FieldOptions, Property};
use super::time::TimeRange;
use super::units;
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
    /// Seconds between two samples of a series: where they are further apart, some are missing. 0: it is not known.
    pub interval: f64,
}

/// A column.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// As people read it: the legend, or the head of a column. Before evaluation is done it is as [`Field::source`].
    pub name: String,
    /// As Grafana's frames name it: the metric, `Value`, `Time`, or the head of a column.
    pub source: String,
    /// The name that its query gives it; empty: its labels make one. `None`: it comes from no query.
    pub legend: Option<String>,
    /// The name that a transformation gives it.
    pub renamed: Option<String>,
    /// The unit that a transformation gives it; empty: that of the panel.
    pub unit: &'static str,
    /// What a transformation sets of its options.
    pub config: Vec<Property>,
    /// The labels of the series it came from.
    pub labels: Labels,
    /// One value for each row.
    pub values: Values,
    /// How it is to be shown: the panel's defaults with the overrides that match it.
    pub options: Arc<FieldOptions>,
    /// Its colour as a series, by the palette, a fixed colour or thresholds: `#rrggbb` of the dark theme.
    pub color: String,
}

/// A number that is none: Grafana's `null`, in a NaN of its own. Calculations treat it otherwise than NaN, which 0 / 0 brings.
pub const NULL: f64 = f64::from_bits(0x7ff8_0000_6e75_6c6c);

/// Whether it is [`NULL`].
pub const fn is_null(number: f64) -> bool {
    number.to_bits() == NULL.to_bits()
}

/// The values of a column. Numbers are shared with the answer that they came in, and times by the series of a query.
#[derive(Clone, Debug)]
pub enum Values {
    /// Unix time in seconds; [`NULL`] where there is none.
    Times(Arc<Vec<f64>>),
    /// Numbers; [`NULL`] where there is none.
    Numbers(Arc<Vec<f64>>),
    /// Text, such as the values of a label.
    Texts(Vec<Option<String>>),
    /// Whether something is.
    Booleans(Vec<Option<bool>>),
}

/// A value of a column, or what a calculation makes of one.
#[derive(Clone, Debug)]
pub enum Cell<'a> {
    /// None.
    Null,
    /// Unix time in seconds.
    Time(f64),
    /// A number, which may be NaN.
    Number(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// Whether something is.
    Boolean(bool),
}

impl<'a> Cell<'a> {
    /// A number, or none.
    pub const fn number(number: f64) -> Self {
        if is_null(number) {
            Self::Null
        } else {
            Self::Number(number)
        }
    }

    /// A text, or none.
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Cow::Borrowed(text)))
    }

    /// The same, for as long as one likes.
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Self::Null => Cell::Null,
            Self::Time(seconds) => Cell::Time(seconds),
            Self::Number(number) => Cell::Number(number),
            Self::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Self::Boolean(is) => Cell::Boolean(is),
        }
    }

    /// True for [`Cell::Null`].
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number that JavaScript takes it for where it compares with one: times are in milliseconds, and nothing is 0.
    pub fn as_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Time(seconds) => (seconds * 1000.0).round(),
            Self::Number(number) => *number,
            Self::Text(text) => match text.trim() {
                "" => 0.0,
                text => units::parse(text).unwrap_or(f64::NAN),
            },
            Self::Boolean(is) => f64::from(u8::from(*is)),
        }
    }
}

/// As JavaScript writes it: groups of rows are told apart by it.
impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Time(_) => f.write_str(&units::shortest(self.as_number())),
            Self::Number(number) => f.write_str(&units::shortest(*number)),
            Self::Text(text) => f.write_str(text),
            Self::Boolean(is) => write!(f, "{is}"),
        }
    }
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
        Self::Texts(texts.into_iter().map(Some).collect())
    }

    /// A column of the same kind without rows.
    pub fn emptied(&self) -> Self {
        match self {
            Self::Times(_) => Self::times([]),
            Self::Numbers(_) => Self::numbers([]),
            Self::Texts(_) => Self::Texts(Vec::new()),
            Self::Booleans(_) => Self::Booleans(Vec::new()),
        }
    }

    /// The column that `cells` make: of the kind of the first that is something.
    pub fn of<'a>(cells: impl IntoIterator<Item = Cell<'a>>) -> Self {
        let mut values: Option<Self> = None;
        let mut nulls = 0;
        for cell in cells {
            let kind = match (&values, &cell) {
                (Some(_), _) => None,
                (None, Cell::Null) => {
                    nulls += 1;
                    continue;
                }
                (None, Cell::Time(_)) => Some(Self::times([])),
                (None, Cell::Number(_)) => Some(Self::numbers([])),
                (None, Cell::Text(_)) => Some(Self::Texts(Vec::new())),
                (None, Cell::Boolean(_)) => Some(Self::Booleans(Vec::new())),
            };
            if let Some(mut kind) = kind {
                (0..nulls).for_each(|_| kind.push(Cell::Null));
                values = Some(kind);
            }
            if let Some(values) = &mut values {
                values.push(cell);
            }
        }
        values.unwrap_or_else(|| Self::numbers(std::iter::repeat_n(NULL, nulls)))
    }

    /// The rows of that numbers, in that order; an empty cell for `None` and beyond the end.
    pub fn select(&self, rows: &[Option<usize>]) -> Self {
        let number = |values: &[f64], row: &Option<usize>| row.and_then(|row| values.get(row)).copied().unwrap_or(NULL);
        match self {
            Self::Times(values) => Self::times(rows.iter().map(|row| number(values, row))),
            Self::Numbers(values) => Self::numbers(rows.iter().map(|row| number(values, row))),
            Self::Texts(values) => {
                let text = |row: &Option<usize>| row.and_then(|row| values.get(row)).cloned().flatten();
                Self::Texts(rows.iter().map(text).collect())
            }
            Self::Booleans(values) => {
                let is = |row: &Option<usize>| row.and_then(|row| values.get(row)).copied().flatten();
                Self::Booleans(rows.iter().map(is).collect())
            }
        }
    }

    /// Appends a cell. One of another kind makes a column of text.
    pub fn push(&mut self, cell: Cell<'_>) {
        match (&mut *self, &cell) {
            (Self::Times(values), Cell::Time(value)) | (Self::Numbers(values), Cell::Number(value)) => {
                Arc::make_mut(values).push(*value);
            }
            (Self::Times(values) | Self::Numbers(values), Cell::Null) => Arc::make_mut(values).push(NULL),
            (Self::Texts(values), Cell::Null) => values.push(None),
            (Self::Texts(values), cell) => values.push(Some(cell.to_string())),
            (Self::Booleans(values), Cell::Null) => values.push(None),
            (Self::Booleans(values), Cell::Boolean(is)) => values.push(Some(*is)),
            (Self::Times(_) | Self::Numbers(_) | Self::Booleans(_), _) => {
                let texts = self.cells().map(|cell| (!cell.is_null()).then(|| cell.to_string()));
                *self = Self::Texts(texts.collect());
                self.push(cell);
            }
        }
    }

    /// A cell; none beyond the end.
    pub fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Times(values) => match values.get(row) {
                Some(seconds) if !is_null(*seconds) => Cell::Time(*seconds),
                _ => Cell::Null,
            },
            Self::Numbers(values) => Cell::number(values.get(row).copied().unwrap_or(NULL)),
            Self::Texts(values) => Cell::text(values.get(row).and_then(Option::as_deref)),
            Self::Booleans(values) => match values.get(row) {
                Some(Some(is)) => Cell::Boolean(*is),
                _ => Cell::Null,
            },
        }
    }

    /// All cells.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell<'_>> + DoubleEndedIterator + Clone {
        (0..self.len()).map(|row| self.cell(row))
    }

    /// A cell as text, without unit; empty if it is empty.
    pub fn text(&self, row: usize) -> String {
        match self.cell(row) {
            Cell::Null => String::new(),
            cell => cell.to_string(),
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Times(values) | Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Booleans(values) => values.len(),
        }
    }

    /// True if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True for numbers.
    pub const fn is_numbers(&self) -> bool {
        matches!(self, Self::Numbers(_))
    }

    /// True for times.
    pub const fn is_times(&self) -> bool {
        matches!(self, Self::Times(_))
    }
}

impl Field {
    /// Bytes of a column in memory without its values, with what it holds and the allocator puts between.
    pub const SIZE: usize = 500;

    /// A column without labels.
    pub fn new(name: impl Into<String>, values: Values) -> Self {
        let name = name.into();
        Self {
            source: name.clone(),
            name,
            values,
            ..Self::default()
        }
    }

    /// The same with other values.
    #[must_use]
    pub fn with(&self, values: Values) -> Self {
        Self { values, ..self.clone() }
    }

    /// Whether it bears labels, if only an empty set of them: what a series does and the column of a table does not.
    pub fn has_labels(&self) -> bool {
        self.legend.is_some() || !self.labels.is_empty()
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
            Values::Texts(texts) => {
                let text = |text: &Option<String>| text.as_ref().map_or(0, String::len) + size_of::<String>();
                texts.iter().map(text).sum()
            }
            Values::Booleans(values) => values.len(),
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
            Values::Numbers(_) | Values::Texts(_) | Values::Booleans(_) => None,
        })
    }

    /// The fields of numbers.
    pub fn numbers(&self) -> impl Iterator<Item = (&Field, &[f64])> {
        self.fields.iter().filter_map(|field| match &field.values {
            Values::Numbers(numbers) => Some((field, numbers.as_slice())),
            Values::Times(_) | Values::Texts(_) | Values::Booleans(_) => None,
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
    /// A query has failed, so that nobody knows whether there is data.
    pub has_failed: bool,
    /// The range that the panel shows, which may be another than the page's.
    pub range: TimeRange,
    /// What the panel's head says of a range of its own: `Last 24 hours`; empty: it is the page's.
    pub own_range: String,
    /// How it is shown that there is nothing: a field without values, with the panel's options.
    pub nothing: Field,
}

impl Data {
    /// Every time that any frame has, in order and once. A series may lack some of them.
    pub fn times(&self) -> Vec<f64> {
        let frames = self.frames.iter().filter_map(|frame| frame.times());
        let mut times: Vec<f64> = frames.flatten().copied().collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    }
}
