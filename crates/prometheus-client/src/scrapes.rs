//! Whether Prometheus stores the samples of its scrapes. A target can be up while it does not: `health` is that of the last scrape only,
//! and on a full disk Prometheus goes on scraping, drops the samples, and logs that. So stored samples are compared with those due.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use humantime::format_duration;

use super::error::Error;
use super::labels::Labels;
use super::prometheus::{Prometheus, Target};

/// Scrape intervals without a new sample after which a target is silent.
const MAX_INTERVALS: u32 = 3;
/// Scrapes of a target that may be missing without a fault: one at each end of the window.
const EDGES: f64 = 2.0;
/// Ratio of the scrapes that may be missing beyond those.
const MAX_MISSING: f64 = 0.01;
/// Older samples are not searched for.
const HORIZON: Duration = Duration::from_secs(3600);
/// The age of the newest sample of each target. `timestamp()` alone has a lookback of five minutes.
const AGES: &str = "time() - (timestamp(up) or max_over_time(timestamp(up)[1h:1m]))";

/// The scrapes of one job in a window, or of several jobs together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scrapes {
    /// Those that succeeded.
    pub good: f64,
    /// Those that are stored.
    pub stored: f64,
    /// Those that were due and are not stored; 0 if so few that it may be chance.
    pub missing: f64,
    /// The target that has waited longest for a sample, if that is too long.
    pub silent: Option<Silence>,
}

/// Nothing of a target is stored, though it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silence {
    /// Time since the newest sample, or since Prometheus began if that is less; at most an hour.
    pub age: Duration,
    /// Time between two scrapes.
    pub interval: Duration,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whole seconds.
        let age = Duration::from_secs(self.age.as_secs());
        write!(
            f,
            "nothing stored for {}{}",
            if age < HORIZON { "" } else { "more than " },
            format_duration(age)
        )
    }
}

impl Scrapes {
    /// Queries Prometheus about the last `window`, job by job.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer as documented.
    pub fn query(
        prometheus: &Prometheus,
        targets: &[Target],
        window: Duration,
    ) -> Result<BTreeMap<String, Self>, Error> {
        let seconds = window.as_secs().max(1);
        let mut jobs = BTreeMap::<_, Self>::new();
        let [good, stored] = ["sum", "count"].map(|what| format!("sum by (job) ({what}_over_time(up[{seconds}s]))"));
        // The ratio is one query: a scrape between two queries would be an error of one.
        for (labels, share) in prometheus.query(&format!("{good} / {stored}"))? {
            jobs.entry(job(&labels)).or_default().good = share;
        }
        for (labels, stored) in prometheus.query(&stored)? {
            jobs.entry(job(&labels)).or_default().stored = stored;
        }
        for scrapes in jobs.values_mut() {
            scrapes.good *= scrapes.stored;
        }
        let running = prometheus.running()?;
        let ages = prometheus.query(AGES)?;
        for target in targets {
            jobs.entry(target.label("job").to_owned())
                .or_default()
                .expect(target, &ages, running, window);
        }
        jobs.values_mut().for_each(Self::settle);
        Ok(jobs)
    }

    /// Adds what is due of `target` to `missing`.
    fn expect(&mut self, target: &Target, ages: &[(Labels, f64)], running: Duration, window: Duration) {
        let interval = humantime::parse_duration(&target.scrape_interval).unwrap_or_default();
        if interval.is_zero() {
            return;
        }
        let due = (window.min(running).as_secs_f64() / interval.as_secs_f64()).floor();
        self.missing += (due * (1.0 - MAX_MISSING) - EDGES).max(0.0);
        let is_target = |labels: &Labels| {
            ["job", "instance"]
                .iter()
                .all(|name| labels.get(name) == target.labels.get(name))
        };
        let age = ages.iter().find(|(labels, _)| is_target(labels));
        // Negative if the clock has gone back.
        let age = age.map_or(HORIZON, |(_, age)| {
            Duration::try_from_secs_f64(*age).unwrap_or_default()
        });
        // Samples from before the start are older, which is no fault.
        let age = age.min(running).min(HORIZON);
        if age > interval * MAX_INTERVALS && self.silent.is_none_or(|other| other.age < age) {
            self.silent = Some(Silence { age, interval });
        }
    }

