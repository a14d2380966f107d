//! Prometheus: does it answer, is each target up, and did scrapes succeed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use humantime::format_duration;

use super::machine;
use super::verdict::Verdict;
use edgewatch_program::error::CommandFailure;
use edgewatch_prometheus_client::prometheus::{Prometheus, Target};
use edgewatch_prometheus_client::scrapes::Scrapes;

/// Jobs of the stack that must be there.
const JOBS: [&str; 2] = ["prometheus", "sensor"];
/// Share of scrapes that must succeed.
const MIN_SUCCESS: f64 = 0.99;
/// Scrapes below which a share says nothing.
const MIN_SCRAPES: f64 = 2.0;

/// The scrapes of each job.
type ByJob = BTreeMap<String, Scrapes>;

/// Asks Prometheus whether it is ready, and how its targets are. False if there is no use in asking it anything more.
pub fn check(
    prometheus: &Prometheus,
    (base, port): (&str, u16),
    start: &str,
    window: Duration,
) -> (bool, Vec<Verdict>) {
    if let Err(error) = prometheus.ready() {
        let remedy = machine::remedy(&error, start, port);
        return (false, vec![Verdict::fail("prometheus", error.to_string(), remedy)]);
    }
    match ask(prometheus, window) {
        Ok((version, targets, scrapes)) => {
            let mut verdicts = vec![Verdict::ok("prometheus", format!("{version} is ready at {base}"))];
            verdicts.extend(judge_targets(&targets));
            verdicts.extend(judge_scrapes(&scrapes, window));
            (true, verdicts)
        }
        Err(error) => (
            false,
            vec![Verdict::fail(
                "prometheus",
                error.to_string(),
                "it is ready, but does not answer this: see that it is a Prometheus, and what its log says",
            )],
        ),
    }
}

fn ask(prometheus: &Prometheus, window: Duration) -> Result<(String, Vec<Target>, ByJob), CommandFailure> {
    let version = prometheus.version()?;
    let targets = prometheus.targets()?;
    let scrapes = Scrapes::query(prometheus, &targets, window)?;
    Ok((version, targets, scrapes))
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

fn judge_scrapes(scrapes: &ByJob, window: Duration) -> Vec<Verdict> {
    let expected = JOBS.iter().map(|job| (*job).to_owned());
    let jobs: BTreeSet<_> = scrapes.keys().cloned().chain(expected).collect();
    let window = format_duration(window).to_string();
    let judge = |job: String| judge_job(&job, &scrapes.get(&job).cloned().unwrap_or_default(), &window);
    jobs.into_iter().map(judge).collect()
}

fn judge_job(job: &str, scrapes: &Scrapes, window: &str) -> Verdict {
    let subject = format!("scrapes {job}");
    let Scrapes {
        good,
        stored,
        missing,
        silent,
    } = *scrapes;
    let found = format!(
        "{:.1} % of {} in {window} succeeded, limit {} %",
        100.0 * scrapes.share(),
        stored + missing,
        100.0 * MIN_SUCCESS
    );
    let lost = "df -h tells of a full disk, timedatectl of a clock that was set; journalctl -u prometheus says more";
    if let Some(silence) = silent {
        let interval = format_duration(silence.interval);
        Verdict::fail(
            subject,
            format!("{silence}, though a scrape is due each {interval}"),
            lost,
        )
    } else if stored + missing < MIN_SCRAPES {
        Verdict::warn(
            subject,
            format!("{stored} in {window}: too few to judge"),
            "wait for more: edgewatch check --wait 1m",
        )
    } else if good / stored < MIN_SUCCESS {
        Verdict::fail(subject, found, format!("ask Prometheus when: up{{job={job:?}}} == 0"))
    } else if missing > 0.0 {
        Verdict::warn(
            subject,
            format!("{found}: {missing} that were due are not stored"),
            lost,
        )
    } else {
        Verdict::ok(subject, found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;
    use edgewatch_prometheus_client::labels::Labels;
    use edgewatch_prometheus_client::scrapes::Silence;

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
        let silent = Silence {
            age: Duration::from_secs(61),
            interval: Duration::from_secs(15),
        };
        let scrapes = [
            ("prometheus", (1.0, 1.0, 0.0, None)),
            ("sensor", (19.0, 20.0, 0.0, None)),
            ("x", (99.0, 100.0, 0.0, None)),
            ("y", (3.0, 3.0, 14.0, None)),
            ("z", (3.0, 3.0, 0.0, Some(silent))),
        ];
        let scrapes = scrapes.map(|(job, (good, stored, missing, silent))| {
            let scrapes = Scrapes {
                good,
                stored,
                missing,
                silent,
            };
            (job.to_owned(), scrapes)
        });
        let verdicts = judge_scrapes(&scrapes.into(), Duration::from_secs(300));
        assert_eq!(
            lines(&verdicts),
            [
                ("scrapes prometheus", Status::Warn),
                ("scrapes sensor", Status::Fail),
                ("scrapes x", Status::Ok),
                ("scrapes y", Status::Warn),
                ("scrapes z", Status::Fail)
            ]
        );
        assert_eq!(verdicts[1].found, "95.0 % of 20 in 5m succeeded, limit 99 %");
        assert_eq!(
            verdicts[3].found,
            "17.6 % of 17 in 5m succeeded, limit 99 %: 14 that were due are not stored"
        );
        assert_eq!(
            verdicts[4].found,
            "nothing stored for 1m 1s, though a scrape is due each 15s"
        );
        let nothing = judge_scrapes(&BTreeMap::new(), Duration::from_secs(300));
        assert_eq!(
            lines(&nothing),
            [("scrapes prometheus", Status::Warn), ("scrapes sensor", Status::Warn)]
        );
    }
}
