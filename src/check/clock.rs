//! The clock: without it, samples land at the wrong time or are refused.

use super::samples::Samples;
use super::verdict::Verdict;

/// One verdict, from what the service reads of the kernel's clock.
pub fn judge(samples: &Samples) -> Verdict {
    let steps = match samples.value("edge_clock_steps_total", &[]) {
        Some(steps) if steps > 0.0 => {
            let last = samples.value("edge_clock_step_seconds", &[]).unwrap_or_default();
            format!("; steps since the service started: {steps}, the last by {last:.1} s")
        }
        _ => String::new(),
    };
    match samples.value("node_timex_sync_status", &[]) {
        Some(0.0) => Verdict::warn(
            "clock",
            format!("not synchronised{steps}"),
            "timedatectl status; systemctl enable --now systemd-timesyncd, and see that an NTP server can be reached",
        ),
        Some(_) => Verdict::ok("clock", format!("synchronised{steps}")),
        None => Verdict::skip("clock", "the service does not read the kernel's clock"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    #[test]
    fn a_clock_that_nothing_sets_warns_and_steps_are_told() {
        for (text, status, found) in [
            (
                "node_timex_sync_status 1\nedge_clock_steps_total 0",
                Status::Ok,
                "synchronised",
            ),
            (
                "node_timex_sync_status 1\nedge_clock_steps_total 2\nedge_clock_step_seconds -3600",
                Status::Ok,
                "synchronised; steps since the service started: 2, the last by -3600.0 s",
            ),
            ("node_timex_sync_status 0", Status::Warn, "not synchronised"),
            ("", Status::Skip, "the service does not read the kernel's clock"),
        ] {
            let verdict = judge(&Samples::parse(text).unwrap());
            assert_eq!((verdict.status, &*verdict.found), (status, found), "{text}");
        }
    }
}