    /// Subtracts what is stored from what is due, which [`Self::expect`] summed up in `missing`.
    fn settle(&mut self) {
        self.missing = (self.missing - self.stored).max(0.0).floor();
    }

    /// All jobs together.
    pub fn sum(jobs: impl IntoIterator<Item = Self>) -> Self {
        jobs.into_iter().fold(Self::default(), |sum, job| Self {
            good: sum.good + job.good,
            stored: sum.stored + job.stored,
            missing: sum.missing + job.missing,
            silent: match (sum.silent, job.silent) {
                (Some(one), Some(other)) if one.age < other.age => Some(other),
                (one, other) => one.or(other),
            },
        })
    }

    /// The share that succeeded, of those that were due; 0 to 1, NaN if none was.
    pub fn share(&self) -> f64 {
        self.good / (self.stored + self.missing)
    }
}

fn job(labels: &Labels) -> String {
    labels.get("job").unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(15);

    fn target() -> Target {
        Target {
            labels: Labels::from_iter([("job", "sensor"), ("instance", "a:1")]),
            health: "up".to_owned(),
            last_error: String::new(),
            scrape_interval: "15s".to_owned(),
        }
    }

    /// A job of one target, whose newest sample is `age` seconds old, of a Prometheus that runs for `running` seconds.
    fn scrapes(stored: f64, age: Option<f64>, running: u64) -> Scrapes {
        let ages: Vec<_> = age.map(|age| (target().labels, age)).into_iter().collect();
        let mut scrapes = Scrapes {
            good: stored,
            stored,
            ..Scrapes::default()
        };
        scrapes.expect(&target(), &ages, Duration::from_secs(running), Duration::from_secs(300));
        scrapes.settle();
        scrapes
    }

    #[test]
    fn scrapes_are_due_since_prometheus_began_and_one_at_each_end_may_miss() {
        for (stored, running, missing) in [
            (20.0, 3600, 0.0),
            (18.0, 3600, 0.0),
            (3.0, 3600, 14.0),
            (0.0, 3600, 17.0),
            (3.0, 45, 0.0),
            (0.0, 10, 0.0),
            (0.0, 60, 1.0),
        ] {
            let scrapes = scrapes(stored, Some(1.0), running);
            assert_eq!(scrapes.missing, missing, "{stored} in {running} s");
        }
        assert_eq!(scrapes(3.0, Some(1.0), 3600).share(), 3.0 / 17.0);
    }

    #[test]
    fn a_target_is_silent_after_three_intervals() {
        for (age, running, silent) in [
            (Some(45.0), 3600, None),
            (Some(46.0), 3600, Some(46)),
            // From before the start.
            (Some(46.0), 40, None),
            (None, 45, None),
            (None, 46, Some(46)),
            (None, 1 << 40, Some(3600)),
            // The clock has gone back.
            (Some(-100.0), 3600, None),
        ] {
            let expected = silent.map(|seconds| Silence {
                age: Duration::from_secs(seconds),
                interval: INTERVAL,
            });
            assert_eq!(scrapes(0.0, age, running).silent, expected, "{age:?} after {running} s");
        }
        let say = |seconds| {
            Silence {
                age: Duration::from_secs_f64(seconds),
                interval: INTERVAL,
            }
            .to_string()
        };
        assert_eq!(say(61.5), "nothing stored for 1m 1s");
        assert_eq!(say(3600.0), "nothing stored for more than 1h");
    }

    #[test]
    fn jobs_add_up_and_the_longest_silence_counts() {
        let sum = Scrapes::sum([
            scrapes(20.0, Some(1.0), 3600),
            scrapes(3.0, Some(60.0), 3600),
            scrapes(3.0, Some(50.0), 3600),
        ]);
        assert_eq!((sum.stored, sum.missing), (26.0, 28.0));
        assert_eq!(sum.silent.map(|silent| silent.age.as_secs()), Some(60));
    }
}
