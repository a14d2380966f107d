//! Certificates for servers of tests.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;

/// An authority, and what it has signed.
pub struct Certificates {
    directory: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub authority: PathBuf,
}

impl Certificates {
    pub fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::<String>::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let authority = directory.path().join("authority.pem");
        std::fs::write(&authority, issuer.pem()).unwrap();
        Self {
            directory,
            issuer,
            authority,
        }
    }

    fn make(&self, host: &str, until: i32) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut own = CertificateParams::new([host.to_owned()]).unwrap();
        own.not_before = date_time_ymd(2015, 1, 1);
        own.not_after = date_time_ymd(until, 1, 1);
        (own.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A server with such a certificate, for clients with one of this authority.
    pub fn server(&self, host: &str, until: i32) -> ServerConfig {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let (own, key) = self.make(host, until);
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(
                vec![own.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap()
    }

    /// The files of a certificate for `host` that is good until this year, and of its key.
    pub fn write(&self, name: &str, host: &str, until: i32) -> (String, String) {
        let (own, key) = self.make(host, until);
        let write = |extension: &str, text: String| {
            let path = self.directory.path().join(name).with_extension(extension);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        (write("pem", own.pem()), write("key", key.serialize_pem()))
    }
}
