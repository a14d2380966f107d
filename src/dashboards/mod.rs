//! Dashboards without Grafana: its own JSON model, evaluated against Prometheus and drawn as SVG and HTML.
//!
//! ```text
//! JSON ─► model ─► evaluate (variables, queries, transformations) ─► data ─► draw ─► SVG, HTML
//!                       └── source: Prometheus, bounded and cached        └── top: a terminal
//! ```
//!
//! Everything below is synchronous and free of global state, so that the service, `edgewatch render` and `edgewatch top` share
//! it. The names follow Grafana's (<https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/>).

pub mod color;
pub mod data;
pub mod display;
pub mod draw;
pub mod evaluate;
mod frames;
pub mod layout;
pub mod library;
pub mod limits;
mod migrate;
pub mod model;
pub mod names;
pub mod options;
mod overrides;
pub mod pattern;
pub mod picture;
pub mod raster;
pub mod reduce;
pub mod sections;
pub mod source;
pub mod support;
#[cfg(test)]
mod testing;
pub mod time;
mod transform;
pub mod units;
pub mod variables;
