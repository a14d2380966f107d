//! The sensor service itself: does it answer, and rightly.

use super::samples::Samples;
use super::verdict::Verdict;
use edgewatch_program::error::Failure;
use edgewatch_prometheus_client::Client;
use edgewatch_sensors::exposition::CONTENT_TYPE;

/// Asks `/healthz`, `/readyz` and `/metrics`. Without samples, what needs them cannot be judged.
pub fn check(service: &Client, start: &str) -> (Option<Samples>, Vec<Verdict>) {
    if let Err(error) = service.get_ok("/healthz") {
        return (None, vec![Verdict::fail("service", error.to_string(), start)]);
    }
    let ready = service.get_ok("/readyz").map(drop).map_err(Failure::from);
    match scrape(service) {
        Ok((content_type, samples)) => {
            let verdicts = vec![
                judge_service(ready, &samples, service.base()),
                judge_metrics(&content_type, samples.0.len()),
                judge_settings(&samples),
            ];
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

fn scrape(service: &Client) -> Result<(String, Samples), Failure> {
    let answer = service.get_ok("/metrics")?;
    let samples =
        Samples::parse(&answer.body).map_err(|error| Failure::because(format!("{}/metrics", service.base()), error))?;
    Ok((answer.content_type, samples))
}

fn judge_service(ready: Result<(), Failure>, samples: &Samples, base: &str) -> Verdict {
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
            "see why in journalctl -u edgewatch, mend the file, then systemctl reload edgewatch",
        ),
        Some(_) => Verdict::ok("settings", "in force as they were last loaded"),
        None => Verdict::skip("settings", "the service does not say whether they were taken"),
    }
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
        let waits = judge_service(Err(Failure("answered 503".to_owned())), &samples, "http://a");
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
