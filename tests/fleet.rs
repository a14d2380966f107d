//! A simulated fleet against a real VictoriaMetrics: what a real device has recorded, sent by many, with outages, repeats, silent ones, copied
//! cards and wrong clocks. Nothing is missing afterwards, the rules of the centre name whom they should, and every panel of its dashboards
//! has data. The gate has twenty devices; `make fleet ARGS="--devices 1000"` (EDGEWATCH_FLEET_DEVICES) as many as are to be measured.

use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::rules;
use common::simulation::{Device, Fate, Recording, Window, devices, key};
use common::victoria_metrics::{VictoriaMetrics, program};
use serde_json::Value;

const WINDOWS: usize = 18;
const WINDOW: i64 = 300_000;
/// At once, as a centre has them from a fleet.
const SENDERS: usize = 4;
const ABSENT: &str = "sim-absent";
/// Values of a variable that `edgewatch render` knows (docs/dashboards.md). Grafana has no such limit.
const MOST_TO_CHOOSE: usize = 500;
/// Devices in the gate.
const GATE: usize = 20;

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn fleet_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fleet").join(path)
}

/// The fleet while it sends.
struct Fleet {
    devices: Vec<Device>,
    /// By clock and number.
    windows: BTreeMap<(i64, usize), Window>,
    from: i64,
    bytes: AtomicU64,
    requests: AtomicU64,
    samples: AtomicU64,
}

impl Fleet {
    /// The end of a window.
    fn end(&self, number: usize) -> i64 {
        self.from + (number as i64 + 1) * WINDOW
    }

    /// What is sent when a window has ended.
    fn send(&self, number: usize, centre: &VictoriaMetrics) {
        let share = self.devices.len().div_ceil(SENDERS);
        thread::scope(|scope| {
            for devices in self.devices.chunks(share) {
                scope.spawn(move || {
                    let agent = ureq::Agent::new_with_defaults();
                    for device in devices {
                        for window in device.sends(number, WINDOWS) {
                            self.send_window(device, &self.windows[&(device.skew, window)], &agent, centre);
                        }
                    }
                });
            }
        });
    }

    fn send_window(&self, device: &Device, window: &Window, agent: &ureq::Agent, centre: &VictoriaMetrics) {
        self.samples.fetch_add(window.samples, Ordering::Relaxed);
        for body in window.bodies(&device.name, &device.boot) {
            self.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
            self.requests.fetch_add(1, Ordering::Relaxed);
            let answer = agent
                .post(centre.url("/api/v1/write"))
                .header("Content-Encoding", "snappy")
                .header("Content-Type", "application/x-protobuf")
                .header("X-Prometheus-Remote-Write-Version", "0.1.0")
                .send(&body[..])
                .unwrap();
            assert_eq!(answer.status().as_u16(), 204);
        }
    }

    /// How many samples of each series the centre should have of a name.
    fn expected(&self, name: &str) -> BTreeMap<String, usize> {
        let mut expected = BTreeMap::<String, usize>::new();
        for device in self.devices.iter().filter(|device| device.name == name) {
            let sent: BTreeSet<usize> = (0..WINDOWS).flat_map(|now| device.sends(now, WINDOWS)).collect();
            for (series, count) in sent
                .iter()
                .flat_map(|window| &self.windows[&(device.skew, *window)].counts)
            {
                *expected.entry(series.clone()).or_default() += count;
            }
        }
        expected
    }

    fn names(&self, fate: Fate) -> BTreeSet<String> {
        let devices = self.devices.iter().filter(|device| device.fate == fate);
        devices.map(|device| device.name.clone()).collect()
    }
}

/// Panels of a dashboard: title, and queries with whether they are of a moment.
fn panels(name: &str, edge: &str) -> Vec<(String, Vec<(String, bool)>)> {
    let text = fs::read_to_string(fleet_file("dashboards").join(name)).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let expand = |query: &Value| {
        let query = query["expr"].as_str().unwrap().replace("$edge", edge);
        query.replace("$__rate_interval", "2m")
    };
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels
        .filter(|panel| panel["targets"].is_array())
        .map(|panel| {
            let targets = panel["targets"].as_array().unwrap().iter();
            let queries = targets.map(|query| (expand(query), query["instant"] == true)).collect();
            (panel["title"].as_str().unwrap().to_owned(), queries)
        })
        .collect()
}

/// Asks what a dashboard asks. Panels without data are a failure; the times go to the report.
fn assert_every_panel_has_data(
    name: &str,
    edge: &str,
    centre: &VictoriaMetrics,
    from: i64,
    until: i64,
) -> Vec<(Duration, String)> {
    let mut times = Vec::new();
    for (title, queries) in panels(name, edge) {
        let mut found = 0;
        for (query, is_instant) in queries {
            let began = Instant::now();
            found += match is_instant {
                true => centre.query(&query, until).len(),
                false => centre.query_range(&query, from, until, 30),
            };
            times.push((began.elapsed(), format!("{name} / {title}")));
        }
        assert!(found > 0, "{name} / {title} has no data");
    }
    times
}

