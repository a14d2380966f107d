//! edgewatch: an observability appliance for edge devices.
//!
//! `edgewatch serve` samples the device's sensors and its own health in the background ([`edgewatch_sensors`]) and serves the metrics
//! (`http`), over TLS where that is set (`tls`, `web_config`, `security`); dashboards are rendered by a program of their own (`dashboards`), and
//! another one sends what leaves the device (`outbound`); `edgewatch up` runs the whole stack in the foreground (`up`); `edgewatch check` checks
//! a running stack (`check`); `edgewatch sensors` lists sensors (`sensors`); `edgewatch enrol` has the device send
//! to a centre (`enrol`); `edgewatch wait` waits for a server (`wait`).

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

mod check;
pub mod cli;
pub mod config;
mod dashboards;
mod enrol;
mod format;
mod http;
pub mod outbound;
mod programs;
mod readings;
mod reload;
mod security;
mod sensors;
mod serve;
mod telemetry;
mod tls;
mod up;
mod wait;
mod web_config;
