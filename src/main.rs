//! The `edgewatch` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    edgewatch::cli::run()
}
