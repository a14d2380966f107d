//! The line of live state.

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::child::Child;
use super::{grafana, in_background, processes, terminal};
use crate::budget::Bytes;
use crate::client::prometheus::Prometheus;
use crate::error::Failure;

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

/// What is known at one moment.
#[derive(Default)]
struct Look {
    /// Targets that are up, and all; `None` if Prometheus does not answer.
    targets: Option<(usize, usize)>,
    /// Scrapes that succeeded, and all.
    scrapes: Option<(f64, f64)>,
    /// Name, resident set and limit of each part.
    memory: Vec<(&'static str, u64, u64)>,
}

impl Look {
    /// Asks Prometheus and the kernel. Blocks.
    fn take(prometheus: &Prometheus, parts: &[Part], since: Instant) -> Self {
        let targets = prometheus.targets().ok().map(|targets| {
            let up = targets.iter().filter(|target| target.health == "up").count();
            (up, targets.len())
        });
        let range = since.elapsed().as_secs().max(1);
        let sum = |function| {
            let answer = prometheus.query(&format!("sum({function}(up[{range}s]))")).ok()?;
            answer.first().map(|(_, value)| *value)
        };
        let resident = |part: &Part| Some((part.name, processes::resident_set(part.pid).ok()?, part.budget.0));
        Self {
            targets,
            scrapes: sum("sum_over_time").zip(sum("count_over_time")),
            memory: parts.iter().filter_map(resident).collect(),
        }
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.targets {
            Some((up, all)) => write!(f, "targets {up}/{all} up")?,
            None => f.write_str("Prometheus does not answer")?,
        }
        if let Some((good, all)) = self.scrapes {
            // Rounded down: 100.0 % is only said if none failed.
            write!(f, " · scrapes {:.1} % of {all}", (good / all * 1000.0).floor() / 10.0)?;
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
    let mut noted: Option<(Instant, Option<(usize, usize)>)> = None;
    loop {
        let (server, processes) = (prometheus.clone(), parts.clone());
        let look = in_background(move || Look::take(&server, &processes, began));
        // It fails only by a panic, which has been logged.
        let look = look.await.unwrap_or_default();
        if terminal::is_watched() {
            terminal::draw(&format!("{look} · Ctrl-C stops"));
        } else if noted.is_none_or(|(when, targets)| targets != look.targets || when.elapsed() >= REMINDER) {
            noted = Some((Instant::now(), look.targets));
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

    #[test]
    fn the_line_says_what_is_known() {
        let mut look = Look {
            targets: Some((2, 2)),
            scrapes: Some((122.0, 123.0)),
            memory: vec![("edgewatch", 4_300_000, 24 << 20), ("prometheus", 61 << 20, 96 << 20)],
        };
        assert_eq!(
            look.to_string(),
            "targets 2/2 up · scrapes 99.1 % of 123 · RSS edgewatch 4.1/24 MB, prometheus 61/96 MB"
        );
        look.scrapes = Some((99_999.0, 100_000.0));
        assert!(look.to_string().contains("99.9 % of 100000"), "{look}");
        assert_eq!(Look::default().to_string(), "Prometheus does not answer");
    }
}
