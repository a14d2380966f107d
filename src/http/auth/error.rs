//! Why the users cannot be loaded.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use edgewatch_program::credential::CredentialError;
use thiserror::Error;

/// An error of [`super::Auth::load`].
#[derive(Debug, Error)]
pub(crate) enum AuthError {
    #[error("auth.users_file = {}: {source}", path.display())]
    UsersFile { path: PathBuf, source: UsersFileError },
    #[error("http.web_config_file: basic_auth_users: the line of {user} {source}")]
    WebConfigUser { user: String, source: LineError },
    #[error("random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// What is wrong with a users file. It keeps nothing of the content, which may be a password.
#[derive(Debug, Error)]
pub(crate) enum UsersFileError {
    #[error("{0}")]
    File(#[from] CredentialError),
    #[error("begins with a byte order mark: save it as UTF-8 without BOM")]
    ByteOrderMark,
    #[error("no user in it; `htpasswd -nB USER` prints a line for one")]
    Empty,
    #[error("line {number} {source}")]
    Line { number: usize, source: LineError },
}

/// What is wrong with a line.
#[derive(Debug, Error)]
pub(crate) enum LineError {
    #[error("is not user:bcrypt-hash, as `htpasswd -nB USER` prints it")]
    Format,
    #[error("has a hash of the kind $2x$, made by a faulty program: make a new one with `htpasswd -nB USER`")]
    FaultyHash,
    #[error("has a hash of cost {cost}: allowed are {} to {}; `htpasswd -nB -C 10 USER` makes one", allowed.start(), allowed.end())]
    Cost { cost: u32, allowed: RangeInclusive<u32> },
    #[error("is about a user that has a line already: remove one")]
    Duplicate,
}
