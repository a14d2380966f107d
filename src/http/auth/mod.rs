//! HTTP Basic authentication (RFC 7617) against bcrypt hashes.
//!
//! bcrypt is slow on purpose, and slower on a small board. So results are cached under a keyed digest: a right password until it has not
//! been used for an hour, and a wrong one so that a program that repeats an old password costs no CPU and does not count as guessing.
//! Checks run one at a time, with a pause after each that failed.

mod error;
mod throttle;
mod users;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{rt, web};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::client::ClientConnection;
use super::plain;
use crate::config;
use crate::telemetry::Telemetry;

use edgewatch_program::listen::is_loopback;
use edgewatch_program::lock::lock;
pub(crate) use error::AuthError;
use throttle::{Attempt, Queue, Throttle};
pub(crate) use users::BadLines;
use users::Users;

const CACHE_LIFETIME: Duration = Duration::from_secs(3600);
/// Cached right passwords, and cached wrong ones.
const MAX_CACHED: usize = 256;
/// After a wrong password no check is made for as long as this one took, so that any number of guessers uses half of a CPU; but not for
/// longer than this.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// The users, cached results, and the throttle of failed attempts.
pub(crate) struct Auth {
    users: Users,
    trust_loopback: bool,
    salt: [u8; 32],
    /// With the time of the last use.
    right: Mutex<Vec<(Fingerprint, Instant)>>,
    wrong: Mutex<VecDeque<Fingerprint>>,
    throttle: Mutex<Throttle>,
    /// One check at a time.
    check: Arc<Semaphore>,
    /// Of the attempts after a failure one at a time waits for `check`, so that first attempts overtake the others.
    retry: Arc<Semaphore>,
}

/// Keyed digest of a user and a password.
type Fingerprint = [u8; 32];

impl Auth {
    /// Reads the users, if the settings name a file of them.
    ///
    /// # Errors
    /// Those of `Users::load`, or the system gives no random bytes.
    pub(crate) fn load(settings: &config::Auth, bad_lines: BadLines) -> Result<Option<Arc<Self>>, AuthError> {
        let Some(file) = &settings.users_file else {
            return Ok(None);
        };
        Self::new(Users::load(file, bad_lines)?, settings.trust_loopback).map(Some)
    }

    /// With the users of a web configuration file: bcrypt hashes by user; `None` if there are none.
    ///
    /// # Errors
    /// A hash that cannot be used, or the system gives no random bytes.
    pub(crate) fn from_hashes(
        hashes: &BTreeMap<String, String>,
        trust_loopback: bool,
    ) -> Result<Option<Arc<Self>>, AuthError> {
        match hashes.is_empty() {
            true => Ok(None),
            false => Self::new(Users::from_hashes(hashes)?, trust_loopback).map(Some),
        }
    }

