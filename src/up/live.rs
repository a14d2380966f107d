//! The line of live state.

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::child::Child;
use super::{grafana, in_background, processes, terminal};
use edgewatch_program::error::Failure;
use edgewatch_prometheus_client::prometheus::{Prometheus, Target};
use edgewatch_prometheus_client::scrapes::Scrapes;
use edgewatch_sensors::budget::Bytes;

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(2);
/// Between two lines where nobody watches, unless something changes.
const REMINDER: Duration = Duration::from_secs(60);

/// A process of the stack and its memory limit.
#[derive(Clone)]
pub struct Part {
    name: &'static str,
    pid: u32,
    budget: Bytes,
}

impl Part {
    /// A process by its number, and what it may use.
    pub const fn new(name: &'static str, pid: u32, budget: Bytes) -> Self {
        Self { name, pid, budget }
    }
}

/// The targets that are up and all, and whether one is silent.
type State = (Option<(usize, usize)>, bool);

/// What is known at one moment.
#[derive(Default)]
struct Look {
    /// Targets that are up, and all; `None` if Prometheus does not answer.
    targets: Option<(usize, usize)>,
    /// The scrapes of all targets; `None` if Prometheus does not answer.
    scrapes: Option<Scrapes>,
    /// Name, resident set and limit of each part.
    memory: Vec<(&'static str, u64, u64)>,
}

impl Look {
    /// Asks Prometheus and the kernel. Blocks.
    fn take(prometheus: &Prometheus, parts: &[Part], since: Instant) -> Self {
        let targets = prometheus.targets().ok();
        let count = |targets: &Vec<Target>| {
            let up = targets.iter().filter(|target| target.health == "up").count();
            (up, targets.len())
        };
        let scrapes = |targets: &Vec<Target>| Scrapes::query(prometheus, targets, since.elapsed()).ok();
        let resident = |part: &Part| Some((part.name, processes::resident_set(part.pid).ok()?, part.budget.0));
        Self {
            targets: targets.as_ref().map(count),
            scrapes: targets
                .as_ref()
                .and_then(scrapes)
                .map(|jobs| Scrapes::sum(jobs.into_values())),
            memory: parts.iter().filter_map(resident).collect(),
        }
    }
}

impl Look {
    /// What is said at once when it changes: the targets, and whether one is silent.
    fn state(&self) -> State {
        let is_silent = self.scrapes.as_ref().is_some_and(|scrapes| scrapes.silent.is_some());
        (self.targets, is_silent)
    }
}

impl fmt::Display for Look {
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
                // Rounded down: 100.0 % is only said if none failed.
                let percent = (scrapes.share() * 1000.0).floor() / 10.0;
                write!(f, " · scrapes {percent:.1} % of {all}")?;
            }
        }
        for (place, &(name, resident, budget)) in self.memory.iter().enumerate() {
            let lead = if place == 0 { " · RSS" } else { "," };
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

/// Shows the state, with the scrapes since `began`, until it is dropped. Grafana may end meanwhile; that is said, and the rest
/// goes on.
pub async fn show(
    prometheus: Prometheus,
    began: Instant,
    mut parts: Vec<Part>,
    grafana: &mut Option<Child>,
) -> Infallible {
    let mut noted: Option<(Instant, State)> = None;
    loop {
        let (server, processes) = (prometheus.clone(), parts.clone());
        let look = in_background(move || Look::take(&server, &processes, began));
        // It fails only by a panic, which has been logged.
        let look = look.await.unwrap_or_default();
        if terminal::is_watched() {
            terminal::draw(&format!("{look} · Ctrl-C stops"));
        } else if noted.is_none_or(|(when, state)| state != look.state() || when.elapsed() >= REMINDER) {
            noted = Some((Instant::now(), look.state()));
            terminal::note(&look);
        }
        tokio::select! {
            () = sleep(PERIOD) => {}
            failure = ended(grafana) => {
                terminal::warn(format!("{failure}\nthe rest of the stack goes on without Grafana"));
                parts.retain(|part| part.name != grafana::NAME);
                *grafana = None;
            }
        }
    }
}

async fn ended(child: &mut Option<Child>) -> Failure {
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
    fn the_line_says_what_is_known() {
        let mut look = Look {
            targets: Some((2, 2)),
            scrapes: Some(Scrapes {
                good: 122.0,
                stored: 123.0,
                ..Scrapes::default()
            }),
            memory: vec![("edgewatch", 4_300_000, 12 << 20), ("prometheus", 61 << 20, 84 << 20)],
        };
        assert_eq!(
            look.to_string(),
            "targets 2/2 up · scrapes 99.1 % of 123 · RSS edgewatch 4.1/12 MB, prometheus 61/84 MB"
        );
        look.scrapes = Some(Scrapes {
            good: 99_999.0,
            stored: 100_000.0,
            ..Scrapes::default()
        });
        assert!(look.to_string().contains("99.9 % of 100000"), "{look}");
        look.scrapes = Some(Scrapes {
            good: 3.0,
            stored: 3.0,
            missing: 14.0,
            silent: Some(Silence {
                age: Duration::from_secs(61),
                interval: Duration::from_secs(15),
            }),
        });
        assert!(
            look.to_string()
                .starts_with("targets 2/2 up · nothing stored for 1m 1s (disk full?) · scrapes 17.6 % of 17 · RSS"),
            "{look}"
        );
        assert_eq!(Look::default().to_string(), "Prometheus does not answer");
    }
}
