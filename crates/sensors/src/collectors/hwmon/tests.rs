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
            "node_hwmon_chip_names{chip=some_driver,chip_name=some_driver} 1",
            "node_hwmon_temp_celsius{chip=some_driver,sensor=temp1} -0.5",
            "node_hwmon_temp_celsius{chip=hwmon2,sensor=temp1} 0",
        ]
    );
}

#[test]
fn a_thermometer_on_1_wire_is_suspect_here_as_it_is_without_a_chip() {
    let machine = Machine::new(&[("sys/class/hwmon/hwmon0/name", "w1_slave_temp\n")]);
    machine.link(
        "sys/class/hwmon/hwmon0/device",
        "sys/devices/w1_bus_master1/28-0316a2795e3f",
    );
    let mut collector = (COLLECTOR.open)(&machine.settings).unwrap();
    let mut read = |millidegrees: &str| {
        machine.write("sys/class/hwmon/hwmon0/temp1_input", millidegrees);
        let read = machine.read_from(collector.as_mut());
        let celsius = read.value("node_hwmon_temp_celsius{chip=w1_bus_master1_28_0316a2795e3f,sensor=temp1}");
        (
            celsius.unwrap(),
            read.value("edge_w1_suspect{id=28-0316a2795e3f}").unwrap(),
        )
    };
    let found = ["21000", "85000", "83000", "85000", "127937"].map(&mut read);
    let found = found.each_ref().map(|(celsius, suspect)| (&**celsius, &**suspect));
    assert_eq!(
        found,
        [("21", "0"), ("85", "1"), ("83", "0"), ("85", "0"), ("127.937", "1")]
    );
    machine.write("sys/devices/w1_bus_master1/28-0316a2795e3f/features", "1\n");
    assert_eq!(read("21000").1, "0");
    assert_eq!(read("85000").1, "0", "the driver checks it");
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
            "node_hwmon_pwm_enable{chip=hwmon0,sensor=pwm1} 0",
            "node_hwmon_temp_fault{chip=hwmon0,sensor=temp1} 1",
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
            "node_hwmon_power_average_watt{chip=hwmon0,sensor=power1} 3",
            "node_hwmon_power_watt{chip=hwmon0,sensor=power2} 2.5",
            "node_hwmon_power_average_watt{chip=hwmon0,sensor=power2} 0.000001",
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

#[test]
fn every_attribute_of_the_kernels_documentation_has_its_value_in_base_units() {
    let expected = [
        ("temp1_input", "41500", "node_hwmon_temp_celsius", "41.5"),
        ("temp1_min", "-40000", "node_hwmon_temp_min_celsius", "-40"),
        ("temp1_max", "85000", "node_hwmon_temp_max_celsius", "85"),
        ("temp1_lcrit", "-55000", "node_hwmon_temp_lcrit_celsius", "-55"),
        ("temp1_crit", "105000", "node_hwmon_temp_crit_celsius", "105"),
        ("temp1_emergency", "115000", "node_hwmon_temp_emergency_celsius", "115"),
        ("temp1_max_hyst", "80000", "node_hwmon_temp_max_hyst_celsius", "80"),
        ("temp1_crit_hyst", "100000", "node_hwmon_temp_crit_hyst_celsius", "100"),
        ("temp1_highest", "62500", "node_hwmon_temp_highest_celsius", "62.5"),
        ("in1_input", "5112", "node_hwmon_in_volts", "5.112"),
        ("in1_min", "4750", "node_hwmon_in_min_volts", "4.75"),
        ("in1_crit", "5500", "node_hwmon_in_crit_volts", "5.5"),
        ("in1_average", "5100", "node_hwmon_in_average_volts", "5.1"),
        ("in1_rated_max", "5250", "node_hwmon_in_rated_max_volts", "5.25"),
        ("curr1_input", "-812", "node_hwmon_curr_amps", "-0.812"),
        ("curr1_max", "3200", "node_hwmon_curr_max_amps", "3.2"),
        ("curr1_lowest", "5", "node_hwmon_curr_lowest_amps", "0.005"),
        ("power1_input", "9780000", "node_hwmon_power_watt", "9.78"),
        ("power1_average", "9500000", "node_hwmon_power_average_watt", "9.5"),
        ("power1_cap", "15000000", "node_hwmon_power_cap_watt", "15"),
        ("power1_cap_max", "25000000", "node_hwmon_power_cap_max_watt", "25"),
        (
            "power1_input_highest",
            "12000000",
            "node_hwmon_power_input_highest_watt",
            "12",
        ),
        (
            "energy1_input",
            "512034812",
            "node_hwmon_energy_joule_total",
            "512.034812",
        ),
        ("fan1_input", "1204", "node_hwmon_fan_rpm", "1204"),
        ("fan1_min", "300", "node_hwmon_fan_min_rpm", "300"),
        ("fan1_max", "2400", "node_hwmon_fan_max_rpm", "2400"),
        ("fan1_target", "1200", "node_hwmon_fan_target_rpm", "1200"),
        ("freq1_input", "1800000000", "edge_hwmon_freq_hertz", "1800000000"),
        ("pwm1", "102", "node_hwmon_pwm", "102"),
        ("pwm1_enable", "5", "node_hwmon_pwm_enable", "5"),
        ("humidity1_input", "45200", "edge_hwmon_humidity_ratio", "0.452"),
        ("humidity1_max", "90000", "edge_hwmon_humidity_max_ratio", "0.9"),
        (
            "humidity1_min_hyst",
            "5000",
            "edge_hwmon_humidity_min_hyst_ratio",
            "0.05",
        ),
        ("intrusion0_alarm", "1", "node_hwmon_intrusion_alarm", "1"),
        ("temp1_alarm", "0", "node_hwmon_temp_alarm", "0"),
        ("fan1_fault", "0", "node_hwmon_fan_fault", "0"),
        ("fan1_min_alarm", "1", "node_hwmon_fan_min_alarm", "1"),
    ];
    let machine = Machine::new(&[("sys/class/hwmon/hwmon0/in1_lcrit_alarm", "1\n")]);
    for (file, number, ..) in expected {
        machine.write(&format!("sys/class/hwmon/hwmon0/{file}"), format!("{number}\n"));
    }
    let read = machine.read(&COLLECTOR);
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    for (file, _, name, value) in expected {
        let sensor = file.split('_').next().unwrap();
        let series = format!("{name}{{chip=hwmon0,sensor={sensor}}}");
        assert_eq!(read.value(&series).as_deref(), Some(value), "{file}");
    }
    // Four alarms and faults have a name each of node_exporter's; that of a limit of the voltage has only ours.
    let alarms = read
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("edge_hwmon_alarm{"));
    assert_eq!(alarms.count(), 5);
    assert_eq!(read.lines().len(), expected.len() + 5);
}

