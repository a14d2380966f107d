//! The command line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Failure;
use crate::{check, output, render, serve, top, up, wait};

/// Observability appliance for edge devices: sensors, Prometheus and Grafana inside 300 MB and 2 cores
#[derive(Debug, Parser)]
#[command(name = "edgewatch", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the sensor service
    Serve(serve::Args),
    /// Run the whole stack in the foreground: the service, Prometheus, and Grafana if it is installed
    Up(up::Args),
    /// Ask a running stack whether it is well
    Check(check::Args),
    /// Show a dashboard in the terminal
    Top(top::Args),
    /// Write a dashboard as a picture
    Render(render::Args),
    /// Wait until an HTTP server answers
    Wait(wait::Args),
}

/// Runs the command that the arguments of this process ask for.
pub fn run() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(told) => {
            // Help and version are answers; what is wrong with the arguments is told on standard error.
            let status = u8::try_from(told.exit_code()).unwrap_or(2);
            let written = told.print().and_then(|()| io::stdout().flush());
            match output::outcome(written) {
                Err(error) if !told.use_stderr() => self::status(Err(error)),
                _ => ExitCode::from(status),
            }
        }
    }
}

impl Cli {
    /// Runs the command that was asked for.
    pub fn run(&self) -> ExitCode {
        match &self.command {
            Command::Serve(args) => status(serve::run(args)),
            Command::Up(args) => up::run(args),
            Command::Check(args) => check::run(args),
            Command::Top(args) => status(top::run(args)),
            Command::Render(args) => status(render::run(args)),
            Command::Wait(args) => status(wait::run(args)),
        }
    }
}

/// Tells the person at the terminal why a command failed; where logging has begun, the journal has it from here as well.
fn status(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(error);
            ExitCode::FAILURE
        }
    }
}
