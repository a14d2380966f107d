//! The program that shows dashboards: `pages` and pictures for browsers, asked for through the sensor service (`serve`); `edgewatch
//! top` ([`top`]); `edgewatch render` ([`render`]).
//!
//! It is a program of its own so that nothing a dashboard does reaches the sensor service: a hostile or broken one costs its reader an
//! error page, and no scrape.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod cli;
pub mod frame;
pub mod library;
pub mod options;
mod pages;
pub mod picture;
pub mod render;
pub mod response;
mod serve;
pub mod settings;
pub mod source;
pub mod top;

pub use cli::run;
