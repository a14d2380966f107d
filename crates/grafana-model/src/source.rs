//! Where values come from: whoever implements [`Source`].

use std::sync::Arc;

use thiserror::Error;

use super::limits::Deadline;
use super::time::Grid;
use edgewatch_prometheus_client::labels::Labels;

/// A series of a range query.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels, `__name__` among them.
    pub labels: Labels,
    /// One value for each point of the grid; NaN where there is none.
    pub values: Arc<Vec<f64>>,
}

/// What a query brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer<T> {
    /// Series, values or labels.
    pub items: Vec<T>,
    /// What the person who looks at the panel must know of them: how many were left out above the limits, Prometheus' warnings.
    pub notes: Vec<String>,
}

/// An answer, which several panels and viewers may share.
pub type Answered<T> = Result<Arc<Answer<T>>, QueryError>;

/// A query that brought nothing. The message is for the person who looks at the panel.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// No answer: it is down, or did not answer in time.
    #[error("Prometheus does not answer: {0}")]
    Unreachable(String),
    /// Prometheus' own words about the query.
    #[error("Prometheus refuses the query: {0}")]
    Refused(String),
    /// A larger answer than the limits allow: one with fewer points may fit.
    #[error("{0}")]
    TooLarge(String),
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
    fn range(&self, expression: &str, grid: Grid) -> Answered<Series>;

    /// An instant query at the Unix time `at` in milliseconds: labels and value of each series.
    ///
    /// # Errors
    /// See [`QueryError`].
    fn instant(&self, expression: &str, at: i64) -> Answered<(Labels, f64)>;

    /// The values of `label` over the series that match `selector` (all series if it is empty), for query variables. The range
    /// is in milliseconds.
    ///
    /// # Errors
    /// See [`QueryError`].
    fn label_values(&self, label: &str, selector: &str, from: i64, to: i64) -> Answered<String>;

    /// The label sets of the series that match `selector`, for `label_names`, `metrics` and `query_result` variables.
    ///
    /// # Errors
    /// See [`QueryError`].
    fn series(&self, selector: &str, from: i64, to: i64) -> Answered<Labels>;
}

/// Asks `source` as long as the deadline allows it.
pub struct Within<'s> {
    /// What is asked.
    pub source: &'s dyn Source,
    /// Whether somebody still waits.
    pub deadline: &'s Deadline,
}

impl Within<'_> {
    fn ask<T>(&self, ask: impl FnOnce(&dyn Source) -> Answered<T>) -> Answered<T> {
        match self.deadline.over() {
            Some(why) => Err(QueryError::TooMuch(why)),
            None => ask(self.source),
        }
    }
}

impl Source for Within<'_> {
    fn range(&self, expression: &str, grid: Grid) -> Answered<Series> {
        self.ask(|source| source.range(expression, grid))
    }

    fn instant(&self, expression: &str, at: i64) -> Answered<(Labels, f64)> {
        self.ask(|source| source.instant(expression, at))
    }

    fn label_values(&self, label: &str, selector: &str, from: i64, to: i64) -> Answered<String> {
        self.ask(|source| source.label_values(label, selector, from, to))
    }

    fn series(&self, selector: &str, from: i64, to: i64) -> Answered<Labels> {
        self.ask(|source| source.series(selector, from, to))
    }
}