    fn new(users: Users, trust_loopback: bool) -> Result<Arc<Self>, AuthError> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt)?;
        Ok(Arc::new(Self {
            users,
            trust_loopback,
            salt,
            right: Mutex::default(),
            wrong: Mutex::default(),
            throttle: Mutex::default(),
            check: Arc::new(Semaphore::new(1)),
            retry: Arc::new(Semaphore::new(1)),
        }))
    }

    /// Whether the client of `request` needs no password. One on a Unix socket has no address: it is on this device and had permission to
    /// open the socket.
    pub(crate) fn trusts(&self, request: &ServiceRequest) -> bool {
        self.trust_loopback && request.peer_addr().is_none_or(|address| is_loopback(address.ip()))
    }

    /// The response to a client that is not authenticated; `None` for one that is.
    pub(super) async fn reject(
        self: &Arc<Self>,
        request: &ServiceRequest,
        client: &ClientConnection,
        telemetry: &Telemetry,
    ) -> Option<HttpResponse> {
        if self.trusts(request) {
            return None;
        }
        let Some((user, password)) = credentials(request) else {
            // A browser's first request has none; that is no attempt.
            if request.headers().contains_key(AUTHORIZATION) {
                telemetry.auth_failures.inc();
            }
            return Some(challenge());
        };
        let address = request.peer_addr().map(|address| address.ip().to_canonical());
        let rejection = match self.attempt(user, password, address, client, telemetry).await {
            Outcome::Accepted => {
                client.trust();
                return None;
            }
            Outcome::Rejected => challenge(),
            Outcome::HungUp => {
                let text =
                    "others are being checked, and the client has closed its side of the connection: keep it open\n";
                return Some(plain(HttpResponse::RequestTimeout(), text));
            }
            Outcome::RetryAfter(pause) => {
                let mut builder = HttpResponse::TooManyRequests();
                builder.insert_header((RETRY_AFTER, pause.as_secs_f64().ceil() as u64));
                plain(builder, "too many wrong passwords: wait\n")
            }
        };
        telemetry.auth_failures.inc();
        Some(rejection)
    }

    async fn attempt(
        self: &Arc<Self>,
        user: String,
        password: String,
        address: Option<IpAddr>,
        client: &ClientConnection,
        telemetry: &Telemetry,
    ) -> Outcome {
        let fingerprint = self.fingerprint(&user, &password);
        if self.is_right(&fingerprint) {
            return Outcome::Accepted;
        }
        if self.is_wrong(&fingerprint) {
            return Outcome::Rejected;
        }
        let (hash, exists) = self.users.hash(&user);
        let hash = hash.to_owned();
        let who = (address, exists.then_some(user));
        let attempt = match lock(&self.throttle).enqueue(who, Instant::now()) {
            Ok(attempt) => attempt,
            Err(pause) => return Outcome::RetryAfter(pause),
        };
        let queue = attempt.queue;
        let queued = QueueGuard {
            auth: Arc::clone(self),
            attempt,
        };
        let permit = tokio::select! {
            biased;
            permit = self.wait_for_check(queue) => permit,
            // A client that gives up while it waits uses neither a check nor the queue. One that closes its side behind the request, as some
            // programs do, cannot be told from it.
            () = client.disconnected() => return Outcome::HungUp,
        };
        let Ok(permit) = permit else {
            return Outcome::Rejected;
        };
        telemetry.auth_checks.inc();
        // In a task of its own: once started, the check counts, even if the client disconnects before its result.
        let (sender, result) = oneshot::channel();
        rt::spawn(async move {
            let began = Instant::now();
            let check = web::block(move || bcrypt::verify(password, &hash).unwrap_or(false)).await;
            let is_right = matches!(check, Ok(true)) && exists;
            queued.auth.record(&queued.attempt, fingerprint, is_right);
            drop(queued);
            // Fails if the client has disconnected.
            let _ = sender.send(is_right);
            if !is_right {
                tokio::time::sleep(began.elapsed().min(MAX_PAUSE)).await;
            }
            drop(permit);
        });
        match result.await {
            Ok(true) => Outcome::Accepted,
            Ok(false) | Err(_) => Outcome::Rejected,
        }
    }

    async fn wait_for_check(&self, queue: Queue) -> Result<OwnedSemaphorePermit, tokio::sync::AcquireError> {
        let _behind_others = match queue {
            Queue::First => None,
            Queue::Retry => Some(self.retry.acquire().await?),
        };
        Arc::clone(&self.check).acquire_owned().await
    }

    fn record(&self, attempt: &Attempt, fingerprint: Fingerprint, is_right: bool) {
        let now = Instant::now();
        if is_right {
            lock(&self.throttle).succeeded(attempt);
            let mut cached = lock(&self.right);
            if cached.len() < MAX_CACHED {
                cached.push((fingerprint, now));
            }
        } else {
            lock(&self.throttle).failed(attempt, now);
            let mut cached = lock(&self.wrong);
            if cached.len() >= MAX_CACHED {
                cached.pop_front();
            }
            cached.push_back(fingerprint);
        }
    }

    fn fingerprint(&self, user: &str, password: &str) -> Fingerprint {
        let mut hasher = Sha256::new();
        hasher.update(self.salt);
        hasher.update((user.len() as u64).to_le_bytes());
        hasher.update(user);
        hasher.update(password);
        hasher.finalize().into()
    }

    fn is_right(&self, fingerprint: &Fingerprint) -> bool {
        is_in_use(&mut lock(&self.right), fingerprint, Instant::now())
    }

    fn is_wrong(&self, fingerprint: &Fingerprint) -> bool {
        contains(lock(&self.wrong).iter(), fingerprint)
    }
}

/// The result of an attempt.
enum Outcome {
    Accepted,
    Rejected,
    /// Not checked: the client has hung up, or looks like it.
    HungUp,
    /// Not checked; the client may retry after this time.
    RetryAfter(Duration),
}

/// An attempt in the queue.
struct QueueGuard {
    auth: Arc<Auth>,
    attempt: Attempt,
}

impl Drop for QueueGuard {
    fn drop(&mut self) {
        lock(&self.auth.throttle).dequeue(&self.attempt);
    }
}

/// Whether it is among the passwords in use, which its use keeps it. So who scrapes once an hour is not slowed down by guessers.
fn is_in_use(right: &mut Vec<(Fingerprint, Instant)>, fingerprint: &Fingerprint, now: Instant) -> bool {
    right.retain(|(_, used)| now.saturating_duration_since(*used) < CACHE_LIFETIME);
    let is_known = contains(right.iter().map(|(one, _)| one), fingerprint);
    if is_known && let Some((_, used)) = right.iter_mut().find(|(one, _)| one == fingerprint) {
        *used = now;
    }
    is_known
}

/// In constant time: independent of the position, and of how many bytes are equal.
fn contains<'a>(cached: impl Iterator<Item = &'a Fingerprint>, fingerprint: &Fingerprint) -> bool {
    cached
        .fold(subtle::Choice::from(0), |found, one| found | one.ct_eq(fingerprint))
        .into()
}

fn challenge() -> HttpResponse {
    let mut builder = HttpResponse::Unauthorized();
    builder.insert_header((WWW_AUTHENTICATE, "Basic realm=\"edgewatch\", charset=\"UTF-8\""));
    plain(builder, "user and password, please\n")
}

fn credentials(request: &ServiceRequest) -> Option<(String, String)> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stays_known_while_it_is_used_and_is_forgotten_an_hour_later() {
        let (began, minute) = (Instant::now(), Duration::from_secs(60));
        let mut right = vec![([1; 32], began), ([2; 32], began)];
        for minutes in 1..300 {
            assert!(is_in_use(&mut right, &[1; 32], began + minutes * minute), "{minutes}");
        }
        assert!(!is_in_use(&mut right, &[2; 32], began + 300 * minute));
        assert!(!is_in_use(&mut right, &[1; 32], began + 360 * minute));
    }
}
