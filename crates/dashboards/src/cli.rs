//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use edgewatch_program::output;

use crate::{render, serve, top};

/// Dashboards of edgewatch, as pages, pictures and in a terminal
#[derive(Debug, Parser)]
#[command(name = "edgewatch-dashboards", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the sensor service on the socket that is the standard input, and exit when idle
    Serve(serve::Args),
    /// Show a dashboard in the terminal
    Top(top::Args),
    /// Write a dashboard as a picture
    Render(render::Args),
}

/// Parses the arguments of this process and runs the command.
pub fn run() -> ExitCode {
    output::parse_and_run(|cli: Cli| match &cli.command {
        Command::Serve(args) => output::exit_code(serve::run(args)),
        Command::Top(args) => output::exit_code(top::run(args)),
        Command::Render(args) => output::exit_code(render::run(args)),
    })
}
