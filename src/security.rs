//! Who may read, and how it is carried: users, TLS and headers, from the settings or from a web configuration file.

use std::sync::Arc;

use actix_web::http::header::{HeaderName, HeaderValue};
use thiserror::Error;

use crate::config::Settings;
use crate::http::auth::{Auth, AuthError, BadLines};
use crate::tls::error::{PairError, TlsError};
use crate::tls::{Loaded, Tls};
use crate::web_config::WebConfig;
use crate::web_config::error::WebConfigError;
use edgewatch_program::listen::Listen;

/// What is in force.
pub(crate) struct Security {
    /// `None` admits every client that reaches the socket.
    pub(crate) auth: Option<Arc<Auth>>,
    /// `None` serves clear text alone.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Headers of every response.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// Why it cannot be had.
#[derive(Debug, Error)]
pub(crate) enum SecurityError {
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    WebConfig(#[from] WebConfigError),
    #[error("http.web_config_file: tls_server_config: {0}")]
    Certificate(#[source] PairError),
    #[error(
        "refusing to listen on {0} without authentication: set auth.users_file, or http.insecure = true to let everybody in the network read"
    )]
    Unauthenticated(Listen),
    #[error("{0} and {1} of http.web_config_file are both set: keep one")]
    Both(&'static str, &'static str),
}

impl Security {
    /// Loads the files that the settings name. Certificates that cannot be used are logged, since what remains serves.
    ///
    /// # Errors
    /// Users or a web configuration file cannot be used, or no certificate can be made.
    pub(crate) fn load(settings: &Settings, bad_lines: BadLines) -> Result<Self, SecurityError> {
        let (mut security, expired) = Self::from_files(settings, bad_lines)?;
        if let Some(problem) = expired {
            // Clients refuse it, and say why; without it nobody could tell.
            tracing::error!("{problem}; it is shown all the same");
        }
        if security.tls.is_none() {
            let Loaded { tls, problems } = Tls::load(&settings.tls)?;
            for problem in problems {
                tracing::error!("{problem}");
            }
            security.tls = tls;
        }
        if let Some(tls) = &security.tls {
            tracing::info!("TLS with the certificate {}", tls.fingerprint);
        }
        Ok(security)
    }

    /// Looks whether every file can be used, and whether the addresses of the settings may be listened on. Makes no certificate.
    ///
    /// # Errors
    /// What is wrong with the first that cannot.
    pub(crate) fn check(settings: &Settings) -> Result<(), SecurityError> {
        let (security, expired) = Self::from_files(settings, BadLines::Refuse)?;
        if let Some(problem) = expired {
            return Err(problem);
        }
        Tls::check(&settings.tls)?;
        match security.open_address(&settings.http.listen) {
            Some(open) if !settings.http.insecure => Err(SecurityError::Unauthenticated(open.clone())),
            Some(_) | None => Ok(()),
        }
    }

    /// What files say: users, and the web configuration file; and that the certificate in that is not valid now.
    fn from_files(settings: &Settings, bad_lines: BadLines) -> Result<(Self, Option<SecurityError>), SecurityError> {
        let WebConfig { tls, users, headers } = web_config(settings)?;
        let auth = match Auth::from_hashes(&users, settings.auth.trust_loopback)? {
            None => Auth::load(&settings.auth, bad_lines)?,
            auth => auth,
        };
        let time = tls.as_ref().map_or(Ok(()), |(pair, _)| pair.check_time());
        let tls = tls.map(|(pair, options)| Tls::new(pair, options)).transpose()?;
        let security = Self {
            auth,
            tls: tls.map(Arc::new),
            headers,
        };
        Ok((security, time.err().map(SecurityError::Certificate)))
    }

    /// The first of `addresses` at which everybody in the network could read.
    pub(crate) fn open_address<'a>(&self, addresses: &'a [Listen]) -> Option<&'a Listen> {
        let requires_certificates = self.tls.as_ref().is_some_and(|tls| tls.requires_certificates);
        match self.auth.is_some() || requires_certificates {
            true => None,
            false => addresses.iter().find(|address| !address.is_local()),
        }
    }
}

/// The web configuration file, if there is one; it must not say otherwise what the settings say.
fn web_config(settings: &Settings) -> Result<WebConfig, SecurityError> {
    let Some(file) = &settings.http.web_config_file else {
        return Ok(WebConfig::default());
    };
    let found = WebConfig::load(file)?;
    if found.tls.is_some() && settings.tls.enabled {
        return Err(SecurityError::Both("tls.enabled", "tls_server_config"));
    }
    if !found.users.is_empty() && settings.auth.users_file.is_some() {
        return Err(SecurityError::Both("auth.users_file", "basic_auth_users"));
    }
    Ok(found)
}
