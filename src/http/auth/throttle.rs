//! Exponential back-off of failed attempts, without delaying other clients.
//!
//! Failures count by address and user. By the address alone, clients behind the same reverse proxy or NAT as a guesser would be locked
//! out; by the user alone, anybody could lock a user out. Users that do not exist count as one, so that inventing names brings no more
//! attempts; it discloses whether a name exists, which is no secret.
//!
//! All hosts of a LAN share a /64 of IPv6, and one host can have any number of addresses in it. So each address counts by itself, until
//! several of a /64 have failed: from then on those that have never been right count as one.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::super::admission::client_network;

/// Recorded failures, of some hundred bytes each.
const MAX_ENTRIES: usize = 256;
/// Addresses of a network that fail before they count as one.
const MAX_FAILING: usize = 8;
/// Clients that have been right.
const MAX_KNOWN: usize = 256;
/// Attempts in each queue.
const MAX_QUEUED: usize = 4;
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// Time after its pause until a failure is forgotten.
const FAILURE_LIFETIME: Duration = Duration::from_secs(3600);

/// The address of the client or its network ([`client_network`]; none on a Unix socket), and the user if it exists.
pub(crate) type Key = (Option<IpAddr>, Option<String>);

/// Failures and queued attempts. Times are parameters, for the tests.
#[derive(Default)]
pub(crate) struct Throttle {
    failures: HashMap<Key, Failures>,
    queued: Vec<(Key, Queue)>,
    /// Clients that have been right, the latest last.
    known: VecDeque<Key>,
}

