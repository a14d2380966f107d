//! The whole exposition of known machines, and that `docs/metrics.md` names exactly what there is.
//!
//! `UPDATE_GOLDEN=1 cargo test --test all exposition::` writes the files in `golden/` anew; read the difference before committing it.

mod documented;

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};

use std::sync::LazyLock;

use common::{Service, assert_promtool_agrees, only, tree};
use tempfile::TempDir;

const MACHINES: [&str; 5] = ["empty", "every-sensor", "hostile", "raspberry-pi-4", "x86-nuc"];
/// Sources that look at the machine of the test, whatever the settings say.
const REAL: [&str; 6] = ["clock", "filesystem", "os", "process", "uname", "update"];
/// Series on a Raspberry Pi (docs/metrics.md is the list); a scrape that grows beyond this costs memory in Prometheus.
const MOST_SERIES: usize = 400;

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The machines that are a `.tree` in `tests/fixtures`, unpacked for all tests.
static UNPACKED: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(tests().join("fixtures")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "tree") {
            let root = directory.path().join(file.file_stem().unwrap());
            tree::unpack(&fs::read_to_string(&file).unwrap(), &root);
        }
    }
    directory
});

/// Settings that show the machine `name` below `tests/fixtures`.
fn paths(name: &str, rootfs: &Path) -> String {
    let unpacked = UNPACKED.path().join(name);
    let machine = match unpacked.exists() {
        true => unpacked,
        false => tests().join("fixtures").join(name),
    };
    let (proc, sys) = (machine.join("proc"), machine.join("sys"));
    format!("[paths]\nprocfs = {proc:?}\nsysfs = {sys:?}\nrootfs = {rootfs:?}\n")
}

/// Reads whatever there is.
const FULL: &str = "collect = \"full\"\n";

#[test]
fn a_known_machine_is_exported_as_in_its_golden_file() {
    let sources: Vec<_> = edgewatch_sensors::collectors::names()
        .into_iter()
        .filter(|name| !REAL.contains(name) && *name != "simulated")
        .collect();
    for machine in MACHINES {
        let settings = FULL.to_owned() + &only(&sources) + &paths(machine, Path::new("/"));
        let metrics = Service::start(&settings).metrics();
        let metrics = metrics.replace(UNPACKED.path().to_str().unwrap(), "");
        assert_promtool_agrees(machine, &metrics);
        let found: String = metrics.lines().map(|line| mask(line) + "\n").collect();
        let file = tests().join("golden").join(machine).with_extension("prom");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, found).unwrap();
            continue;
        }
        let golden = fs::read_to_string(&file).unwrap();
        let missing: Vec<_> = golden
            .lines()
            .filter(|line| !found.lines().any(|l| l == *line))
            .collect();
        let new: Vec<_> = found
            .lines()
            .filter(|line| !golden.lines().any(|l| l == *line))
            .collect();
        // Under an emulator any chip may be slow, and what a slow one says comes last.
        let is_emulated = std::env::var_os("EDGEWATCH_BINARY").is_some();
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
            lines.sort();
            lines
        };
        assert!(
            golden == found || is_emulated && sorted(&golden) == sorted(&found),
            "{}: missing {missing:#?}, new {new:#?}",
            file.display()
        );
    }
}

/// One series with more labels than `label_limit`, and Prometheus takes nothing of the scrape.
#[test]
fn no_series_has_more_labels_than_the_shipped_scrape_takes() {
    let configuration = fs::read_to_string(tests().join("../prometheus/prometheus.yml")).unwrap();
    let limit = |name: &str| {
        let (_, rest) = configuration.split_once(&format!("    {name}: ")).unwrap();
        rest.lines().next().unwrap().parse::<usize>().unwrap()
    };
    // `job` and `instance` come on top.
    assert_eq!(edgewatch_sensors::reading::MAX_LABELS + 2, limit("label_limit"));
    assert_eq!(
        edgewatch_sensors::reading::MAX_LABEL_NAME,
        limit("label_name_length_limit")
    );
    let mut most = 0;
    for machine in MACHINES {
        let settings = FULL.to_owned() + &paths(machine, Path::new("/"));
        let metrics = Service::start(&settings).metrics();
        let series = metrics.lines().filter(|line| !line.starts_with('#'));
        most = series.map(|line| label_names(line).len()).fold(most, usize::max);
    }
    assert!(
        (12..=edgewatch_sensors::reading::MAX_LABELS).contains(&most),
        "{most} labels"
    );
}

