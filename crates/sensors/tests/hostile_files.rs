//! Whatever the files of the kernel hold, a collector neither panics nor grows, and only what is broken is missing.

#[path = "../../../tests/common/tree.rs"]
mod tree;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use edgewatch_sensors::collectors::{self, Definition};
use edgewatch_sensors::reading::{Collected, Recorder, RecorderLimits};
use edgewatch_sensors::settings::{Collect, Settings};
use tempfile::TempDir;

/// Collectors that look at the machine of the test, whatever the settings say, or at no file.
const REAL: [&str; 8] = [
    "clock",
    "filesystem",
    "modbus",
    "mqtt",
    "os",
    "process",
    "simulated",
    "uname",
];
const LIMITS: RecorderLimits = RecorderLimits {
    readings: 256,
    label_length: 128,
};

/// A copy of every kind of sensor there is, and of the host of a Raspberry Pi.
fn machine() -> (TempDir, Settings) {
    let directory = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    tree::unpack(
        &fs::read_to_string(fixtures.join("every-sensor.tree")).unwrap(),
        directory.path(),
    );
    for part in ["proc/pressure", "proc/self", "sys/fs/cgroup"] {
        copy(
            &fixtures.join("raspberry-pi-4").join(part),
            &directory.path().join(part),
        );
    }
    let load = "proc/loadavg";
    fs::copy(fixtures.join("raspberry-pi-4").join(load), directory.path().join(load)).unwrap();
    let mut settings = Settings::default();
    settings.paths.procfs = directory.path().join("proc");
    settings.paths.sysfs = directory.path().join("sys");
    settings.collect = Collect::Full;
    settings.textfile.directories = vec![directory.path().join("text")];
    fs::create_dir(directory.path().join("text")).unwrap();
    fs::write(
        directory.path().join("text/tank.prom"),
        "# TYPE tank_litres gauge\ntank_litres{tank=\"a\"} 120.5\n",
    )
    .unwrap();
    settings.paths.rootfs = directory.path().to_owned();
    let trial = directory.path().join("var/lib/edgewatch-trial");
    fs::create_dir_all(&trial).unwrap();
    fs::write(trial.join("failed"), "0.2.0 1795782001\n").unwrap();
    (directory, settings)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Every regular file below the directory, links not followed.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

fn tested() -> impl Iterator<Item = &'static Definition> {
    collectors::ALL
        .iter()
        .copied()
        .filter(|definition| !REAL.contains(&definition.name))
}

fn read(definition: &Definition, settings: &Settings) -> Collected {
    let mut collector = (definition.open)(settings).unwrap();
    let mut recorder = Recorder::new(LIMITS, Box::new(|_| true));
    if let Err(error) = collector.collect(&mut recorder) {
        recorder.fail(error);
    }
    recorder.finish()
}

/// The values by series.
fn values(collected: &Collected) -> BTreeMap<String, f64> {
    let readings = collected.readings.iter();
    let series = readings.filter_map(|reading| {
        Some((
            format!("{}{:?}", reading.metric.name, reading.labels),
            reading.value.ok()?,
        ))
    });
    series.collect()
}

fn assert_bounded(name: &str, collected: &Collected) {
    assert!(collected.readings.len() <= LIMITS.readings, "{name}");
    let mut seen = HashSet::new();
    for reading in &collected.readings {
        assert!(
            seen.insert((reading.metric.name, &reading.labels)),
            "{name}: {reading:?} twice"
        );
        for (_, value) in &reading.labels {
            assert!(value.len() <= LIMITS.label_length, "{name}: {reading:?}");
            assert!(!value.contains(char::is_control), "{name}: {reading:?}");
        }
        if let Ok(value) = reading.value {
            assert!(reading.metric.is_plausible(value), "{name}: {reading:?}");
        }
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % limit as u64) as usize
    }
}

