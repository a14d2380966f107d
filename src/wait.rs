//! `edgewatch wait`: waits until an HTTP server responds. Grafana does not notify systemd that it is ready, and Prometheus does not feed a
//! watchdog.

mod saturation;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use self::saturation::Server;

use edgewatch_program::output;
use edgewatch_prometheus_client::error::Error;
use edgewatch_prometheus_client::{Client, TIMEOUT};

const RETRY_INTERVAL: Duration = Duration::from_millis(200);
/// Minimum timeout of one request.
const MIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Options of `edgewatch wait`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit status: 0 once it answers with status 200, 3 if it does not within the time, 1 if it cannot be asked. A Prometheus that answers nobody because \
all its connections are in use counts as one that answers, if it works meanwhile; to see that of another user's takes root."
)]
pub(crate) struct Args {
    /// What to ask for: http://HOST:PORT/PATH
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Time after which to give up
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
    /// Take an answer with any status for one: to ask whether a server lives, which may be at another path or want a password
    #[arg(long)]
    pub(crate) any_status: bool,
}

/// Exit status if the server does not answer in time. Whoever kills a server for that must not take a program that cannot run, which says
/// 1 or 127, for a server that does not answer.
const IN_VAIN: u8 = 3;

/// Runs the command.
pub(crate) fn run(args: &Args) -> ExitCode {
    let client = match Client::new(&args.url) {
        Ok(client) => client.with_timeout((args.timeout / 2).clamp(MIN_TIMEOUT, TIMEOUT)),
        Err(error) => return output::exit_code(Err(error)),
    };
    match wait(args, &client) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(error);
            ExitCode::from(IN_VAIN)
        }
    }
}

fn wait(args: &Args, client: &Client) -> Result<(), Error> {
    let port = client.is_local().then(|| client.port());
    let mut server = None;
    let started = Instant::now();
    loop {
        let answered = match args.any_status {
            true => client.get("", &[]),
            false => client.get_ok(""),
        };
        let Err(error) = answered else {
            return Ok(());
        };
        if started.elapsed() >= args.timeout {
            let full = server
                .zip(port)
                .and_then(|(server, port): (Server, u16)| server.is_full(port));
            return full.map_or(Err(error), |why| {
                output::print_error(format_args!("{}: {why}", args.url));
                Ok(())
            });
        }
        // After the first failure, so that its context switches can be compared later.
        server = server.or_else(|| Server::find(port?));
        thread::sleep(RETRY_INTERVAL);
    }
}
