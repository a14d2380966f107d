//! What we export under node_exporter's names is what it exports: family by family and value by value, over the trees of fixtures and on this
//! machine. `scripts/setup` gets Debian sid's node_exporter; without it there is nothing to compare with.

use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::prometheus::free_port;
use common::{Service, ask, eventually, tree};

/// A family, its difference, and why that is meant. A `*` stands for the rest of the name.
type Meant = (&'static str, Kind, &'static str);

/// Differences over the fixtures: each is there.
const MEANT: &[Meant] = &[
    (
        "node_filesystem_mount_info",
        Kind::OnlyTheirs,
        "numbers of devices, which no dashboard asks for",
    ),
    (
        "node_filesystem_purgeable_bytes",
        Kind::OnlyTheirs,
        "of macOS, always 0",
    ),
    (
        "node_network_speed_bytes",
        Kind::Series,
        "theirs is -125000 where it is not known",
    ),
    (
        "node_cpu_frequency_avg_hertz",
        Kind::OnlyOurs,
        "theirs comes with a newer version",
    ),
    ("node_disk_*", Kind::Series, "a partition of a card is no disk"),
    (
        "node_disk_info",
        Kind::Series,
        "theirs has udev's names; edge_mmc_info says more of a card",
    ),
    (
        "node_disk_info",
        Kind::OnlyTheirs,
        "ours is of what the kernel says of the disk: of a card it has no model",
    ),
    (
        "node_filesystem_*",
        Kind::Series,
        "file systems in memory are exported, too: they fill up like others",
    ),
    (
        "node_filesystem_device_error",
        Kind::OnlyTheirs,
        "an error is counted, and the size missing",
    ),
    (
        "node_hwmon_freq_freq_mhz",
        Kind::OnlyTheirs,
        "not in the base unit, and its sensor is the label: edge_hwmon_freq_hertz",
    ),
    (
        "node_hwmon_humidity*",
        Kind::OnlyTheirs,
        "a tenth of the value: edge_hwmon_humidity_ratio",
    ),
    (
        "node_hwmon_in_lcrit_alarm_volts",
        Kind::OnlyTheirs,
        "an alarm as 0.001 V: edge_hwmon_alarm",
    ),
    (
        "node_hwmon_temp_celsius",
        Kind::Series,
        "theirs takes the file `temp` of a thermal zone for a sensor temp0",
    ),
    (
        "node_hwmon_temp_crit_alarm_celsius",
        Kind::OnlyTheirs,
        "an alarm as 0.001 °C: edge_hwmon_alarm",
    ),
    ("node_md_blocks*", Kind::OnlyTheirs, "only in the text of /proc/mdstat"),
    (
        "node_md_degraded",
        Kind::OnlyOurs,
        "theirs fails over the fixture, whose block devices are no links",
    ),
    ("node_md_raid_disks", Kind::OnlyOurs, "as above"),
    ("node_memory_*", Kind::OnlyOurs, "fields that theirs does not know"),
    ("node_netstat_*", Kind::Type, "theirs has no type"),
    (
        "node_arp_entries",
        Kind::OnlyTheirs,
        "theirs asks the kernel of this machine for it",
    ),
    ("node_interrupts_total", Kind::OnlyOurs, "off by default there"),
    ("node_processes_*", Kind::OnlyOurs, "off by default there"),
    ("node_tcp_connection_states", Kind::OnlyOurs, "off by default there"),
    (
        "node_network_receive_nohandler_total",
        Kind::OnlyOurs,
        "theirs has it from the kernel's netlink, which has no fixtures",
    ),
    ("node_selinux_enabled", Kind::OnlyTheirs, "says nothing of a device"),
    (
        "node_time_zone_offset_seconds",
        Kind::OnlyTheirs,
        "that of the service, not of its reader",
    ),
    ("node_vmstat_*", Kind::Type, "theirs has no type"),
    (
        "job_seconds*",
        Kind::Type,
        "a summary of another program is the series that it is made of (docs/inputs.md)",
    ),
    ("wait_seconds*", Kind::Type, "a histogram, as above"),
];
/// Differences that a machine may have beside those.
const MEANT_LIVE: &[Meant] = &[
    (
        "node_network_speed_bytes",
        Kind::OnlyTheirs,
        "theirs is -125000 where it is not known",
    ),
    (
        "node_nf_conntrack_stat_*",
        Kind::OnlyTheirs,
        "most are always 0 on today's kernels",
    ),
    (
        "node_netstat_Tcp_CurrEstab",
        Kind::Values,
        "the connection of its own scrape is among them",
    ),
    (
        "node_systemd_*",
        Kind::OnlyTheirs,
        "no file says that a unit has failed (docs/sensors.md)",
    ),
    ("node_time_clocksource_*", Kind::OnlyTheirs, "says nothing of a device"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    OnlyTheirs,
    OnlyOurs,
    /// The same family with other labels.
    Series,
    Type,
    Values,
}

/// Families that are about the exporter itself.
const OWN: [&str; 6] = [
    "go_",
    "process_",
    "promhttp_",
    "node_exporter_",
    "node_scrape_",
    "sensor_",
];
/// Families that the two read from this machine at different times, whatever the settings say.
const LIVE: [&str; 4] = [
    "node_time_seconds",
    "node_timex_",
    "node_filesystem_",
    "node_boot_time_seconds",
];

/// Another exporter; killed when dropped.
struct NodeExporter(Child, u16);

impl NodeExporter {
    fn program() -> Option<PathBuf> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/node_exporter/usr/bin/prometheus-node-exporter");
        if !path.exists() {
            println!(
                "skipped: no {}; scripts/setup node_exporter target/node_exporter gets it",
                path.display()
            );
        }
        path.exists().then_some(path)
    }

    fn start(program: &Path, proc: &Path, sys: &Path, root: &Path, text: &Path) -> Self {
        let port = free_port();
        let child = Command::new(program)
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--path.procfs={}", proc.display()))
            .arg(format!("--path.sysfs={}", sys.display()))
            .arg(format!("--path.rootfs={}", root.display()))
            .arg(format!("--collector.textfile.directory={}", text.display()))
            // Else it asks the kernel of this machine.
            .arg("--no-collector.netdev.netlink")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let exporter = Self(child, port);
        assert!(eventually(|| exporter.ask().is_some()), "node_exporter does not answer");
        exporter
    }

    fn ask(&self) -> Option<String> {
        let address = ([127, 0, 0, 1], self.1).into();
        let request = b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
        ask(address, request)
            .ok()
            .filter(|answer| answer.status == 200)
            .map(|answer| answer.text())
    }
}

