//! What the programs share.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod child;
pub mod credential;
pub mod error;
pub mod file;
pub mod host;
pub mod listen;
pub mod lock;
pub mod logging;
pub mod memory;
pub mod output;
pub mod signals;
pub mod socket;
pub mod systemctl;
pub mod systemd;
pub mod time;
