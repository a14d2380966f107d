//! HTTP Basic authentication (RFC 7617) against bcrypt hashes.
//!
//! bcrypt is slow on purpose, and slower on a small board. So what a check found is remembered as a keyed digest: a right password for an
//! hour, and a wrong one that is sent again, as by a program with an old password, costs nothing and is held against nobody. Checks are
//! made one at a time, and not all the time.

mod throttle;
mod users;

use std::collections::VecDeque;
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

use super::doors::{Client, network};
use super::plain;
use crate::config;
use crate::telemetry::Telemetry;
use edgewatch_program::error::Failure;
use edgewatch_program::listen::is_loopback;
use edgewatch_program::lock::lock;
use throttle::{Key, Lane, Throttle};
pub use users::BadLines;
use users::Users;

const REMEMBERED: Duration = Duration::from_secs(3600);
/// Bound of remembered passwords, of the right ones and of the wrong ones.
const MOST_REMEMBERED: usize = 256;
/// After a wrong password no check is made for as long as this one took, so that guessers, however many, get half of a CPU; but not
/// for longer than this.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// The users, and what was learnt about clients.
pub struct Auth {
    users: Users,
    trust_loopback: bool,
    salt: [u8; 32],
    right: Mutex<Vec<(Fingerprint, Instant)>>,
    wrong: Mutex<VecDeque<Fingerprint>>,
    throttle: Mutex<Throttle>,
    /// One check at a time: they cost the CPU that the device does not have.
    turn: Arc<Semaphore>,
    /// Of those that failed before, one waits for the turn; those that did not pass by the others.
    failed_turn: Arc<Semaphore>,
}

/// Keyed digest of a user and a password.
type Fingerprint = [u8; 32];

impl Auth {
    /// Reads the users, if the settings name a file of them.
    ///
    /// # Errors
    /// Those of `Users::load`, or the system gives no random bytes.
    pub fn load(settings: &config::Auth, bad_lines: BadLines) -> Result<Option<Arc<Self>>, Failure> {
        let Some(file) = &settings.users_file else {
            return Ok(None);
        };
        let users = Users::load(file, bad_lines)?;
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| Failure::because("random bytes", error))?;
        Ok(Some(Arc::new(Self {
            users,
            trust_loopback: settings.trust_loopback,
            salt,
            right: Mutex::default(),
            wrong: Mutex::default(),
            throttle: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            failed_turn: Arc::new(Semaphore::new(1)),
        })))
    }

    /// Whether the client of `request` may pass without a password. One on a Unix socket has no address: it is on this device and
    /// passed the permissions of the file.
    pub fn trusts(&self, request: &ServiceRequest) -> bool {
        self.trust_loopback && request.peer_addr().is_none_or(|address| is_loopback(address.ip()))
    }

    /// The answer to a client that may not pass; `None` for one that may.
    pub async fn refuse(
        self: &Arc<Self>,
        request: &ServiceRequest,
        client: &Client,
        telemetry: &Telemetry,
    ) -> Option<HttpResponse> {
        if self.trusts(request) {
            return None;
        }
        let Some((user, password)) = credentials(request) else {
            // A browser asks once without; that is no attempt.
            return Some(challenge());
        };
        let address = request.peer_addr().map(|address| network(address.ip()));
        let refusal = match self.attempt(user, password, address, client, telemetry).await {
            Verdict::Right => {
                client.trust();
                return None;
            }
            Verdict::Wrong => challenge(),
            Verdict::Later(pause) => {
                let mut builder = HttpResponse::TooManyRequests();
                builder.insert_header((RETRY_AFTER, pause.as_secs_f64().ceil() as u64));
                plain(builder, "too many wrong passwords: wait\n")
            }
        };
        telemetry.auth_failures.inc();
        Some(refusal)
    }

    async fn attempt(
        self: &Arc<Self>,
        user: String,
        password: String,
        address: Option<IpAddr>,
        client: &Client,
        telemetry: &Telemetry,
    ) -> Verdict {
        let fingerprint = self.fingerprint(&user, &password);
        if self.is_right(&fingerprint) {
            return Verdict::Right;
        }
        if self.is_wrong(&fingerprint) {
            return Verdict::Wrong;
        }
        let (hash, exists) = self.users.hash(&user);
        let hash = hash.to_owned();
        let key = (address, exists.then_some(user));
        let lane = match lock(&self.throttle).enter(&key, Instant::now()) {
            Ok(lane) => lane,
            Err(pause) => return Verdict::Later(pause),
        };
        let place = Place {
            auth: Arc::clone(self),
            key,
        };
        let turn = tokio::select! {
            biased;
            // Whoever gives up shall cost nobody a check, nor a place in the queue.
            () = client.gone() => return Verdict::Later(Duration::from_secs(1)),
            turn = self.wait_for_turn(lane) => turn,
        };
        let Ok(turn) = turn else {
            return Verdict::Wrong;
        };
        telemetry.auth_checks.inc();
        // In a task of its own: once begun, the check counts, whether or not the client waits for what it finds.
        let (tell, told) = oneshot::channel();
        rt::spawn(async move {
            let began = Instant::now();
            let check = web::block(move || bcrypt::verify(password, &hash).unwrap_or(false)).await;
            let right = matches!(check, Ok(true)) && exists;
            place.auth.learn(&place.key, fingerprint, right);
            drop(place);
            // Fails if the client has gone.
            let _ = tell.send(right);
            if !right {
                tokio::time::sleep(began.elapsed().min(LONGEST_REST)).await;
            }
            drop(turn);
        });
        match told.await {
            Ok(true) => Verdict::Right,
            Ok(false) | Err(_) => Verdict::Wrong,
        }
    }

    async fn wait_for_turn(&self, lane: Lane) -> Result<OwnedSemaphorePermit, tokio::sync::AcquireError> {
        let _behind_others = match lane {
            Lane::Fresh => None,
            Lane::Failed => Some(self.failed_turn.acquire().await?),
        };
        Arc::clone(&self.turn).acquire_owned().await
    }

    fn learn(&self, key: &Key, fingerprint: Fingerprint, right: bool) {
        let now = Instant::now();
        if right {
            lock(&self.throttle).succeeded(key);
            let mut remembered = lock(&self.right);
            if remembered.len() < MOST_REMEMBERED {
                remembered.push((fingerprint, now));
            }
        } else {
            lock(&self.throttle).failed(key, now);
            let mut remembered = lock(&self.wrong);
            if remembered.len() >= MOST_REMEMBERED {
                remembered.pop_front();
            }
            remembered.push_back(fingerprint);
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
        let now = Instant::now();
        let mut right = lock(&self.right);
        right.retain(|(_, since)| now - *since < REMEMBERED);
        contains(right.iter().map(|(one, _)| one), fingerprint)
    }

    fn is_wrong(&self, fingerprint: &Fingerprint) -> bool {
        contains(lock(&self.wrong).iter(), fingerprint)
    }
}

/// What came of an attempt.
enum Verdict {
    Right,
    Wrong,
    /// Not checked; it may come again after this time.
    Later(Duration),
}

/// The place of an attempt in the queue.
struct Place {
    auth: Arc<Auth>,
    key: Key,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.auth.throttle).leave(&self.key);
    }
}

/// In a time that does not depend on which one it is, or on how much is the same.
fn contains<'a>(remembered: impl Iterator<Item = &'a Fingerprint>, fingerprint: &Fingerprint) -> bool {
    remembered
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
