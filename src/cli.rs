//! The command line.

use std::env;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use edgewatch_dashboards::{render, top};

use edgewatch_program::output;

use crate::outbound::{notify, update};
use crate::programs::{self, DASHBOARDS, OUTBOUND};
use crate::{check, enrol, sensors, serve, up, wait};

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
    /// List the sensors of this device, their values, and what is wrong with them
    Sensors(sensors::Args),
    /// Try the receivers of alerts
    Notify(notify::Args),
    /// Have this device send to the centre of a fleet, as one file says
    Enrol(enrol::Args),
    /// Show a dashboard in the terminal
    Top(top::Args),
    /// Write a dashboard as a picture
    Render(render::Args),
    /// Update this device (NixOS): ask what there is, try it, keep it if the device is well with it
    Update(update::Args),
    /// Wait until an HTTP server answers
    Wait(wait::Args),
}

/// Parses the arguments of this process and runs the command.
pub fn run() -> ExitCode {
    output::parse_and_run(|cli: Cli| cli.run())
}

impl Cli {
    /// Runs the command.
    pub fn run(&self) -> ExitCode {
        match &self.command {
            Command::Serve(args) => output::exit_code(serve::run(args)),
            Command::Up(args) => up::run(args),
            Command::Check(args) => check::run(args),
            Command::Sensors(args) => output::exit_code(sensors::run(args)),
            Command::Enrol(args) => output::exit_code(enrol::run(args)),
            Command::Notify(_) | Command::Update(_) => exec(OUTBOUND),
            Command::Top(_) | Command::Render(_) => exec(DASHBOARDS),
            Command::Wait(args) => wait::run(args),
        }
    }
}

/// Replaces this process by another program, with the same arguments.
fn exec(program: &str) -> ExitCode {
    output::exit_code(Err(programs::exec(program, env::args_os().skip(1))))
}
