//! Dashboards without Grafana: its own JSON model, evaluated against Prometheus and drawn as SVG and HTML.
//!
//! ```text
//! JSON ─► model ─► evaluate (variables, queries, transformations) ─► data ─► draw ─► SVG, HTML
//!                       └── source: Prometheus, bounded and cached        └── top: a terminal
//! ```
//!
//! Everything below is synchronous and free of global state, so that the service, `edgewatch render` and `edgewatch top` share
//! it. The names follow Grafana's (<https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/>).

pub mod data;
pub mod display;
pub mod draw;
pub mod evaluate;
pub mod library;
pub mod model;
pub mod source;
pub mod time;
pub mod units;
pub mod variables;
