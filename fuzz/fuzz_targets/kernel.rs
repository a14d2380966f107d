//! Files of /proc and /sys with whatever content, read by every collector.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use edgewatch_sensors::collectors::ALL;
use edgewatch_sensors::reading::{Recorder, RecorderLimits};
use edgewatch_sensors::settings::{Collect, Settings};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// What the collectors open, of each kind of file one.
const FILES: &[&str] = &[
    "proc/stat",
    "proc/meminfo",
    "proc/loadavg",
    "proc/diskstats",
    "proc/net/dev",
    "proc/net/netstat",
    "proc/net/snmp",
    "proc/net/snmp6",
    "proc/net/sockstat",
    "proc/net/sockstat6",
    "proc/net/softnet_stat",
    "proc/net/tcp",
    "proc/net/udp6",
    "proc/net/arp",
    "proc/net/wireless",
    "proc/interrupts",
    "proc/schedstat",
    "proc/1/stat",
    "proc/pressure/cpu",
    "proc/pressure/memory",
    "proc/1/mountinfo",
    "proc/self/cgroup",
    "proc/self/stat",
    "proc/self/limits",
    "proc/sys/fs/file-nr",
    "proc/sys/net/netfilter/nf_conntrack_count",
    "proc/vmstat",
    "sys/class/hwmon/hwmon0/name",
    "sys/class/hwmon/hwmon0/temp1_input",
    "sys/class/hwmon/hwmon0/temp1_label",
    "sys/class/hwmon/hwmon0/temp1_max_hyst",
    "sys/class/hwmon/hwmon0/in0_lcrit_alarm",
    "sys/class/hwmon/hwmon0/fan1_input",
    "sys/class/hwmon/hwmon0/pwm1_enable",
    "sys/class/hwmon/hwmon0/freq1_input",
    "sys/class/thermal/thermal_zone0/type",
    "sys/class/thermal/thermal_zone0/temp",
    "sys/class/thermal/thermal_zone0/trip_point_0_type",
    "sys/class/thermal/thermal_zone0/trip_point_0_temp",
    "sys/class/net/eth0/operstate",
    "sys/class/net/eth0/speed",
    "sys/class/net/bonding_masters",
    "sys/class/net/bond0/bonding/slaves",
    "sys/class/block/sda/size",
    "sys/bus/iio/devices/iio:device0/name",
    "sys/bus/iio/devices/iio:device0/in_temp_raw",
    "sys/bus/iio/devices/iio:device0/in_temp_scale",
    "sys/bus/iio/devices/iio:device0/in_temp_offset",
    "sys/bus/iio/devices/iio:device0/in_pressure_input",
    "sys/bus/w1/devices/28-0316a2795e3f/w1_slave",
    "sys/bus/w1/devices/28-0416a2795e3f/temperature",
    "sys/bus/counter/devices/counter0/count0/count",
    "sys/bus/counter/devices/counter0/count0/function",
    "sys/class/power_supply/battery/type",
    "sys/class/power_supply/battery/capacity",
    "sys/class/power_supply/battery/voltage_now",
    "sys/class/power_supply/battery/model_name",
    "sys/class/power_supply/mains/usb_type",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_available_governors",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
    "sys/devices/system/cpu/cpu0/topology/core_id",
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/system/edac/mc/mc0/ce_count",
    "sys/class/block/mmcblk0/device/life_time",
    "sys/class/block/mmcblk0/device/pre_eol_info",
    "sys/class/block/mmcblk0/device/name",
    "sys/fs/ext4/mmcblk0p2/errors_count",
    "sys/fs/btrfs/5a1b/devinfo/1/error_stats",
    "sys/block/md0/md/array_state",
    "sys/block/md0/md/degraded",
    "sys/block/md0/md/dev-sda1/state",
    "sys/class/watchdog/watchdog0/bootstatus",
    "sys/class/watchdog/watchdog0/options",
    "sys/class/rtc/rtc0/since_epoch",
    "sys/class/rtc/rtc0/battery_voltage",
    "sys/class/powercap/intel-rapl:0/name",
    "sys/class/powercap/intel-rapl:0/energy_uj",
    "sys/class/devfreq/gpu/cur_freq",
    "sys/class/leds/ACT/brightness",
    "sys/class/leds/ACT/max_brightness",
    "sys/class/dmi/id/product_name",
    "sys/fs/cgroup/cgroup.controllers",
    "sys/fs/cgroup/edgewatch.slice/memory.max",
    "sys/fs/cgroup/edgewatch.slice/memory.stat",
    "sys/fs/cgroup/edgewatch.slice/cpu.max",
    "etc/os-release",
    "var/lib/edgewatch-update/update.json",
];

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

fuzz_target!(|contents: Vec<(u8, &[u8])>| {
    let root = DIRECTORY.path();
    for kind in ["proc", "sys", "etc", "var"] {
        let _ = fs::remove_dir_all(root.join(kind));
    }
    for (number, content) in contents {
        let path = root.join(FILES[usize::from(number) % FILES.len()]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut settings = Settings {
        collect: Collect::Full,
        ..Settings::default()
    };
    settings.paths.procfs = root.join("proc");
    settings.paths.sysfs = root.join("sys");
    // Nothing of this machine: the mounts that mountinfo names are looked for below it.
    settings.paths.rootfs = root.to_owned();
    let limits = RecorderLimits {
        readings: settings.limits.readings_per_source,
        label_length: settings.limits.label_length,
    };
    for definition in ALL {
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
