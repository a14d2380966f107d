//! `edgewatch wait`: waits until an HTTP server answers. Grafana does not tell systemd when it is ready.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::error::Failure;

const PAUSE: Duration = Duration::from_millis(200);

/// Options of `edgewatch wait`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit status: 0 once it answers with status 200, 1 if it does not within the time.")]
pub struct Args {
    /// What to ask for: http://HOST:PORT/PATH
    #[arg(value_name = "URL")]
    pub url: String,
    /// Time after which to give up
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

/// Runs the command.
///
/// # Errors
/// The server does not answer in time, or the address is none.
pub fn run(args: &Args) -> Result<(), Failure> {
    let client = Client::new(&args.url)?;
    let started = Instant::now();
    loop {
        let Err(error) = client.get_ok("") else {
            return Ok(());
        };
        if started.elapsed() >= args.timeout {
            return Err(error);
        }
        thread::sleep(PAUSE);
    }
}
