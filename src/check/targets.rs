//! Prometheus: does it answer, is each target up, and did scrapes succeed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use humantime::format_duration;

use super::verdict::Verdict;
use crate::client::labels::Labels;
use crate::client::prometheus::{Prometheus, Target};
use crate::error::Failure;

/// Jobs of the stack that must be there.
const JOBS: [&str; 2] = ["prometheus", "sensor"];
/// Share of scrapes that must succeed.
const MIN_SUCCESS: f64 = 0.99;
/// Scrapes below which a share says nothing.
const MIN_SCRAPES: f64 = 2.0;

/// For each job: the share of scrapes that succeeded, and how many there were.
type Scrapes = BTreeMap<String, (f64, f64)>;

/// Asks Prometheus whether it is ready, and how its targets are. False if there is no use in asking it anything more.
pub fn check(prometheus: &Prometheus, base: &str, start: &str, window: Duration) -> (bool, Vec<Verdict>) {
    match ask(prometheus, window) {
        Ok((version, targets, scrapes)) => {
            let mut verdicts = vec![Verdict::ok("prometheus", format!("{version} is ready at {base}"))];
            verdicts.extend(judge_targets(&targets));
            verdicts.extend(judge_scrapes(&scrapes, window));
            (true, verdicts)
        }
        Err(error) => (false, vec![Verdict::fail("prometheus", error.to_string(), start)]),
    }
}

fn ask(prometheus: &Prometheus, window: Duration) -> Result<(String, Vec<Target>, Scrapes), Failure> {
    prometheus.ready()?;
    Ok((prometheus.version()?, prometheus.targets()?, count(prometheus, window)?))
}

fn count(prometheus: &Prometheus, window: Duration) -> Result<Scrapes, Failure> {
    let by_job = |expression: &str| {
        let rows = prometheus.query(&format!("{expression}(up[{}s]))", window.as_secs()))?;
        let job = |labels: Labels| labels.get("job").unwrap_or_default().to_owned();
        let values = rows.into_iter().map(|(labels, value)| (job(labels), value));
        Ok(values.collect::<BTreeMap<_, _>>())
    };
    // The share is one query: a scrape between two would make a difference of one.
    let shares = by_job("avg by (job) (avg_over_time")?;
    let counts = by_job("sum by (job) (count_over_time")?;
    let count_of = |job: &String| counts.get(job).copied().unwrap_or_default();
    let scrapes = shares
        .into_iter()
        .map(|(job, share)| (job.clone(), (share, count_of(&job))));
    Ok(scrapes.collect())
}

fn judge_targets(targets: &[Target]) -> Vec<Verdict> {
    let missing = JOBS
        .iter()
        .filter(|job| targets.iter().all(|target| target.label("job") != **job));
    let missing = missing.map(|job| {
        Verdict::fail(
            format!("target {job}"),
            format!("Prometheus has no job {job:?}"),
            "start Prometheus with edgewatch's scrape configuration, prometheus/prometheus.yml",
        )
    });
    targets.iter().map(judge_target).chain(missing).collect()
}

fn judge_target(target: &Target) -> Verdict {
    let (job, instance) = (target.label("job"), target.label("instance"));
    let subject = format!("target {job}");
    match &*target.health {
        "up" => Verdict::ok(subject, format!("{instance} is up")),
        "down" => Verdict::fail(
            subject,
            format!("{instance} is down: {}", target.last_error),
            match &*target.last_error {
                // It answered: Prometheus could not store what it said.
                error if error.contains("too old sample") || error.contains("out of bounds") => {
                    "the clock is behind the history: timedatectl status, and see that an NTP server can be reached"
                        .to_owned()
                }
                error if error.contains("no space left") => "the disk is full: df -h".to_owned(),
                _ => format!("see that {instance} answers, and as what: curl -i http://{instance}/metrics"),
            },
        ),
        _ => Verdict::warn(
            subject,
            format!("{instance} has not been scraped yet"),
            "wait for the first scrape: edgewatch check --wait 1m",
        ),
    }
}

