//! edgewatch: an observability appliance for edge devices.
//!
//! `edgewatch serve` reads the device's sensors and its own health in the background ([`sampler`]) and serves what it knows
//! ([`http`], [`exposition`]); `edgewatch up` runs the whole stack in the foreground ([`up`]); `edgewatch check` asks a
//! running stack whether it is well ([`check`]); `edgewatch wait` waits for a server ([`wait`]).

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod budget;
pub mod check;
pub mod cli;
pub mod client;
pub mod config;
pub mod dashboards;
pub mod error;
pub mod exposition;
pub mod host;
pub mod http;
pub mod lock;
pub mod logging;
pub mod memory;
pub mod output;
pub mod reading;
pub mod render;
pub mod sampler;
pub mod serve;
pub mod sources;
pub mod sysfs;
pub mod systemd;
pub mod telemetry;
pub mod top;
pub mod up;
pub mod wait;
