//! Forwards what the device's Prometheus stores to a centre, as remote_write. The local history is the queue: a cursor says up to where the
//! centre has it, and moves only after the centre has answered with 2xx, so an outage may last as long as the history is kept.
//!
//! [`settings`] what can be set, [`profile`] which series are sent, [`cursor`] the place and its file, [`window`] which piece of time is
//! next, [`source`] reads it from Prometheus, [`encode`] makes requests of it, [`compression`] makes them small, [`send`] gives them to the
//! centre, [`counters`] the metrics, [`forwarder`] the thread that does all of it. What it shares with notification is
//! [`edgewatch_outbound`].

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod compression;
pub mod counters;
mod cursor;
pub mod encode;
pub mod forwarder;
pub mod profile;
mod send;
pub mod settings;
mod source;
mod window;
