//! Sensors and the health of the host: [`collectors`] read them, the [`sampler`] schedules the reads, and [`exposition`] writes the text
//! format.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod budget;
pub mod collectors;
pub mod counters;
pub mod device;
pub mod error;
pub mod exposition;
pub mod plausible;
pub mod reading;
pub mod sampler;
pub mod settings;
pub mod sysfs;
