//! Chips as their drivers present them.

use super::*;
use crate::collectors::testing::Machine;

#[test]
fn a_chip_is_named_after_its_device_then_its_driver_then_its_number() {
    let machine = Machine::new(&[
        ("sys/class/hwmon/hwmon0/temp1_input", "41500\n"),
        ("sys/class/hwmon/hwmon1/name", "Some Driver\n"),
        ("sys/class/hwmon/hwmon1/temp1_input", "-500\n"),
        ("sys/class/hwmon/hwmon2/temp1_input", "0\n"),
    ]);
    machine.link("sys/class/hwmon/hwmon0/device", "sys/devices/platform/coretemp.0");
    assert_eq!(
        machine.read(&COLLECTOR).lines(),
        [
            "node_hwmon_temp_celsius{chip=platform_coretemp_0,sensor=temp1} 41.5",
            "node_hwmon_chip_names{chip=some_driver,chip_name=Some Driver} 1",
            "node_hwmon_temp_celsius{chip=some_driver,sensor=temp1} -0.5",
            "node_hwmon_temp_celsius{chip=hwmon2,sensor=temp1} 0",
        ]
    );
}

#[test]
fn a_legacy_driver_keeps_its_attributes_with_the_device() {
    let machine = Machine::new(&[
        ("sys/devices/i2c/0-0048/fan1_input", "0\n"),
        ("sys/devices/i2c/0-0048/name", "lm75\n"),
    ]);
    machine.link("sys/class/hwmon/hwmon0/device", "sys/devices/i2c/0-0048");
    let read = machine.read(&COLLECTOR);
    assert_eq!(
        read.value("node_hwmon_fan_rpm{chip=i2c_0_0048,sensor=fan1}").as_deref(),
        Some("0")
    );
}

#[test]
fn a_broken_or_disabled_sensor_has_no_value_and_is_no_error() {
    let read = Machine::new(&[
        ("sys/class/hwmon/hwmon0/temp1_fault", "1\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "127000\n"),
        ("sys/class/hwmon/hwmon0/temp2_enable", "0\n"),
        ("sys/class/hwmon/hwmon0/temp2_input", ""),
        ("sys/class/hwmon/hwmon0/pwm1_enable", "0\n"),
        ("sys/class/hwmon/hwmon0/pwm1", "255\n"),
    ])
    .read(&COLLECTOR);
    assert!(read.errors.is_empty());
    assert_eq!(
        read.lines(),
        [
            "node_hwmon_pwm{chip=hwmon0,sensor=pwm1} 255",
            "edge_hwmon_alarm{chip=hwmon0,sensor=temp1,kind=fault} 1"
        ]
    );
}

#[test]
fn alarms_units_and_averages_are_read_as_the_kernel_documents_them() {
    let read = Machine::new(&[
        ("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n"),
        ("sys/class/hwmon/hwmon0/humidity1_input", "45600\n"),
        ("sys/class/hwmon/hwmon0/power1_average", "3000000\n"),
        ("sys/class/hwmon/hwmon0/power2_average", "1\n"),
        ("sys/class/hwmon/hwmon0/power2_input", "2500000\n"),
        ("sys/class/hwmon/hwmon0/curr1_input", "x\n"),
    ])
    .read(&COLLECTOR);
    assert_eq!(
        read.lines(),
        [
            "node_hwmon_curr_amps{chip=hwmon0,sensor=curr1} invalid",
            "edge_hwmon_humidity_ratio{chip=hwmon0,sensor=humidity1} 0.456",
            "edge_hwmon_alarm{chip=hwmon0,sensor=in0,kind=lcrit_alarm} 1",
            "node_hwmon_power_watt{chip=hwmon0,sensor=power1} 3",
            "node_hwmon_power_watt{chip=hwmon0,sensor=power2} 2.5",
        ]
    );
}

#[test]
fn what_cannot_be_is_invalid_and_the_rest_is_kept() {
    let machine = Machine::new(&[]);
    let expected = [
        ("temp1_input", "-5500", "-5.5"),
        ("temp2_input", "125000", "125"),
        ("temp3_input", "-273160", "invalid"),
        ("temp4_input", "3892313987", "invalid"),
        ("temp5_input", "2147483647", "invalid"),
        ("temp6_input", "-2147483648", "invalid"),
        ("fan1_input", "0", "0"),
        ("fan2_input", "65535", "invalid"),
        ("fan3_input", "-1", "invalid"),
        ("in0_input", "-12024", "-12.024"),
        ("in1_input", "2147483647", "invalid"),
        ("curr1_input", "-2500", "-2.5"),
        ("curr2_input", "-2147483648", "invalid"),
        ("power1_input", "1500000", "1.5"),
        ("power2_input", "2147483647", "invalid"),
        ("power3_input", "4294967295", "invalid"),
        // A counter may come by any value.
        ("energy1_input", "2147483647", "2147.483647"),
        ("energy2_input", "-1", "invalid"),
        ("humidity1_input", "100400", "1.004"),
        ("humidity2_input", "255000", "invalid"),
        ("pwm1", "256", "invalid"),
    ];
    for (file, number, _) in expected {
        machine.write(&format!("sys/class/hwmon/hwmon0/{file}"), number);
    }
    let read = machine.read(&COLLECTOR);
    for (file, number, value) in expected {
        let sensor = file.trim_end_matches("_input");
        let found = read
            .lines()
            .into_iter()
            .find(|line| line.contains(&format!("sensor={sensor}}}")));
        let found = found.unwrap();
        assert_eq!(found.rsplit(' ').next(), Some(value), "{file} {number}: {found}");
    }
    let invalid = expected.iter().filter(|(.., value)| *value == "invalid").count();
    assert_eq!(read.errors.len(), invalid);
}

#[test]
fn a_limit_that_cannot_be_is_none_and_no_error() {
    let read = Machine::new(&[
        ("sys/class/hwmon/hwmon0/temp1_input", "40850\n"),
        ("sys/class/hwmon/hwmon0/temp1_max", "65261850\n"),
        ("sys/class/hwmon/hwmon0/temp1_crit", "84850\n"),
    ])
    .read(&COLLECTOR);
    assert!(read.errors.is_empty());
    assert_eq!(
        read.lines(),
        [
            "node_hwmon_temp_celsius{chip=hwmon0,sensor=temp1} 40.85",
            "node_hwmon_temp_crit_celsius{chip=hwmon0,sensor=temp1} 84.85",
        ]
    );
}

#[test]
fn no_more_files_are_read_than_readings_are_kept() {
    let machine = Machine::new(&[]);
    for number in 1..=5000 {
        // They are read in the order of their names, as text.
        let is_early = number.to_string().starts_with('1');
        let value = if is_early { "1000\n" } else { "read in vain" };
        machine.write(&format!("sys/class/hwmon/hwmon0/temp{number}_input"), value);
    }
    let read = machine.read(&COLLECTOR);
    assert_eq!(read.readings.len(), 256);
    assert_eq!(read.dropped, 5000 - 256);
    assert!(read.errors.is_empty());
}
