//! The grid on which panels lie.

use serde::Deserialize;
use serde_json::Value;

/// Columns of the grid.
pub const COLUMNS: u32 = 24;
/// Pixels of a row of the grid.
pub const ROW: u32 = 30;
/// Pixels between two rows or columns.
pub const GAP: u32 = 8;

/// A place on the grid of 24 columns; a row of it is 30 CSS pixels high, with 8 between two.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct GridPos {
    /// Columns from the left.
    #[serde(deserialize_with = "cells")]
    pub x: u32,
    /// Rows from the top.
    #[serde(deserialize_with = "cells")]
    pub y: u32,
    /// Columns.
    #[serde(deserialize_with = "cells")]
    pub w: u32,
    /// Rows.
    #[serde(deserialize_with = "cells")]
    pub h: u32,
}

/// Grafana rounds what is no whole number, and a place far beyond any screen must not make sums overflow.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn cells<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = Value::deserialize(deserializer)?.as_f64();
    Ok(number.unwrap_or_default().clamp(0.0, 10_000.0).round() as u32)
}