impl Drop for NodeExporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A family: its type, and its values by labels, those without a value left out.
#[derive(Default)]
struct Family {
    kind: String,
    values: BTreeMap<BTreeSet<String>, f64>,
}

fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kind.clone_into(&mut families.entry(name.to_owned()).or_default().kind);
        } else if let Some((series, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) {
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').split("\",");
            let labels = labels.map(|label| label.trim_end_matches('"').to_owned());
            let labels = labels.filter(|label| !label.is_empty() && !label.ends_with('=') && !label.ends_with("=\""));
            let family = families.entry(name.to_owned()).or_default();
            family.values.insert(labels.collect(), value.parse().unwrap());
        }
    }
    families.retain(|name, family| {
        !family.values.is_empty() && !OWN.iter().any(|own| name.starts_with(own)) && !name.starts_with("edge_")
    });
    families
}

/// What differs, with an example of each. `later` is what they said once more after us: on a live machine counters have gone on.
fn differences(theirs: &str, ours: &str, later: &str, is_live: bool) -> BTreeMap<(String, Kind), String> {
    let (theirs, ours, later) = (families(theirs), families(ours), families(later));
    let mut found = BTreeMap::new();
    for name in theirs.keys().filter(|name| !ours.contains_key(*name)) {
        found.insert((name.clone(), Kind::OnlyTheirs), String::new());
    }
    for (name, our) in &ours {
        let (Some(their), Some(later)) = (theirs.get(name), later.get(name)) else {
            found.insert((name.clone(), Kind::OnlyOurs), String::new());
            continue;
        };
        if their.kind != our.kind {
            found.insert((name.clone(), Kind::Type), format!("{} and {}", their.kind, our.kind));
        }
        let other = |a: &Family, b: &Family| a.values.keys().find(|labels| !b.values.contains_key(*labels)).cloned();
        if let Some(labels) = other(their, our).or_else(|| other(our, their)) {
            found.insert((name.clone(), Kind::Series), format!("{labels:?}"));
        }
        for (labels, value) in &our.values {
            let (Some(before), Some(after)) = (their.values.get(labels), later.values.get(labels)) else {
                continue;
            };
            let is_moving = is_live || LIVE.iter().any(|live| name.starts_with(live));
            let slack = 1e-9 * value.abs().max(1.0);
            let is_same = match (is_moving, our.kind.as_str()) {
                (false, _) => (value - before).abs() <= slack,
                // A tick, as the sum of the CPUs' idle time goes back now and then.
                (true, "counter") => (*before - 1.0..=*after + 1.0).contains(value),
                // What goes up and down can be compared while it stays.
                (true, _) => before != after || (value - before).abs() <= slack,
            };
            if !is_same {
                found.insert(
                    (name.clone(), Kind::Values),
                    format!("{labels:?}: {before} and {value}"),
                );
            }
        }
    }
    found
}

