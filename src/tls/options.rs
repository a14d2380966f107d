//! How a certificate is used: versions, suites, groups, and certificates of clients. Names are those of Go's `crypto/tls`, which files for
//! Prometheus and its exporters have.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, NamedGroup, RootCertStore, SupportedProtocolVersion};

use super::error::TlsError;
use super::pair::Pair;

/// Options of a server. The default is what everything of the last ten years speaks.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) versions: Versions,
    /// Of TLS 1.2, by Go's names; all if empty.
    pub(crate) cipher_suites: Vec<String>,
    /// By Go's names, the preferred first; all if empty.
    pub(crate) key_exchange_groups: Vec<String>,
    pub(crate) clients: ClientCertificates,
}

/// Which versions are spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Versions {
    #[default]
    Both,
    Only12,
    Only13,
}

/// Whether clients show certificates.
#[derive(Debug, Default)]
pub(crate) enum ClientCertificates {
    #[default]
    NotAsked,
    /// One that is shown must be signed by one of these.
    Optional(RootCertStore),
    /// It must be shown.
    Required(RootCertStore),
}

/// The suites of TLS 1.2 by Go's names.
const CIPHER_SUITES: [(&str, CipherSuite); 6] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];
/// Those of TLS 1.3, which Go does not let anybody choose among: naming them changes nothing.
const FIXED_SUITES: [&str; 3] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];
const GROUPS: [(&str, NamedGroup); 3] = [
    ("CurveP256", NamedGroup::secp256r1),
    ("CurveP384", NamedGroup::secp384r1),
    ("X25519", NamedGroup::X25519),
];

impl Options {
    /// The first name that is not known, or suites of which none can be agreed on: the key, the value, and what is allowed.
    pub(crate) fn check(&self, pair: &Pair) -> Result<(), (&'static str, String, &'static str)> {
        let is_suite =
            |name: &str| CIPHER_SUITES.iter().any(|(known, _)| *known == name) || FIXED_SUITES.contains(&name);
        if let Some(name) = self.cipher_suites.iter().find(|name| !is_suite(name)) {
            let allowed = "not spoken here: TLS_ECDHE_(ECDSA|RSA)_WITH_(AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256) are";
            return Err(("cipher_suites", name.clone(), allowed));
        }
        let kind = if pair.is_rsa() { "_RSA_" } else { "_ECDSA_" };
        let is_usable = |name: &String| name.contains(kind) && !FIXED_SUITES.contains(&name.as_str());
        let needs_one = self.versions == Versions::Only12 && !self.cipher_suites.is_empty();
        if needs_one && !self.cipher_suites.iter().any(is_usable) {
            let allowed = "none of TLS 1.2 for the kind of the key (ECDSA or RSA), and max_version is TLS12";
            return Err(("cipher_suites", self.cipher_suites.join(", "), allowed));
        }
        let is_group = |name: &str| GROUPS.iter().any(|(known, _)| *known == name);
        if let Some(name) = self.key_exchange_groups.iter().find(|name| !is_group(name)) {
            return Err((
                "curve_preferences",
                name.clone(),
                "not spoken here: X25519, CurveP256 and CurveP384 are",
            ));
        }
        Ok(())
    }

    /// The configuration of a server that shows `pair`.
    ///
    /// # Errors
    /// No suite is left, or an authority cannot be used.
    pub(super) fn server(self, pair: Pair) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(self.provider());
        let versions: &[&SupportedProtocolVersion] = match self.versions {
            Versions::Both => &[&TLS13, &TLS12],
            Versions::Only12 => &[&TLS12],
            Versions::Only13 => &[&TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
        let verifier = |roots| WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder = match self.clients {
            ClientCertificates::NotAsked => builder.with_no_client_auth(),
            ClientCertificates::Optional(roots) => {
                builder.with_client_cert_verifier(verifier(roots).allow_unauthenticated().build()?)
            }
            ClientCertificates::Required(roots) => builder.with_client_cert_verifier(verifier(roots).build()?),
        };
        Ok(builder.with_single_cert(pair.chain, pair.key)?)
    }

    fn provider(&self) -> CryptoProvider {
        let mut provider = ring::default_provider();
        let named = |suite: CipherSuite| {
            let name = CIPHER_SUITES
                .iter()
                .find(|(_, known)| *known == suite)
                .map(|(name, _)| *name);
            name.is_none_or(|name| self.cipher_suites.iter().any(|wanted| wanted == name))
        };
        if !self.cipher_suites.is_empty() {
            provider.cipher_suites.retain(|suite| named(suite.suite()));
        }
        if !self.key_exchange_groups.is_empty() {
            let place = |group: NamedGroup| {
                let name = GROUPS.iter().find(|(_, known)| *known == group).map(|(name, _)| *name);
                self.key_exchange_groups
                    .iter()
                    .position(|wanted| Some(wanted.as_str()) == name)
            };
            provider.kx_groups.retain(|group| place(group.name()).is_some());
            provider.kx_groups.sort_by_key(|group| place(group.name()));
        }
        provider
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of ECDSA.
    fn pair() -> Pair {
        super::super::device::make_unsaved().unwrap()
    }

    #[test]
    fn suites_of_which_none_can_be_agreed_on_are_refused() {
        let check = |suite: &str, versions| {
            let cipher_suites = vec![suite.to_owned()];
            let options = Options {
                versions,
                cipher_suites,
                ..Options::default()
            };
            options.check(&pair()).is_ok()
        };
        assert!(check("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Versions::Only12));
        assert!(check("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Versions::Both));
        assert!(!check("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Versions::Only12));
        assert!(!check("TLS_AES_128_GCM_SHA256", Versions::Only12));
    }

    #[test]
    fn what_is_chosen_is_spoken_and_nothing_else() {
        let options = Options {
            cipher_suites: vec!["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".to_owned()],
            key_exchange_groups: vec!["CurveP384".to_owned(), "X25519".to_owned()],
            ..Options::default()
        };
        assert!(options.check(&pair()).is_ok());
        let provider = options.provider();
        let groups: Vec<_> = provider.kx_groups.iter().map(|group| group.name()).collect();
        assert_eq!(groups, [NamedGroup::secp384r1, NamedGroup::X25519]);
        let older: Vec<_> = provider
            .cipher_suites
            .iter()
            .filter(|suite| suite.tls13().is_none())
            .map(|suite| suite.suite())
            .collect();
        assert_eq!(older, [CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]);
        assert_eq!(Options::default().provider().cipher_suites.len(), 9);
    }

    #[test]
    fn what_is_not_spoken_is_named() {
        let suites = Options {
            cipher_suites: vec!["TLS_RSA_WITH_AES_128_CBC_SHA".to_owned()],
            ..Options::default()
        };
        assert_eq!(suites.check(&pair()).unwrap_err().0, "cipher_suites");
        let groups = Options {
            key_exchange_groups: vec!["CurveP521".to_owned()],
            ..Options::default()
        };
        assert_eq!(groups.check(&pair()).unwrap_err().0, "curve_preferences");
    }
}
