//! The web configuration file of Prometheus and its exporters, read as it is: TLS, users and headers. Its keys are those of the exporter
//! toolkit (<https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>).

pub(crate) mod error;
mod headers;
mod tls;

use std::collections::BTreeMap;
use std::path::Path;

use actix_web::http::header::{HeaderName, HeaderValue};
use config::{Config, File, FileFormat};
use edgewatch_program::credential;
use serde::Deserialize;

use crate::tls::options::Options;
use crate::tls::pair::Pair;
use error::{WebConfigError, WebConfigProblem};

/// Bytes that such a file never has, certificates within it included.
const MAX_BYTES: u64 = 1 << 20;

/// What such a file says.
#[derive(Debug, Default)]
pub(crate) struct WebConfig {
    /// The certificate, and how it is used; `None` serves clear text.
    pub(crate) tls: Option<(Pair, Options)>,
    /// bcrypt hashes by user; none admits everybody.
    pub(crate) users: BTreeMap<String, String>,
    /// Headers of every response.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// The file, key by key.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with values")]
struct Document {
    tls_server_config: Option<tls::Section>,
    http_server_config: headers::Section,
    basic_auth_users: Option<BTreeMap<String, String>>,
    /// Connections are bounded by `[http]`, and wrong passwords by the service itself, so that it has nothing to add.
    rate_limit: Option<serde_json::Value>,
}

impl WebConfig {
    /// Reads a file; paths in it are relative to its directory.
    ///
    /// # Errors
    /// It cannot be read, has an unknown key, a file in it cannot be used, or it asks for what cannot be had here.
    pub(crate) fn load(file: &Path) -> Result<Self, WebConfigError> {
        let path = credential::path(file);
        Self::try_load(&path).map_err(|source| WebConfigError {
            path,
            source: Box::new(source),
        })
    }

    fn try_load(path: &Path) -> Result<Self, WebConfigProblem> {
        let text = credential::read(path, MAX_BYTES)?;
        credential::warn_if_others_can_read(path);
        let document = parse(&text)?;
        if document.rate_limit.is_some() {
            tracing::warn!(
                "{}: rate_limit has no effect here; http.max_connections bounds clients",
                path.display()
            );
        }
        let directory = path.parent().unwrap_or(Path::new("/"));
        Ok(Self {
            tls: document
                .tls_server_config
                .map(|section| section.load(directory))
                .transpose()?
                .flatten(),
            users: document.basic_auth_users.unwrap_or_default(),
            headers: document.http_server_config.headers()?,
        })
    }
}

/// An empty file is one that says nothing.
fn parse(text: &str) -> Result<Document, WebConfigProblem> {
    let content = Config::builder()
        .add_source(File::from_str(text, FileFormat::Yaml))
        .build()?;
    let mut content: serde_json::Value = content.try_deserialize()?;
    remove_empty(&mut content);
    serde_path_to_error::deserialize(content).map_err(|error| WebConfigProblem::Key {
        key: error.path().to_string(),
        reason: error.into_inner().to_string(),
    })
}

/// Removes keys without a value, which are as good as not there; not those of users, who would then be missing.
fn remove_empty(document: &mut serde_json::Value) {
    let Some(sections) = document.as_object_mut() else {
        return;
    };
    sections.retain(|_, section| !section.is_null());
    for (_, section) in sections.iter_mut().filter(|(name, _)| *name != "basic_auth_users") {
        if let Some(keys) = section.as_object_mut() {
            keys.retain(|_, value| !value.is_null());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_keep_their_names_and_hashes_to_the_letter() {
        let document =
            parse("basic_auth_users:\n  Alice: $2y$10$Abc\n  a.b@c: '$2y$10$x'\n  'on': \"$2y$10$y\"\n").unwrap();
        let users: Vec<_> = document.basic_auth_users.unwrap().into_iter().collect();
        let expected = [("Alice", "$2y$10$Abc"), ("a.b@c", "$2y$10$x"), ("on", "$2y$10$y")];
        assert_eq!(users, expected.map(|(user, hash)| (user.to_owned(), hash.to_owned())));
    }

    #[test]
    fn what_is_misspelt_is_named_with_its_place() {
        for (text, expected) in [
            ("tls_server: {}", "unknown field `tls_server`"),
            (
                "tls_server_config:\n  cert_fil: x\n",
                "tls_server_config.cert_fil: unknown field `cert_fil`",
            ),
            ("tls_server_config: [1]", "tls_server_config"),
            (
                "http_server_config:\n  headers:\n    X-Frame-Options: [a]\n",
                "http_server_config.headers.X-Frame-Options",
            ),
            ("a: [", "YAML"),
            ("http_server_config: x", "expected keys with values"),
            ("basic_auth_users:\n  a:\n", "basic_auth_users.a"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        assert!(
            parse("").unwrap().tls_server_config.is_none(),
            "an empty file says nothing"
        );
    }
}
