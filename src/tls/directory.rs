//! Certificates that people drop into a directory. The last usable one by name wins, so that a new one can be laid beside the old.

use std::path::{Path, PathBuf};

use super::error::{PairError, TlsError};
use super::pair::{self, Origin, Pair};

/// Files that are looked at; such a directory has two or three.
const MAX_FILES: usize = 100;
/// Endings of files that hold a certificate, and perhaps its key.
const ENDINGS: [&str; 3] = ["crt", "cert", "pem"];

/// The pair in force, if there is one, and what was passed over.
pub(super) fn read(directory: &Path) -> (Option<Pair>, Vec<TlsError>) {
    let mut problems = Vec::new();
    let files = match list(directory) {
        Ok(files) => files,
        Err(source) => {
            let path = directory.to_owned();
            return (None, vec![TlsError::Directory { path, source }]);
        }
    };
    let read = |file: &PathBuf| Pair::read(file, Origin::Directory(file.clone()));
    let read: Vec<(&PathBuf, Result<Pair, TlsError>)> = files.iter().rev().map(|file| (file, read(file))).collect();
    let position = |fits: fn(Result<(), PairError>) -> bool| {
        let fits = |pair: &Pair| fits(pair.check_time());
        read.iter().position(|(_, read)| read.as_ref().is_ok_and(fits))
    };
    // Where none is valid, one that is not yet: the clock of a device without a battery may be years behind when it boots.
    let chosen = position(|time| time.is_ok()).or_else(|| position(|time| matches!(time, Err(PairError::Early(_)))));
    let pairs = || read.iter().filter_map(|(_, read)| read.as_ref().ok());
    let is_expected = read.iter().map(|(file, read)| match read {
        Err(TlsError::Pair {
            source: PairError::NoKey(_) | PairError::NoCertificate,
            ..
        }) => pair::belongs_to(file, pairs()),
        Ok(_) | Err(_) => false,
    });
    let is_expected: Vec<bool> = is_expected.collect();
    let mut pair = None;
    for (place, ((path, read), is_expected)) in read.into_iter().zip(is_expected).enumerate() {
        match read {
            Ok(found) => {
                if let Err(source) = found.check_time() {
                    let path = path.clone();
                    problems.push(TlsError::Pair { path, source });
                }
                pair = Some(found).filter(|_| chosen == Some(place));
            }
            Err(problem) if !is_expected => problems.push(problem),
            Err(_) => {}
        }
        if pair.is_some() {
            // The others are what it replaces.
            return (pair, problems);
        }
    }
    problems.push(TlsError::NothingUsable(directory.to_owned()));
    (None, problems)
}

fn list(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)?.take(MAX_FILES) {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// A certificate and its key.
    fn made(until: i32) -> (String, String) {
        made_for(1990, until)
    }

    fn made_for(from: i32, until: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["pi.example.org".to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(from, 1, 1);
        parameters.not_after = date_time_ymd(until, 1, 1);
        (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn fingerprint(pair: Option<Pair>) -> Option<String> {
        pair.map(|pair| pair.fingerprint())
    }

    #[test]
    fn the_last_usable_pair_by_name_wins_with_its_key_beside_it_or_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let ((first, first_key), (second, second_key)) = (made(2100), made(2100));
        fs::write(path("10-first.crt"), &first).unwrap();
        fs::write(path("10-first.key"), &first_key).unwrap();
        fs::write(path("20-second.pem"), format!("{second_key}{second}")).unwrap();
        // As ACME clients leave it.
        fs::write(path("99-chain.pem"), &first).unwrap();
        let (pair, problems) = read(directory.path());
        let expected = Pair::parse(&second, &second_key, Origin::Device).unwrap().fingerprint();
        assert_eq!(fingerprint(pair), Some(expected));
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_reason_and_the_one_before_it_serves() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let ((good, good_key), (other, _)) = (made(2100), made(2100));
        let (expired, expired_key) = made(2001);
        fs::write(path("10.crt"), &good).unwrap();
        fs::write(path("10.key"), &good_key).unwrap();
        fs::write(path("20.pem"), format!("{expired}{expired_key}")).unwrap();
        fs::write(path("30.crt"), &other).unwrap();
        fs::write(path("30.key"), &good_key).unwrap();
        fs::write(path("40.pem"), b"\xff\xfe").unwrap();
        fs::write(
            path("50.pem"),
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        let (pair, problems) = read(directory.path());
        assert!(matches!(pair.unwrap().origin, Origin::Directory(file) if file == path("10.crt")));
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        for (text, reason) in said.iter().zip([
            "50.pem: not what PEM is",
            "40.pem: not UTF-8",
            "30.crt: the key does not belong",
            "20.pem: expired on 2001-01-01",
        ]) {
            assert!(text.contains(reason), "{text}");
        }
        assert_eq!(said.len(), 4);
    }

    #[test]
    fn a_certificate_that_is_not_valid_yet_waits_for_its_day_unless_there_is_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let write = |name: &str, (certificate, key): (String, String)| {
            fs::write(path(name), certificate + &key).unwrap();
        };
        write("20.pem", made_for(2090, 2100));
        let (pair, problems) = read(directory.path());
        assert!(matches!(pair.unwrap().origin, Origin::Directory(file) if file == path("20.pem")));
        assert!(
            problems[0].to_string().contains("not valid before 2090-01-01"),
            "{problems:?}"
        );
        write("10.pem", made(2100));
        let (pair, problems) = read(directory.path());
        assert!(matches!(pair.unwrap().origin, Origin::Directory(file) if file == path("10.pem")));
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn a_certificate_whose_key_is_missing_or_encrypted_is_named_and_a_chain_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let ((good, good_key), (new, new_key)) = (made(2100), made(2100));
        let mut parameters = CertificateParams::default();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        fs::write(path("10.crt"), &good).unwrap();
        fs::write(path("10.key"), &good_key).unwrap();
        fs::write(path("20.crt"), &new).unwrap();
        fs::write(path("20-key.pem"), &new_key).unwrap();
        fs::write(path("30.crt"), &new).unwrap();
        fs::write(
            path("30.key"),
            new_key.replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE"),
        )
        .unwrap();
        fs::write(path("40.crt"), "").unwrap();
        fs::write(path("50-authority.crt"), authority + &good).unwrap();
        let (pair, problems) = read(directory.path());
        assert!(matches!(pair.unwrap().origin, Origin::Directory(file) if file == path("10.crt")));
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        for (text, reason) in said.iter().zip([
            "40.crt: no certificate in PEM",
            "30.crt: its key is encrypted",
            "20.crt: its key is neither in it nor in",
        ]) {
            assert!(text.contains(reason), "{text}");
        }
        assert_eq!(said.len(), 3, "{said:?}");
    }

    #[test]
    fn a_directory_without_a_pair_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let (pair, problems) = read(directory.path());
        assert!(
            pair.is_none() && problems[0].to_string().contains("no certificate with its key"),
            "{problems:?}"
        );
        let (pair, problems) = read(Path::new("/nonexistent"));
        assert!(
            pair.is_none() && problems[0].to_string().contains("No such file"),
            "{problems:?}"
        );
    }
}
