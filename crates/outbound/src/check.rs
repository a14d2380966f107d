//! What is wrong with the values of settings. Nothing here shows what may be a secret.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use edgewatch_program::host;
use ureq::http::Uri;
use ureq::http::header::{HeaderName, HeaderValue};

/// Headers that a protocol needs, or that hold secrets.
const OWN_HEADERS: [&str; 11] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "transfer-encoding",
    "user-agent",
];
/// Parts of names of headers whose values nobody should read in a settings file.
const SECRET_NAMES: [&str; 6] = ["auth", "cookie", "key", "password", "secret", "token"];

/// A value that is not allowed.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, below the table.
    pub key: String,
    /// The value, unless there may be a password in it.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

/// The problems of a table.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Adds one.
    pub fn add(&mut self, key: &str, value: impl ToString, allowed: impl Into<String>) {
        self.0.push(Problem {
            key: key.to_owned(),
            value: value.to_string(),
            allowed: allowed.into(),
        });
    }

    /// Those of a table in this one.
    pub fn nest(&mut self, table: &str, inner: Self) {
        for problem in inner.0 {
            self.add(&format!("{table}.{}", problem.key), problem.value, problem.allowed);
        }
    }

    /// A time from `min` to `max` seconds.
    pub fn within(&mut self, key: &str, value: Duration, min: u64, max: u64) {
        let (min, max) = (Duration::from_secs(min), Duration::from_secs(max));
        if !(min..=max).contains(&value) {
            self.add(key, format!("{value:?}"), format!("{min:?} to {max:?}"));
        }
    }

    /// A path that does not depend on the working directory.
    pub fn absolute(&mut self, key: &str, path: Option<&Path>) {
        if let Some(path) = path.filter(|path| path.is_relative()) {
            self.add(key, path.display(), "an absolute path");
        }
    }

    /// An address of one of `schemes`, without user and password; they belong into `instead`.
    pub fn address(&mut self, key: &str, text: &str, schemes: &[&str], instead: &str) {
        // Not even if it is no address otherwise: what stands before the @ is not shown.
        if text.contains('@') {
            self.add(
                key,
                "…@…",
                format!("an address without user and password; they belong into {instead}"),
            );
        } else if !is_address(text, schemes) {
            self.add(key, text, forms(schemes));
        }
    }

    /// The address of a proxy.
    pub fn proxy(&mut self, key: &str, proxy: Option<&str>) {
        if let Some(proxy) = proxy {
            let instead = "nothing: proxies with passwords are not supported";
            self.address(key, proxy, &["http", "socks5", "socks5h"], instead);
        }
    }

    /// The two halves of Basic authentication (RFC 7617), or a token instead.
    pub fn authentication(&mut self, user: Option<&str>, password_file: Option<&Path>, token_file: Option<&Path>) {
        if user.is_some() != password_file.is_some() {
            self.add(
                "user",
                user.unwrap_or("not set"),
                "user and password_file together, or neither",
            );
        }
        if user.is_some_and(|user| user.contains(':') || user.bytes().any(|byte| byte < b' ')) {
            self.add(
                "user",
                "…",
                "a name without a colon (RFC 7617) and without control characters",
            );
        }
        if user.is_some() && token_file.is_some() {
            self.add("bearer_token_file", "set", "either it or user and password_file");
        }
    }

    /// Further headers, but for those that are the protocol's (`own`, in lower case).
    pub fn headers(
        &mut self,
        headers: &BTreeMap<String, String>,
        header_files: &BTreeMap<String, PathBuf>,
        own: &[&str],
    ) {
        for (name, value) in headers {
            self.header("headers", name, own);
            let lower = name.to_ascii_lowercase();
            if SECRET_NAMES.iter().any(|part| lower.contains(part)) {
                self.add(
                    "headers",
                    name,
                    "names that hold no secret; header_files takes the value from a file",
                );
            } else if HeaderValue::from_str(value).is_err() {
                self.add("headers", name, "values of printable ASCII characters");
            }
        }
        for name in header_files.keys() {
            self.header("header_files", name, own);
        }
    }

    fn header(&mut self, key: &str, name: &str, own: &[&str]) {
        let lower = name.to_ascii_lowercase();
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            self.add(key, name, "names of headers (RFC 9110, 5.1)");
        } else if OWN_HEADERS.iter().chain(own).any(|own| **own == *lower) {
            self.add(
                key,
                name,
                "other headers: this one is the protocol's, or made of user and password_file or of bearer_token_file",
            );
        }
    }
}

/// Whether a text is an address of one of `schemes`.
pub fn is_address(text: &str, schemes: &[&str]) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// How addresses of `schemes` look.
pub fn forms(schemes: &[&str]) -> String {
    let forms: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://HOST:PORT/…")).collect();
    forms.join(" or ")
}

/// The host name, and of the machine id (machine-id(5)) as much as tells some thousand devices of one name apart; the rest stays unknown.
pub fn device_name() -> String {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match id.trim() {
        id if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{}-{}", host::name(), &id[..8])
        }
        // Before the first boot has made one.
        _ => host::name(),
    }
}
