//! Random dashboards, requests and answers of Prometheus against the real binary: it must not panic, take long or grow.
//!
//! `EDGEWATCH_FUZZ_SECONDS` says how long (60 s; `make fuzz` takes 10 minutes), `EDGEWATCH_FUZZ_SEED` where to begin: a run with
//! the same seed tries the same. What fails is kept in `target/fuzz/`, to become a test where its kind is tested.

mod mutate;
mod random;
mod seeds;

use crate::common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::process::Process;
use common::upstream::{Reply, Upstream};
use common::{Service, Setup, ask, only};
use mutate::Request;
use random::Random;
use serde_json::Value;

/// KiB by which the service and the program that draws may grow: the first hardly. Two panels are drawn at once.
const MOST_GROWTH: [u64; 2] = [2 << 10, 8 << 10];
/// A page may cost that many times the CPU of the dearest shipped one, which is about 2 s on a slow device.
const MOST_RATIO: u32 = 25;
/// A program that does not answer health checks for twice that time is killed.
const STUCK: Duration = Duration::from_secs(5);
/// Bytes of a dashboard: larger ones are tried by the attacks, and would take the time of many others.
const MOST_BYTES: usize = 100 << 10;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}

/// A service, and what it is given.
struct Target {
    service: Service,
    directory: tempfile::TempDir,
    round: Arc<AtomicU64>,
    /// CPU of the dearest shipped page.
    shipped: Duration,
    /// KiB of its own that each process has after the shipped pages.
    resident: [u64; 2],
    /// Dashboards to begin with.
    seeds: usize,
    /// How often each status was answered to a request that was one.
    statuses: RefCell<BTreeMap<u16, u64>>,
}

impl Target {
    fn start(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let round = Arc::new(AtomicU64::new(0));
        let current = Arc::clone(&round);
        let upstream = Upstream::start(move |asked| {
            // The same question in the same round is answered alike, whoever of two asks first.
            let mut hasher = DefaultHasher::new();
            (seed, current.load(Ordering::Relaxed), asked).hash(&mut hasher);
            let (status, body) = seeds::answer(asked, &mut Random::new(hasher.finish()));
            Reply::Json(status, body)
        });
        let settings = format!(
            "{}[dashboards]\ndirectories = [{:?}]\n{}",
            upstream.settings(),
            directory.path(),
            only(&["load"])
        );
        let service = Setup::new(&settings).environment("MALLOC_ARENA_MAX", "1").start();
        let mut target = Self {
            service,
            directory,
            round,
            shipped: Duration::ZERO,
            resident: [0; 2],
            seeds: seeds::dashboards().len(),
            statuses: RefCell::default(),
        };
        assert_eq!(target.service.get("/d/edgewatch-overview").status, 200);
        for _ in 0..2 {
            for uid in [
                "edgewatch-overview",
                "edgewatch-hardware",
                "edgewatch-sensors",
                "edgewatch-budget",
            ] {
                for path in [
                    format!("/d/{uid}"),
                    format!("/d/{uid}/values.json"),
                    format!("/render/d/{uid}.svg"),
                ] {
                    let cpu = target.cpu();
                    assert_eq!(target.service.get(&path).status, 200);
                    target.shipped = target.shipped.max(target.cpu() - cpu);
                }
            }
        }
        target.resident = target.processes().map(|process| process.status("RssAnon"));
        target
    }

    /// The service, and the program that draws dashboards.
    fn processes(&self) -> [Process; 2] {
        [self.service.process(), self.service.dashboards()]
    }

    /// Of both. The program that draws may end meanwhile, and another begin: by its health checks, or after half a minute without a request.
    fn cpu(&self) -> Duration {
        self.service.process().cpu_with_children()
    }

    /// How often the program did not answer its health checks.
    fn kills(&self) -> usize {
        self.service.log.count("and is killed")
    }

