//! Tells a person of alerts. What fires now, Prometheus says; what fired and ended while nobody could be told, its `ALERTS` series say, which
//! are read with a cursor of their own. Each receiver has its own, and moves it only after it has taken what there was to tell.
//!
//! [`settings`] what can be set, [`alert`] what is known of an alert, [`template`] its words where Prometheus has them no more, [`ledger`]
//! what was told and what is to be told when, [`digest`] all of it that is told at once, [`message`] in words for people and [`payload`] in
//! JSON for programs, [`receiver`] those who take it, [`look`] reads from Prometheus, [`work`] the loop of one receiver, [`ping`] that of the
//! dead man's switch, [`led`] that of a light, [`counters`] the metrics, [`notifier`] the threads.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod alert;
pub mod counters;
pub mod digest;
pub mod led;
pub mod ledger;
pub mod look;
pub mod message;
pub mod notifier;
pub mod payload;
pub mod ping;
pub mod receiver;
pub mod settings;
pub mod template;
pub mod work;