/// True if the row is about this difference.
fn is_meant(row: &Meant, name: &str, kind: Kind) -> bool {
    let (pattern, of, _) = row;
    let is_it = match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *pattern,
    };
    is_it && *of == kind
}

/// What other programs leave for both: each type, one file that is broken, and one that is not finished.
const TEXT: [(&str, &str); 3] = [
    (
        "tank.prom",
        "# HELP tank_litres What is left, \"about\".\n# TYPE tank_litres gauge\ntank_litres{tank=\"a \\\"b\\\" \\\\ c\",empty=\"\"} 1.205e2\n\
         # TYPE pumps_total counter\npumps_total 4711\nuntyped_value -0.5\n\
         # TYPE wait_seconds histogram\nwait_seconds_bucket{le=\"0.1\"} 2\nwait_seconds_bucket{le=\"+Inf\"} 3\nwait_seconds_sum 1.5\nwait_seconds_count 3\n\
         # TYPE job_seconds summary\njob_seconds{quantile=\"0.5\"} 7\njob_seconds_sum 70\njob_seconds_count 10\n",
    ),
    ("broken.prom", "fine 1\nnot a number x\n"),
    ("half.prom.tmp", "half 1\n"),
];

fn compare(program: &Path, proc: &Path, sys: &Path, root: &Path, is_live: bool) -> BTreeMap<(String, Kind), String> {
    let text = tempfile::tempdir().unwrap();
    for (name, content) in TEXT {
        fs::write(text.path().join(name), content).unwrap();
    }
    let text = text.path();
    let exporter = NodeExporter::start(program, proc, sys, root, text);
    // Before our service starts, which serves values of the last second.
    let theirs = exporter.ask().unwrap();
    let settings = format!(
        "collect = \"full\"\n[paths]\nprocfs = {proc:?}\nsysfs = {sys:?}\nrootfs = {root:?}\n[limits]\nreadings_per_source = 2000\n[textfile]\ndirectories = [{text:?}]\n"
    );
    let service = Service::start(&settings);
    let ours = service.metrics();
    let later = exporter.ask().unwrap();
    for exposition in [&theirs, &ours] {
        assert!(
            exposition.contains("tank_litres") && !exposition.contains("half 1"),
            "{exposition}"
        );
    }
    differences(&theirs, &ours, &later, is_live)
}

