//! The program that renders dashboards: pages and pictures for browsers, requested through the sensor service (`serve`); `edgewatch top`
//! (`top`); `edgewatch render` (`render`).
//!
//! It is a program of its own so that dashboards cannot affect the sensor service: a hostile or broken one causes an error page, and no
//! failed scrape.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

pub mod cli;
pub mod error;
pub mod frame;
pub mod library;
mod notes;
mod options;
mod pages;
pub mod picture;
pub mod render;
pub mod response;
mod serve;
pub mod settings;
pub mod source;
pub mod top;

pub use cli::run;
