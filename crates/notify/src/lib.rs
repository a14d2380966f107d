//! Tells a person of alerts. What fires now, Prometheus says; what fired and ended while nobody could be told, its `ALERTS` series say, which
//! are read with a cursor of their own. Each receiver has its own, and moves it only after it has taken what there was to tell.
//!
//! [`settings`] what can be set, [`alert`] what is known of an alert, [`template`] its words where Prometheus has them no more, [`ledger`]
//! what was told and what is to be told when, [`digest`] all of it that is told at once, [`message`] in words for people and [`payload`] in
//! JSON for programs, [`receiver`] those who take it, [`look`] reads from Prometheus, [`work`] the loop of one receiver, [`ping`] that of the
//! dead man's switch, [`led`] that of a light, [`counters`] the metrics, [`notifier`] the threads.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

mod alert;
pub mod counters;
mod digest;
mod led;
mod ledger;
mod look;
mod message;
pub mod notifier;
mod payload;
pub mod ping;
pub mod receiver;
pub mod settings;
mod template;
mod work;
