//! The readings of the sensors and of the host: fresh, complete, free of errors.

use serde::Deserialize;

use super::samples::Samples;
use super::verdict::Verdict;
use edgewatch_program::error::CommandFailure;
use edgewatch_prometheus_client::Client;

/// Age in seconds from which a source counts as silent, but for one that is read less often.
const MAX_AGE: f64 = 60.0;
/// Periods after which such a source is silent.
const MAX_PERIODS: f64 = 3.0;

/// What we want of the answer of `/sensor`.
#[derive(Deserialize)]
struct Sensor {
    sources: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    name: String,
    errors: Vec<String>,
}

/// One verdict on all sources that are well, and one on each that is not.
pub fn check(service: &Client, samples: &Samples) -> Vec<Verdict> {
    // Asked only in trouble: the service counts requests to it.
    judge(samples, |source| {
        let sensor: Sensor = service.get_json("/sensor")?;
        let errors = sensor.sources.into_iter().filter(|entry| entry.name == source);
        Ok(errors.flat_map(|entry| entry.errors).collect())
    })
}

fn judge(samples: &Samples, errors_of: impl Fn(&str) -> Result<Vec<String>, CommandFailure>) -> Vec<Verdict> {
    let ages: Vec<_> = samples
        .all("edge_source_age_seconds")
        .map(|sample| (sample.label("source"), sample.value))
        .collect();
    if ages.is_empty() {
        return vec![Verdict::fail(
            "readings",
            "no source has brought any",
            "switch sources on in the settings: [sources.NAME] enabled = true; journalctl -u edgewatch says what failed",
        )];
    }
    let mut well = Vec::new();
    let mut verdicts = Vec::new();
    for (source, age) in ages {
        match judge_source(samples, source, age, &errors_of) {
            Some(verdict) => verdicts.push(verdict),
            None => well.push(age),
        }
    }
    if !well.is_empty() {
        let oldest = well.iter().copied().fold(0.0, f64::max);
        let sources = match well.len() {
            1 => "1 source".to_owned(),
            number => format!("{number} sources"),
        };
        let found = format!("the oldest of {sources} is {oldest:.1} s old");
        verdicts.insert(0, Verdict::ok("readings", found));
    }
    verdicts
}

/// What is wrong with a source, if anything is.
fn judge_source(
    samples: &Samples,
    source: &str,
    age: f64,
    errors_of: impl Fn(&str) -> Result<Vec<String>, CommandFailure>,
) -> Option<Verdict> {
    let labels = [("source", source)];
    let subject = format!("source {source}");
    let succeeded = samples.value("edge_source_success", &labels) != Some(0.0);
    let dropped = samples
        .value("edge_source_readings_dropped", &labels)
        .unwrap_or_default();
    let period = samples.value("edge_source_period_seconds", &labels).unwrap_or_default();
    let limit = MAX_AGE.max(MAX_PERIODS * period);
    if age <= limit && succeeded {
        return (dropped > 0.0).then(|| {
            let found = format!("{dropped} readings dropped: beyond the limit, or without a series of their own");
            Verdict::warn(subject, found, "raise limits.readings_per_source in the settings")
        });
    }
    let errors = match errors_of(source) {
        Ok(errors) if errors.is_empty() => "the last read succeeded".to_owned(),
        Ok(errors) => format!("the last read failed: {}", errors.join("; ")),
        Err(error) => format!("the last read failed, and {error}"),
    };
    let found = format!("oldest reading {age:.1} s old, limit {limit} s; {errors}");
    let remedy = "check the wiring, or switch the source off in the settings; journalctl -u edgewatch says since when";
    Some(match age > limit {
        true => Verdict::fail(subject, found, remedy),
        false => Verdict::warn(subject, found, remedy),
    })
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    fn exposition(source: &str, success: u8, age: f64, dropped: u8) -> String {
        format!(
            "edge_source_success{{source=\"{source}\"}} {success}\nedge_source_age_seconds{{source=\"{source}\"}} {age}\n\
             edge_source_readings_dropped{{source=\"{source}\"}} {dropped}\n"
        )
    }

    #[test]
    fn each_source_that_is_not_well_has_its_own_line() {
        let text = exposition("cpu", 1, 0.5, 0)
            + &exposition("w1", 0, 61.0, 0)
            + &exposition("hwmon", 0, 2.0, 0)
            + &exposition("iio", 1, 2.0, 7);
        let verdicts = judge(&Samples::parse(&text).unwrap(), |source| match source {
            "w1" => Ok(vec!["28-1: no answer".to_owned()]),
            _ => Err(CommandFailure("no /sensor".to_owned())),
        });
        let lines: Vec<_> = verdicts.iter().map(|v| (&*v.subject, v.status)).collect();
        assert_eq!(
            lines,
            [
                ("readings", Status::Ok),
                ("source w1", Status::Fail),
                ("source hwmon", Status::Warn),
                ("source iio", Status::Warn)
            ]
        );
        assert_eq!(
            verdicts[1].found,
            "oldest reading 61.0 s old, limit 60 s; the last read failed: 28-1: no answer"
        );
    }

    #[test]
    fn no_source_at_all_is_a_failure() {
        assert_eq!(judge(&Samples::default(), |_| Ok(Vec::new()))[0].status, Status::Fail);
    }
}
