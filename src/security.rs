//! Who may read, and how it is carried: users, TLS and headers, from the settings or from a web configuration file.

use std::sync::Arc;

use actix_web::http::header::{HeaderName, HeaderValue};
use thiserror::Error;

use crate::config::Settings;
use crate::http::auth::{Auth, AuthError, BadLines};
use crate::tls::error::TlsError;
use crate::tls::{Loaded, Tls};
use crate::web_config::WebConfig;
use crate::web_config::error::WebConfigError;

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
    #[error("{0} and {1} of http.web_config_file are both set: keep one")]
    Both(&'static str, &'static str),
}

impl Security {
    /// Loads the files that the settings name. Certificates that cannot be used are logged, since what remains serves.
    ///
    /// # Errors
    /// Users or a web configuration file cannot be used, or there is no certificate at all.
    pub(crate) fn load(settings: &Settings, bad_lines: BadLines) -> Result<Self, SecurityError> {
        let WebConfig { tls, users, headers } = web_config(settings)?;
        let auth = match Auth::from_hashes(&users, settings.auth.trust_loopback)? {
            None => Auth::load(&settings.auth, bad_lines)?,
            auth => auth,
        };
        let tls = match tls {
            Some((pair, options)) => Some(Arc::new(Tls::new(pair, options)?)),
            None => {
                let Loaded { tls, problems } = Tls::load(&settings.tls)?;
                for problem in problems {
                    tracing::error!("{problem}");
                }
                tls
            }
        };
        if let Some(tls) = &tls {
            tracing::info!("TLS with the certificate {}", tls.fingerprint);
        }
        Ok(Self { auth, tls, headers })
    }

    /// Looks whether every file can be used. Makes none.
    ///
    /// # Errors
    /// What is wrong with the first that cannot.
    pub(crate) fn check(settings: &Settings) -> Result<(), SecurityError> {
        let WebConfig { tls, users, .. } = web_config(settings)?;
        Auth::from_hashes(&users, false)?;
        Auth::load(&settings.auth, BadLines::Refuse)?;
        if let Some((pair, options)) = tls {
            Tls::new(pair, options)?;
        }
        Ok(Tls::check(&settings.tls)?)
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