    /// Sends `request` and looks whether it did harm.
    fn try_request(&self, Request { bytes, is_whole }: &Request) -> Result<(), String> {
        let processes = self.processes();
        processes.iter().for_each(Process::reset_peak);
        let file_pages = processes.each_ref().map(Process::file_pages);
        let (cpu, kills) = (self.cpu(), self.kills());
        let answered = ask(self.service.address(), bytes);
        let cpu = self.cpu() - cpu;
        let log = self.service.log.text();
        if let Some(at) = log.find("panicked") {
            return Err(format!("it panicked: {:.600}", &log[at..]));
        }
        // One that hardly ran was kept from it by others.
        if self.kills() > kills && cpu > STUCK {
            return Err(format!(
                "it was killed after {cpu:?} of CPU, in which it answered nobody"
            ));
        }
        // A request that is none may be answered by closing the connection; a page may not end in its middle.
        match answered {
            Ok(answer) if *is_whole => *self.statuses.borrow_mut().entry(answer.status).or_default() += 1,
            Err(error) if *is_whole => return Err(format!("no answer: {error}")),
            _ => {}
        }
        for (index, process) in self.processes().iter().enumerate() {
            let growth = process
                .peak_beside(file_pages[index])
                .saturating_sub(self.resident[index]);
            if growth > MOST_GROWTH[index] {
                return Err(format!("the process {} grew by {growth} KiB", process.pid));
            }
        }
        if cpu > self.shipped * MOST_RATIO {
            return Err(format!(
                "it took {cpu:?} of CPU, the dearest shipped page {:?}",
                self.shipped
            ));
        }
        Ok(())
    }

    fn round(&self, number: u64, random: &mut Random, corpus: &mut Vec<Value>) {
        self.round.store(number, Ordering::Relaxed);
        let dashboard = mutate::dashboard(random, corpus, self.seeds);
        let text = dashboard.to_string();
        if text.len() > MOST_BYTES {
            return;
        }
        std::fs::write(self.directory.path().join("fuzz.json"), &text).unwrap();
        for request in mutate::requests(random, &dashboard) {
            if let Err(problem) = self.try_request(&request) {
                let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../fuzz");
                std::fs::create_dir_all(&kept).unwrap();
                std::fs::write(kept.join("dashboard.json"), &text).unwrap();
                std::fs::write(kept.join("request"), &request.bytes).unwrap();
                let request = String::from_utf8_lossy(&request.bytes).into_owned();
                panic!(
                    "round {number}: {problem}\nafter {request:.500}\nwith {}",
                    kept.join("dashboard.json").display()
                );
            }
        }
        // What was read without harm is where others begin.
        if corpus.len() < 400 && random.one_of(4) {
            corpus.push(dashboard);
        }
    }
}

#[test]
fn nothing_random_makes_it_panic_grow_or_take_long() {
    let seconds = from_environment("EDGEWATCH_FUZZ_SECONDS", 60);
    let seed = from_environment("EDGEWATCH_FUZZ_SEED", 1);
    println!("EDGEWATCH_FUZZ_SEED={seed} EDGEWATCH_FUZZ_SECONDS={seconds}");
    let target = Target::start(seed);
    println!(
        "a shipped page takes {:?} of CPU and {:?} KiB",
        target.shipped, target.resident
    );
    let mut corpus = seeds::dashboards();
    let mut random = Random::new(seed);
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < Duration::from_secs(seconds) {
        rounds += 1;
        target.round(rounds, &mut random, &mut corpus);
    }
    let statuses = target.statuses.take();
    println!("{rounds} rounds without harm, by status: {statuses:?}");
    assert!(rounds > 3, "the machine is too slow for {seconds} s");
    // Else it would be the refusals that are tried, not the dashboards.
    let shown = statuses.get(&200).copied().unwrap_or(0);
    assert!(2 * shown > statuses.values().sum(), "{statuses:?}");
}
