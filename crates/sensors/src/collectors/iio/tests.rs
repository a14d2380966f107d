//! IIO devices as their drivers present them.

use super::*;
use crate::collectors::testing::Machine;

/// A device with these attributes.
fn device(machine: &Machine, number: usize, name: &str, attributes: &[(&str, &str)]) {
    let directory = format!("sys/bus/iio/devices/iio:device{number}");
    machine.write(&format!("{directory}/name"), format!("{name}\n"));
    for (attribute, value) in attributes {
        machine.write(&format!("{directory}/{attribute}"), format!("{value}\n"));
    }
}

/// The value of the only device's channel.
fn value(kind: &str, attributes: &[(&str, &str)], channel: &str) -> f64 {
    let machine = Machine::new(&[]);
    device(&machine, 0, "x", attributes);
    let read = machine.read(&COLLECTOR);
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    let value = read.value(&format!("{kind}{{device=x,channel={channel}}}"));
    value.unwrap_or_else(|| panic!("{:?}", read.lines())).parse().unwrap()
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= expected.abs() * 1e-12,
        "{found}, not {expected}"
    );
}

#[test]
fn each_type_is_exported_in_its_base_unit() {
    for (attribute, number, metric, expected) in [
        ("in_temp_input", "21450", "edge_iio_temperature_celsius", 21.45),
        ("in_humidityrelative_input", "45210", "edge_iio_humidity_ratio", 0.4521),
        ("in_pressure_input", "101.325", "edge_iio_pressure_pascals", 101_325.0),
        ("in_voltage0_input", "3312", "edge_iio_voltage_volts", 3.312),
        ("in_current1_input", "-250", "edge_iio_current_amperes", -0.25),
        ("in_power2_input", "4900", "edge_iio_power_watts", 4.9),
        ("in_illuminance_input", "325.5", "edge_iio_illuminance_lux", 325.5),
        (
            "in_accel_z_input",
            "-9.81",
            "edge_iio_acceleration_meters_per_second_squared",
            -9.81,
        ),
        (
            "in_anglvel_x_input",
            "0.125",
            "edge_iio_angular_velocity_radians_per_second",
            0.125,
        ),
        ("in_angl_input", "1.5", "edge_iio_angle_radians", 1.5),
        (
            "in_incli_x_input",
            "180",
            "edge_iio_inclination_radians",
            std::f64::consts::PI,
        ),
        ("in_magn_y_input", "0.48", "edge_iio_magnetic_field_teslas", 4.8e-5),
        (
            "in_concentration_co2_input",
            "0.0612",
            "edge_iio_concentration_ratio",
            612e-6,
        ),
        (
            "in_massconcentration_pm2p5_input",
            "12.5",
            "edge_iio_mass_concentration_grams_per_cubic_meter",
            12.5e-6,
        ),
        ("in_ph_input", "7.2", "edge_iio_ph", 7.2),
        (
            "in_electricalconductivity_input",
            "0.05",
            "edge_iio_conductivity_siemens_per_meter",
            0.05,
        ),
        ("in_distance_input", "1.234", "edge_iio_distance_meters", 1.234),
        ("in_resistance_input", "10000", "edge_iio_resistance_ohms", 10_000.0),
        ("in_capacitance0_input", "4.7", "edge_iio_capacitance_farads", 4.7e-9),
        ("in_uvindex_input", "5", "edge_iio_uv_index", 5.0),
        (
            "in_velocity_sqrt(x^2+y^2+z^2)_input",
            "1.4",
            "edge_iio_velocity_meters_per_second",
            1.4,
        ),
    ] {
        let channel = attribute.trim_start_matches("in_").trim_end_matches("_input");
        assert_near(value(metric, &[(attribute, number)], channel), expected);
    }
}

