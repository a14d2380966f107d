//! Why a web configuration file is refused.

use std::path::PathBuf;

use edgewatch_program::credential::CredentialError;
use thiserror::Error;

use crate::tls::error::PairError;

/// A file that cannot be used.
#[derive(Debug, Error)]
#[error("http.web_config_file = {}: {source}", path.display())]
pub(crate) struct WebConfigError {
    pub(crate) path: PathBuf,
    pub(crate) source: Box<WebConfigProblem>,
}

/// What is wrong with it. It keeps nothing of a key or a hash.
#[derive(Debug, Error)]
pub(crate) enum WebConfigProblem {
    #[error("{0}")]
    File(#[from] CredentialError),
    #[error("not YAML: {0}")]
    Yaml(#[from] config::ConfigError),
    #[error("{key}: {reason}")]
    Key { key: String, reason: String },
    #[error("tls_server_config.{key}: {}: {source}", path.display())]
    TlsFile {
        key: &'static str,
        path: PathBuf,
        source: CredentialError,
    },
    #[error("tls_server_config: {0} and {0}_file are both set: keep one")]
    Both(&'static str),
    #[error("tls_server_config: {0} and {0}_file are missing: set one")]
    Neither(&'static str),
    #[error("tls_server_config: {0}")]
    Pair(#[from] PairError),
    #[error("tls_server_config.{key} = {value}: {allowed}")]
    Value {
        key: &'static str,
        value: String,
        allowed: &'static str,
    },
    #[error("tls_server_config.client_ca: no certificate in PEM in it")]
    NoClientCa,
    #[error("tls_server_config.client_ca: {0}")]
    ClientCa(#[source] rustls::Error),
    #[error(
        "http_server_config.headers.{0}: may not be set; those may that tell browsers what not to do, such as Strict-Transport-Security"
    )]
    HeaderName(String),
    #[error("http_server_config.headers.{0}: not what a header can be")]
    Header(String),
}
