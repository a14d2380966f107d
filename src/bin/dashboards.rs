//! The `edgewatch-dashboards` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    edgewatch_dashboards::run()
}
