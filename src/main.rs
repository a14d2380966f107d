//! The `edgewatch` command.

fn main() {}