/// Draws a dashboard with our own program.
fn draw(name: &str, edge: &str, centre: &VictoriaMetrics, from: i64, until: i64) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("picture.svg");
    let output = Command::new(common::binary())
        .arg("render")
        .arg(fleet_file("dashboards").join(name))
        .args([
            "--prometheus",
            &centre.url(""),
            "--from",
            &from.to_string(),
            "--to",
            &until.to_string(),
        ])
        .args(
            (name == "device.json")
                .then(|| ["--var".to_owned(), format!("edge={edge}")])
                .into_iter()
                .flatten(),
        )
        .arg("-o")
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(file).unwrap()
}

/// What the centre lacks of what was sent to it, series by series; and how many samples it should have.
fn missing(fleet: &Fleet, centre: &VictoriaMetrics) -> (usize, Vec<String>) {
    let names: BTreeSet<&String> = fleet.devices.iter().map(|device| &device.name).collect();
    let (until, range) = (fleet.end(WINDOWS), WINDOWS as i64 * WINDOW + 3 * WINDOW);
    let (mut all, mut missing) = (0, Vec::new());
    for name in names {
        let query = format!("count_over_time({{edge=\"{name}\", __name__!~\"edge:.*\", from=\"\"}}[{range}ms])");
        let mut stored = BTreeMap::<String, usize>::new();
        for (labels, count) in centre.query(&format!("{query} keep_metric_names"), until) {
            let labels = labels.as_object().unwrap().iter();
            let series = key(labels.map(|(name, value)| (&**name, value.as_str().unwrap())));
            *stored.entry(series).or_default() += count as usize;
        }
        for (series, count) in fleet.expected(name) {
            all += count;
            let there = stored.get(&series).copied().unwrap_or(0);
            if there != count {
                missing.push(format!("{name}: {there} of {count} of {series}"));
            }
        }
    }
    (all, missing)
}

fn start(count: usize, recording: &Recording, spacing: i64) -> Fleet {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    // The newest is in the past by any of the clocks.
    let from = (now - 600_000) / WINDOW * WINDOW - WINDOWS as i64 * WINDOW;
    let mut fleet = Fleet {
        devices: devices(count),
        windows: BTreeMap::new(),
        from,
        bytes: AtomicU64::new(0),
        requests: AtomicU64::new(0),
        samples: AtomicU64::new(0),
    };
    let skews: BTreeSet<i64> = fleet.devices.iter().map(|device| device.skew).collect();
    for (skew, number) in skews
        .into_iter()
        .flat_map(|skew| (0..WINDOWS).map(move |number| (skew, number)))
    {
        let window = recording.window(from, fleet.end(number), spacing, skew);
        fleet.windows.insert((skew, number), window);
    }
    fleet
}