/// Puts something else in the place of the file.
fn spoil(file: &Path, original: &[u8], random: &mut Random) {
    fs::remove_file(file).unwrap();
    let content = match random.below(13) {
        // Vanished.
        0 => return,
        // Listed, and gone when it is opened.
        12 => return symlink("nowhere", file).unwrap(),
        // Endless.
        1 => return symlink("/dev/zero", file).unwrap(),
        // Not even a file.
        2 => return fs::create_dir(file).unwrap(),
        // EIO.
        3 => return symlink("/proc/self/mem", file).unwrap(),
        4 => Vec::new(),
        5 => b"\0\xff\xfe\x80 \n".repeat(1 + random.below(2000)),
        6 => b"-9223372036854775808\n".to_vec(),
        7 => b"99999999999999999999999999999999\n".to_vec(),
        8 => b"nan inf -1 1e999\n".repeat(1 + random.below(100)),
        9 => original.repeat(2),
        10 => original[..random.below(original.len() + 1)].to_vec(),
        _ => {
            let mut bytes = original.to_vec();
            for _ in 0..=random.below(4) {
                if !bytes.is_empty() {
                    let position = random.below(bytes.len());
                    bytes[position] = random.below(256) as u8;
                }
            }
            bytes
        }
    };
    fs::write(file, content).unwrap();
}

fn restore(file: &Path, original: &[u8]) {
    match fs::symlink_metadata(file) {
        Ok(found) if found.is_dir() => fs::remove_dir(file).unwrap(),
        Ok(_) => fs::remove_file(file).unwrap(),
        Err(_) => {}
    }
    fs::write(file, original).unwrap();
}

#[test]
fn files_with_whatever_content_cost_only_what_is_read_from_them() {
    let (directory, settings) = machine();
    let mut found = Vec::new();
    files(directory.path(), &mut found);
    found.sort();
    let originals: Vec<(PathBuf, Vec<u8>)> = found
        .into_iter()
        .map(|file| {
            let content = fs::read(&file).unwrap();
            (file, content)
        })
        .collect();
    let healthy: BTreeMap<&str, _> = tested()
        .map(|definition| (definition.name, values(&read(definition, &settings))))
        .collect();
    let absent: Vec<_> = healthy.iter().filter(|(_, values)| values.is_empty()).collect();
    assert!(absent.is_empty(), "{absent:?}");
    let mut random = Random(16);
    for round in 0..50 {
        let spoiled: Vec<_> = (0..1 + random.below(12))
            .map(|_| random.below(originals.len()))
            .collect();
        for number in &spoiled {
            let (file, original) = &originals[*number];
            restore(file, original);
            spoil(file, original, &mut random);
        }
        for definition in tested() {
            let collected = read(definition, &settings);
            assert_bounded(definition.name, &collected);
            // What comes of one attribute is a few values at most; a table of the host may be all of a collector.
            let values = values(&collected);
            let lost = healthy[definition.name]
                .keys()
                .filter(|series| !values.contains_key(*series));
            let lost = lost.count();
            // Without its controllers there is no cgroup v2.
            let is_table = healthy[definition.name].len() <= 40 || definition.name == "cgroup";
            let names = || spoiled.iter().map(|number| originals[*number].0.display().to_string());
            assert!(
                is_table || lost <= 16 * spoiled.len(),
                "round {round}: {} lost {lost}: {:?}",
                definition.name,
                names().collect::<Vec<_>>()
            );
        }
        for number in &spoiled {
            let (file, original) = &originals[*number];
            restore(file, original);
        }
    }
    for definition in tested() {
        let now = values(&read(definition, &settings));
        let clock = |series: &&String| !series.contains("offset");
        assert!(
            healthy[definition.name]
                .keys()
                .filter(clock)
                .all(|series| now.contains_key(series))
        );
    }
}

/// From these files all of a collector comes: tables, and what says which devices there are.
const TABLES: [(&str, &str); 10] = [
    ("bonding", "sys/class/net/bonding_masters"),
    ("bonding", "sys/class/net/eth0/bonding/slaves"),
    ("cpu", "proc/stat"),
    ("disk", "proc/diskstats"),
    ("interrupts", "proc/interrupts"),
    ("load", "proc/loadavg"),
    ("memory", "proc/meminfo"),
    ("network", "proc/net/dev"),
    ("schedstat", "proc/schedstat"),
    ("wireless", "proc/net/wireless"),
];

