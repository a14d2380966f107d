//! The sensor service itself: does it answer, and rightly.

use super::machine;
use super::samples::Samples;
use super::verdict::Verdict;
use edgewatch_program::error::CommandFailure;
use edgewatch_program::time::unix_time;
use edgewatch_prometheus_client::Client;
use edgewatch_sensors::exposition::CONTENT_TYPE;

/// Days before a certificate expires in which somebody should be told. Those that renew themselves do so 30 days before.
const RENEWAL_DAYS: f64 = 14.0;
const RENEW: &str = "put a new one into tls.directory, then systemctl kill -s HUP edgewatch";

/// Asks `/healthz`, `/readyz` and `/metrics`. Without samples, what needs them cannot be judged.
pub fn check(service: &Client, start: &str) -> (Option<Samples>, Vec<Verdict>) {
    if let Err(error) = service.get_ok("/healthz") {
        let remedy = machine::remedy(&error, start, service.port());
        return (None, vec![Verdict::fail("service", error.to_string(), remedy)]);
    }
    let ready = service.get_ok("/readyz").map(drop).map_err(CommandFailure::from);
    match scrape(service) {
        Ok((content_type, samples)) => {
            let mut verdicts = vec![
                judge_service(ready, &samples, service.base()),
                judge_metrics(&content_type, samples.0.len()),
                judge_settings(&samples),
            ];
            verdicts.extend(judge_certificate(&samples, unix_time()));
            (Some(samples), verdicts)
        }
        Err(error) => {
            let verdicts = vec![
                judge_service(ready, &Samples::default(), service.base()),
                Verdict::fail(
                    "metrics",
                    error.to_string(),
                    "Prometheus cannot scrape this either: journalctl -u edgewatch says more",
                ),
            ];
            (None, verdicts)
        }
    }
}

fn scrape(service: &Client) -> Result<(String, Samples), CommandFailure> {
    let answer = service.get_ok("/metrics")?;
    let samples = Samples::parse(&answer.body)
        .map_err(|error| CommandFailure::because(format!("{}/metrics", service.base()), error))?;
    Ok((answer.content_type, samples))
}

fn judge_service(ready: Result<(), CommandFailure>, samples: &Samples, base: &str) -> Verdict {
    let build = samples.all("edge_build_info").next();
    let version = build.map_or("of unknown version", |sample| sample.label("version"));
    match ready {
        Ok(()) => Verdict::ok("service", format!("edgewatch {version} is ready at {base}")),
        Err(error) => Verdict::fail(
            "service",
            format!("edgewatch {version} is alive, but not ready: {error}"),
            "it waits for its first readings, or its sampler is stuck: journalctl -u edgewatch",
        ),
    }
}

fn judge_metrics(content_type: &str, series: usize) -> Verdict {
    if content_type == CONTENT_TYPE {
        Verdict::ok("metrics", format!("{series} series as {content_type}"))
    } else {
        Verdict::fail(
            "metrics",
            format!("Content-Type is {content_type:?}, not {CONTENT_TYPE:?}"),
            "Prometheus 3 refuses other types: ask the service directly, not through something that rewrites its answers",
        )
    }
}

fn judge_settings(samples: &Samples) -> Verdict {
    match samples.value("edge_config_last_reload_successful", &[]) {
        Some(0.0) => Verdict::warn(
            "settings",
            "the last reload was refused; the settings from before it are in force",
            "see why in journalctl -u edgewatch, mend the file, then systemctl kill -s HUP edgewatch",
        ),
        Some(_) => Verdict::ok("settings", "in force as they were last loaded"),
        None => Verdict::skip("settings", "the service does not say whether they were taken"),
    }
}

/// The certificate, if TLS is switched on: people compare its fingerprint with what their browser shows.
fn judge_certificate(samples: &Samples, now: f64) -> Option<Verdict> {
    let info = samples.all("edge_tls_certificate_info").next()?;
    let expiry = samples.value("edge_tls_certificate_expiry_timestamp_seconds", &[])?;
    let found = format!("{}, SHA-256 {}", info.label("origin"), info.label("fingerprint"));
    let days = ((expiry - now) / 86_400.0).floor();
    Some(match info.label("origin") {
        _ if days < 0.0 => Verdict::fail("certificate", format!("{found}: expired"), RENEW),
        _ if days < RENEWAL_DAYS => Verdict::warn("certificate", format!("{found}: expires in {days} days"), RENEW),
        "unsaved" => Verdict::warn(
            "certificate",
            found,
            "it is lost at the next start, and browsers warn anew: journalctl -u edgewatch says why it cannot be kept",
        ),
        _ => Verdict::ok("certificate", found),
    })
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    #[test]
    fn a_service_that_is_not_ready_fails() {
        let samples = Samples::parse("edge_build_info{version=\"1.2.3\"} 1").unwrap();
        let ready = judge_service(Ok(()), &samples, "http://a");
        assert_eq!(
            (ready.status, &*ready.found),
            (Status::Ok, "edgewatch 1.2.3 is ready at http://a")
        );
        let waits = judge_service(Err(CommandFailure("answered 503".to_owned())), &samples, "http://a");
        assert_eq!(waits.status, Status::Fail);
    }

    #[test]
    fn the_content_type_is_exact() {
        assert_eq!(
            judge_metrics("text/plain; version=0.0.4; charset=utf-8", 3).status,
            Status::Ok
        );
        for other in ["text/plain", "text/plain;version=0.0.4;charset=utf-8", ""] {
            assert_eq!(judge_metrics(other, 3).status, Status::Fail, "{other}");
        }
    }

    #[test]
    fn a_certificate_is_shown_with_its_fingerprint_and_its_end_is_told_before() {
        let judge = |origin: &str, expiry: u64| {
            let text = format!(
                "edge_tls_certificate_info{{fingerprint=\"AB:CD\",origin={origin:?}}} 1\nedge_tls_certificate_expiry_timestamp_seconds {expiry}\n"
            );
            judge_certificate(&Samples::parse(&text).unwrap(), 1_000_000.0).unwrap()
        };
        let own = judge("device", 253_402_300_799);
        assert_eq!((own.status, &*own.found), (Status::Ok, "device, SHA-256 AB:CD"));
        assert_eq!(judge("unsaved", 253_402_300_799).status, Status::Warn);
        assert_eq!(judge("directory", 1_000_000 + 15 * 86_400).status, Status::Ok);
        let soon = judge("directory", 1_000_000 + 13 * 86_400);
        assert!(
            soon.status == Status::Warn && soon.found.ends_with("expires in 13 days"),
            "{}",
            soon.found
        );
        assert_eq!(judge("directory", 999_000).status, Status::Fail);
        assert!(
            judge_certificate(&Samples::default(), 0.0).is_none(),
            "clear text has none"
        );
    }

    #[test]
    fn refused_settings_warn() {
        for (text, status) in [
            ("edge_config_last_reload_successful 1", Status::Ok),
            ("edge_config_last_reload_successful 0", Status::Warn),
            ("", Status::Skip),
        ] {
            assert_eq!(judge_settings(&Samples::parse(text).unwrap()).status, status, "{text}");
        }
    }
}
