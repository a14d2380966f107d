//! The status line of the running stack.

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::child::Child;
use super::error::ChildExit;
use super::{grafana, in_background, terminal};

use edgewatch_prometheus_client::prometheus::{Prometheus, Target};
use edgewatch_prometheus_client::scrapes::Scrapes;
use edgewatch_sensors::budget::Bytes;

/// Time between two updates.
const UPDATE_INTERVAL: Duration = Duration::from_secs(2);
/// Time between two lines without a terminal, unless the status changes.
const LINE_INTERVAL: Duration = Duration::from_secs(60);

/// A process of the stack and its memory limit.
#[derive(Clone)]
pub(crate) struct StackProcess {
    name: &'static str,
    pid: u32,
    budget: Bytes,
}

impl StackProcess {
    /// A process by its ID, and its memory limit.
    pub(crate) const fn new(name: &'static str, pid: u32, budget: Bytes) -> Self {
        Self { name, pid, budget }
    }
}

/// What is reported at once when it changes: the numbers of targets that are up and of all, and whether one is silent.
type Health = (Option<(usize, usize)>, bool);

/// The status at one moment.
#[derive(Default)]
struct Snapshot {
    /// Targets that are up, and all; `None` if Prometheus does not answer.
    targets: Option<(usize, usize)>,
    /// The scrapes of all targets; `None` if Prometheus does not answer.
    scrapes: Option<Scrapes>,
    /// Name, resident set and limit of each process, in bytes.
    memory: Vec<(&'static str, u64, u64)>,
}

impl Snapshot {
    /// Queries Prometheus and the kernel. Blocks.
    fn take(prometheus: &Prometheus, processes: &[StackProcess], since: Instant) -> Self {
        let targets = prometheus.targets().ok();
        let count = |targets: &Vec<Target>| {
            let up = targets.iter().filter(|target| target.health == "up").count();
            (up, targets.len())
        };
        let scrapes = |targets: &Vec<Target>| Scrapes::query(prometheus, targets, since.elapsed()).ok();
        let resident = |process: &StackProcess| {
            let bytes = super::processes::resident_set(process.pid).ok()?;
            Some((process.name, bytes, process.budget.0))
        };
        Self {
            targets: targets.as_ref().map(count),
            scrapes: targets
                .as_ref()
                .and_then(scrapes)
                .map(|jobs| Scrapes::sum(jobs.into_values())),
            memory: processes.iter().filter_map(resident).collect(),
        }
    }

    fn health(&self) -> Health {
        let is_silent = self.scrapes.as_ref().is_some_and(|scrapes| scrapes.silent.is_some());
        (self.targets, is_silent)
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.targets {
            Some((up, all)) => write!(f, "targets {up}/{all} up")?,
            None => f.write_str("Prometheus does not answer")?,
        }
        if let Some(scrapes) = &self.scrapes {
            if let Some(silence) = scrapes.silent {
                write!(f, " · {silence} (disk full?)")?;
            }
            let all = scrapes.stored + scrapes.missing;
            if all > 0.0 {
                // Rounded down: 100.0 % means that none failed.
                let percent = (scrapes.share() * 1000.0).floor() / 10.0;
                write!(f, " · scrapes {percent:.1} % of {all}")?;
            }
        }
        for (index, &(name, resident, budget)) in self.memory.iter().enumerate() {
            let lead = if index == 0 { " · RSS" } else { "," };
            let decimals = usize::from(resident < 10 << 20);
            write!(
                f,
                "{lead} {name} {:.decimals$}/{} MB",
                resident as f64 / 1048576.0,
                budget >> 20
            )?;
        }
        Ok(())
    }
}

/// Shows the status, with the scrapes since `began`, until it is dropped. If Grafana ends meanwhile, that is reported, and the rest of
/// the stack goes on.
pub(crate) async fn show(
    prometheus: Prometheus,
    began: Instant,
    mut processes: Vec<StackProcess>,
    grafana: &mut Option<Child>,
) -> Infallible {
    let mut last_line: Option<(Instant, Health)> = None;
    loop {
        let (server, running) = (prometheus.clone(), processes.clone());
        let snapshot = in_background(move || Snapshot::take(&server, &running, began));
        // It fails only by a panic, which has been logged.
        let snapshot = snapshot.await.unwrap_or_default();
        if terminal::has_status_line() {
            terminal::draw_status_line(&format!("{snapshot} · Ctrl-C stops"));
        } else if last_line.is_none_or(|(when, health)| health != snapshot.health() || when.elapsed() >= LINE_INTERVAL)
        {
            last_line = Some((Instant::now(), snapshot.health()));
            terminal::note(&snapshot);
        }
        tokio::select! {
            () = sleep(UPDATE_INTERVAL) => {}
            exit = ended(grafana) => {
                terminal::warn(format!("{exit}\nthe rest of the stack goes on without Grafana"));
                processes.retain(|process| process.name != grafana::NAME);
                *grafana = None;
            }
        }
    }
}

/// Waits until it ends; for ever if there is none.
pub(super) async fn ended(child: &mut Option<Child>) -> ChildExit {
    match child {
        Some(child) => child.ended().await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgewatch_prometheus_client::scrapes::Silence;

    #[test]
    fn the_line_has_targets_scrapes_and_memory() {
        let mut snapshot = Snapshot {
            targets: Some((2, 2)),
            scrapes: Some(Scrapes {
                good: 122.0,
                stored: 123.0,
                ..Scrapes::default()
            }),
            memory: vec![("edgewatch", 4_300_000, 11 << 20), ("prometheus", 61 << 20, 76 << 20)],
        };
        assert_eq!(
            snapshot.to_string(),
            "targets 2/2 up · scrapes 99.1 % of 123 · RSS edgewatch 4.1/11 MB, prometheus 61/76 MB"
        );
        snapshot.scrapes = Some(Scrapes {
            good: 99_999.0,
            stored: 100_000.0,
            ..Scrapes::default()
        });
        assert!(snapshot.to_string().contains("99.9 % of 100000"), "{snapshot}");
        snapshot.scrapes = Some(Scrapes {
            good: 3.0,
            stored: 3.0,
            missing: 14.0,
            silent: Some(Silence {
                age: Duration::from_secs(61),
                interval: Duration::from_secs(15),
            }),
        });
        assert!(
            snapshot
                .to_string()
                .starts_with("targets 2/2 up · nothing stored for 1m 1s (disk full?) · scrapes 17.6 % of 17 · RSS"),
            "{snapshot}"
        );
        assert_eq!(Snapshot::default().to_string(), "Prometheus does not answer");
    }
}
