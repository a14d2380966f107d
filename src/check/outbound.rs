//! What leaves the device: the program that forwards and notifies, and what the centre has.

use std::time::Duration;

use humantime::format_duration;

use super::samples::Samples;
use super::verdict::Verdict;

/// The subject of the verdict on forwarding.
pub const FORWARDING: &str = "forwarding";

/// The longest of a profile, a window of 15 min and its lag. What is later by its settings may be as much later.
const USUAL_DELAY: Duration = Duration::from_secs(960);

/// The verdicts, if the settings ask for it. The centre should have all that is older than `within`, if its delay is a usual one.
pub fn judge(samples: &Samples, within: Duration) -> Vec<Verdict> {
    [judge_program(samples), judge_forwarding(samples, within)]
        .into_iter()
        .flatten()
        .collect()
}

fn judge_program(samples: &Samples) -> Option<Verdict> {
    let running = samples.value("edge_outbound_up", &[])? > 0.0;
    let taken = samples.value("edge_outbound_config_last_reload_successful", &[]) != Some(0.0);
    Some(match (running, taken) {
        (false, _) => Verdict::fail(
            "outbound",
            "[forward] or [notify] is set, and edgewatch-outbound does not run: nothing is sent, nobody is told",
            "systemctl restart edgewatch-outbound; journalctl -u edgewatch-outbound says why it stopped",
        ),
        (true, false) => Verdict::warn(
            "outbound",
            "the last reload was refused; the settings from before it are in force",
            "see why in journalctl -u edgewatch-outbound, mend the file, then systemctl kill -s HUP edgewatch-outbound",
        ),
        (true, true) => Verdict::ok("outbound", "edgewatch-outbound runs"),
    })
}

/// A centre that is away is no fault of the device, which keeps what it lacks: no failure.
fn judge_forwarding(samples: &Samples, within: Duration) -> Option<Verdict> {
    let seconds = samples.value("edge_forward_oldest_unsent_age_seconds", &[])?;
    // What is no age tells nothing.
    let age = Duration::try_from_secs_f64(seconds.round()).ok()?;
    let delay = samples.value("edge_forward_delay_seconds", &[]);
    let delay = delay.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let later = delay.unwrap_or_default().saturating_sub(USUAL_DELAY);
    Some(match age <= within.saturating_add(later) {
        true => Verdict::ok(
            FORWARDING,
            format!("the centre has all but the last {}", format_duration(age)),
        ),
        false => Verdict::warn(
            FORWARDING,
            format!("the centre lacks the last {}", format_duration(age)),
            "journalctl -u edgewatch-outbound --grep=forward and edge_forward_requests_failed_total say why; nothing is lost before Prometheus deletes it",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    #[test]
    fn what_sends_has_to_run_where_it_is_asked_for_and_only_there() {
        let status = |text: &str| judge_program(&Samples::parse(text).unwrap()).map(|verdict| verdict.status);
        assert_eq!(status("edge_build_info 1\n"), None);
        assert_eq!(status("edge_outbound_up 0\n"), Some(Status::Fail));
        assert_eq!(status("edge_outbound_up 1\n"), Some(Status::Ok));
        let refused = "edge_outbound_up 1\nedge_outbound_config_last_reload_successful 0\n";
        assert_eq!(status(refused), Some(Status::Warn));
    }

    #[test]
    fn a_centre_that_lacks_more_than_it_should_is_a_warning() {
        let within = Duration::from_secs(1200);
        let found = |text: &str| {
            judge_forwarding(&Samples::parse(text).unwrap(), within).map(|verdict| (verdict.status, verdict.found))
        };
        assert_eq!(found("edge_outbound_up 1\n"), None, "not known yet, or not asked for");
        assert_eq!(
            found("edge_forward_oldest_unsent_age_seconds 61.7\n"),
            Some((Status::Ok, "the centre has all but the last 1m 2s".to_owned()))
        );
        assert_eq!(
            found("edge_forward_oldest_unsent_age_seconds 10801.2\n"),
            Some((Status::Warn, "the centre lacks the last 3h 1s".to_owned()))
        );
        let hours = "edge_forward_delay_seconds 3660\nedge_forward_oldest_unsent_age_seconds";
        assert_eq!(
            found(&format!("{hours} 3700\n")).map(|it| it.0),
            Some(Status::Ok),
            "still on its way"
        );
        assert_eq!(found(&format!("{hours} 4000\n")).map(|it| it.0), Some(Status::Warn));
        for odd in ["NaN", "-5", "+Inf"] {
            let text = format!("edge_forward_oldest_unsent_age_seconds {odd}\n");
            assert_eq!(found(&text), None, "{odd}");
        }
    }
}
