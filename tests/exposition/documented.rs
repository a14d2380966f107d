//! docs/metrics.md names what is exported, and nothing of it stands in the way of labels of all that is forwarded.

use super::{FULL, MACHINES, label_names, paths, tests};
use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::broker::Broker;
use common::centre::Conduct;
use common::receiver::{Kind, Receiver};
use common::story::{Alert, Story};
use common::upstream::{Reply, Upstream};
use common::{Service, assert_promtool_agrees, only};

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