#[test]
fn an_alarm_that_is_neither_0_nor_1_is_invalid_under_every_name() {
    let read = Machine::new(&[("sys/class/hwmon/hwmon0/fan1_alarm", "255\n")]).read(&COLLECTOR);
    assert_eq!(
        read.lines(),
        ["edge_hwmon_alarm{chip=hwmon0,sensor=fan1,kind=alarm} invalid"]
    );
}

#[test]
fn limits_leave_room_for_the_measurements_of_the_other_chips() {
    let machine = Machine::new(&[]);
    for number in 1..=60 {
        for item in ["input", "min", "max", "crit", "max_hyst"] {
            machine.write(&format!("sys/class/hwmon/hwmon0/temp{number}_{item}"), "1000\n");
        }
        machine.write(&format!("sys/class/hwmon/hwmon1/in{number}_input"), "1000\n");
    }
    let read = machine.read(&COLLECTOR);
    let count = |name: &str| read.lines().into_iter().filter(|line| line.starts_with(name)).count();
    assert_eq!(count("node_hwmon_temp_celsius"), 60);
    assert_eq!(count("node_hwmon_in_volts"), 60);
    assert_eq!(count("node_hwmon_temp_"), 128);
    assert_eq!(read.dropped, 4 * 60 - (128 - 60));
}