fn judge_scrapes(scrapes: &Scrapes, window: Duration) -> Vec<Verdict> {
    let expected = JOBS.iter().map(|job| (*job).to_owned());
    let jobs: BTreeSet<_> = scrapes.keys().cloned().chain(expected).collect();
    let judge = |job: String| {
        let subject = format!("scrapes {job}");
        let (share, all) = scrapes.get(&job).copied().unwrap_or_default();
        let window = format_duration(window);
        let found = format!(
            "{:.1} % of {all} in {window} succeeded, limit {} %",
            100.0 * share,
            100.0 * MIN_SUCCESS
        );
        if all < MIN_SCRAPES {
            Verdict::warn(
                subject,
                format!("{all} in {window}: too few to judge"),
                "wait for more: edgewatch check --wait 1m",
            )
        } else if share >= MIN_SUCCESS {
            Verdict::ok(subject, found)
        } else {
            Verdict::fail(subject, found, format!("ask Prometheus when: up{{job={job:?}}} == 0"))
        }
    };
    jobs.into_iter().map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    fn target(job: &str, health: &str) -> Target {
        Target {
            labels: Labels::from_iter([("job", job), ("instance", "127.0.0.1:1")]),
            health: health.to_owned(),
            last_error: "connection refused".to_owned(),
            scrape_interval: "15s".to_owned(),
        }
    }

    fn lines(verdicts: &[Verdict]) -> Vec<(&str, Status)> {
        verdicts
            .iter()
            .map(|verdict| (&*verdict.subject, verdict.status))
            .collect()
    }

    #[test]
    fn targets_that_are_down_or_missing_fail() {
        let verdicts = judge_targets(&[target("sensor", "down"), target("node", "unknown")]);
        assert_eq!(
            lines(&verdicts),
            [
                ("target sensor", Status::Fail),
                ("target node", Status::Warn),
                ("target prometheus", Status::Fail)
            ]
        );
        assert_eq!(verdicts[0].found, "127.0.0.1:1 is down: connection refused");
        let remedy = verdicts[0].remedy.as_deref().unwrap();
        assert!(remedy.contains("curl -i http://127.0.0.1:1/metrics"), "{remedy}");
        let verdicts = judge_targets(&[target("sensor", "up"), target("prometheus", "up")]);
        assert!(
            verdicts.iter().all(|verdict| verdict.status == Status::Ok),
            "{verdicts:?}"
        );
    }

    #[test]
    fn a_target_whose_samples_are_not_stored_is_told_from_one_that_is_silent() {
        for (error, remedy) in [
            ("too old sample", "timedatectl"),
            ("out of bounds", "timedatectl"),
            (
                "write to WAL: log samples: write /data/wal/00000002: no space left on device",
                "df -h",
            ),
        ] {
            let mut target = target("sensor", "down");
            error.clone_into(&mut target.last_error);
            let verdict = judge_target(&target);
            assert_eq!(verdict.status, Status::Fail, "{error}");
            let said = verdict.remedy.unwrap();
            assert!(said.contains(remedy), "{error}: {said}");
        }
    }

    #[test]
    fn scrapes_are_judged_by_their_share_and_number() {
        let scrapes = [
            ("prometheus", (1.0, 1.0)),
            ("sensor", (0.95, 20.0)),
            ("x", (0.99, 100.0)),
        ];
        let scrapes = scrapes.map(|(job, counts)| (job.to_owned(), counts)).into();
        let verdicts = judge_scrapes(&scrapes, Duration::from_secs(300));
        assert_eq!(
            lines(&verdicts),
            [
                ("scrapes prometheus", Status::Warn),
                ("scrapes sensor", Status::Fail),
                ("scrapes x", Status::Ok)
            ]
        );
        assert_eq!(verdicts[1].found, "95.0 % of 20 in 5m succeeded, limit 99 %");
        let nothing = judge_scrapes(&BTreeMap::new(), Duration::from_secs(300));
        assert_eq!(
            lines(&nothing),
            [("scrapes prometheus", Status::Warn), ("scrapes sensor", Status::Warn)]
        );
    }
}
