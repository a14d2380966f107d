//! `edgewatch-outbound`, the program that has to do with other machines: it forwards what is stored to a centre (`forward`), tells people of
//! alerts (`notify`), and fetches updates (`update`). The sensor service, which everybody in the network may ask, has neither its code nor
//! its secrets, nor may it connect anywhere.

mod error;
mod forward;
mod metrics;
pub(crate) mod notify;
mod serve;
pub(crate) mod update;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use edgewatch_program::output;

/// Forwarding, notification and updates of edgewatch
#[derive(Debug, Parser)]
#[command(name = "edgewatch-outbound", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forward and notify, as the settings say; ends at once if they say nothing of it
    Serve(serve::Args),
    /// Try the receivers of alerts
    Notify(notify::Args),
    /// Update this device (NixOS)
    Update(update::Args),
}

/// Parses the arguments of this process and runs the command.
pub fn run() -> ExitCode {
    output::parse_and_run(|cli: Cli| match &cli.command {
        Command::Serve(args) => output::exit_code(serve::run(args)),
        Command::Notify(args) => output::exit_code(notify::run(args)),
        Command::Update(args) => output::exit_code(update::run(args)),
    })
}
