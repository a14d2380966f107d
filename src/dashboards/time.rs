//! Time ranges as Grafana's addresses bear them: `now-6h`, `now/d`, or milliseconds since the epoch.

/// The range that a dashboard shows, and the grid of its range queries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeRange {
    /// Unix time in seconds.
    pub from: f64,
    /// Unix time in seconds, after `from`.
    pub to: f64,
}

/// The points of a range query: `start`, `start + step`, … , `len` of them. The start is a multiple of the step, as in Grafana,
/// so that equal dashboards ask equal queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Unix time in milliseconds.
    pub start: i64,
    /// Milliseconds, above 0.
    pub step: i64,
    /// Number of points.
    pub len: usize,
}

impl Grid {
    /// Unix time in seconds of point `index`.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit into 53 bits")]
    pub fn at(&self, index: usize) -> f64 {
        (self.start + self.step * index as i64) as f64 / 1000.0
    }
}
