//! An outage of the centre, accelerated: a scrape every 100 ms stands for one every 15 s. The service and Prometheus are killed in it, and
//! afterwards the centre has every sample that the local Prometheus has. The gate has time for a short one; `make fleet` makes it as long
//! as three days and kills more often (EDGEWATCH_OUTAGE_SECONDS, EDGEWATCH_OUTAGE_KILLS).

use crate::common;

use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::centre::Samples;
use common::prometheus::{Prometheus, free_port, installed};
use common::victoria_metrics::{VictoriaMetrics, program};
use common::{Service, Setup, only, skip, stored};
use tempfile::TempDir;

const INTERVAL: Duration = Duration::from_millis(100);
/// What a centre may make of a value: VictoriaMetrics was seen to keep 12 digits.
const PRECISION: f64 = 1e-11;

/// A number of the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// A device that forwards to `centre`, where nothing listens yet.
struct Device {
    listener: TcpListener,
    prometheus: Prometheus,
    settings: String,
    service: Service,
    from: i64,
    kills: u64,
    _directory: TempDir,
}

impl Device {
    fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let program = installed().pop().expect("Prometheus is installed");
        let from = now();
        let prometheus = Prometheus::start(&program, &[listener.local_addr().unwrap()], INTERVAL);
        let directory = tempfile::tempdir().unwrap();
        // Windows of 2 s are 5 minutes; what is committed late on a busy machine is waited for. VictoriaMetrics takes zstd, Prometheus does not.
        let settings = format!(
            "{}[prometheus]\nurl = \"http://{}\"\n[forward]\nurl = {url:?}\nwindow = \"2s\"\nlag = \"5s\"\ntimeout = \"5s\"\ncompression = \"zstd\"\ndirectory = {:?}\n",
            only(&["load", "memory", "process"]),
            prometheus.address,
            directory.path()
        );
        let service = Setup::new(&settings).socket(&listener).start();
        Self {
            listener,
            prometheus,
            settings,
            service,
            from,
            kills: 0,
            _directory: directory,
        }
    }

    /// SIGKILL, and another one in its place.
    fn kill_service(&mut self) {
        self.service.signal("KILL");
        self.service.child.wait().unwrap();
        self.service = Setup::new(&self.settings).socket(&self.listener).start();
        self.kills += 1;
    }

    /// Lives through the outage.
    fn endure(&mut self, time: Duration, kills: u64) {
        let began = Instant::now();
        for number in 1..=kills {
            thread::sleep((time * number as u32 / (kills as u32 + 1)).saturating_sub(began.elapsed()));
            self.kill_service();
            // Prometheus once for every four, and at least once.
            if number % 4 == 1 {
                self.prometheus.kill_and_restart();
            }
        }
        thread::sleep(time.saturating_sub(began.elapsed()));
        // The last of them may have been started just now.
        let failed = "edge_forward_requests_failed_total{kind=\"connect\"}";
        assert!(wait_long(|| self.service.metric(failed) > Some(0.0)));
    }

    /// Waits until everything that is stored now has been sent, kills the service once more meanwhile, and gives what is stored.
    fn catch_up(&mut self) -> Samples {
        let until = now();
        // In the midst of it, if it takes that long.
        let is_begun = |device: &Self| device.service.metric("edge_forward_samples_sent_total") > Some(0.0);
        assert!(wait_long(|| is_begun(self)), "{}", self.service.log.text());
        self.kill_service();
        let sent = |device: &Self| {
            let age = device.service.metric("edge_forward_oldest_unsent_age_seconds");
            age.is_some_and(|age| now() - (age * 1000.0) as i64 - stored::READING_AGE_MS >= until)
        };
        assert!(wait_long(|| sent(self)), "{}", self.service.log.text());
        stored::samples(self.prometheus.address, self.from, until)
    }
}

/// Longer than the longest pause between two attempts.
fn wait_long(mut holds: impl FnMut() -> bool) -> bool {
    let longest = Duration::from_secs(60 + setting("EDGEWATCH_OUTAGE_SECONDS", 12));
    let began = Instant::now();
    while began.elapsed() < longest {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(200));
    }
    false
}

/// Nothing that is stored is missing at the centre, series by series.
fn assert_nothing_is_missing(device: &Device, stored: &Samples, received: &Samples) {
    let mut missing = Vec::new();
    for (name, values) in stored {
        let at_centre = received.get(name);
        let is_there = |time: &i64, bits: &u64| {
            let there = at_centre
                .and_then(|values| values.get(time))
                .map(|bits| f64::from_bits(*bits));
            let value = f64::from_bits(*bits);
            there.is_some_and(|there| (there - value).abs() <= value.abs() * PRECISION || there.to_bits() == *bits)
        };
        let lacking: Vec<_> = values.iter().filter(|(time, bits)| !is_there(time, bits)).collect();
        if !lacking.is_empty() {
            missing.push(format!(
                "{} of {} of {name}: {:?} …",
                lacking.len(),
                values.len(),
                lacking[0]
            ));
        }
    }
    let samples: usize = stored.values().map(std::collections::BTreeMap::len).sum();
    assert!(missing.is_empty(), "{missing:#?}\n{}", device.service.log.text());
    // The outage was one, and there was something to lose.
    assert!(
        samples > 1000 && stored.len() > 20,
        "{samples} samples of {} series",
        stored.len()
    );
    println!(
        "{samples} samples of {} series, {} kills of the service: none is missing",
        stored.len(),
        device.kills
    );
}

fn outage() -> (Duration, u64) {
    let time = Duration::from_secs(setting("EDGEWATCH_OUTAGE_SECONDS", 12));
    (time, setting("EDGEWATCH_OUTAGE_KILLS", 2))
}

#[test]
fn an_outage_loses_nothing_with_prometheus_as_the_centre() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut device = Device::start(&format!("http://{address}/api/v1/write"));
    let (time, kills) = outage();
    device.endure(time, kills);
    let centre = Prometheus::start_receiver(&installed().pop().unwrap(), address);
    let stored = device.catch_up();
    let received = stored::samples(centre.address, device.from, now());
    assert_nothing_is_missing(&device, &stored, &received);
    assert_eq!(device.service.metric("edge_forward_samples_refused_total"), Some(0.0));
}

#[test]
fn an_outage_loses_nothing_with_victoria_metrics_as_the_centre() {
    let Some(program) = program("victoria-metrics") else {
        skip(
            "an_outage_loses_nothing_with_victoria_metrics_as_the_centre",
            "no VictoriaMetrics: scripts/setup victoria_metrics target/victoria-metrics",
        );
        return;
    };
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut device = Device::start(&format!("http://{address}/api/v1/write"));
    let (time, kills) = outage();
    device.endure(time, kills);
    let centre = VictoriaMetrics::start_at(&program, address, &["-memory.allowedBytes=64MiB"]);
    let stored = device.catch_up();
    assert_nothing_is_missing(&device, &stored, &centre.samples());
    assert_eq!(device.service.metric("edge_forward_samples_refused_total"), Some(0.0));
}
