//! The `Host` names that are served without a password: protection against DNS rebinding.
//!
//! A web site can have its own name resolve to the address of this device, and then reads everything through its visitor's browser, for
//! which both are one origin. That name is in the `Host` header; for requests to an address the browser keeps the origins apart.

use std::io::Read;
use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HOST;

use edgewatch_program::host;

/// `HOST[:PORT]` that the client asked for: that of a whole address in the request line, else `Host` (RFC 9112, 3.2.2); empty without
/// either, or if it cannot be.
pub(crate) fn authority(request: &ServiceRequest) -> &str {
    let uri = request.uri();
    let mut hosts = request.headers().get_all(HOST);
    let authority = match (
        uri.authority().filter(|_| uri.scheme().is_some()),
        hosts.next(),
        hosts.next(),
    ) {
        (Some(authority), ..) => authority.as_str(),
        (None, Some(host), None) => host.to_str().unwrap_or_default(),
        // Two names are as good as none.
        (None, ..) => "",
    };
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte);
    match host_of(authority) {
        Some(host) if host.bytes().all(is_of_host) => authority,
        Some(_) | None => "",
    }
}

/// True if the client asked for an address, localhost, the device's own name, or one of `allowed`. One without `Host` (HTTP/1.0) is no
/// browser.
pub(crate) fn are_known(request: &ServiceRequest, allowed: &[String]) -> bool {
    !request.headers().contains_key(HOST) || is_known(authority(request), allowed, &host::name(), search_domains)
}

/// `domains` is called only if the result depends on it.
fn is_known(authority: &str, allowed: &[String], hostname: &str, domains: impl FnOnce() -> Vec<String>) -> bool {
    let Some(host) = host_of(authority) else {
        return false;
    };
    if host.parse::<IpAddr>().is_ok() || host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    if allowed.iter().any(|name| name.eq_ignore_ascii_case(&host)) {
        return true;
    }
    let own = hostname.to_ascii_lowercase();
    let short = own.split('.').next().unwrap_or(&own);
    if host == own || host == short {
        return true;
    }
    // `.local` is multicast DNS (RFC 6762); the others are the search domains of the network.
    host.strip_prefix(short)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|domain| domain == "local" || domains().iter().any(|known| known.eq_ignore_ascii_case(domain)))
}

/// The host of `HOST[:PORT]`, in lower case; an IPv6 address without its brackets.
fn host_of(authority: &str) -> Option<String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (address, port.strip_prefix(':').or(port.is_empty().then_some(""))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit())).then(|| host.to_ascii_lowercase())
}

/// `search` and `domain` of resolv.conf(5).
fn search_domains() -> Vec<String> {
    let mut text = String::new();
    let read = std::fs::File::open("/etc/resolv.conf").and_then(|file| file.take(16 << 10).read_to_string(&mut text));
    // Without the file there are no search domains.
    if read.is_err() {
        return Vec::new();
    }
    text.lines()
        .filter_map(|line| line.strip_prefix("search").or_else(|| line.strip_prefix("domain")))
        .flat_map(str::split_whitespace)
        .map(|domain| domain.trim_end_matches('.').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_not_known() {
        let allowed = ["status.example".to_owned()];
        let known = |authority: &str| is_known(authority, &allowed, "Cabinet.example.net", || vec!["lan".into()]);
        for authority in [
            "127.0.0.1",
            "192.0.2.7:8000",
            "[::1]:8000",
            "[2001:db8::1]",
            "localhost:8000",
            "LOCALHOST.",
            "edgewatch.localhost:8000",
            "cabinet",
            "CABINET:8000",
            "cabinet.local:8000",
            "cabinet.lan",
            "cabinet.example.net",
            "Status.Example:443",
        ] {
            assert!(known(authority), "{authority}");
        }
        for authority in [
            "",
            ":8000",
            "attacker.example",
            "attacker.example:8000",
            "localhost.attacker.example",
            "127.0.0.1.attacker.example",
            "cabinet.attacker.example",
            "cabinetlocal",
            "other.local",
            "status.example.attacker.example",
            "attacker.example:80@127.0.0.1",
            "[::1].attacker.example",
            "2130706433.example",
        ] {
            assert!(!known(authority), "{authority}");
        }
    }
}
