//! The readings of the sensors and of the host: fresh, complete, free of errors.

use super::samples::Samples;
use super::verdict::Verdict;

/// Age in seconds from which a source counts as silent.
const MAX_AGE: f64 = 60.0;

/// One verdict on all sources that are well, and one on each that is not.
pub fn judge(samples: &Samples) -> Vec<Verdict> {
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
        match judge_source(samples, source, age) {
            Some(verdict) => verdicts.push(verdict),
            None => well.push(age),
        }
    }
    if !well.is_empty() {
        let oldest = well.iter().copied().fold(0.0, f64::max);
        let found = format!(
            "{} sources are well, the oldest reading is {oldest:.1} s old, limit {MAX_AGE} s",
            well.len()
        );
        verdicts.insert(0, Verdict::ok("readings", found));
    }
    verdicts
}

/// What is wrong with a source, if anything is.
fn judge_source(samples: &Samples, source: &str, age: f64) -> Option<Verdict> {
    let labels = [("source", source)];
    let subject = format!("source {source}");
    let errors: Vec<_> = samples
        .all("edge_source_errors_total")
        .filter(|sample| sample.label("source") == source && sample.value > 0.0)
        .map(|sample| format!("{} {}", sample.value, sample.label("kind")))
        .collect();
    let errors = match errors.is_empty() {
        true => "no errors".to_owned(),
        false => format!("errors since the start: {}", errors.join(", ")),
    };
    let dropped = samples
        .value("edge_source_readings_dropped", &labels)
        .unwrap_or_default();
    if age > MAX_AGE {
        Some(Verdict::fail(
            subject,
            format!("oldest reading {age:.0} s old, limit {MAX_AGE} s; {errors}"),
            "journalctl -u edgewatch names the sensor; check its wiring, or switch the source off in the settings",
        ))
    } else if samples.value("edge_source_success", &labels) == Some(0.0) {
        Some(Verdict::warn(
            subject,
            format!("the last read failed, at least in part; {errors}"),
            "journalctl -u edgewatch names the sensor and the error",
        ))
    } else if dropped > 0.0 {
        Some(Verdict::warn(
            subject,
            format!("{dropped} readings dropped: beyond the limit, or without a series of their own"),
            "raise limits.readings_per_source in the settings",
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    fn exposition(source: &str, success: u8, age: f64, dropped: u8) -> String {
        format!(
            "edge_source_success{{source=\"{source}\"}} {success}\nedge_source_age_seconds{{source=\"{source}\"}} {age}\n\
             edge_source_readings_dropped{{source=\"{source}\"}} {dropped}\n\
             edge_source_errors_total{{source=\"{source}\",kind=\"io\"}} 3\n"
        )
    }

    #[test]
    fn each_source_that_is_not_well_has_its_own_line() {
        let text = exposition("cpu", 1, 0.5, 0)
            + &exposition("w1", 0, 61.0, 0)
            + &exposition("hwmon", 0, 2.0, 0)
            + &exposition("iio", 1, 2.0, 7);
        let verdicts = judge(&Samples::parse(&text).unwrap());
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
            "oldest reading 61 s old, limit 60 s; errors since the start: 3 io"
        );
    }

    #[test]
    fn no_source_at_all_is_a_failure() {
        assert_eq!(judge(&Samples::default())[0].status, Status::Fail);
    }
}
