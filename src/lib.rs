//! edgewatch: an observability appliance for edge devices.
//!
//! `edgewatch serve` reads the device's sensors and its own health in the background ([`edgewatch_sensors`]) and serves what it knows
//! ([`http`]); dashboards are shown by a program of its own ([`dashboards`]); `edgewatch up` runs the whole stack in the foreground ([`up`]); `edgewatch check` asks a
//! running stack whether it is well ([`check`]); `edgewatch wait` waits for a server ([`wait`]).

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod check;
pub mod cli;
pub mod config;
pub mod dashboards;
pub mod http;
pub mod serve;
pub mod telemetry;
pub mod up;
pub mod wait;