#[test]
fn a_fleet_loses_nothing_its_rules_name_who_is_amiss_and_its_dashboards_have_data() {
    let test = "a_fleet_loses_nothing_its_rules_name_who_is_amiss_and_its_dashboards_have_data";
    let (Some(victoria_metrics), Some(vmalert)) = (program("victoria-metrics"), program("vmalert")) else {
        return common::skip(
            test,
            "no VictoriaMetrics: scripts/setup victoria_metrics target/victoria-metrics",
        );
    };
    let dry_run = format!("-rule={}", fleet_file("rules/*.yml").display());
    let output = Command::new(vmalert).args(["-dryRun", &dry_run]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let count = setting("EDGEWATCH_FLEET_DEVICES", GATE);
    // A scrape of the gate stands for 30 s, one that is measured for 15 s.
    let (scrapes, spacing) = if count == GATE { (10, 30) } else { (120, 15) };
    let recording = Recording::make(scrapes);
    let fleet = start(count, &recording, spacing);
    let centre = VictoriaMetrics::start(&victoria_metrics, &["-memory.allowedBytes=1GiB"]);
    let (process, all_rules) = (centre.process(), rules::read(&fleet_file("rules/fleet.yml")));
    let mut alerts = BTreeMap::new();
    let (began, mut cpu, mut evaluating) = (Instant::now(), Duration::ZERO, Duration::ZERO);
    for number in 0..WINDOWS {
        let before = process.cpu();
        fleet.send(number, &centre);
        centre.flush();
        let sent = process.cpu();
        cpu += sent - before;
        let inventory: String = fleet
            .devices
            .iter()
            .map(|device| &*device.name)
            .chain([ABSENT])
            .map(|name| format!("fleet_inventory_info{{edge={name:?}}} 1\n"))
            .collect();
        centre.import(&inventory, fleet.end(number));
        centre.flush();
        // The gate has no time to evaluate alerts that nobody looks at.
        let needs_alerts = count > GATE || number == WINDOWS - 1;
        let due = all_rules.iter().filter(|rule| needs_alerts || !rule.is_alert);
        alerts = rules::evaluate(&centre, due, fleet.end(number));
        evaluating += process.cpu() - sent;
    }
    let (end, edge) = (fleet.end(WINDOWS - 1), "sim-000000");
    println!(
        "{count} devices, {} series each: {} samples in {} requests, {} bytes of bodies ({} an hour and device)",
        recording.series(),
        fleet.samples.load(Ordering::Relaxed),
        fleet.requests.load(Ordering::Relaxed),
        fleet.bytes.load(Ordering::Relaxed),
        fleet.bytes.load(Ordering::Relaxed) as f64 / fleet.devices.len() as f64 / (WINDOWS as f64 / 12.0)
    );
    println!(
        "centre: {:?} of CPU to take {} minutes, {:?} for the rules every 5 minutes; {} KiB resident at most, {} KiB of it anonymous now; {} bytes on the disk; took {:?}",
        cpu,
        WINDOWS * 5,
        evaluating,
        process.status("VmHWM"),
        process.status("RssAnon"),
        centre.disk(),
        began.elapsed()
    );

    let (samples, lacking) = missing(&fleet, &centre);
    println!("{samples} samples expected, {} series lack some", lacking.len());
    assert!(
        samples > 1000 * count && lacking.is_empty(),
        "{:#?}",
        &lacking[..lacking.len().min(20)]
    );

    // Each alert names whom it should and nobody else.
    let named = |alert: &str| alerts.get(alert).cloned().unwrap_or_default();
    assert_eq!(named("DeviceSilent"), fleet.names(Fate::Silent));
    assert_eq!(named("DeviceNeverSeen"), BTreeSet::from([ABSENT.to_owned()]));
    assert_eq!(named("ClonedName"), fleet.names(Fate::Cloned));
    assert_eq!(named("DeviceClockAhead"), fleet.names(Fate::Ahead));
    let reporting: BTreeSet<String> = fleet.devices.iter().map(|device| device.name.clone()).collect();
    assert_eq!(
        named("DeviceAlert"),
        reporting.difference(&fleet.names(Fate::Silent)).cloned().collect()
    );
    for alert in ["ManySilent", "DeviceNotInInventory", "DeviceBehind"] {
        assert_eq!(named(alert), BTreeSet::new(), "{alert}");
    }

    let mut times = Vec::new();
    for name in ["fleet.json", "device.json"] {
        times.extend(assert_every_panel_has_data(name, edge, &centre, fleet.from, end));
    }
    times.sort();
    let sum: Duration = times.iter().map(|(time, _)| *time).sum();
    println!("{} queries of the dashboards: {sum:?}; the slowest:", times.len());
    times
        .iter()
        .rev()
        .take(8)
        .for_each(|(time, panel)| println!("  {time:?} {panel}"));
    for (name, says) in [
        ("fleet.json", ["sim-000001", "silent", "ClonedName"]),
        ("device.json", ["reports", "SourceFailing", "temp1"]),
    ] {
        if name == "device.json" && count > MOST_TO_CHOOSE {
            println!("not drawn: {name} lets choose among {count} devices, and our program among {MOST_TO_CHOOSE}");
            continue;
        }
        let picture = draw(name, edge, &centre, fleet.from, end);
        assert!(!picture.contains("No data"), "{name}");
        for text in says {
            assert!(count > GATE || picture.contains(text), "{name} does not show {text}");
        }
    }
}

#[test]
fn the_inventory_becomes_rules_and_a_mistake_in_it_is_told_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("devices");
    let make = |text: &str| {
        fs::write(&list, text).unwrap();
        let output = Command::new(fleet_file("inventory")).arg(&list).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (is_well, made, _) = make("# ours\ngate-7 site=north customer=acme # at the door\r\n\ngate-8\n");
    let file = directory.path().join("inventory.yml");
    fs::write(&file, made).unwrap();
    let made: Vec<_> = rules::read(&file)
        .into_iter()
        .map(|rule| (rule.name, rule.expression))
        .collect();
    assert!(is_well);
    assert_eq!(
        made,
        vec![("fleet_inventory_info".to_owned(), "vector(1)".to_owned()); 2]
    );
    let labels = fs::read_to_string(&file).unwrap();
    assert!(
        labels.contains(r#"{edge: "gate-7", site: "north", customer: "acme"}"#),
        "{labels}"
    );
    for (text, says) in [
        ("gate-7\ngate-8 north\n", "line 2: not LABEL=VALUE: north"),
        ("gate-7\n\ngate-7\n", "line 3: gate-7 stands on line 1 already"),
        ("site=north gate-7\n", "line 1: the name of the device comes first"),
        ("gate-7 edge=x\n", "line 1: the label edge is there twice"),
        ("gate\"7\n", "line 1: quotes"),
        ("# nobody\n", "no device in the list"),
    ] {
        let (is_well, made, error) = make(text);
        assert!(!is_well && made.is_empty() && error.contains(says), "{text}: {error}");
    }
}
