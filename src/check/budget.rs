//! Memory and CPU of the stack against `budget.toml`.
//!
//! Where systemd runs the stack, the service reads what the kernel charges each unit. Elsewhere only the resident memory and
//! the CPU time of the processes are known, as they tell Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::kills;
use super::samples::Samples;
use super::verdict::Verdict;
use edgewatch_program::error::CommandFailure;
use edgewatch_prometheus_client::labels::Labels;
use edgewatch_prometheus_client::prometheus::Prometheus;
use edgewatch_sensors::budget::{Budget, SLICE};

const CURRENT: &str = "edge_unit_memory_current_bytes";
/// The unit that each job of Prometheus would be.
const JOBS: [(&str, &str); 3] = [
    ("sensor", "edgewatch.service"),
    ("prometheus", "prometheus.service"),
    ("grafana", "grafana.service"),
];
/// Share of a limit from which it is close.
const CLOSE: f64 = 0.9;
/// How much more than its limit may be resident of a unit that nothing holds to it, as a share: pages of its program are counted, which the
/// kernel would take back (Prometheus has some 50 MB of them).
const RESIDENT: f64 = 1.5;
const MEGABYTE: f64 = 1048576.0;

/// A number for each unit.
pub(super) type ByUnit = BTreeMap<String, f64>;

/// Memory and CPU of each unit and of the whole, and whether anything was killed for lack of memory.
pub fn check(samples: &Samples, prometheus: Option<&Prometheus>, budget: &Budget, window: Duration) -> Vec<Verdict> {
    // A service that somebody started in a shell tells of the session's scope, which is no unit of ours.
    let units = budget.units();
    let charged = units
        .iter()
        .any(|(unit, ..)| samples.value(CURRENT, &[("unit", unit)]).is_some());
    let seconds = window.as_secs();
    let cpu = match charged {
        true => format!("sum by (unit) (rate(edge_unit_cpu_seconds_total[{seconds}s]))"),
        false => format!("sum by (job) (rate(process_cpu_seconds_total[{seconds}s]))"),
    };
    let mut verdicts = match charged {
        true => {
            let recent = ask(
                prometheus,
                &format!("max by (unit) (max_over_time({CURRENT}[{seconds}s]))"),
            );
            judge_charged(samples, recent.as_ref().ok(), budget)
        }
        false => match ask(prometheus, "sum by (job) (process_resident_memory_bytes)") {
            Ok(resident) => judge_resident(&resident, budget),
            Err(error) => vec![Verdict::skip("memory", error.to_string())],
        },
    };
    match ask(prometheus, &cpu) {
        Ok(cores) => verdicts.extend(judge_cpu(&cores, budget)),
        Err(error) => verdicts.push(Verdict::skip("cpu", error.to_string())),
    }
    match charged {
        true => {
            verdicts.extend([judge_limits(samples, budget), kills::check(samples, prometheus, window)]);
        }
        false => verdicts.push(Verdict::skip(
            "oom kills",
            "nobody counts them: the kernel charges no unit of the stack",
        )),
    }
    verdicts
}

pub(super) fn ask(prometheus: Option<&Prometheus>, expression: &str) -> Result<ByUnit, CommandFailure> {
    let prometheus =
        prometheus.ok_or_else(|| CommandFailure("Prometheus, which knows it, does not answer".to_owned()))?;
    Ok(by_unit(prometheus.query(expression)?))
}

/// Takes the unit from the label `unit` or `job`. Where jobs stand for units, their sum stands for the slice.
fn by_unit(rows: Vec<(Labels, f64)>) -> ByUnit {
    let mut units = ByUnit::new();
    for (labels, value) in rows {
        if let Some(unit) = labels.get("unit") {
            units.insert(unit.to_owned(), value);
        } else if let Some((_, unit)) = JOBS.iter().find(|(job, _)| labels.get("job") == Some(job)) {
            units.insert((*unit).to_owned(), value);
            *units.entry(SLICE.to_owned()).or_default() += value;
        }
    }
    units
}

