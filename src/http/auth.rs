//! HTTP Basic authentication (RFC 7617) against bcrypt hashes.
//!
//! bcrypt is slow on purpose, and slower on a small board, so a password that was right is remembered for an hour as a keyed
//! digest. Attempts are checked one at a time and each client that fails has to wait longer before the next.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::web;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::plain;
use crate::config::{self, is_loopback};
use crate::error::Failure;
use crate::lock::lock;
use crate::telemetry::Telemetry;

const REMEMBERED: Duration = Duration::from_secs(3600);
/// Bound of remembered passwords and of clients that have to wait.
const MOST_ENTRIES: usize = 256;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The users, and what was learnt about clients.
pub struct Auth {
    users: HashMap<String, String>,
    trust_loopback: bool,
    salt: [u8; 32],
    known: Mutex<Vec<([u8; 32], Instant)>>,
    waiting: Mutex<HashMap<IpAddr, Waiting>>,
    /// One check at a time: they cost the CPU that the device does not have.
    turn: Semaphore,
}

struct Waiting {
    failures: u32,
    until: Instant,
}

impl Auth {
    /// Reads the users, if the settings name a file of them.
    ///
    /// # Errors
    /// The file cannot be read, holds no user, or a line that is not `user:bcrypt-hash`.
    pub fn load(settings: &config::Auth) -> Result<Option<Self>, Failure> {
        let Some(file) = &settings.users_file else {
            return Ok(None);
        };
        let path = credential_path(file);
        let failed = |why: String| Failure::because(format!("auth.users_file = {}", path.display()), why);
        let text = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        warn_if_others_can_read(&path);
        let mut users = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once(':') {
                Some((user, hash)) if !user.is_empty() && is_bcrypt(hash) => {
                    users.insert(user.to_owned(), hash.to_owned());
                }
                // The line is not shown: it may be a password.
                _ => {
                    return Err(failed(format!(
                        "line {} is not user:bcrypt-hash, as `htpasswd -nB USER` prints it",
                        number + 1
                    )));
                }
            }
        }
        if users.is_empty() {
            return Err(failed(
                "no user in it; `htpasswd -nB USER` prints a line for one".into(),
            ));
        }
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| failed(error.to_string()))?;
        Ok(Some(Self {
            users,
            trust_loopback: settings.trust_loopback,
            salt,
            known: Mutex::default(),
            waiting: Mutex::default(),
            turn: Semaphore::new(1),
        }))
    }

    /// The answer to a client that may not pass; `None` for one that may.
    pub async fn refuse(&self, request: &ServiceRequest, telemetry: &Telemetry) -> Option<HttpResponse> {
        // A client on a Unix socket has no address: it is on this device and passed the permissions of the file.
        let client = request.peer_addr().map(|address| address.ip().to_canonical());
        if self.trust_loopback && client.is_none_or(is_loopback) {
            return None;
        }
        let Some((user, password)) = credentials(request) else {
            // A browser asks once without; that is no attempt.
            return Some(challenge());
        };
        let digest = self.digest(&user, &password);
        if self.is_known(&digest) {
            return None;
        }
        if let Some(pause) = client.and_then(|client| self.pause_of(client)) {
            telemetry.auth_failures.inc();
            let mut builder = HttpResponse::TooManyRequests();
            builder.insert_header((RETRY_AFTER, pause.as_secs() + 1));
            return Some(plain(builder, "too many wrong passwords: wait\n"));
        }
        if self.is_right(user, password).await {
            self.remember(digest);
            if let Some(client) = client {
                lock(&self.waiting).remove(&client);
            }
            return None;
        }
        telemetry.auth_failures.inc();
        if let Some(client) = client {
            self.slow_down(client);
        }
        Some(challenge())
    }

    async fn is_right(&self, user: String, password: String) -> bool {
        let Ok(_turn) = self.turn.acquire().await else {
            return false;
        };
        // An unknown user costs the same time as a known one: somebody's hash is checked, and the result thrown away.
        let (hash, exists) = match self.users.get(&user) {
            Some(hash) => (hash.clone(), true),
            None => (self.users.values().next().cloned().unwrap_or_default(), false),
        };
        let check = web::block(move || bcrypt::verify(password, &hash).unwrap_or(false)).await;
        matches!(check, Ok(true)) && exists
    }

    fn digest(&self, user: &str, password: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.salt);
        hasher.update((user.len() as u64).to_le_bytes());
        hasher.update(user);
        hasher.update(password);
        hasher.finalize().into()
    }

    fn is_known(&self, digest: &[u8; 32]) -> bool {
        let now = Instant::now();
        let mut known = lock(&self.known);
        known.retain(|(_, since)| now - *since < REMEMBERED);
        let found = known
            .iter()
            .fold(subtle::Choice::from(0), |found, (one, _)| found | one.ct_eq(digest));
        found.into()
    }

    fn remember(&self, digest: [u8; 32]) {
        let mut known = lock(&self.known);
        if known.len() < MOST_ENTRIES {
            known.push((digest, Instant::now()));
        }
    }

    fn pause_of(&self, client: IpAddr) -> Option<Duration> {
        let waiting = lock(&self.waiting);
        let left = waiting.get(&client)?.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn slow_down(&self, client: IpAddr) {
        let now = Instant::now();
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= MOST_ENTRIES && !waiting.contains_key(&client) {
            // Forget whoever has waited out the pause; if nobody has, the one that waits least.
            waiting.retain(|_, one| one.until > now);
            let least = waiting.iter().min_by_key(|(_, one)| one.until).map(|(ip, _)| *ip);
            if let Some(least) = least.filter(|_| waiting.len() >= MOST_ENTRIES) {
                waiting.remove(&least);
            }
        }
        let entry = waiting.entry(client).or_insert(Waiting {
            failures: 0,
            until: now,
        });
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(entry.failures.min(6));
        entry.failures += 1;
        entry.until = now + pause.min(LONGEST_PAUSE);
    }
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

fn is_bcrypt(hash: &str) -> bool {
    hash.parse::<bcrypt::HashParts>().is_ok()
}

/// A relative path is a credential of the unit (systemd.exec(5), `LoadCredential=`).
fn credential_path(file: &Path) -> PathBuf {
    match std::env::var_os("CREDENTIALS_DIRECTORY") {
        Some(directory) if file.is_relative() => Path::new(&directory).join(file),
        _ => file.to_owned(),
    }
}

fn warn_if_others_can_read(path: &Path) {
    // systemd hands credentials over read-only for the service alone, whatever the mode says.
    let is_credential = std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|directory| path.starts_with(directory));
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if !is_credential && mode & 0o007 != 0 {
        tracing::warn!(
            "{} can be read by everybody on this device: chmod o= it",
            path.display()
        );
    }
}
