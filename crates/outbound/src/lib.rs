//! What leaves the device, whatever it is: to a centre ([`edgewatch-forward`](../edgewatch_forward/index.html)) or to a person
//! ([`edgewatch-notify`](../edgewatch_notify/index.html)).
//!
//! [`check`] what is wrong with settings, [`secret`] what is read from files and never shown, [`http`] requests with them, over TLS and
//! proxies, [`failure`] why one did not succeed, [`backoff`] when it is tried again, [`clock`] the clocks of this device, [`state`] a file
//! that outlives a power cut, [`worker`] a thread that goes on after a panic, and ends when it is told.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod backoff;
pub mod check;
pub mod clock;
pub mod failure;
pub mod http;
pub mod secret;
pub mod state;
pub mod worker;