/// `recent` is the most that each unit was charged for in the window, if that is known. The kernel's peak may be of weeks ago, or under another
/// limit: if that were a failure, no update would be well until the unit is restarted.
fn judge_charged(samples: &Samples, recent: Option<&ByUnit>, budget: &Budget) -> Vec<Verdict> {
    let judge = |unit: &str, limit: f64| {
        let Some(now) = samples.value(CURRENT, &[("unit", unit)]) else {
            return Verdict::skip(format!("memory {unit}"), "not running in edgewatch.slice");
        };
        let peak = samples
            .value("edge_unit_memory_peak_bytes", &[("unit", unit)])
            .unwrap_or(now);
        let cache = samples.value("edge_unit_memory_bytes", &[("unit", unit), ("kind", "file")]);
        let cache = cache.unwrap_or_default();
        let found = format!(
            "{} now ({} of it file cache), {} at peak, limit {}",
            megabytes(now),
            megabytes(cache),
            megabytes(peak),
            megabytes(limit)
        );
        // Close is what the kernel cannot take back: it fills the rest with cache up to MemoryHigh, and drops it when needed.
        let most = recent.map_or(peak, |recent| recent.get(unit).copied().unwrap_or(now));
        judge_memory(unit, found, [now.max(most), peak, now - cache], limit)
    };
    let units = budget.units().into_iter();
    units.map(|(unit, limit, _)| judge(unit, limit.0 as f64)).collect()
}

fn judge_resident(resident: &ByUnit, budget: &Budget) -> Vec<Verdict> {
    let judge = |unit: &str, limit: f64| match resident.get(unit) {
        Some(now) => {
            let (subject, found) = (
                format!("memory {unit}"),
                format!("{} resident, not enforced; limit {}", megabytes(*now), megabytes(limit)),
            );
            let remedy = "see on the dashboard Budget when it grew; the limit is memory_max in budget.toml";
            if unit == SLICE && *now > limit {
                Verdict::fail(subject, found, remedy)
            } else if *now > RESIDENT * limit {
                Verdict::warn(subject, found, remedy)
            } else {
                Verdict::ok(subject, found)
            }
        }
        None => Verdict::skip(format!("memory {unit}"), "not running, or not scraped by Prometheus"),
    };
    let units = budget.units().into_iter();
    units.map(|(unit, limit, _)| judge(unit, limit.0 as f64)).collect()
}

/// Of the most lately, the most ever, and what is held now.
fn judge_memory(unit: &str, found: String, [most, peak, held]: [f64; 3], limit: f64) -> Verdict {
    const REMEDY: &str = "see on the dashboard Budget when it grew; the limit is memory_max in budget.toml";
    let subject = format!("memory {unit}");
    if most > limit {
        Verdict::fail(subject, found, REMEDY)
    } else if peak > limit {
        Verdict::warn(subject, found, REMEDY)
    } else if held > CLOSE * limit {
        Verdict::warn(
            subject,
            found,
            "the kernel kills it at the limit: see on the dashboard Budget what grows",
        )
    } else {
        Verdict::ok(subject, found)
    }
}

fn judge_cpu(cores: &ByUnit, budget: &Budget) -> Vec<Verdict> {
    let judge = |unit: &str, limit: f64| {
        let subject = format!("cpu {unit}");
        let Some(used) = cores.get(unit).copied() else {
            return Verdict::skip(subject, "not running, or not scraped twice yet");
        };
        let found = format!("{used:.3} of {limit} CPUs");
        let remedy = "see on the dashboard Budget since when; the limit is cpu_quota in budget.toml";
        if used > limit {
            Verdict::fail(subject, found, remedy)
        } else if used > CLOSE * limit {
            Verdict::warn(subject, found, remedy)
        } else {
            Verdict::ok(subject, found)
        }
    };
    let units = budget.units().into_iter();
    units.map(|(unit, _, limit)| judge(unit, limit.0)).collect()
}

