//! Processes of the stack that were killed for lack of memory.

use std::collections::BTreeMap;
use std::time::Duration;

use humantime::format_duration;

use edgewatch_prometheus_client::prometheus::Prometheus;

use super::budget::{ByUnit, ask};
use super::samples::Samples;
use super::verdict::Verdict;

/// Looks for them, with what Prometheus has of the window.
pub(super) fn check(samples: &Samples, prometheus: Option<&Prometheus>, window: Duration) -> Verdict {
    let recent = format!(
        "sum by (unit) (increase(edge_unit_memory_events_total{{event=\"oom_kill\"}}[{}s])) > 0",
        window.as_secs()
    );
    judge(samples, ask(prometheus, &recent).as_ref().ok(), window)
}

/// Whether processes were killed in the window, as `recent` has it if that is known. The slice counts on until it or the device is restarted:
/// if an old kill were a failure, no update would be well until then.
fn judge(samples: &Samples, recent: Option<&ByUnit>, window: Duration) -> Verdict {
    const SUBJECT: &str = "oom kills";
    const REMEDY: &str =
        "journalctl -k -g oom-kill names them; the count begins anew with systemctl restart edgewatch.slice";
    let kills: Vec<_> = samples
        .all("edge_unit_memory_events_total")
        .filter(|sample| sample.label("event") == "oom_kill")
        .collect();
    let killed: Vec<_> = kills
        .iter()
        .filter(|sample| sample.value > 0.0)
        .map(|sample| format!("{} in {}", sample.value, sample.label("unit")))
        .collect();
    let found = format!("the kernel killed processes for lack of memory: {}", killed.join(", "));
    if kills.is_empty() {
        Verdict::skip(SUBJECT, "the service does not tell")
    } else if killed.is_empty() {
        Verdict::ok(SUBJECT, "none since the units started")
    } else if recent.is_some_and(BTreeMap::is_empty) {
        Verdict::warn(
            SUBJECT,
            format!("{found}; none of them in the last {}", format_duration(window)),
            REMEDY,
        )
    } else {
        Verdict::fail(SUBJECT, found, REMEDY)
    }
}

#[cfg(test)]
mod tests {
    use edgewatch_sensors::budget::SLICE;

    use super::super::verdict::Status;
    use super::*;

    #[test]
    fn kills_fail_and_are_named() {
        let none = "edge_unit_memory_events_total{unit=\"edgewatch.slice\",event=\"oom_kill\"} 0\n\
                    edge_unit_memory_events_total{unit=\"edgewatch.slice\",event=\"high\"} 7";
        let window = Duration::from_secs(300);
        assert_eq!(judge(&Samples::parse(none).unwrap(), None, window).status, Status::Ok);
        let one = Samples::parse(&none.replace("\"} 0", "\"} 1")).unwrap();
        let verdict = judge(&one, None, window);
        assert_eq!(verdict.status, Status::Fail);
        assert!(verdict.found.ends_with("1 in edgewatch.slice"), "{}", verdict.found);
        assert_eq!(judge(&Samples::default(), None, window).status, Status::Skip);
        let recent = ByUnit::from([(SLICE.to_owned(), 1.2)]);
        assert_eq!(judge(&one, Some(&recent), window).status, Status::Fail);
        let verdict = judge(&one, Some(&ByUnit::new()), window);
        assert_eq!(verdict.status, Status::Warn);
        assert!(
            verdict
                .found
                .ends_with("1 in edgewatch.slice; none of them in the last 5m"),
            "{}",
            verdict.found
        );
    }
}
