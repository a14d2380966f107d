//! The dead man's switch: an address is asked for as long as Prometheus evaluates its rules. When the device, its network, Prometheus or this
//! service is gone, nobody here can tell; whoever owns the address does.

use std::time::Duration;

use edgewatch_outbound::backoff::{self, Backoff};
use edgewatch_outbound::clock;
use edgewatch_outbound::failure::{Failure, Kind};
use edgewatch_outbound::worker::Stop;

use crate::counters::Counters;
use crate::look::Source;
use crate::receiver;
use crate::settings::Settings;

/// Its name in metrics.
pub const NAME: &str = "ping";
/// Milliseconds within which the rules are evaluated.
const EVALUATED_WITHIN: i64 = 5 * 60_000;

/// Asks for the address until it is stopped.
///
/// # Errors
/// The address of Prometheus is none.
pub fn run(settings: &Settings, source: &str, counters: &Counters, stop: &Stop) -> Result<(), Failure> {
    let every = settings.ping.as_ref().map_or(Duration::MAX, |ping| ping.every);
    let source = Source::new(source, Vec::new())?;
    let (mut pauses, mut trouble) = (Backoff::default(), None);
    while !stop.is_set() {
        let pause = match beat(settings, &source) {
            Ok(_) => {
                counters.sent(NAME);
                pauses.reset();
                if trouble.take().is_some() {
                    tracing::info!("notify: the dead man's switch is reached again");
                }
                every
            }
            Err(failure) => {
                counters.not_sent(NAME, failure.kind);
                if trouble.as_ref() != Some(&failure.message) {
                    tracing::warn!("notify: the dead man's switch is not asked: {failure}");
                }
                let pause = pauses.pause(backoff::random(), failure.retry_after).min(every);
                trouble = Some(failure.message);
                pause
            }
        };
        edgewatch_program::memory::trim_heap();
        if stop.wait(pause) {
            break;
        }
    }
    Ok(())
}

/// Asks once, if all is well here, and gives what was answered.
fn beat(settings: &Settings, source: &Source) -> Result<String, Failure> {
    if !source.is_evaluating(clock::wall_ms(), EVALUATED_WITHIN)? {
        return Err(Failure::new(
            Kind::Source,
            "Prometheus has evaluated no rule for five minutes, so no alert can fire",
        ));
    }
    ask(settings)
}

/// Asks once, and gives what was answered. Whether it is a page does not matter: if somebody else gave it, the switch tells.
///
/// # Errors
/// The address cannot be asked, or does not answer with 2xx.
pub fn ask(settings: &Settings) -> Result<String, Failure> {
    let server = receiver::switch(settings).map_err(|error| Failure::new(Kind::Credentials, error))?;
    let reply = server.get()?;
    match reply.status {
        200..300 => Ok(server.said(&reply)),
        _ => Err(server.refusal(&reply)),
    }
}
