//! Where values come from.

use thiserror::Error;

use super::time::Grid;
use crate::client::prometheus::Labels;

/// A series of a range query.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels, `__name__` among them.
    pub labels: Labels,
    /// One value for each point of the grid; NaN where there is none.
    pub values: Vec<f64>,
}

/// A query that brought nothing. The message is for the person who looks at the panel.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// No answer: it is down, or did not answer in time.
    #[error("Prometheus does not answer: {0}")]
    Unreachable(String),
    /// Prometheus' own words about the query.
    #[error("Prometheus refuses the query: {0}")]
    Refused(String),
    /// More than the limits allow.
    #[error("{0}")]
    TooMuch(String),
}

/// Answers queries. Calls block; an implementation bounds them in time, points and bytes.
pub trait Source: Sync {
    /// A range query: one [`Series`] for each series of the answer.
    ///
    /// # Errors
    /// See [`QueryError`].
    fn range(&self, expression: &str, grid: Grid) -> Result<Vec<Series>, QueryError>;

    /// An instant query at the Unix time `at` in milliseconds: labels and value of each series.
    ///
    /// # Errors
    /// See [`QueryError`].
    fn instant(&self, expression: &str, at: i64) -> Result<Vec<(Labels, f64)>, QueryError>;

    /// The values of `label` over the series that match `selector` (all series if it is empty), for query variables. The range
    /// is in milliseconds.
    ///
    /// # Errors
    /// See [`QueryError`].
    fn label_values(&self, label: &str, selector: &str, from: i64, to: i64) -> Result<Vec<String>, QueryError>;

    /// The label sets of the series that match `selector`, for `label_names`, `metrics` and `query_result` variables.
    ///
    /// # Errors
    /// See [`QueryError`].
    fn series(&self, selector: &str, from: i64, to: i64) -> Result<Vec<Labels>, QueryError>;
}
