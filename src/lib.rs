//! edgewatch: an observability appliance for edge devices.
//!
//! `edgewatch serve` samples the device's sensors and its own health in the background ([`edgewatch_sensors`]) and serves the metrics
//! (`http`), over TLS where that is set (`tls`, `web_config`, `security`); what is stored is sent to a centre (`forward`), and a person is told
//! of alerts (`notify`); dashboards are rendered by a program of their own (`dashboards`); `edgewatch up` runs the whole stack in the foreground
//! (`up`); `edgewatch check` checks a running stack (`check`); `edgewatch sensors` lists sensors (`sensors`); `edgewatch update` updates the device
//! (`update`); `edgewatch enrol` has it send to a centre (`enrol`); `edgewatch wait` waits for a server (`wait`).

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

mod check;
pub mod cli;
pub mod config;
mod dashboards;
mod enrol;
mod format;
mod forward;
mod http;
mod notify;
mod readings;
mod security;
mod sensors;
mod serve;
mod telemetry;
mod tls;
mod up;
mod update;
mod wait;
mod web_config;
