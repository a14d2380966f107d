//! Certificates that people drop into a directory. The last usable one by name wins, so that a new one can be laid beside the old.

use std::path::{Path, PathBuf};

use super::error::{PairError, TlsError};
use super::pair::{Origin, Pair};

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
    for file in files.iter().rev() {
        match Pair::read(file, Origin::Directory(file.clone())) {
            Ok(pair) => return (Some(pair), problems),
            // A chain, or the key of another file.
            Err(TlsError::Pair {
                source: PairError::NoKey(_) | PairError::NoCertificate,
                ..
            }) => {}
            Err(problem) => problems.push(problem),
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
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["pi.example.org".to_owned()]).unwrap();
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