/// Hides what differs from run to run, and how often a fault was met until the scrape.
fn mask(line: &str) -> String {
    const TIMES: [&str; 6] = [
        "edge_config_last_reload_success_timestamp_seconds ",
        "edge_http_requests_total{",
        "edge_rtc_offset_seconds{",
        "edge_source_age_seconds{",
        "edge_source_duration_seconds{",
        "node_scrape_collector_duration_seconds{",
    ];
    const FAULTS: [&str; 2] = ["edge_source_errors_total{", "sensor_failed_events_total{"];
    let Some((series, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) else {
        return line.to_owned();
    };
    let begins = |prefix: &&str| line.starts_with(*prefix);
    if line.starts_with("edge_build_info{") {
        "edge_build_info{version=\"…\"} 1".to_owned()
    } else if TIMES.iter().any(begins) || (FAULTS.iter().any(begins) && value != "0") {
        format!("{series} …")
    } else {
        line.to_owned()
    }
}

/// The names of the labels in `name{label="value",…} 1`, where a value may hold anything, with `\` before `"` and `\`.
fn label_names(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = line.split_once('{').map_or("", |(_, labels)| labels);
    while let Some((name, after)) = rest.split_once("=\"") {
        names.push(name.trim_start_matches(',').to_owned());
        let mut escaped = false;
        let end = after.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        rest = &after[end.unwrap() + 1..];
    }
    names
}

#[test]
fn what_other_programs_leave_is_exported_with_its_type_and_gives_way_to_what_is_ours() {
    let text = tempfile::tempdir().unwrap();
    let file = "# HELP tank_litres Water.\n# TYPE tank_litres gauge\ntank_litres{tank=\"a \\\"b\\\"\"} 120.5\n\
        # TYPE node_load1 gauge\nnode_load1 666\n# TYPE node_apt_upgrades_pending counter\nnode_apt_upgrades_pending 3\n";
    fs::write(text.path().join("tank.prom"), file).unwrap();
    fs::write(text.path().join("written.prom.tmp"), "tank_litres{tank=\"c\"} 1\n").unwrap();
    let settings = format!(
        "{}[textfile]\ndirectories = [{:?}]\n",
        only(&["load", "textfile"]),
        text.path()
    );
    let service = Service::start(&settings);
    let metrics = service.metrics();
    assert_promtool_agrees(
        "textfile",
        &metrics.replace("node_apt_upgrades_pending", "node_apt_upgrades_total"),
    );
    assert!(
        metrics
            .contains("# HELP tank_litres Water.\n# TYPE tank_litres gauge\ntank_litres{tank=\"a \\\"b\\\"\"} 120.5\n"),
        "{metrics}"
    );
    assert!(metrics.contains("# TYPE node_apt_upgrades_pending counter\n"));
    assert_eq!(metrics.matches("\nnode_load1 ").count(), 1);
    assert_ne!(common::value_of(&metrics, "node_load1"), Some(666.0));
    assert_eq!(
        common::value_of(&metrics, "edge_source_readings_dropped{source=\"textfile\"}"),
        Some(1.0)
    );
    assert_eq!(common::value_of(&metrics, "node_textfile_scrape_error"), Some(0.0));
    assert!(!metrics.contains("tank=\"c\""));
}

#[test]
fn a_raspberry_pi_has_at_most_400_series() {
    let root = tempfile::tempdir().unwrap();
    for mount in ["boot/firmware", "run"] {
        fs::create_dir_all(root.path().join(mount)).unwrap();
    }
    let service = Service::start(&paths("raspberry-pi-4", root.path()));
    let series = service.metrics().lines().filter(|line| !line.starts_with('#')).count();
    println!("{series} series");
    assert!(series <= MOST_SERIES, "{series} series");
}

#[test]
fn files_beyond_every_bound_are_refused_and_the_rest_is_read() {
    let machine = tempfile::tempdir().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = machine.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let large = vec![b'9'; 10 << 20];
    for path in [
        "proc/stat",
        "proc/meminfo",
        "proc/diskstats",
        "sys/class/hwmon/hwmon0/temp1_input",
    ] {
        write(path, &large);
    }
    write("sys/class/hwmon/hwmon0/name", &large);
    write("sys/class/hwmon/hwmon0/temp2_input", b"42000\n");
    let [proc, sys] = ["proc", "sys"].map(|name| machine.path().join(name));
    let service = Service::start(&format!("[paths]\nprocfs = {proc:?}\nsysfs = {sys:?}\n"));
    let metrics = service.metrics();
    for source in ["cpu", "memory", "disk", "hwmon"] {
        let series = format!("edge_source_success{{source=\"{source}\"}}");
        assert_eq!(common::value_of(&metrics, &series), Some(0.0), "{source}");
    }
    let name = "9".repeat(128);
    let series = format!("node_hwmon_temp_celsius{{chip=\"{name}\",sensor=\"temp2\"}}");
    assert_eq!(common::value_of(&metrics, &series), Some(42.0));
}