#[test]
fn raw_numbers_are_shifted_then_scaled_by_the_nearest_attribute() {
    let volts = "edge_iio_voltage_volts";
    // An ADS1115 has a scale for each channel, an MCP3008 one for all, a BMP280 of old kernels fractions of nine digits.
    let ads1115 = [
        ("in_voltage0_raw", "16000"),
        ("in_voltage0_scale", "0.125000000"),
        ("in_voltage_scale", "3"),
    ];
    assert_near(value(volts, &ads1115, "voltage0"), 2.0);
    let mcp3008 = [("in_voltage7_raw", "512"), ("in_voltage_scale", "3.222656250")];
    assert_near(value(volts, &mcp3008, "voltage7"), 1.65);
    let difference = [
        ("in_voltage0-voltage1_raw", "-800"),
        ("in_voltage-voltage_scale", "0.5"),
    ];
    assert_near(value(volts, &difference, "voltage0-voltage1"), -0.4);
    let of_all = [("in_voltage0_raw", "100"), ("scale", "2")];
    assert_near(value(volts, &of_all, "voltage0"), 0.2);
    // An Si7020: (6550 - 4368) × 10.725 is 23.4 °C.
    let si7020 = [
        ("in_temp_raw", "6550"),
        ("in_temp_offset", "-4368"),
        ("in_temp_scale", "10.725097656"),
    ];
    assert_near(
        value("edge_iio_temperature_celsius", &si7020, "temp"),
        2182.0 * 10.725097656 / 1e3,
    );
    let axis = [
        ("in_accel_x_raw", "256"),
        ("in_accel_scale", "0.0383"),
        ("in_accel_x_offset", "-6"),
    ];
    assert_near(
        value("edge_iio_acceleration_meters_per_second_squared", &axis, "accel_x"),
        250.0 * 0.0383,
    );
    let without_scale = [("in_temp_raw", "21000")];
    assert_near(value("edge_iio_temperature_celsius", &without_scale, "temp"), 21.0);
}

#[test]
fn what_the_driver_computes_is_taken_and_what_it_remembers_is_not() {
    let machine = Machine::new(&[]);
    let attributes = [
        ("in_temp_input", "20000"),
        ("in_temp_raw", "77"),
        ("in_temp_peak_raw", "99"),
        ("in_rot_quaternion_raw", "1 2 3 4"),
        ("in_illuminance_sampling_frequency", "5"),
        ("in_timestamp_en", "1"),
        ("in_temperature_raw", "1"),
        ("out_voltage0_raw", "1"),
    ];
    device(&machine, 0, "x", &attributes);
    assert_eq!(
        machine.read(&COLLECTOR).lines(),
        [
            "edge_iio_device_info{device=x,name=x} 1",
            "edge_iio_temperature_celsius{device=x,channel=temp} 20"
        ]
    );
}

#[test]
fn a_device_bears_its_place_on_the_bus_and_two_at_one_place_their_names() {
    let machine = Machine::new(&[]);
    for (number, name) in [(0, "lsm6ds3_accel"), (1, "lsm6ds3_gyro")] {
        let place = format!("sys/devices/platform/i2c-1/1-006a/iio:device{number}");
        machine.write(&format!("{place}/name"), name);
        machine.write(&format!("{place}/in_temp_input"), "20000");
        machine.link(&format!("sys/bus/iio/devices/iio:device{number}"), &place);
    }
    let lines = machine.read(&COLLECTOR).lines();
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("edge_iio_temp"))
            .collect::<Vec<_>>(),
        [
            "edge_iio_temperature_celsius{device=i2c_1_1_006a_lsm6ds3_accel,channel=temp} 20",
            "edge_iio_temperature_celsius{device=i2c_1_1_006a_lsm6ds3_gyro,channel=temp} 20"
        ]
    );
}

#[test]
fn a_channel_that_cannot_be_costs_only_itself() {
    let machine = Machine::new(&[]);
    let attributes = [
        ("in_temp_input", "-300000"),
        ("in_humidityrelative_input", "nan"),
        ("in_pressure_raw", "2147483647"),
        ("in_voltage0_raw", "5"),
        ("in_voltage0_scale", "1e3"),
        ("in_voltage1_raw", ""),
        ("in_voltage2_raw", "1000"),
        ("in_voltage2_label", "solar"),
    ];
    device(&machine, 0, "x", &attributes);
    let read = machine.read(&COLLECTOR);
    assert_eq!(
        read.lines(),
        [
            "edge_iio_device_info{device=x,name=x} 1",
            "edge_iio_humidity_ratio{device=x,channel=humidityrelative} invalid",
            "edge_iio_pressure_pascals{device=x,channel=pressure} invalid",
            "edge_iio_temperature_celsius{device=x,channel=temp} invalid",
            "edge_iio_voltage_volts{device=x,channel=voltage0} invalid",
            "edge_iio_voltage_volts{device=x,channel=voltage1} not_ready",
            "edge_iio_voltage_volts{device=x,channel=voltage2} 1",
            "edge_iio_channel_label{device=x,channel=voltage2,label=solar} 1",
        ]
    );
    assert_eq!(read.errors.len(), 5);
}