/// A collector that ends at the first failure loses everything with the first of its files.
#[test]
fn a_file_that_fails_takes_nothing_with_it_but_what_comes_from_it() {
    let (directory, settings) = machine();
    let mut found = Vec::new();
    files(directory.path(), &mut found);
    let healthy: Vec<_> = tested()
        .map(|definition| (definition, values(&read(definition, &settings))))
        .collect();
    let mut lost_all = BTreeSet::new();
    for file in found {
        let original = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        // EIO.
        symlink("/proc/self/mem", &file).unwrap();
        for (definition, before) in &healthy {
            let now = values(&read(definition, &settings));
            if before.len() > 1 && !before.keys().any(|series| now.contains_key(series)) {
                let name = file.strip_prefix(directory.path()).unwrap().display().to_string();
                lost_all.insert((definition.name, name));
            }
        }
        restore(&file, &original);
    }
    let tables = TABLES.map(|(name, file)| (name, file.to_owned()));
    assert_eq!(lost_all, BTreeSet::from(tables));
}

#[test]
fn ten_thousand_devices_are_bounded_and_counted() {
    // Each entry is a link to one and the same device, or attribute.
    for (source, class, entry, files, content) in [
        ("power_supply", "sys/class/power_supply", "supply", "online", "1\n"),
        ("iio", "sys/bus/iio/devices", "iio:device", "in_temp_input", "20000\n"),
        ("thermal", "sys/class/thermal", "thermal_zone", "temp", "20000\n"),
        ("hwmon", "sys/class/hwmon/hwmon0", "temp", "", "20000\n"),
        ("w1", "sys/bus/w1/devices", "28-", "temperature", "20000\n"),
        ("led", "sys/class/leds", "led", "brightness max_brightness", "1\n"),
        ("rtc", "sys/class/rtc", "rtc", "name", "rtc-ds1307\n"),
        ("watchdog", "sys/class/watchdog", "watchdog", "bootstatus", "0\n"),
        ("devfreq", "sys/class/devfreq", "gpu", "cur_freq", "1000000\n"),
        ("storage", "sys/fs/ext4", "sd", "errors_count", "0\n"),
    ] {
        // In memory, where 10,000 links take no time.
        let directory = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let one = directory.path().join("one");
        let suffix = match files {
            "" => {
                fs::write(&one, content).unwrap();
                "_input"
            }
            files => {
                fs::create_dir(&one).unwrap();
                for file in files.split(' ') {
                    fs::write(one.join(file), content).unwrap();
                }
                ""
            }
        };
        let class = directory.path().join(class);
        fs::create_dir_all(&class).unwrap();
        for number in 0..8000 {
            symlink(&one, class.join(format!("{entry}{number}{suffix}"))).unwrap();
        }
        let mut settings = Settings::default();
        settings.paths.sysfs = directory.path().join("sys");
        let collected = read(collectors::find(source).unwrap(), &settings);
        assert_bounded(source, &collected);
        // As many as there is room for; of LEDs less, which are no measurements.
        let expected = if source == "led" { 16 } else { LIMITS.readings };
        assert_eq!(collected.readings.len(), expected, "{source}");
        assert!(collected.dropped > 1000, "{source}: {}", collected.dropped);
    }
}

#[test]
fn names_with_spaces_newlines_and_umlauts_are_clean_labels() {
    let directory = tempfile::tempdir().unwrap();
    let name = "b\u{e4}t\nte ry\"";
    for (file, content) in [
        (format!("sys/class/power_supply/{name}/capacity"), "83\n"),
        (format!("sys/class/power_supply/{name}/model_name"), "a\x07b\nc\n"),
        (format!("sys/class/leds/{name}/brightness"), "1\n"),
        (format!("sys/class/leds/{name}/max_brightness"), "2\n"),
        (format!("sys/class/watchdog/{name}/bootstatus"), "0\n"),
        (format!("sys/fs/ext4/{name}/errors_count"), "0\n"),
    ] {
        let file = directory.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    let mut settings = Settings::default();
    settings.paths.sysfs = directory.path().join("sys");
    for (source, readings) in [("power_supply", 2), ("led", 1), ("watchdog", 1), ("storage", 1)] {
        let collected = read(collectors::find(source).unwrap(), &settings);
        assert_bounded(source, &collected);
        let good = collected
            .readings
            .iter()
            .filter(|reading| reading.value.is_ok())
            .count();
        assert_eq!(good, readings, "{source}: {collected:?}");
    }
}
