//! Files of /proc and /sys with whatever content, read by every collector.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use edgewatch_sensors::collectors::ALL;
use edgewatch_sensors::reading::{Recorder, RecorderLimits};
use edgewatch_sensors::settings::Settings;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// What the collectors open, of each kind of file one.
const FILES: [&str; 24] = [
    "proc/stat",
    "proc/meminfo",
    "proc/loadavg",
    "proc/diskstats",
    "proc/net/dev",
    "proc/pressure/cpu",
    "proc/pressure/memory",
    "proc/1/mountinfo",
    "proc/self/cgroup",
    "proc/self/stat",
    "proc/self/limits",
    "sys/class/hwmon/hwmon0/name",
    "sys/class/hwmon/hwmon0/temp1_input",
    "sys/class/hwmon/hwmon0/temp1_label",
    "sys/class/hwmon/hwmon0/in0_lcrit_alarm",
    "sys/class/hwmon/hwmon0/fan1_input",
    "sys/class/thermal/thermal_zone0/type",
    "sys/class/thermal/thermal_zone0/temp",
    "sys/class/net/eth0/operstate",
    "sys/class/block/sda/size",
    "sys/fs/cgroup/cgroup.controllers",
    "sys/fs/cgroup/edgewatch.slice/memory.max",
    "sys/fs/cgroup/edgewatch.slice/memory.stat",
    "sys/fs/cgroup/edgewatch.slice/cpu.max",
];

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

fuzz_target!(|contents: Vec<(u8, &[u8])>| {
    let root = DIRECTORY.path();
    for kind in ["proc", "sys"] {
        let _ = fs::remove_dir_all(root.join(kind));
    }
    for (number, content) in contents {
        let path = root.join(FILES[usize::from(number) % FILES.len()]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut settings = Settings::default();
    settings.paths.procfs = root.join("proc");
    settings.paths.sysfs = root.join("sys");
    let limits = RecorderLimits {
        readings: settings.limits.readings_per_source,
        label_length: settings.limits.label_length,
    };
    // The mounts that mountinfo names would be those of this machine.
    for definition in ALL.iter().filter(|definition| definition.name != "filesystem") {
        let mut collector = (definition.open)(&settings).unwrap();
        let mut recorder = Recorder::new(limits, Box::new(|_| true));
        let _ = collector.collect(&mut recorder);
        let collected = recorder.finish();
        assert!(
            collected.readings.len() <= limits.readings,
            "more readings than {} may have",
            definition.name
        );
    }
});