#[test]
fn over_trees_of_fixtures_values_differ_only_where_they_are_meant_to() {
    let Some(program) = NodeExporter::program() else {
        return;
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let unpacked = tempfile::tempdir().unwrap();
    tree::unpack(
        &fs::read_to_string(fixtures.join("every-sensor.tree")).unwrap(),
        unpacked.path(),
    );
    let root = tempfile::tempdir().unwrap();
    for directory in ["boot/firmware", "run", "etc"] {
        fs::create_dir_all(root.path().join(directory)).unwrap();
    }
    fs::write(
        root.path().join("etc/os-release"),
        "ID=debian\nNAME=\"Debian\"\nVERSION_ID=\"13\"\n",
    )
    .unwrap();
    // Over the third tree, which has no directory of CPUs, theirs panics.
    let found: Vec<_> = [unpacked.path(), &fixtures.join("raspberry-pi-4")]
        .into_iter()
        .flat_map(|machine| {
            compare(
                &program,
                &machine.join("proc"),
                &machine.join("sys"),
                root.path(),
                false,
            )
        })
        .collect();
    let is_found = |row: &&Meant| found.iter().any(|((name, kind), _)| is_meant(row, name, *kind));
    let unexpected: Vec<_> = found
        .iter()
        .filter(|((name, kind), _)| !MEANT.iter().any(|row| is_meant(row, name, *kind)))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    let gone: Vec<_> = MEANT.iter().filter(|row| !is_found(row)).collect();
    assert!(gone.is_empty(), "no longer different: {gone:#?}");
}

#[test]
fn on_this_machine_families_differ_only_where_they_are_meant_to() {
    let Some(program) = NodeExporter::program() else {
        return;
    };
    let compare = || compare(&program, Path::new("/proc"), Path::new("/sys"), Path::new("/"), true);
    let mut found = compare();
    // What went up and came back while we looked is another one the next time.
    for _ in 0..3 {
        if found.keys().all(|(_, kind)| *kind != Kind::Values) {
            break;
        }
        let again = compare();
        found.retain(|difference, _| difference.1 != Kind::Values || again.contains_key(difference));
    }
    let is_expected = |name: &str, kind| MEANT.iter().chain(MEANT_LIVE).any(|row| is_meant(row, name, kind));
    let unexpected: Vec<_> = found
        .iter()
        .filter(|((name, kind), _)| !is_expected(name, *kind))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

/// Those of docs/sensors.md are exactly those that are on by default, and the sources that it names are there.
#[test]
fn every_collector_that_is_on_by_default_has_its_source_or_a_reason() {
    const SWITCH: &str = "--collector.";
    let Some(program) = NodeExporter::program() else {
        return;
    };
    let help = Command::new(program).arg("--help").output().unwrap();
    let help = String::from_utf8([help.stdout, help.stderr].concat()).unwrap();
    // Newer versions write --[no-]collector.
    let help = help.replace("--[no-]", "--");
    let words: Vec<&str> = help.split_whitespace().collect();
    let on = words.windows(7).filter(|window| {
        window[0].starts_with(SWITCH) && window[1] == "Enable" && window[5..7] == ["(default:", "enabled)."]
    });
    let on: BTreeSet<&str> = on.map(|window| &window[0][SWITCH.len()..]).collect();
    assert!(on.len() > 40, "{on:?}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sensors.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("\n| collector | here |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let mut documented = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let quoted = |cell: &str| {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(ToOwned::to_owned)
                .collect::<Vec<_>>()
        };
        documented.extend(quoted(cells[1]));
        match cells[2].strip_prefix("source") {
            Some(sources) => {
                let sources = sources.split([',', ';']).next().unwrap();
                let names = quoted(sources);
                assert!(!names.is_empty(), "{row}");
                for name in names {
                    assert!(edgewatch_sensors::collectors::find(&name).is_some(), "{row}");
                }
            }
            None => assert!(cells[2].starts_with("not read: "), "{row}"),
        }
    }
    assert_eq!(
        on.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(),
        documented
    );
}
