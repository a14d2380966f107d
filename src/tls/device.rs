//! The certificate that the device makes for itself: nobody has signed it, so people compare its fingerprint once.

use std::path::Path;

use edgewatch_program::{file, host};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use super::error::TlsError;
use super::pair::{Origin, Pair};

/// The file in the directory of the state: certificate and key in one, so that a power cut cannot leave one without the other.
pub(crate) const FILE: &str = "tls.pem";

/// The pair in `directory`. A new one, if there is none or it cannot be used; if it cannot be kept, the reason is given too.
///
/// # Errors
/// None can be made.
pub(crate) fn read_or_make(directory: &Path) -> Result<(Pair, Option<TlsError>), TlsError> {
    let path = directory.join(FILE);
    match Pair::read(&path, Origin::Device) {
        Ok(pair) => return Ok((pair, None)),
        Err(error) if path.exists() => tracing::error!("another certificate is made: {error}"),
        Err(_) => tracing::info!("making a certificate for this device: {}", path.display()),
    }
    let text = make(&host::name())?;
    match file::replace(&path, text.as_bytes(), 0o600) {
        Ok(()) => Ok((parse(&text, Origin::Device)?, None)),
        Err(source) => Ok((parse(&text, Origin::Unsaved)?, Some(TlsError::NotKept { path, source }))),
    }
}

/// A new pair, which is lost at the end of this process.
///
/// # Errors
/// None can be made.
pub(crate) fn make_unsaved() -> Result<Pair, TlsError> {
    parse(&make(&host::name())?, Origin::Unsaved)
}

fn parse(made: &str, origin: Origin) -> Result<Pair, TlsError> {
    Pair::parse(made, made, origin).map_err(|source| TlsError::Pair {
        path: FILE.into(),
        source,
    })
}

/// A certificate with its key, in PEM. The clock of a device that boots for the first time may say 1970, and nobody replaces the
/// certificate for as long as the device lives: it is valid from then on, and has no date of expiry (RFC 5280, 4.1.2.5).
fn make(host: &str) -> Result<String, TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut parameters = CertificateParams::new(names(host))?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::CommonName, format!("edgewatch on {host}"));
    parameters.not_before = date_time_ymd(1970, 1, 1);
    let last = date_time_ymd(9999, 12, 31);
    parameters.not_after = last
        .replace_hour(23)
        .and_then(|time| time.replace_minute(59))
        .and_then(|time| time.replace_second(59))
        .unwrap_or(last);
    // Said, not left out: some clients take a certificate that does not say it for one of an authority, and refuse it for a server.
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = parameters.self_signed(&key)?;
    Ok(certificate.pem() + &key.serialize_pem())
}

/// The names by which browsers find the device; `.local` is multicast DNS (RFC 6762). Its addresses change.
fn names(host: &str) -> Vec<String> {
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    let mut names = vec!["localhost".to_owned()];
    if is_name && host != "localhost" {
        names.push(host.to_owned());
        if !host.contains('.') {
            names.push(format!("{host}.local"));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn own(directory: &Path) -> Pair {
        let (pair, problem) = read_or_make(directory).unwrap();
        assert!(problem.is_none(), "{problem:?}");
        assert_eq!(pair.origin, Origin::Device);
        pair
    }

    #[test]
    fn the_certificate_is_made_once_and_stays_through_starts() {
        let directory = tempfile::tempdir().unwrap();
        let first = own(directory.path()).fingerprint();
        assert_eq!(own(directory.path()).fingerprint(), first);
        let names: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, [FILE], "nothing is left behind");
    }

    #[test]
    fn whatever_a_power_cut_leaves_of_the_file_there_is_a_usable_pair_afterwards() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        own(directory.path());
        let whole = fs::read(&path).unwrap();
        let cuts = (0..whole.len()).step_by(whole.len() / 50);
        let zeros = cuts
            .clone()
            .map(|cut| [&whole[..cut], &vec![0; whole.len() - cut][..]].concat());
        for content in cuts.map(|cut| whole[..cut].to_vec()).chain(zeros) {
            fs::write(&path, &content).unwrap();
            let made = own(directory.path()).fingerprint();
            assert_eq!(
                own(directory.path()).fingerprint(),
                made,
                "{} bytes were left",
                content.len()
            );
        }
    }

    #[test]
    fn a_pair_that_cannot_be_kept_serves_until_the_next_start() {
        let (pair, problem) = read_or_make(Path::new("/proc/self")).unwrap();
        assert_eq!(pair.origin, Origin::Unsaved);
        let text = problem.unwrap().to_string();
        assert!(
            text.contains("/proc/self/tls.pem") && text.contains("browsers warn anew"),
            "{text}"
        );
    }

    #[test]
    fn a_host_name_that_is_none_of_dns_is_left_out() {
        assert_eq!(names("pi"), ["localhost", "pi", "pi.local"]);
        assert_eq!(names("pi.example.org"), ["localhost", "pi.example.org"]);
        for other in ["", "localhost", "my_pi", "küche"] {
            assert_eq!(names(other), ["localhost"], "{other}");
        }
    }
}
