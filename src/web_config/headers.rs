//! `http_server_config`.

use std::collections::BTreeMap;
use std::fmt;

use actix_web::http::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use super::error::WebConfigProblem;

/// The headers that may be set: those of the toolkit, and others that are for browsers alone. The rest belongs to the protocol and to the
/// pages: Prometheus refuses metrics of another Content-Type.
const ALLOWED: [&str; 8] = [
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
    "content-security-policy",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-resource-policy",
];

/// The keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with values")]
pub(super) struct Section {
    /// HTTP/2 is not spoken here either way; clients agree on HTTP/1.1 (RFC 7301).
    #[serde(rename = "http2")]
    _http2: bool,
    headers: BTreeMap<String, Scalar>,
}

/// A value as YAML has it: `X-XSS-Protection: 1` is a number there.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text")]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
    Nothing(()),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Truth(truth) => truth.fmt(f),
            Self::Nothing(()) => Ok(()),
        }
    }
}

impl Section {
    /// The headers of every response.
    ///
    /// # Errors
    /// A header that may not be set, or a value that none can have.
    pub(super) fn headers(self) -> Result<Vec<(HeaderName, HeaderValue)>, WebConfigProblem> {
        let header = |(name, value): (String, Scalar)| {
            let known: Option<HeaderName> = name.parse().ok();
            let Some(known) = known.filter(|name| ALLOWED.contains(&name.as_str())) else {
                return Err(WebConfigProblem::HeaderName(name));
            };
            match value.to_string().parse() {
                Ok(value) => Ok((known, value)),
                Err(_) => Err(WebConfigProblem::Header(name)),
            }
        };
        self.headers.into_iter().map(header).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_would_split_the_response_is_refused() {
        let headers = |value: &str| {
            let headers = [("Strict-Transport-Security".to_owned(), Scalar::Text(value.to_owned()))].into();
            Section { _http2: true, headers }.headers()
        };
        assert_eq!(headers("max-age=3600").unwrap()[0].1, "max-age=3600");
        assert!(matches!(
            headers("a\r\nSet-Cookie: b"),
            Err(WebConfigProblem::Header(_))
        ));
    }
}
