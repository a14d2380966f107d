//! Grafana's dashboard model, evaluated without Grafana.
//!
//! ```text
//! JSON ─► model ─► evaluate (variables, queries, transformations) ─► data: frames with all that is needed to draw them
//!                       └── source: whoever answers queries
//! ```
//!
//! Everything here is synchronous and free of global state and of input or output. The names follow Grafana's
//! (<https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/>).

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod collation;
pub mod color;
pub mod data;
pub mod display;
pub mod error;
pub mod evaluate;
mod frames;
pub mod grid;
pub mod layout;
pub mod limits;
pub mod links;
mod migrate;
pub mod model;
pub mod names;
pub mod overrides;
pub mod panel;
mod path;
pub mod pattern;
pub mod reduce;
pub mod scope;
pub mod sections;
pub mod source;
pub mod support;
#[cfg(test)]
mod testing;
pub mod time;
pub mod transform;
pub mod units;
pub mod variables;
