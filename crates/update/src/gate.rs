//! The gate that a system on trial has to pass: to be well for long enough.

use std::time::{Duration, Instant};

/// The gate of one trial.
pub(crate) struct Gate {
    well_for: Duration,
    within: Duration,
    begun: Instant,
    well_since: Option<Instant>,
}

/// What a look at the device says of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has been well for long enough.
    Passed,
    /// It has not come to that in time.
    Failed,
    /// That is not known yet.
    Open,
}

impl Gate {
    /// That of a trial which begins now.
    pub(crate) fn begin(well_for: Duration, within: Duration, now: Instant) -> Self {
        Self {
            well_for,
            within,
            begun: now,
            well_since: None,
        }
    }

    /// Time since its beginning.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.duration_since(self.begun)
    }

    /// The device has been looked at. What it has to do besides being well, such as to send what comes every quarter of an hour, it need do
    /// only once, at the end.
    pub(crate) fn look(&mut self, is_well: bool, does_all: bool, now: Instant) -> Verdict {
        let since = match is_well {
            true => *self.well_since.get_or_insert(now),
            false => {
                self.well_since = None;
                now
            }
        };
        if is_well && does_all && now.duration_since(since) >= self.well_for {
            Verdict::Passed
        } else if self.elapsed(now) >= self.within {
            Verdict::Failed
        } else {
            Verdict::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks every ten seconds at a device that is well as `at` says, with 600 s in 1200.
    fn tried(at: impl Fn(u64) -> bool) -> (Verdict, u64) {
        tried_with_duties(at, |_| true)
    }

    /// The same, doing all it has to as `does_all` says.
    fn tried_with_duties(at: impl Fn(u64) -> bool, does_all: impl Fn(u64) -> bool) -> (Verdict, u64) {
        let start = Instant::now();
        let mut gate = Gate::begin(Duration::from_secs(600), Duration::from_secs(1200), start);
        for seconds in (0..).step_by(10) {
            let verdict = gate.look(at(seconds), does_all(seconds), start + Duration::from_secs(seconds));
            if verdict != Verdict::Open {
                return (verdict, seconds);
            }
        }
        unreachable!()
    }

    #[test]
    fn a_system_passes_after_ten_minutes_in_a_row() {
        assert_eq!(tried(|_| true), (Verdict::Passed, 600));
        assert_eq!(
            tried(|second| second >= 120),
            (Verdict::Passed, 720),
            "services take their time to start"
        );
        assert_eq!(
            tried(|second| second != 300),
            (Verdict::Passed, 910),
            "a break begins it anew"
        );
    }

    #[test]
    fn one_that_has_something_to_do_first_passes_when_it_has_done_it() {
        assert_eq!(
            tried_with_duties(|_| true, |second| second >= 300),
            (Verdict::Passed, 600)
        );
        assert_eq!(
            tried_with_duties(|_| true, |second| second >= 900),
            (Verdict::Passed, 900)
        );
        assert_eq!(tried_with_duties(|_| true, |_| false), (Verdict::Failed, 1200));
    }

    #[test]
    fn one_that_is_never_well_for_long_fails_in_time() {
        assert_eq!(tried(|_| false), (Verdict::Failed, 1200));
        assert_eq!(tried(|second| second % 500 != 0), (Verdict::Failed, 1200));
        assert_eq!(tried(|second| second >= 610), (Verdict::Failed, 1200), "too late");
    }
}
