//! How often passwords are tried: a guesser waits longer and longer, and nobody else waits for him.
//!
//! Failures count by address and user. By the address alone, whoever shares a reverse proxy or a NAT with a guesser would be locked out;
//! by the user alone, anybody could lock anybody out. Users that do not exist count as one, so that inventing names brings no more
//! tries; a guesser can thus tell whether a name exists, which is no secret.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Bound of what is remembered: some hundred bytes each.
const MOST_ENTRIES: usize = 256;
/// Attempts at once of those that never failed, and as many of the others.
const MOST_WAITING: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long after its pause a failure is held against somebody.
const MEMORY: Duration = Duration::from_secs(3600);

/// Who tries: the network of the client ([`super::super::doors::network`]; none on a Unix socket), and the user if there is such a one.
pub type Key = (Option<IpAddr>, Option<String>);

/// Failures and attempts under way. It knows no clock: times are handed in.
#[derive(Default)]
pub struct Throttle {
    failures: HashMap<Key, Failures>,
    trying: Vec<(Key, Lane)>,
}

struct Failures {
    count: u32,
    until: Instant,
}

/// Which queue an attempt stands in. Those that failed before are kept apart, so that they are not in the way of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Has not failed.
    Fresh,
    /// Has failed, or came when too many tried.
    Failed,
}

impl Throttle {
    /// Lets an attempt into a queue, until [`Self::leave`].
    ///
    /// # Errors
    /// The time to wait: after failures, while another attempt of the same client and user is under way, or while too many are.
    pub fn enter(&mut self, key: &Key, now: Instant) -> Result<Lane, Duration> {
        if let Some(failures) = self.failures.get(key)
            && failures.until > now
        {
            return Err(failures.until - now);
        }
        if self.trying.iter().any(|(other, _)| other == key) {
            return Err(FIRST_PAUSE);
        }
        let lane = match self.failures.contains_key(key) {
            true => Lane::Failed,
            false => Lane::Fresh,
        };
        if self.trying.iter().filter(|(_, other)| *other == lane).count() >= MOST_WAITING {
            // Next time it stands behind those that come for the first time: many guessers at once do not keep an honest client out.
            self.note(key, now, 0);
            return Err(FIRST_PAUSE);
        }
        self.trying.push((key.clone(), lane));
        Ok(lane)
    }

    /// The attempt is over, or its client has gone.
    pub fn leave(&mut self, key: &Key) {
        self.trying.retain(|(other, _)| other != key);
    }

    /// The password was right.
    pub fn succeeded(&mut self, key: &Key) {
        self.failures.remove(key);
    }

    /// The password was wrong: pauses of 1 s, 2 s, 4 s … 60 s.
    pub fn failed(&mut self, key: &Key, now: Instant) {
        self.note(key, now, 1);
    }

    fn note(&mut self, key: &Key, now: Instant, failed: u32) {
        self.failures.retain(|_, failures| failures.until + MEMORY > now);
        if self.failures.len() >= MOST_ENTRIES && !self.failures.contains_key(key) {
            // The one that has to wait least is forgotten. To have others forgotten, a guesser has to fail more often than they did.
            let least = self.failures.iter().min_by_key(|(_, failures)| failures.until);
            if let Some(least) = least.map(|(key, _)| key.clone()) {
                self.failures.remove(&least);
            }
        }
        let failures = self
            .failures
            .entry(key.clone())
            .or_insert(Failures { count: 0, until: now });
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(failures.count.min(6));
        failures.count += failed;
        failures.until = now + pause.min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str, user: &str) -> Key {
        (Some(address.parse().unwrap()), Some(user.to_owned()))
    }

    fn fail(throttle: &mut Throttle, key: &Key, now: Instant) {
        throttle.enter(key, now).unwrap();
        throttle.leave(key);
        throttle.failed(key, now);
    }

    #[test]
    fn each_failure_makes_the_next_pause_longer_up_to_a_minute_and_a_success_ends_that() {
        let (mut throttle, guesser, mut now) = (Throttle::default(), key("192.0.2.1", "operator"), Instant::now());
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            fail(&mut throttle, &guesser, now);
            let pause = Duration::from_secs(pause);
            assert_eq!(throttle.enter(&guesser, now), Err(pause));
            now += pause;
        }
        assert_eq!(throttle.enter(&guesser, now), Ok(Lane::Failed));
        throttle.leave(&guesser);
        throttle.succeeded(&guesser);
        fail(&mut throttle, &guesser, now);
        assert_eq!(throttle.enter(&guesser, now), Err(FIRST_PAUSE));
    }

    #[test]
    fn one_attempt_at_a_time_and_others_do_not_wait_for_it() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let guesser = key("192.0.2.1", "operator");
        assert_eq!(throttle.enter(&guesser, now), Ok(Lane::Fresh));
        assert_eq!(throttle.enter(&guesser, now), Err(FIRST_PAUSE));
        assert_eq!(throttle.enter(&key("192.0.2.1", "viewer"), now), Ok(Lane::Fresh));
        assert_eq!(throttle.enter(&key("192.0.2.2", "operator"), now), Ok(Lane::Fresh));
    }

    #[test]
    fn a_crowd_of_guessers_does_not_keep_a_newcomer_out() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let crowd: Vec<Key> = (0..200).map(|n| key(&format!("192.0.2.{n}"), "operator")).collect();
        let entered = crowd
            .iter()
            .filter(|guesser| throttle.enter(guesser, now).is_ok())
            .count();
        assert_eq!(entered, MOST_WAITING);
        for guesser in &crowd[..entered] {
            throttle.leave(guesser);
            throttle.failed(guesser, now);
        }
        now += FIRST_PAUSE;
        let again: Vec<_> = crowd
            .iter()
            .filter_map(|guesser| throttle.enter(guesser, now).ok())
            .collect();
        assert_eq!(again, [Lane::Failed; MOST_WAITING]);
        assert_eq!(throttle.enter(&key("198.51.100.1", "operator"), now), Ok(Lane::Fresh));
    }

    #[test]
    fn failures_of_a_thousand_others_do_not_shorten_a_pause() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let guesser = key("192.0.2.1", "operator");
        for _ in 0..7 {
            fail(&mut throttle, &guesser, now);
            now += LONGEST_PAUSE;
        }
        fail(&mut throttle, &guesser, now);
        for n in 0..1000_u32 {
            fail(&mut throttle, &(Some(IpAddr::from(n.to_be_bytes())), None), now);
        }
        assert!(throttle.failures.len() <= MOST_ENTRIES);
        assert_eq!(throttle.enter(&guesser, now), Err(LONGEST_PAUSE));
    }

    #[test]
    fn a_failure_is_forgotten_in_the_end() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        fail(&mut throttle, &key("192.0.2.1", "operator"), now);
        fail(
            &mut throttle,
            &key("192.0.2.2", "operator"),
            now + MEMORY + 2 * FIRST_PAUSE,
        );
        assert_eq!(throttle.failures.len(), 1);
    }
}