/// Whether the limits that the kernel has in force are those of the budget.
fn judge_limits(samples: &Samples, budget: &Budget) -> Verdict {
    const SUBJECT: &str = "limits in force";
    let works =
        |controller| samples.value("edge_cgroup_controller_available", &[("controller", controller)]) == Some(1.0);
    let mut differences = Vec::new();
    let mut units = BTreeSet::new();
    let mut compare = |unit: &str, in_force: Option<f64>, intended: f64, text: fn(f64) -> String| {
        if in_force != Some(intended) {
            let in_force = in_force.map_or_else(|| "no limit".to_owned(), text);
            units.insert(unit.to_owned());
            differences.push(format!("{unit} has {in_force} instead of {}", text(intended)));
        }
    };
    for (unit, memory, quota) in budget.units() {
        if samples.value(CURRENT, &[("unit", unit)]).is_none() {
            continue;
        }
        if works("memory") {
            let in_force = samples.value("edge_unit_memory_limit_bytes", &[("unit", unit), ("limit", "max")]);
            compare(unit, in_force, memory.0 as f64, megabytes);
        }
        if works("cpu") {
            compare(
                unit,
                samples.value("edge_unit_cpu_limit_cores", &[("unit", unit)]),
                quota.0,
                |cores| format!("{cores} CPUs"),
            );
        }
    }
    if differences.is_empty() {
        return Verdict::ok(SUBJECT, "those of budget.toml");
    }
    // What the kernel has in force may differ after `systemctl set-property` or a drop-in.
    let units = Vec::from_iter(units).join(" ");
    Verdict::warn(
        SUBJECT,
        differences.join("; "),
        format!(
            "systemctl revert {units} && systemctl restart {units} takes it back; if it is meant, say so in a budget of your own (paths.budget)"
        ),
    )
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / MEGABYTE)
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    fn budget() -> Budget {
        Budget::load(None).unwrap()
    }

    fn statuses(verdicts: &[Verdict]) -> Vec<Status> {
        verdicts.iter().map(|verdict| verdict.status).collect()
    }

    fn unit(unit: &str, current: f64, peak: f64, file: f64) -> String {
        let [current, peak, file] = [current, peak, file].map(|megabytes| megabytes * MEGABYTE);
        format!(
            "edge_unit_memory_current_bytes{{unit=\"{unit}\"}} {current}\nedge_unit_memory_peak_bytes{{unit=\"{unit}\"}} {peak}\n\
             edge_unit_memory_bytes{{unit=\"{unit}\",kind=\"file\"}} {file}\n"
        )
    }

    #[test]
    fn charged_memory_is_judged_by_what_the_kernel_cannot_take_back() {
        let text = unit("edgewatch.slice", 299.0, 300.0, 200.0)
            + &unit("edgewatch.service", 10.2, 10.6, 0.1)
            + &unit("prometheus.service", 50.0, 76.5, 20.0);
        let verdicts = judge_charged(&Samples::parse(&text).unwrap(), None, &budget());
        assert_eq!(
            statuses(&verdicts),
            [
                Status::Ok,
                Status::Warn,
                Status::Skip,
                Status::Skip,
                Status::Fail,
                Status::Skip
            ]
        );
        assert_eq!(
            verdicts[1].found,
            "10.2 MB now (0.1 MB of it file cache), 10.6 MB at peak, limit 11.0 MB"
        );
    }

    #[test]
    fn more_than_the_limit_is_a_failure_while_it_is_recent_and_a_warning_from_then_on() {
        let text = unit("edgewatch.slice", 100.0, 300.1, 20.0);
        let samples = Samples::parse(&text).unwrap();
        let slice = |recent: Option<&ByUnit>| judge_charged(&samples, recent, &budget())[0].status;
        let lately = |megabytes: f64| ByUnit::from([(SLICE.to_owned(), megabytes * MEGABYTE)]);
        assert_eq!(slice(None), Status::Fail, "it may have been now");
        assert_eq!(slice(Some(&lately(300.1))), Status::Fail);
        assert_eq!(slice(Some(&lately(120.0))), Status::Warn);
        assert_eq!(slice(Some(&ByUnit::new())), Status::Warn);
    }

    #[test]
    fn jobs_stand_for_units_and_their_sum_for_the_slice() {
        let row = |job: &str, megabytes: f64| (Labels::from_iter([("job", job)]), megabytes * MEGABYTE);
        let resident = by_unit(vec![row("sensor", 10.0), row("prometheus", 90.0), row("other", 1000.0)]);
        let verdicts = judge_resident(&resident, &budget());
        assert_eq!(
            statuses(&verdicts),
            [
                Status::Ok,
                Status::Ok,
                Status::Skip,
                Status::Skip,
                Status::Ok,
                Status::Skip
            ]
        );
        assert_eq!(verdicts[0].found, "100.0 MB resident, not enforced; limit 300.0 MB");
        let resident = by_unit(vec![row("sensor", 10.0), row("prometheus", 300.0)]);
        let verdicts = judge_resident(&resident, &budget());
        assert_eq!(
            statuses(&verdicts),
            [
                Status::Fail,
                Status::Ok,
                Status::Skip,
                Status::Skip,
                Status::Warn,
                Status::Skip
            ]
        );
    }

    #[test]
    fn cpu_is_judged_against_the_quota() {
        let row = |unit: &str, cores| (Labels::from_iter([("unit", unit)]), cores);
        let cores = by_unit(vec![
            row(SLICE, 1.9),
            row("edgewatch.service", 0.01),
            row("prometheus.service", 1.1),
        ]);
        let verdicts = judge_cpu(&cores, &budget());
        assert_eq!(
            statuses(&verdicts),
            [
                Status::Warn,
                Status::Ok,
                Status::Skip,
                Status::Skip,
                Status::Fail,
                Status::Skip
            ]
        );
        assert_eq!(verdicts[1].found, "0.010 of 0.5 CPUs");
    }

    #[test]
    fn limits_that_differ_from_the_budget_are_named() {
        let controllers = "edge_cgroup_controller_available{controller=\"memory\"} 1\n\
                           edge_cgroup_controller_available{controller=\"cpu\"} 1\n";
        let limits = |unit: &str, megabytes: f64, cores: &str| {
            format!(
                "edge_unit_memory_current_bytes{{unit=\"{unit}\"}} 1\n\
                 edge_unit_memory_limit_bytes{{unit=\"{unit}\",limit=\"max\"}} {}\n\
                 edge_unit_cpu_limit_cores{{unit=\"{unit}\"}} {cores}\n",
                megabytes * MEGABYTE
            )
        };
        let judge = |text: &str| judge_limits(&Samples::parse(text).unwrap(), &budget());
        let well = controllers.to_owned() + &limits(SLICE, 300.0, "2") + &limits("edgewatch.service", 11.0, "0.5");
        assert_eq!(judge(&well).status, Status::Ok);
        let changed = judge(&(well.clone() + &limits("prometheus.service", 60.0, "1.5")));
        assert_eq!(changed.status, Status::Warn);
        assert_eq!(
            changed.found,
            "prometheus.service has 60.0 MB instead of 76.0 MB; prometheus.service has 1.5 CPUs instead of 1 CPUs"
        );
        let revert = "systemctl revert prometheus.service && systemctl restart prometheus.service";
        assert!(changed.remedy.unwrap().starts_with(revert));
        let open = judge(&(well + "edge_unit_memory_current_bytes{unit=\"prometheus.service\"} 1\n"));
        assert!(
            open.found
                .contains("prometheus.service has no limit instead of 76.0 MB"),
            "{}",
            open.found
        );
        // Without a controller nothing can be in force, which is said elsewhere.
        assert_eq!(
            judge("edge_unit_memory_current_bytes{unit=\"edgewatch.slice\"} 1\n").status,
            Status::Ok
        );
    }

    #[test]
    fn without_prometheus_nothing_is_made_up() {
        let verdicts = check(&Samples::default(), None, &budget(), Duration::from_secs(60));
        assert_eq!(statuses(&verdicts), [Status::Skip; 3]);
    }
}
