//! What somebody in the network, a file or an accident of the device can do to the service, and what it must survive; one kind a
//! file. Those that take longer than some seconds are ignored by `cargo test`; `scripts/attack` runs them all.

#[path = "../common/mod.rs"]
mod common;

mod connections;
mod dashboard_files;
mod full_disk;
mod full_prometheus;
mod malformed;
mod passwords;
mod pictures;
mod prometheus_answers;
mod rebinding;
mod state_directory;
