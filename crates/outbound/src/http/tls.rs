//! Whom we trust, and who we are: certificates and keys from files.

use std::path::Path;
use std::sync::Arc;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::{ClientOptions, SetupError};
use crate::secret::{self, SecretError, SecretProblem};

/// TLS as the settings want it.
pub(super) fn config(options: &ClientOptions<'_>) -> Result<TlsConfig, SetupError> {
    let roots = match options.ca_file {
        Some(file) => certificates(&format!("{}.ca_file", options.table), file)?,
        None => rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect(),
    };
    if roots.is_empty() {
        return Err(SetupError::NoAuthorities(options.table.to_owned()));
    }
    let mut tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if let Some((certificate, key_file)) = options.own_certificate {
        let chain = certificates(&format!("{}.certificate_file", options.table), certificate)?;
        let key_name = format!("{}.key_file", options.table);
        let key = PrivateKey::from_pem(secret::read(&key_name, key_file)?.as_bytes());
        let key = key.map_err(|_| no_pem(&key_name, key_file, "key"))?;
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Ok(tls.build())
}

fn certificates(key: &str, file: &Path) -> Result<Vec<Certificate<'static>>, SetupError> {
    let text = secret::read(key, file)?;
    let items: Result<Vec<PemItem>, _> = parse_pem(text.as_bytes()).collect();
    let certificates: Vec<_> = items
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    match certificates.is_empty() {
        true => Err(no_pem(key, file, "certificate")),
        false => Ok(certificates),
    }
}

fn no_pem(key: &str, file: &Path, what: &'static str) -> SetupError {
    SetupError::File(SecretError {
        key: key.to_owned(),
        path: edgewatch_program::credential::path(file),
        source: SecretProblem::NoPem(what),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
    use rustls::pki_types::PrivateKeyDer;

    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::http::{Reply, Server};

    struct Authority(CertifiedIssuer<'static, KeyPair>);

    impl Authority {
        fn new() -> Self {
            let mut parameters = CertificateParams::new(Vec::<String>::new()).unwrap();
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
        }

        /// A server that answers every request, with a certificate for `host` that is good until this year.
        fn serve(&self, host: &str, until: i32) -> SocketAddr {
            let key = KeyPair::generate().unwrap();
            let mut own = CertificateParams::new([host.to_owned()]).unwrap();
            own.not_before = date_time_ymd(2015, 1, 1);
            own.not_after = date_time_ymd(until, 1, 1);
            let own = own.signed_by(&key, &self.0).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![own.der().clone()],
                    PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
                )
                .unwrap();
            let config = Arc::new(config);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                    let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
                    // Who does not trust it closes.
                    if stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
                    }
                }
            });
            address
        }
    }

    fn ask(url: &str, authority: &Authority) -> Result<Reply, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), authority.0.pem()).unwrap();
        let options = ClientOptions {
            table: "notify",
            timeout: Duration::from_secs(30),
            ca_file: Some(file.path()),
            ..ClientOptions::default()
        };
        Server::new(url, "https://shown", &options).unwrap().get()
    }

    #[test]
    fn a_certificate_counts_only_for_its_name_its_time_and_from_who_is_trusted() {
        let (authority, another) = (Authority::new(), Authority::new());
        let well = format!("https://localhost:{}/", authority.serve("localhost", 2125).port());
        assert_eq!(ask(&well, &authority).unwrap().status, 204);
        for (url, trusted, said) in [
            (well, &another, "invalid peer certificate"),
            (
                format!("https://localhost:{}/", authority.serve("localhost", 2020).port()),
                &authority,
                "xpired",
            ),
            (
                format!(
                    "https://localhost:{}/",
                    authority.serve("elsewhere.example", 2125).port()
                ),
                &authority,
                "not valid for name",
            ),
        ] {
            let failure = ask(&url, trusted).unwrap_err();
            assert_eq!(failure.kind, Kind::Tls, "{said}: {failure}");
            assert!(failure.message.contains(said), "{said}: {failure}");
        }
    }
}
