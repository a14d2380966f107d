//! Why something of a dashboard cannot be read or shown; the texts are for the person who looks at it.

use thiserror::Error;

use super::limits;
use super::source::QueryError;

/// A text that is no dashboard.
#[derive(Debug, Error)]
pub enum DashboardError {
    /// It is no JSON at all.
    #[error("no JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// A field of it has another type than Grafana gives it.
    #[error("no dashboard that is understood: {0}")]
    Field(#[source] serde_path_to_error::Error<serde_json::Error>),
    /// It has panels, and they are no list.
    #[error("no dashboard that is understood: panels: they are no list")]
    Panels,
    /// A part of schema v2 without which there is nothing to show.
    #[error("no dashboard that is understood: {0}")]
    Shape(String),
    /// It would take so many bytes of memory.
    #[error(
        "it would take {} MiB of memory, at most {} are allowed: split it into several dashboards",
        .0 >> 20,
        limits::DASHBOARD >> 20
    )]
    TooLarge(usize),
}

/// A range of time that is none.
#[derive(Debug, Error)]
pub enum RangeError {
    /// The time of the device has no date.
    #[error("the clock of the device is off: {0}")]
    Clock(#[source] jiff::Error),
    /// One end is no time.
    #[error("{0:?} is no time: now, now-6h, now-1d/d, 2026-01-02 03:04:05 or milliseconds since 1970 are")]
    Time(String),
    /// It ends before it begins.
    #[error("the range from {from:?} to {to:?} is empty: from must lie before to")]
    Empty {
        /// As it was given.
        from: String,
        /// As it was given.
        to: String,
    },
}

/// A regular expression that is none, or takes too much.
#[derive(Debug, Error)]
#[error("the regular expression {text:?} is not supported: {source}")]
pub struct PatternError {
    /// As the dashboard has it.
    pub text: String,
    /// What is wrong with it.
    #[source]
    pub source: Box<fancy_regex::Error>,
}

/// What the values of variables make of a text is too long.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("with what stands for its variables it is longer than {} KiB: choose fewer values", limits::TEXT >> 10)]
pub struct TooLong;

/// What Grafana can do and is not done here.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UnsupportedError {
    /// A data source by its kind or name.
    #[error("{}", of_datasource(.0))]
    DataSource(String),
    /// A variable by its kind.
    #[error("variables of the kind {0:?} are not supported")]
    Variable(String),
    /// It would be part of a query, and whoever may look at a dashboard may ask its queries, no others.
    #[error("nothing but its first text can be chosen for a text box")]
    TextBox,
    /// A variable that cannot be read, and why.
    #[error("{0}")]
    Broken(String),
    /// A query whose answer is wanted in some other form.
    #[error("the format {0:?} is not supported")]
    Format(String),
    /// A transformation by its id.
    #[error("the transformation {0:?} is not supported")]
    Transformation(String),
    /// What chooses fields, by its id.
    #[error("fields cannot be chosen by {0:?}")]
    FieldMatcher(String),
}

/// What is said of a data source that cannot be asked.
fn of_datasource(name: &str) -> String {
    match name {
        "__expr__" => "expressions of Grafana (__expr__) are not supported: write it in PromQL".to_owned(),
        "-- Dashboard --" => "it shows what another panel asks, and there is no such panel".to_owned(),
        name => format!("the data source {name:?} is not supported, only Prometheus"),
    }
}

/// A query of a panel that is not asked.
#[derive(Debug, Error)]
#[error("query {query}: {source}")]
pub struct TargetError<S: std::error::Error + 'static> {
    /// Its letter.
    pub query: String,
    /// Why.
    pub source: S,
}

/// A variable without values.
#[derive(Debug, Error)]
pub enum VariableError {
    /// It cannot be read, or is of a kind that is not supported.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedError),
    /// Its query or list cannot be expanded.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// Its filter is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Prometheus brings nothing.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// There is nothing to ask.
    #[error("it has no query")]
    NoQuery,
    /// Filters of a variable of that name, which are not applied.
    #[error("the filters of {0} are not applied: ad hoc filters are not supported")]
    Filters(String),
    /// It chooses among data sources of another kind.
    #[error("there is no data source of the kind {0:?} here, only Prometheus")]
    DataSource(String),
}

/// Why a transformation cannot be applied to what it is given.
#[derive(Debug, Error)]
pub enum TransformError {
    /// Its options are of other types than Grafana's.
    #[error("its options are not understood: {0}")]
    Options(#[source] serde_path_to_error::Error<serde_json::Error>),
    /// It would hold more than [`limits::FRAMES`].
    #[error("it would make more than {} MiB of values: ask for fewer series or a shorter range", limits::FRAMES >> 20)]
    TooLarge,
    /// A regular expression of it is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// What chooses fields in it.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedError),
    /// What chooses frames in it, by its id.
    #[error("frames cannot be chosen by {0:?}")]
    FrameMatcher(String),
    /// What chooses rows in it, by its id.
    #[error("rows cannot be chosen by {0:?}")]
    RowMatcher(String),
    /// A number of rows that is none.
    #[error("{0:?} is no number of rows")]
    Rows(String),
    /// A calculation by its id.
    #[error("the calculation {0:?} is not supported")]
    Calculation(String),
    /// A calculation that makes no sense over a window.
    #[error("the calculation {0:?} cannot move")]
    Moving(String),
    /// A calculation that makes no sense row by row.
    #[error("the calculation {0:?} cannot be cumulative")]
    Cumulative(String),
    /// A window of no values.
    #[error("its window must be longer than 0")]
    NoWindow,
    /// A window that would take too many steps.
    #[error("its window is too long for so many values: shorten it, or ask for fewer")]
    Window,
    /// An operator of arithmetic.
    #[error("the operator {0:?} is not supported")]
    Operator(String),
    /// A kind that columns do not have.
    #[error("a column cannot be turned into {0:?}")]
    Conversion(String),
    /// A form of texts out of which no columns are taken.
    #[error("columns cannot be extracted from texts of the form {0:?}")]
    Extraction(String),
    /// A kind of trend line.
    #[error("a trend cannot be {0:?}: linear and polynomial are known")]
    Trend(String),
    /// A polynomial beyond what numbers can tell apart.
    #[error("the degree of a trend is 1 to {0}")]
    Degree(usize),
    /// Fewer different places than a curve needs.
    #[error("a trend of the degree {0} needs more than {0} different values of {1:?}")]
    TooFewPoints(usize, String),
    /// Columns of different tables.
    #[error("the columns {0:?} and {1:?} are not in one table: join the queries first")]
    Apart(String, String),
    /// More buckets than are counted.
    #[error("it would make more than {0} buckets: choose a greater size")]
    Buckets(usize),
    /// The order of columns by their values.
    #[error("columns cannot be sorted by themselves")]
    Order,
    /// Many rows that contradict each other, of which each is held against all others.
    #[error("more than {0} rows are alike in the columns that all have")]
    Alike(usize),
}

/// It panicked; the log says more.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("internal error: the log says more, and a report of it is welcome")]
pub struct Panicked;
