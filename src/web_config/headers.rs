//! `http_server_config`.

use std::collections::BTreeMap;

use actix_web::http::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use super::error::WebConfigProblem;

/// The keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    /// HTTP/2 is not spoken here either way; clients agree on HTTP/1.1 (RFC 7301).
    #[serde(rename = "http2")]
    _http2: bool,
    headers: BTreeMap<String, String>,
}

impl Section {
    /// The headers of every response.
    ///
    /// # Errors
    /// A name or a value that no header can have.
    pub(super) fn headers(self) -> Result<Vec<(HeaderName, HeaderValue)>, WebConfigProblem> {
        let header = |(name, value): (String, String)| match (name.parse(), value.parse()) {
            (Ok(name), Ok(value)) => Ok((name, value)),
            _ => Err(WebConfigProblem::Header(name)),
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
            let headers = [("Strict-Transport-Security".to_owned(), value.to_owned())].into();
            Section { _http2: true, headers }.headers()
        };
        assert_eq!(headers("max-age=3600").unwrap()[0].1, "max-age=3600");
        assert!(matches!(
            headers("a\r\nSet-Cookie: b"),
            Err(WebConfigProblem::Header(_))
        ));
    }
}
