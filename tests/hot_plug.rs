//! Sensors that are pulled out and put in again while the service runs.

use crate::common;

use std::fs;
use std::path::Path;

use common::{Service, only, tree};
use tempfile::TempDir;

/// A chip of each kind as the kernel shows it, with `{}` for the number that it was given.
const KINDS: [Kind; 5] = [
    Kind {
        source: "hwmon",
        tree: "sys/class/hwmon/hwmon{} -> sys/devices/platform/soc/1-0048/hwmon/hwmon{}\n\
               sys/devices/platform/soc/1-0048/hwmon/hwmon{}/device -> sys/devices/platform/soc/1-0048\n\
               sys/devices/platform/soc/1-0048/hwmon/hwmon{}/name lm75\n\
               sys/devices/platform/soc/1-0048/hwmon/hwmon{}/temp1_input 21500\n",
        plugged: ["sys/class/hwmon/hwmon{}", "sys/devices/platform/soc/1-0048"],
        series: "node_hwmon_temp_celsius{chip=\"soc_1_0048\",sensor=\"temp1\"}",
        numbers: [0, 7],
        value: 21.5,
    },
    Kind {
        source: "iio",
        tree: "sys/bus/iio/devices/iio:device{} -> sys/devices/platform/soc/1-0076/iio:device{}\n\
               sys/devices/platform/soc/1-0076/iio:device{}/name bme280\n\
               sys/devices/platform/soc/1-0076/iio:device{}/in_temp_input 22500\n",
        plugged: ["sys/bus/iio/devices/iio:device{}", "sys/devices/platform/soc/1-0076"],
        series: "edge_iio_temperature_celsius{device=\"soc_1_0076\",channel=\"temp\"}",
        numbers: [0, 3],
        value: 22.5,
    },
    Kind {
        source: "w1",
        tree: "sys/bus/w1/devices/28-0416a2795e3f -> sys/devices/w1_bus_master{}/28-0416a2795e3f\n\
               sys/devices/w1_bus_master{}/28-0416a2795e3f/temperature 23500\n",
        plugged: ["sys/bus/w1/devices/28-0416a2795e3f", "sys/devices/w1_bus_master{}"],
        series: "edge_w1_temperature_celsius{id=\"28-0416a2795e3f\"}",
        numbers: [1, 2],
        value: 23.5,
    },
    Kind {
        source: "power_supply",
        tree: "sys/class/power_supply/ups -> sys/devices/platform/i2c-{}/power_supply/ups\n\
               sys/devices/platform/i2c-{}/power_supply/ups/type Battery\n\
               sys/devices/platform/i2c-{}/power_supply/ups/capacity 83\n",
        plugged: ["sys/class/power_supply/ups", "sys/devices/platform/i2c-{}"],
        series: "node_power_supply_capacity{power_supply=\"ups\"}",
        numbers: [1, 11],
        value: 83.0,
    },
    // The number is a label, as with node_exporter: the kernel gives the lowest that is free, so it is the same again.
    Kind {
        source: "thermal",
        tree: "sys/class/thermal/thermal_zone{} -> sys/devices/virtual/thermal/thermal_zone{}\n\
               sys/devices/virtual/thermal/thermal_zone{}/type modem\n\
               sys/devices/virtual/thermal/thermal_zone{}/temp 24500\n",
        plugged: [
            "sys/class/thermal/thermal_zone{}",
            "sys/devices/virtual/thermal/thermal_zone{}",
        ],
        series: "node_thermal_zone_temp{zone=\"4\",type=\"modem\"}",
        numbers: [4, 4],
        value: 24.5,
    },
];

struct Kind {
    source: &'static str,
    tree: &'static str,
    /// What goes when it is pulled out: the link first, as in the kernel.
    plugged: [&'static str; 2],
    series: &'static str,
    /// The first time, and when it comes back.
    numbers: [usize; 2],
    value: f64,
}

impl Kind {
    fn plug(&self, root: &Path, number: usize) {
        tree::unpack(&self.tree.replace("{}", &number.to_string()), root);
    }

    fn pull(&self, root: &Path, number: usize) {
        let [link, device] = self
            .plugged
            .map(|path| root.join(path.replace("{}", &number.to_string())));
        fs::remove_file(link).unwrap();
        fs::remove_dir_all(device).unwrap();
    }

    /// Another one of the kind, which stays.
    fn plug_neighbour(&self, root: &Path) {
        let number = self.numbers.iter().max().unwrap() + 1;
        let neighbour = self
            .tree
            .replace("1-00", "1-01")
            .replace("28-0416a2795e3f", "28-000000000001");
        let neighbour = neighbour.replace("/ups", "/mains").replace("{}", &number.to_string());
        tree::unpack(&neighbour, root);
    }

    fn neighbour(&self) -> String {
        let series = self
            .series
            .replace("soc_1_00", "soc_1_01")
            .replace("28-0416a2795e3f", "28-000000000001");
        series
            .replace("\"ups\"", "\"mains\"")
            .replace("zone=\"4\"", "zone=\"5\"")
    }
}

#[test]
fn a_sensor_that_is_pulled_out_ends_and_comes_back_under_the_same_labels_whatever_number_it_gets() {
    let machine = TempDir::new().unwrap();
    let root = machine.path();
    let sources = KINDS.map(|kind| kind.source);
    let mut settings = only(&sources) + &format!("[paths]\nsysfs = {:?}\n", root.join("sys"));
    for source in sources {
        settings += &format!("[sources.{source}]\nenabled = true\nperiod = \"200ms\"\n");
    }
    for kind in &KINDS {
        kind.plug(root, kind.numbers[0]);
        kind.plug_neighbour(root);
    }
    let service = Service::start(&settings);
    for kind in &KINDS {
        service.wait_for_metric(kind.series, |value| value == Some(kind.value));
        kind.pull(root, kind.numbers[0]);
        service.wait_for_metric(kind.series, |value| value.is_none());
        assert_eq!(
            service.metric(&kind.neighbour()),
            Some(kind.value),
            "{}",
            kind.neighbour()
        );
    }
    let before = families(&service.metrics());
    for kind in &KINDS {
        kind.plug(root, kind.numbers[1]);
        service.wait_for_metric(kind.series, |value| value == Some(kind.value));
        assert_eq!(
            service.metric(&kind.neighbour()),
            Some(kind.value),
            "{}",
            kind.neighbour()
        );
        let success = format!("edge_source_success{{source=\"{}\"}}", kind.source);
        assert_eq!(service.metric(&success), Some(1.0), "{}", kind.source);
    }
    // It was no failure, and left nothing behind.
    assert!(
        !service.metrics().contains("edge_source_errors_total{"),
        "{}",
        service.metrics()
    );
    assert_eq!(service.log.count("fails"), 0, "{}", service.log.text());
    for kind in &KINDS {
        kind.pull(root, kind.numbers[1]);
        service.wait_for_metric(kind.series, |value| value.is_none());
    }
    assert_eq!(families(&service.metrics()), before);
}

/// Every series of a sensor.
fn families(metrics: &str) -> Vec<String> {
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    let series = lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned()));
    series.filter(|series| !series.starts_with("edge_http_")).collect()
}
