//! The `edgewatch` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    edgewatch::cli::Cli::parse().run()
}
