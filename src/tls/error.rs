//! What is wrong with a certificate or its key.

use std::path::PathBuf;

use edgewatch_outbound::state::StateError;
use edgewatch_program::credential::CredentialError;
use thiserror::Error;

/// Why TLS cannot be had, or a file is passed over. It keeps nothing of a key.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    #[error("{0}; until then each start makes another certificate, and browsers warn anew")]
    Nowhere(StateError),
    #[error("tls.directory = {}: {source}", path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("tls.directory = {}: no certificate with its key in it, so the device's own is in force", .0.display())]
    NothingUsable(PathBuf),
    #[error("{}: {source}", path.display())]
    Pair { path: PathBuf, source: PairError },
    #[error("{}: cannot be kept, so that the next start makes another certificate, and browsers warn anew: {source}", path.display())]
    NotKept { path: PathBuf, source: std::io::Error },
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
    #[error("certificates of clients: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// What is wrong with a certificate and its key.
#[derive(Debug, Error)]
pub(crate) enum PairError {
    #[error("{0}")]
    File(#[from] CredentialError),
    #[error("the key, {}: {source}", path.display())]
    Key { path: PathBuf, source: CredentialError },
    #[error("no certificate in PEM (-----BEGIN CERTIFICATE-----) in it")]
    NoCertificate,
    #[error("its key is neither in it nor in {}", .0.display())]
    NoKey(PathBuf),
    #[error("not what PEM is")]
    Pem,
    #[error("its first certificate cannot be read: {0}")]
    Certificate(String),
    #[error("the key does not belong to the certificate, or is of a kind that is not supported: {0}")]
    Mismatch(#[source] rustls::Error),
    #[error("its key is encrypted, and nobody is there to give the password: `openssl pkey` writes it without")]
    EncryptedKey,
    #[error(
        "a certificate of X.509 version 1, which clients refuse: let it be made with extensions (`openssl x509 -req -copy_extensions copy`)"
    )]
    Version,
    #[error("expired on {0}")]
    Expired(String),
    #[error("not valid before {0}")]
    Early(String),
}