/// An attempt in a queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    client: Key,
    /// Under which it counts: the client, or its network.
    key: Key,
    pub(crate) queue: Queue,
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
    pub(crate) fn enqueue(&mut self, client: Key, now: Instant) -> Result<Attempt, Duration> {
        let key = self.key_of(&client);
        if let Some(failures) = self.failures.get(&key)
            && failures.until > now
        {
            return Err(failures.until - now);
        }
        if self.queued.iter().any(|(other, _)| *other == key) {
            return Err(MIN_PAUSE);
        }
        let queue = match self.failures.contains_key(&key) {
            true => Queue::Retry,
            false => Queue::First,
        };
        if self.queued.iter().filter(|(_, other)| *other == queue).count() >= MAX_QUEUED {
            // The next time it is in the other queue: many guessers at once do not block the first attempt of an honest client.
            self.record(&key, now, 0);
            return Err(MIN_PAUSE);
        }
        self.queued.push((key.clone(), queue));
        Ok(Attempt { client, key, queue })
    }

    /// The client; or its network, if too many addresses of it have failed and this one has never been right.
    fn key_of(&self, client: &Key) -> Key {
        let (Some(address), user) = client else {
            return client.clone();
        };
        let network = client_network(*address);
        let is_failing = |(other, failures): (&Key, &Failures)| {
            other.1 == *user && other.0.is_some_and(|other| client_network(other) == network) && failures.count > 0
        };
        let failing = self.failures.iter().filter(|entry| is_failing(*entry)).count();
        match failing < MAX_FAILING || self.known.contains(client) {
            true => client.clone(),
            false => (Some(network), user.clone()),
        }
    }

    /// The attempt is over, or its client has disconnected.
    pub(crate) fn dequeue(&mut self, attempt: &Attempt) {
        self.queued.retain(|(other, _)| *other != attempt.key);
    }

    /// The password was right. What others of its network have failed stays.
    pub(crate) fn succeeded(&mut self, attempt: &Attempt) {
        self.failures.remove(&attempt.client);
        self.known.retain(|known| *known != attempt.client);
        if self.known.len() >= MAX_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(attempt.client.clone());
    }

    /// The password was wrong: pauses of 1 s, 2 s, 4 s … 60 s.
    pub(crate) fn failed(&mut self, attempt: &Attempt, now: Instant) {
        self.record(&attempt.key, now, 1);
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

    fn enqueue(throttle: &mut Throttle, key: &Key, now: Instant) -> Result<Queue, Duration> {
        throttle.enqueue(key.clone(), now).map(|attempt| attempt.queue)
    }

    fn fail(throttle: &mut Throttle, key: &Key, now: Instant) {
        let attempt = throttle.enqueue(key.clone(), now).unwrap();
        throttle.dequeue(&attempt);
        throttle.failed(&attempt, now);
    }

    fn succeed(throttle: &mut Throttle, key: &Key, now: Instant) {
        let attempt = throttle.enqueue(key.clone(), now).unwrap();
        throttle.dequeue(&attempt);
        throttle.succeeded(&attempt);
    }

    #[test]
    fn each_failure_makes_the_next_pause_longer_up_to_a_minute_and_a_success_ends_that() {
        let (mut throttle, guesser, mut now) = (Throttle::default(), key("192.0.2.1", "operator"), Instant::now());
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            fail(&mut throttle, &guesser, now);
            let pause = Duration::from_secs(pause);
            assert_eq!(enqueue(&mut throttle, &guesser, now), Err(pause));
            now += pause;
        }
        succeed(&mut throttle, &guesser, now);
        fail(&mut throttle, &guesser, now);
        assert_eq!(enqueue(&mut throttle, &guesser, now), Err(MIN_PAUSE));
    }

    #[test]
    fn one_attempt_at_a_time_and_others_do_not_wait_for_it() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let guesser = key("192.0.2.1", "operator");
        assert_eq!(enqueue(&mut throttle, &guesser, now), Ok(Queue::First));
        assert_eq!(enqueue(&mut throttle, &guesser, now), Err(MIN_PAUSE));
        for other in [key("192.0.2.1", "viewer"), key("192.0.2.2", "operator")] {
            assert_eq!(enqueue(&mut throttle, &other, now), Ok(Queue::First));
        }
    }

    #[test]
    fn a_crowd_of_guessers_does_not_keep_a_newcomer_out() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let crowd: Vec<Key> = (0..200).map(|n| key(&format!("192.0.2.{n}"), "operator")).collect();
        let entered: Vec<Attempt> = crowd
            .iter()
            .filter_map(|guesser| throttle.enqueue(guesser.clone(), now).ok())
            .collect();
        assert_eq!(entered.len(), MAX_QUEUED);
        for attempt in &entered {
            throttle.dequeue(attempt);
            throttle.failed(attempt, now);
        }
        now += MIN_PAUSE;
        let again: Vec<_> = crowd
            .iter()
            .filter_map(|guesser| enqueue(&mut throttle, guesser, now).ok())
            .collect();
        assert_eq!(again, [Queue::Retry; MAX_QUEUED]);
        let newcomer = key("198.51.100.1", "operator");
        assert_eq!(enqueue(&mut throttle, &newcomer, now), Ok(Queue::First));
    }

    #[test]
    fn who_guesses_from_one_address_does_not_keep_out_others_of_its_network_of_ipv6() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let guesser = key("fe80::a", "operator");
        for _ in 0..100 {
            fail(&mut throttle, &guesser, now);
            now += MAX_PAUSE;
        }
        assert_eq!(
            enqueue(&mut throttle, &key("fe80::b", "operator"), now),
            Ok(Queue::First)
        );
    }

    #[test]
    fn a_network_of_ipv6_has_few_guesses_however_many_addresses_it_uses_and_who_was_right_gets_in() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let owner = key("2001:db8::ffff:1", "operator");
        succeed(&mut throttle, &owner, now);
        let guess = |throttle: &mut Throttle, user: &str, now| {
            let guessers = (1..1000).map(|n| key(&format!("2001:db8::{n:x}"), user));
            let attempts = guessers.filter_map(|guesser| {
                let attempt = throttle.enqueue(guesser, now).ok()?;
                throttle.dequeue(&attempt);
                throttle.failed(&attempt, now);
                Some(())
            });
            attempts.count()
        };
        // One more, which counts for the network.
        assert_eq!(guess(&mut throttle, "operator", now), MAX_FAILING + 1);
        for minute in 1..=30 {
            assert_eq!(guess(&mut throttle, "operator", now + minute * MAX_PAUSE), 1);
        }
        let later = now + 31 * MAX_PAUSE;
        assert_eq!(enqueue(&mut throttle, &owner, later), Ok(Queue::First));
        let elsewhere = key("2001:db8:0:1::1", "operator");
        assert_eq!(enqueue(&mut throttle, &elsewhere, later), Ok(Queue::First));
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
        assert_eq!(enqueue(&mut throttle, &guesser, now), Err(MAX_PAUSE));
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
