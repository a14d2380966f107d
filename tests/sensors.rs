//! `edgewatch sensors`: what is there, what it says, what is wrong, and what to do.

use crate::common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::pty::Pty;
use common::{FakeSys, binary, tree};
use serde_json::Value;

fn command(sysfs: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .arg("sensors")
        .args(options)
        .env("EDGEWATCH__PATHS__SYSFS", sysfs)
        .env("EDGEWATCH__PATHS__PROCFS", sysfs);
    command
}

fn sensors(sysfs: &Path, options: &[&str]) -> (Output, String) {
    let output = command(sysfs, options).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

/// The line with the words, with one space between its columns.
fn line(text: &str, words: &str) -> String {
    let found = text.lines().find(|line| line.contains(words));
    let found = found.unwrap_or_else(|| panic!("no {words} in {text}"));
    found.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_sensor_is_listed_by_its_device_with_name_value_and_series() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/every-sensor.tree");
    tree::unpack(&fs::read_to_string(fixture).unwrap(), directory.path());
    let sysfs = directory.path().join("sys");
    let (output, text) = sensors(&sysfs, &[]);
    assert!(output.status.success(), "{text}{output:?}");
    for (words, expected) in [
        ("iio  i2c_1_1_0076", "iio i2c_1_1_0076 (bme280)"),
        (
            "pressure_pascals",
            "pressure Pressure 1013.25 hPa edge_iio_pressure_pascals{device=\"i2c_1_1_0076\",channel=\"pressure\"}",
        ),
        (
            "node_hwmon_temp_celsius",
            "temp1 (board) Temperature 41.5 °C node_hwmon_temp_celsius{chip=\"platform_documented\",sensor=\"temp1\"}",
        ),
        (
            "node_power_supply_capacity{",
            "Charge in percent 83 % node_power_supply_capacity{power_supply=\"battery\"}",
        ),
    ] {
        assert_eq!(line(&text, words), expected);
    }
    let (output, text) = sensors(&sysfs, &["--json"]);
    assert!(output.status.success());
    let json: Value = serde_json::from_str(&text).unwrap();
    let devices = json["devices"].as_array().unwrap();
    let w1 = devices
        .iter()
        .find(|device| device["name"] == "28-0416a2795e3f")
        .unwrap();
    let celsius = w1["readings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["unit"] == "celsius");
    assert_eq!(celsius.unwrap()["value"], -10.125);
    assert_eq!(
        celsius.unwrap()["metric"],
        "edge_w1_temperature_celsius{id=\"28-0416a2795e3f\"}"
    );
    assert_eq!(json["errors"], Value::Array(Vec::new()));
}

#[test]
fn what_fails_is_told_with_a_remedy_and_what_is_missing_with_what_it_needs() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    sys.break_file("class/thermal/thermal_zone0/temp");
    sys.zone(1, "-274000\n");
    sys.write("bus/i2c/devices/1-0076/modalias", "i2c:bme280\n");
    sys.write("bus/i2c/devices/1-0048/modalias", "i2c:ads1015\n");
    fs::create_dir(sys.path().join("bus/i2c/devices/1-0048/driver")).unwrap();
    let (output, text) = sensors(sys.path(), &[]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "edgewatch: 2 values could not be read; the list above says which, and what to do\n"
    );
    assert_eq!(
        line(&text, "zone=\"0\""),
        format!(
            "cpu-thermal Temperature of a thermal zone in degrees Celsius io {}",
            "node_thermal_zone_temp{zone=\"0\",type=\"cpu-thermal\"}"
        )
    );
    assert!(text.contains("thermal_zone0/temp: Input/output error"), "{text}");
    assert!(text.contains("→ look at cable, address and supply"), "{text}");
    assert!(text.contains("→ look for a long or disturbed line"), "{text}");
    assert!(
        text.contains("i2c: 1-0076 (i2c:bme280) has no driver\n    → load it: modprobe i2c:bme280"),
        "{text}"
    );
    assert!(!text.contains("1-0048"), "{text}");
    assert!(line(&text, "w1-gpio, a resistor").starts_with("w1 "), "{text}");
}

#[test]
fn a_machine_without_sensors_says_so_and_watching_goes_on_until_nobody_reads() {
    let sys = FakeSys::new();
    let (output, text) = sensors(sys.path(), &[]);
    assert!(output.status.success());
    assert!(text.starts_with("No sensor was found.\n\nNot found\n"), "{text}");
    sys.zone(0, "40000\n");
    let mut child = command(sys.path(), &["--watch", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let look: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(look["devices"][0]["readings"][0]["value"], 40.0);
    }
    drop(lines);
    assert!(child.wait().unwrap().success(), "a closed pipe ends it");
}

#[test]
fn watching_in_a_terminal_shows_what_has_changed_in_its_place() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    let path = sys.path().to_str().unwrap();
    let places = [("EDGEWATCH__PATHS__SYSFS", path), ("EDGEWATCH__PATHS__PROCFS", path)];
    let mut watch = Pty::start(&["sensors", "--watch"], (60, 160), &places);
    watch.wait_for("the first look", |text| text.contains("40 °C"));
    sys.zone(0, "41500\n");
    watch.wait_for("the second look", |text| text.contains("41.5 °C"));
    assert!(!watch.text().contains("40 °C"), "{}", watch.text());
    watch.press("\x03");
    watch.end();
}
