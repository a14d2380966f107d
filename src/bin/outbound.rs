//! The `edgewatch-outbound` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    edgewatch::outbound::run()
}
