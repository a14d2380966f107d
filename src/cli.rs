//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Failure;
use crate::{check, render, serve, top, up, wait};

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
            eprintln!("edgewatch: {error}");
            ExitCode::FAILURE
        }
    }
}
