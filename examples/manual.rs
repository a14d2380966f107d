//! Writes the manual pages of the three programs, and the shell completions of the command, for packages:
//! `cargo run --example manual -- DIRECTORY`.
//!
//! Not part of the programs themselves, which would grow by it.

use std::ffi::OsString;
use std::io;
use std::{env, fs};

use clap::CommandFactory;
use clap_complete::Shell;
use edgewatch::cli::Cli;

fn main() -> io::Result<()> {
    let directory = env::args_os().nth(1).unwrap_or_else(|| OsString::from("."));
    fs::create_dir_all(&directory)?;
    clap_mangen::generate_to(Cli::command(), &directory)?;
    clap_mangen::generate_to(edgewatch_dashboards::cli::Cli::command(), &directory)?;
    clap_mangen::generate_to(edgewatch::outbound::Cli::command(), &directory)?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut Cli::command(), "edgewatch", &directory)?;
    }
    Ok(())
}
