//! Exponential back-off of failed attempts, without delaying other clients.
//!
//! Failures count by address and user. By the address alone, clients behind the same reverse proxy or NAT as a guesser would be locked
//! out; by the user alone, anybody could lock a user out. Users that do not exist count as one, so that inventing names brings no more
//! attempts; it discloses whether a name exists, which is no secret.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Recorded failures, of some hundred bytes each.
const MAX_ENTRIES: usize = 256;
/// Attempts in each queue.
const MAX_QUEUED: usize = 4;
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// Time after its pause until a failure is forgotten.
const FAILURE_LIFETIME: Duration = Duration::from_secs(3600);

/// The network of the client ([`super::super::admission::client_network`]; none on a Unix socket), and the user if it exists.
pub(crate) type Key = (Option<IpAddr>, Option<String>);

/// Failures and queued attempts. Times are parameters, for the tests.
#[derive(Default)]
pub(crate) struct Throttle {
    failures: HashMap<Key, Failures>,
    queued: Vec<(Key, Queue)>,
}

struct Failures {
    count: u32,
    until: Instant,
}

/// The queue of an attempt: those after a failure do not delay the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// No failure before.
    First,
    /// After a failure, or after the first queue was full.
    Retry,
}

impl Throttle {
    /// Adds an attempt to a queue, until [`Self::dequeue`].
    ///
    /// # Errors
    /// The time to wait: after failures, while another attempt of the same client and user is queued, or while the queue is full.
    pub(crate) fn enqueue(&mut self, key: &Key, now: Instant) -> Result<Queue, Duration> {
        if let Some(failures) = self.failures.get(key)
            && failures.until > now
        {
            return Err(failures.until - now);
        }
        if self.queued.iter().any(|(other, _)| other == key) {
            return Err(MIN_PAUSE);
        }
        let queue = match self.failures.contains_key(key) {
            true => Queue::Retry,
            false => Queue::First,
        };
        if self.queued.iter().filter(|(_, other)| *other == queue).count() >= MAX_QUEUED {
            // The next time it is in the other queue: many guessers at once do not block the first attempt of an honest client.
            self.record(key, now, 0);
            return Err(MIN_PAUSE);
        }
        self.queued.push((key.clone(), queue));
        Ok(queue)
    }

    /// The attempt is over, or its client has disconnected.
    pub(crate) fn dequeue(&mut self, key: &Key) {
        self.queued.retain(|(other, _)| other != key);
    }

    /// The password was right.
    pub(crate) fn succeeded(&mut self, key: &Key) {
        self.failures.remove(key);
    }

    /// The password was wrong: pauses of 1 s, 2 s, 4 s … 60 s.
    pub(crate) fn failed(&mut self, key: &Key, now: Instant) {
        self.record(key, now, 1);
    }

    fn record(&mut self, key: &Key, now: Instant, failed: u32) {
        self.failures
            .retain(|_, failures| failures.until + FAILURE_LIFETIME > now);
        if self.failures.len() >= MAX_ENTRIES && !self.failures.contains_key(key) {
            // The one with the shortest pause is evicted: to evict an entry a guesser has to fail more often than it did.
            let shortest = self.failures.iter().min_by_key(|(_, failures)| failures.until);
            if let Some(shortest) = shortest.map(|(key, _)| key.clone()) {
                self.failures.remove(&shortest);
            }
        }
        let failures = self
            .failures
            .entry(key.clone())
            .or_insert(Failures { count: 0, until: now });
        let pause = MIN_PAUSE * 2_u32.saturating_pow(failures.count.min(6));
        failures.count += failed;
        failures.until = now + pause.min(MAX_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str, user: &str) -> Key {
        (Some(address.parse().unwrap()), Some(user.to_owned()))
    }

    fn fail(throttle: &mut Throttle, key: &Key, now: Instant) {
        throttle.enqueue(key, now).unwrap();
        throttle.dequeue(key);
        throttle.failed(key, now);
    }

    #[test]
    fn each_failure_makes_the_next_pause_longer_up_to_a_minute_and_a_success_ends_that() {
        let (mut throttle, guesser, mut now) = (Throttle::default(), key("192.0.2.1", "operator"), Instant::now());
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            fail(&mut throttle, &guesser, now);
            let pause = Duration::from_secs(pause);
            assert_eq!(throttle.enqueue(&guesser, now), Err(pause));
            now += pause;
        }
        assert_eq!(throttle.enqueue(&guesser, now), Ok(Queue::Retry));
        throttle.dequeue(&guesser);
        throttle.succeeded(&guesser);
        fail(&mut throttle, &guesser, now);
        assert_eq!(throttle.enqueue(&guesser, now), Err(MIN_PAUSE));
    }

    #[test]
    fn one_attempt_at_a_time_and_others_do_not_wait_for_it() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let guesser = key("192.0.2.1", "operator");
        assert_eq!(throttle.enqueue(&guesser, now), Ok(Queue::First));
        assert_eq!(throttle.enqueue(&guesser, now), Err(MIN_PAUSE));
        assert_eq!(throttle.enqueue(&key("192.0.2.1", "viewer"), now), Ok(Queue::First));
        assert_eq!(throttle.enqueue(&key("192.0.2.2", "operator"), now), Ok(Queue::First));
    }

    #[test]
    fn a_crowd_of_guessers_does_not_keep_a_newcomer_out() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let crowd: Vec<Key> = (0..200).map(|n| key(&format!("192.0.2.{n}"), "operator")).collect();
        let entered = crowd
            .iter()
            .filter(|guesser| throttle.enqueue(guesser, now).is_ok())
            .count();
        assert_eq!(entered, MAX_QUEUED);
        for guesser in &crowd[..entered] {
            throttle.dequeue(guesser);
            throttle.failed(guesser, now);
        }
        now += MIN_PAUSE;
        let again: Vec<_> = crowd
            .iter()
            .filter_map(|guesser| throttle.enqueue(guesser, now).ok())
            .collect();
        assert_eq!(again, [Queue::Retry; MAX_QUEUED]);
        assert_eq!(
            throttle.enqueue(&key("198.51.100.1", "operator"), now),
            Ok(Queue::First)
        );
    }

    #[test]
    fn failures_of_a_thousand_others_do_not_shorten_a_pause() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let guesser = key("192.0.2.1", "operator");
        for _ in 0..7 {
            fail(&mut throttle, &guesser, now);
            now += MAX_PAUSE;
        }
        fail(&mut throttle, &guesser, now);
        for n in 0..1000_u32 {
            fail(&mut throttle, &(Some(IpAddr::from(n.to_be_bytes())), None), now);
        }
        assert!(throttle.failures.len() <= MAX_ENTRIES);
        assert_eq!(throttle.enqueue(&guesser, now), Err(MAX_PAUSE));
    }

    #[test]
    fn a_failure_is_forgotten_in_the_end() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        fail(&mut throttle, &key("192.0.2.1", "operator"), now);
        fail(
            &mut throttle,
            &key("192.0.2.2", "operator"),
            now + FAILURE_LIFETIME + 2 * MIN_PAUSE,
        );
        assert_eq!(throttle.failures.len(), 1);
    }
}
