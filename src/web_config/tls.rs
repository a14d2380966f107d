//! `tls_server_config`.

use std::path::{Path, PathBuf};

use edgewatch_program::credential;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

use super::error::WebConfigProblem;
use crate::tls::options::{ClientCertificates, Options, Versions};
use crate::tls::pair::{Origin, Pair};

/// Bytes that a certificate with its chain, a key, or a bundle of authorities never has.
const MAX_BYTES: u64 = 1 << 20;

/// The keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with values")]
pub(super) struct Section {
    cert: Option<String>,
    cert_file: Option<PathBuf>,
    key: Option<String>,
    key_file: Option<PathBuf>,
    client_ca: Option<String>,
    client_ca_file: Option<PathBuf>,
    client_auth_type: String,
    client_allowed_sans: Vec<String>,
    min_version: String,
    max_version: String,
    cipher_suites: Vec<String>,
    curve_preferences: Vec<String>,
    /// The server's order always wins here.
    #[serde(rename = "prefer_server_cipher_suites")]
    _prefer_server_cipher_suites: bool,
}

impl Section {
    /// The certificate with its key, and how it is used; `None` if it names neither these nor clients'. `directory` is what paths are
    /// relative to.
    ///
    /// # Errors
    /// A file that cannot be used, or something that cannot be had here.
    pub(super) fn load(self, directory: &Path) -> Result<Option<(Pair, Options)>, WebConfigProblem> {
        let certificate = text("cert", self.cert, self.cert_file, directory)?;
        let key = text("key", self.key, self.key_file, directory)?;
        let client_ca = text("client_ca", self.client_ca, self.client_ca_file, directory)?;
        if certificate.is_none() && key.is_none() && client_ca.is_none() && self.client_auth_type.is_empty() {
            return Ok(None);
        }
        let certificate = certificate.ok_or(WebConfigProblem::Neither("cert"))?;
        let key = key.ok_or(WebConfigProblem::Neither("key"))?;
        if let Some(name) = self.client_allowed_sans.first() {
            return Err(WebConfigProblem::Value {
                key: "client_allowed_sans",
                value: name.clone(),
                allowed: "names of clients are not looked at here: let client_ca sign no others, and leave it out",
            });
        }
        let options = Options {
            versions: versions(&self.min_version, &self.max_version)?,
            cipher_suites: self.cipher_suites,
            key_exchange_groups: self.curve_preferences,
            clients: clients(&self.client_auth_type, client_ca)?,
        };
        let pair = Pair::parse(&certificate, &key, Origin::WebConfig)?;
        options
            .check(&pair)
            .map_err(|(key, value, allowed)| WebConfigProblem::Value { key, value, allowed })?;
        Ok(Some((pair, options)))
    }
}

/// The text of `key`, or of the file that `key`_file names.
fn text(
    key: &'static str,
    inline: Option<String>,
    file: Option<PathBuf>,
    directory: &Path,
) -> Result<Option<String>, WebConfigProblem> {
    let inline = inline.filter(|text| !text.is_empty());
    let file = file.filter(|file| !file.as_os_str().is_empty());
    match (inline, file) {
        (Some(_), Some(_)) => Err(WebConfigProblem::Both(key)),
        (Some(text), None) => Ok(Some(text)),
        (None, None) => Ok(None),
        (None, Some(file)) => {
            let path = directory.join(file);
            match credential::read(&path, MAX_BYTES) {
                Ok(text) => Ok(Some(text)),
                Err(source) => Err(WebConfigProblem::TlsFile { key, path, source }),
            }
        }
    }
}

fn versions(min: &str, max: &str) -> Result<Versions, WebConfigProblem> {
    const ALLOWED: &str = "TLS12 or TLS13: older ones are broken (RFC 8996), and not spoken here";
    let refuse = |key, value: &str| {
        Err(WebConfigProblem::Value {
            key,
            value: value.to_owned(),
            allowed: ALLOWED,
        })
    };
    match (min, max) {
        // What is older is not spoken, which is stricter than what is asked for.
        ("" | "TLS10" | "TLS11" | "TLS12", "" | "TLS13") => Ok(Versions::Both),
        ("" | "TLS10" | "TLS11" | "TLS12", "TLS12") => Ok(Versions::Only12),
        ("TLS13", "" | "TLS13") => Ok(Versions::Only13),
        ("" | "TLS10" | "TLS11" | "TLS12" | "TLS13", other) => refuse("max_version", other),
        (other, _) => refuse("min_version", other),
    }
}

fn clients(kind: &str, client_ca: Option<String>) -> Result<ClientCertificates, WebConfigProblem> {
    const ALLOWED: &str = "NoClientCert without client_ca; VerifyClientCertIfGiven or RequireAndVerifyClientCert with client_ca or client_ca_file";
    let roots = client_ca.map(|text| roots(&text)).transpose()?;
    match (kind, roots) {
        ("" | "NoClientCert", None) => Ok(ClientCertificates::NotAsked),
        ("VerifyClientCertIfGiven", Some(roots)) => Ok(ClientCertificates::Optional(roots)),
        ("RequireAndVerifyClientCert", Some(roots)) => Ok(ClientCertificates::Required(roots)),
        (kind, _) => Err(WebConfigProblem::Value {
            key: "client_auth_type",
            value: format!("{kind:?}"),
            allowed: ALLOWED,
        }),
    }
}

fn roots(text: &str) -> Result<RootCertStore, WebConfigProblem> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let certificate = certificate.map_err(|_| WebConfigProblem::NoClientCa)?;
        roots.add(certificate).map_err(WebConfigProblem::ClientCa)?;
    }
    match roots.is_empty() {
        true => Err(WebConfigProblem::NoClientCa),
        false => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_never_older_than_1_2() {
        for (min, max, expected) in [
            ("", "", Versions::Both),
            ("TLS10", "", Versions::Both),
            ("TLS12", "TLS12", Versions::Only12),
            ("TLS13", "", Versions::Only13),
        ] {
            assert_eq!(versions(min, max).unwrap(), expected, "{min:?} to {max:?}");
        }
        for (min, max) in [("TLS13", "TLS12"), ("", "TLS11"), ("SSL30", ""), ("tls12", "")] {
            assert!(versions(min, max).is_err(), "{min:?} to {max:?}");
        }
    }

    #[test]
    fn asking_clients_for_certificates_needs_an_authority_and_one_without_use_is_refused() {
        for kind in [
            "VerifyClientCertIfGiven",
            "RequireAndVerifyClientCert",
            "RequestClientCert",
            "RequireAnyClientCert",
            "x",
        ] {
            let error = clients(kind, None).unwrap_err().to_string();
            assert!(error.contains(kind) && error.contains("client_ca"), "{error}");
        }
        assert!(matches!(
            clients("NoClientCert", None),
            Ok(ClientCertificates::NotAsked)
        ));
        let error = clients("RequireAndVerifyClientCert", Some("no PEM".to_owned())).unwrap_err();
        assert!(matches!(error, WebConfigProblem::NoClientCa), "{error}");
    }
}
