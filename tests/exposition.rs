//! The whole exposition of known machines, and that `docs/metrics.md` names exactly what there is.
//!
//! `UPDATE_GOLDEN=1 cargo test --test all exposition::` writes the files in `golden/` anew; read the difference before committing it.

use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use std::sync::LazyLock;

use common::broker::Broker;
use common::centre::Conduct;
use common::receiver::{Kind, Receiver};
use common::story::{Alert, Story};
use common::upstream::{Reply, Upstream};
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
        assert!(
            golden == found,
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

/// A family's type and the names of its labels.
type Families = BTreeMap<String, (String, BTreeSet<String>)>;

#[test]
fn the_documentation_names_exactly_what_is_exported() {
    let mut exported = Families::new();
    for machine in MACHINES {
        let settings = FULL.to_owned() + &paths(machine, Path::new("/")) + "[simulated]\nenabled = true\n";
        add_families(&Service::start(&settings).metrics(), &mut exported);
    }
    // A spike is judged only from times that pass, which those of a fixture do not.
    let busy = Service::start("[sources.cpu]\nperiod = \"300ms\"\n[cpu_spike]\nwindow = \"1s\"\n");
    busy.wait_for_metric("sensor_cpu_spike", |value| value.is_some());
    add_families(&busy.metrics(), &mut exported);
    let text = tempfile::tempdir().unwrap();
    fs::write(text.path().join("bad.prom"), "x\n").unwrap();
    fs::write(text.path().join("empty.prom"), "").unwrap();
    let textfile = format!("{}[textfile]\ndirectories = [{:?}]\n", only(&["textfile"]), text.path());
    add_families(&Service::start(&textfile).metrics(), &mut exported);
    let upgraded = tempfile::tempdir().unwrap();
    fs::create_dir_all(upgraded.path().join("var/lib/edgewatch-trial/trial")).unwrap();
    let updated = upgraded.path().join("var/lib/edgewatch-update");
    fs::create_dir_all(&updated).unwrap();
    let record = r#"{"serial":7,"trial":null,"failures":{},"checked":1795782000}"#;
    fs::write(updated.join("update.json"), record).unwrap();
    let upgraded = only(&["update"]) + &paths("empty", upgraded.path());
    add_families(&Service::start(&upgraded).metrics(), &mut exported);
    add_families(&published(), &mut exported);
    // Nobody is there; the device is down.
    let silent = only(&["modbus"])
        + "[[modbus.buses]]\nname = \"b\"\naddress = \"127.0.0.1:9\"\n\
           devices = [{ unit = 1, registers = [{ metric = \"x\", address = 0 }] }]\n";
    let silent = Service::start(&silent);
    silent.wait_for_metric("edge_modbus_up{bus=\"b\",unit=\"1\"}", |value| value == Some(0.0));
    add_families(&silent.metrics(), &mut exported);
    let crowded = only(&["load"]) + "[limits]\nreadings_per_source = 1\n";
    add_families(&Service::start(&crowded).metrics(), &mut exported);
    let state = tempfile::tempdir().unwrap();
    let history = Upstream::start(|target| {
        let data = match target.starts_with("/api/v1/series") {
            true => "[]",
            false => r#"{"lastConfigTime":"2026-01-01T00:00:00Z","storageRetention":"12h"}"#,
        };
        Reply::Json(200, format!(r#"{{"status":"success","data":{data}}}"#))
    });
    let forwarding = format!(
        "{}{}[forward]\nurl = \"http://127.0.0.1:1/\"\ndirectory = {:?}\n",
        only(&["load"]),
        history.settings(),
        state.path()
    );
    let forwarding = Service::start(&forwarding);
    forwarding.wait_for_metric("edge_forward_retention_seconds", |value| value == Some(43_200.0));
    forwarding.wait_for_metric("edge_forward_oldest_unsent_age_seconds", |value| value.is_some());
    assert_promtool_agrees("forwarding", &forwarding.metrics());
    add_families(&forwarding.metrics(), &mut exported);
    let (story, receiver) = (Story::new(Vec::new()), Receiver::start(Kind::Ping, Conduct::Take));
    let notifying = format!(
        "{}{}[notify]\ndirectory = {:?}\n[notify.ntfy]\nurl = \"http://127.0.0.1:1/topic\"\n[notify.ping]\nurl = \"{}/ping\"\n",
        only(&["load"]),
        story.upstream.settings(),
        state.path(),
        receiver.url()
    );
    story.set(vec![Alert {
        name: "Hot".to_owned(),
        severity: "info",
        since: 0,
        until: 0,
    }]);
    let notifying = Service::start(&notifying);
    notifying.wait_for_metric("edge_notify_up{receiver=\"ping\"}", |value| value == Some(1.0));
    notifying.wait_for_metric("edge_notify_oldest_untold_age_seconds{receiver=\"ntfy\"}", |value| {
        value == Some(0.0)
    });
    assert_promtool_agrees("notifying", &notifying.metrics());
    add_families(&notifying.metrics(), &mut exported);
    let secured = format!(
        "{}[tls]\nenabled = true\nstate_directory = {:?}\n",
        only(&["load"]),
        state.path()
    );
    let secured = Service::start(&secured).metrics();
    assert_promtool_agrees("secured", &secured);
    add_families(&secured, &mut exported);
    let documented = documented_families();
    for (name, family) in &exported {
        assert_eq!(documented.get(name), Some(family), "{name} in docs/metrics.md");
    }
    let unknown: Vec<_> = documented.keys().filter(|name| !exported.contains_key(*name)).collect();
    assert!(
        unknown.is_empty(),
        "docs/metrics.md names what nobody exports: {unknown:?}"
    );
}

/// What the presets make of messages with everything that they know.
fn published() -> String {
    let broker = Broker::start();
    let settings = format!(
        "{}[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\npresets = [\"zigbee2mqtt\", \"shelly\", \"esphome\"]\n",
        only(&["mqtt"]),
        broker.port
    );
    let service = Service::start(&settings);
    service.wait_for_metric("edge_mqtt_connected", |value| value == Some(1.0));
    let sensor = r#"{"temperature":20,"humidity":40,"pressure":1013,"battery":90,"current":0.1,"power":2,"energy":1,"co2":600,"pm25":3,
        "illuminance":100,"contact":true,"occupancy":false,"water_leak":false,"state":"ON","linkquality":99}"#;
    broker.publish("zigbee2mqtt/all", sensor, &[]);
    broker.publish("plug/status/switch:0", r#"{"voltage":230}"#, &[]);
    broker.publish("node/sensor/depth/state", "1.5", &[]);
    service.wait_for_metric("edge_mqtt_value{device=\"node\",sensor=\"depth\"}", |value| {
        value == Some(1.5)
    });
    service.metrics()
}

/// A series keeps its own value of such a label, and would be of no device.
#[test]
fn no_label_of_a_series_may_be_one_of_all_that_is_forwarded() {
    let mut names = BTreeSet::new();
    for machine in MACHINES {
        let golden = fs::read_to_string(tests().join("golden").join(machine).with_extension("prom")).unwrap();
        names.extend(
            golden
                .lines()
                .filter(|line| !line.starts_with('#'))
                .flat_map(label_names),
        );
    }
    for rules in ["recording", "alerts"] {
        let rules = fs::read_to_string(tests().join(format!("../prometheus/rules/{rules}.yml"))).unwrap();
        let labels = rules
            .lines()
            .filter_map(|line| line.strip_prefix("          ")?.split_once(": "));
        names.extend(
            labels
                .filter(|(name, _)| ["severity", "resource"].contains(name))
                .map(|(name, _)| name.to_owned()),
        );
    }
    assert!(names.contains("device") && names.contains("severity"));
    let known = edgewatch_forward::settings::LABELS_OF_SERIES;
    let unknown: Vec<_> = names.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "not in LABELS_OF_SERIES: {unknown:?}");
}

fn add_families(metrics: &str, families: &mut Families) {
    let mut current = String::new();
    for line in metrics.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap();
            name.clone_into(&mut current);
            families.entry(current.clone()).or_default().0 = kind.to_owned();
        } else if !line.starts_with('#') {
            let labels = &mut families.get_mut(&current).unwrap().1;
            labels.extend(label_names(line).into_iter().filter(|label| label != "le"));
        }
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

/// Rows of the tables: `| name | type | labels | meaning |`, names in backquotes.
fn documented_families() -> Families {
    let page = fs::read_to_string(tests().join("../docs/metrics.md")).unwrap();
    page.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let cells: Vec<&str> = row.split(" |").collect();
            let labels = cells[2]
                .split(',')
                .map(|label| label.trim().trim_matches('`').to_owned());
            let labels = labels.filter(|label| !label.is_empty()).collect();
            (
                cells[0].trim_matches('`').to_owned(),
                (cells[1].trim().to_owned(), labels),
            )
        })
        .collect()
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
