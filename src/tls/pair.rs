//! A certificate with its key, in PEM (RFC 7468).

use std::path::{Path, PathBuf};

use edgewatch_program::credential;
use edgewatch_program::time::unix_time;
use rustls::SignatureAlgorithm;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use super::error::{PairError, TlsError};

/// Bytes that a certificate with its chain, or a key, never has.
const MAX_BYTES: u64 = 256 << 10;

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The device has made it.
    Device,
    /// The device has made it, and it is lost at the end of this process.
    Unsaved,
    /// A web configuration file names it.
    WebConfig,
    /// Somebody has dropped it in.
    Directory(PathBuf),
}

/// A certificate with its chain, and its key.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) origin: Origin,
    /// The certificate first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// Unix times, in seconds.
    not_before: i64,
    pub(super) not_after: i64,
}

impl Pair {
    /// Reads `file`. Its key is in there too, or in the file beside it whose name ends in `.key`.
    ///
    /// # Errors
    /// It has no certificate; there is no key, or another one. Whether its time has come, or is over, is for [`Self::check_time`] to say:
    /// the clock may be wrong.
    pub(crate) fn read(file: &Path, origin: Origin) -> Result<Self, TlsError> {
        Self::try_read(file, origin).map_err(|source| TlsError::Pair {
            path: file.to_owned(),
            source,
        })
    }

    fn try_read(file: &Path, origin: Origin) -> Result<Self, PairError> {
        let text = credential::read(file, MAX_BYTES)?;
        let key_file = file.with_extension("key");
        if has_key(&text) || !key_file.exists() {
            credential::warn_if_others_can_read(file);
            return Self::parse(&text, &text, origin).map_err(|error| match error {
                PairError::NoKey(_) => PairError::NoKey(key_file),
                error => error,
            });
        }
        let key = credential::read(&key_file, MAX_BYTES).map_err(|source| PairError::Key {
            path: key_file.clone(),
            source,
        })?;
        credential::warn_if_others_can_read(&key_file);
        Self::parse(&text, &key, origin)
    }

    /// The pair in two texts, which may be the same.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) fn parse(certificate: &str, key: &str, origin: Origin) -> Result<Self, PairError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.map_err(|_| PairError::Pem)?;
        let first = chain.first().ok_or(PairError::NoCertificate)?;
        let (not_before, not_after) = validity(first)?;
        if is_encrypted(key) {
            return Err(PairError::EncryptedKey);
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| match error {
            pem::Error::NoItemsFound => PairError::NoKey(PathBuf::new()),
            _ => PairError::Pem,
        })?;
        let signing = any_supported_type(&key).map_err(PairError::Mismatch)?;
        match CertifiedKey::new(chain.clone(), signing).keys_match() {
            // A kind of key whose public half cannot be had: the first handshake will tell.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(error) => return Err(PairError::Mismatch(error)),
        }
        Ok(Self {
            origin,
            chain,
            key,
            not_before,
            not_after,
        })
    }

    /// Whether it is valid now.
    ///
    /// # Errors
    /// It is not yet, or no more.
    #[allow(clippy::cast_precision_loss, reason = "whole seconds up to the year 9999 are exact")]
    pub(crate) fn check_time(&self) -> Result<(), PairError> {
        let now = unix_time();
        if (self.not_after as f64) < now {
            return Err(PairError::Expired(day(self.not_after)));
        }
        if now < self.not_before as f64 {
            return Err(PairError::Early(day(self.not_before)));
        }
        Ok(())
    }

    /// Whether its key is one of RSA.
    pub(super) fn is_rsa(&self) -> bool {
        any_supported_type(&self.key).is_ok_and(|key| key.algorithm() == SignatureAlgorithm::RSA)
    }

    /// SHA-256 of the certificate, as browsers and `openssl x509 -fingerprint -sha256` show it.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = self.chain.first().map(Sha256::digest).unwrap_or_default();
        let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }
}

fn has_key(text: &str) -> bool {
    PrivateKeyDer::from_pem_slice(text.as_bytes()).is_ok()
}

/// A key that a password protects (RFC 7468, 11; RFC 1421, 4.6.1.1).
fn is_encrypted(text: &str) -> bool {
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("\nProc-Type: 4,ENCRYPTED")
}

/// Whether `file`, which is no pair, is what ACME clients leave beside one: certificates of authorities or of one of `pairs`, or a key.
pub(super) fn belongs_to<'a>(file: &Path, pairs: impl Iterator<Item = &'a Pair> + Clone) -> bool {
    let Ok(text) = credential::read(file, MAX_BYTES) else {
        return false;
    };
    let is_known = |certificate: &CertificateDer<'_>| {
        X509Certificate::from_der(certificate).is_ok_and(|(_, certificate)| certificate.is_ca())
            || pairs.clone().any(|pair| pair.chain.contains(certificate))
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    certificates.is_ok_and(|certificates| match certificates.is_empty() {
        true => has_key(&text),
        false => certificates.iter().all(is_known),
    })
}

/// Begin and end of a certificate's validity (RFC 5280, 4.1.2.5), in Unix time.
fn validity(certificate: &CertificateDer<'_>) -> Result<(i64, i64), PairError> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|error| PairError::Certificate(error.to_string()))?;
    if certificate.version() != X509Version::V3 {
        return Err(PairError::Version);
    }
    let validity = certificate.validity();
    Ok((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// As `2026-11-27`, in UTC.
fn day(time: i64) -> String {
    let time = u64::try_from(time).unwrap_or_default();
    let text =
        humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + std::time::Duration::from_secs(time)).to_string();
    text.chars().take_while(|&character| character != 'T').collect()
}
