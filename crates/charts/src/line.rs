//! A series of a time series panel on its way into the plot: it gets its values, then what it is stacked upon, then its axis.

use edgewatch_grafana_model::data::Field;
use edgewatch_grafana_model::panel::timeseries::TimeseriesField;

/// A series as it is drawn.
pub struct Line<'a> {
    /// Where it comes from.
    pub field: &'a Field,
    /// How it is drawn.
    pub style: TimeseriesField,
    /// `#rrggbb`.
    pub color: String,
    /// Unix times in seconds.
    pub times: &'a [f64],
    /// Seconds between two of them where none is missing; 0: it is not known.
    pub interval: f64,
    /// What is drawn: NaN is a gap.
    pub values: Vec<f64>,
    /// Where its area ends, for each value: what it is stacked upon.
    pub base: Option<Vec<f64>>,
    /// The place of its axis.
    pub axis: usize,
}

#[cfg(test)]
impl<'a> Line<'a> {
    /// A series with the options of its field.
    pub fn of(field: &'a Field, times: &'a [f64], values: Vec<f64>) -> Self {
        Self {
            field,
            style: TimeseriesField::of(&field.options.custom).0,
            color: String::new(),
            times,
            interval: 0.0,
            values,
            base: None,
            axis: 0,
        }
    }
}
