//! When it is tried again after a failure.

use std::time::Duration;

/// The pause after the first failure; each further one doubles it.
pub const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
pub const LONGEST: Duration = Duration::from_secs(300);
/// The longest pause that a server can ask for with `Retry-After` (RFC 9110, 10.2.3).
pub const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// The pauses of failures in a row.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure: 1 s, doubled each time up to 5 min, and of that three quarters to all by `random` (0 to 1), so
    /// that a fleet does not come back in the same second. Not shorter than what the server asked for.
    pub fn pause(&mut self, random: f64, asked: Option<Duration>) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let own = doubled.mul_f64(0.75 + random.clamp(0.0, 1.0) / 4.0);
        own.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }

    /// That it has succeeded.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A random number from 0 to 1; 1 if the system has none to give.
pub fn random() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_second_to_five_minutes_and_differ_between_devices() {
        let mut backoff = Backoff::default();
        let seconds: Vec<u64> = (0..12).map(|_| backoff.pause(1.0, None).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(backoff.pause(0.0, None), Duration::from_secs(225));
        backoff.reset();
        assert_eq!(backoff.pause(1.0, None), FIRST);
        let mut long = Backoff { failures: u32::MAX };
        assert_eq!(long.pause(1.0, None), LONGEST);
    }

    #[test]
    fn what_the_server_asks_for_is_kept_up_to_an_hour() {
        let asked = |seconds| {
            Backoff::default()
                .pause(1.0, Some(Duration::from_secs(seconds)))
                .as_secs()
        };
        assert_eq!((asked(0), asked(120), asked(1 << 40)), (1, 120, 3600));
    }
}
