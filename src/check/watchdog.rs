//! The hardware watchdog, which restarts a device whose kernel or systemd stands still.

use super::samples::Samples;
use super::verdict::Verdict;

/// The subject of the verdict.
pub const SUBJECT: &str = "hardware watchdog";

/// One verdict, from the `state` of the devices (Documentation/ABI/testing/sysfs-class-watchdog). Whether one is armed is the owner's choice.
pub fn judge(samples: &Samples) -> Verdict {
    let mut states = samples
        .all("node_watchdog_info")
        .map(|sample| (sample.label("identity"), sample.label("state")))
        .peekable();
    if states.peek().is_none() {
        return Verdict::skip(SUBJECT, "none is found");
    }
    match states.find(|(_, state)| *state == "active") {
        Some((identity, _)) => Verdict::ok(SUBJECT, format!("{identity} is armed")),
        None => Verdict::skip(
            SUBJECT,
            "not armed: RuntimeWatchdogSec= in systemd's system.conf arms it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    #[test]
    fn one_that_is_armed_is_named_and_others_are_no_fault() {
        let verdict = |text: &str| judge(&Samples::parse(text).unwrap());
        let armed = "node_watchdog_info{name=\"watchdog0\",identity=\"Software\",state=\"inactive\"} 1\n\
                     node_watchdog_info{name=\"watchdog1\",identity=\"iTCO_wdt\",state=\"active\"} 1\n";
        let found = verdict(armed);
        assert_eq!((found.status, &*found.found), (Status::Ok, "iTCO_wdt is armed"));
        for idle in ["", "node_watchdog_info{name=\"watchdog0\",state=\"inactive\"} 1\n"] {
            assert_eq!(verdict(idle).status, Status::Skip, "{idle}");
        }
    }
}
