//! The command line.

use std::io::{self, Write};
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
    /// Answer the sensor service on the socket that is the standard input, and end when nobody looks
    Serve(serve::Args),
    /// Show a dashboard in the terminal
    Top(top::Args),
    /// Write a dashboard as a picture
    Render(render::Args),
}

/// Runs the command that the arguments of this process ask for.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let status = u8::try_from(told.exit_code()).unwrap_or(2);
            return match output::outcome(told.print().and_then(|()| io::stdout().flush())) {
                Err(error) if !told.use_stderr() => output::status(Err(error)),
                _ => ExitCode::from(status),
            };
        }
    };
    output::status(match &cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Top(args) => top::run(args),
        Command::Render(args) => render::run(args),
    })
}
