//! What hwmon attributes measure: suffix, unit and metric of each (Documentation/hwmon/sysfs-interface.rst).

use crate::plausible::{AMPERES, CELSIUS, HUMIDITY, NOT_NEGATIVE, RPM, SWITCH, VOLTS, WATTS};
use crate::reading::Metric;

/// What an attribute is to its sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the sensor measures, or how it is driven.
    Value,
    /// A limit, or the lowest and highest value that the chip remembers. Many drivers have placeholders for "none".
    Limit,
}

/// An attribute that is exported.
pub struct Quantity {
    /// Kind of sensor: `temp`.
    pub kind: &'static str,
    /// Suffix of the attribute: `crit`.
    pub item: &'static str,
    /// How many of the attribute's unit make the base unit.
    pub units: f64,
    /// What it is.
    pub role: Role,
    /// Its metric.
    pub metric: Metric,
}

pub const CHIP_NAME: Metric = Metric::gauge(
    "node_hwmon_chip_names",
    "",
    "The name that the driver gives the chip; always 1.",
);
pub const LABEL: Metric = Metric::gauge(
    "node_hwmon_sensor_label",
    "",
    "The label that the driver gives the sensor; always 1.",
);
pub const ALARM: Metric =
    Metric::gauge("edge_hwmon_alarm", "", "1 while the chip raises this alarm or fault.").within(SWITCH);
pub const TEMP: Metric = Metric::gauge("node_hwmon_temp_celsius", "celsius", "Temperature.").within(CELSIUS);
pub const VOLTAGE: Metric = Metric::gauge("node_hwmon_in_volts", "volts", "Voltage.").within(VOLTS);
pub const FAN: Metric = Metric::gauge(
    "node_hwmon_fan_rpm",
    "rpm",
    "Speed of a fan; 0 is a fan that stands still.",
)
.within(RPM);
/// In the attribute thousandths of a percent, by the kernel's documentation.
pub const MOISTURE: Metric =
    Metric::gauge("edge_hwmon_humidity_ratio", "ratio", "Relative humidity, 0 to 1.").within(HUMIDITY);

/// Kind of sensor and suffix of the alarms that node_exporter exports under a name and with a value of their own. Those of other limits it
/// takes for volts or degrees.
pub static ALARMS: &[(&str, &str, Metric)] = &[
    (
        "temp",
        "alarm",
        Metric::gauge(
            "node_hwmon_temp_alarm",
            "",
            "1 while a temperature is beyond its limits.",
        )
        .within(SWITCH),
    ),
    (
        "in",
        "alarm",
        Metric::gauge("node_hwmon_in_alarm", "", "1 while a voltage is beyond its limits.").within(SWITCH),
    ),
    (
        "curr",
        "alarm",
        Metric::gauge("node_hwmon_curr_alarm", "", "1 while a current is beyond its limits.").within(SWITCH),
    ),
    (
        "power",
        "alarm",
        Metric::gauge("node_hwmon_power_alarm", "", "1 while a power is beyond its limits.").within(SWITCH),
    ),
    (
        "fan",
        "alarm",
        Metric::gauge("node_hwmon_fan_alarm", "", "1 while a fan is beyond its limits.").within(SWITCH),
    ),
    (
        "humidity",
        "alarm",
        Metric::gauge(
            "node_hwmon_humidity_alarm",
            "",
            "1 while a humidity is beyond its limits.",
        )
        .within(SWITCH),
    ),
    (
        "intrusion",
        "alarm",
        Metric::gauge(
            "node_hwmon_intrusion_alarm",
            "",
            "1 since the case was opened, until it is reset.",
        )
        .within(SWITCH),
    ),
    (
        "temp",
        "fault",
        Metric::gauge(
            "node_hwmon_temp_fault",
            "",
            "1 while the sensor of a temperature is broken.",
        )
        .within(SWITCH),
    ),
    (
        "in",
        "fault",
        Metric::gauge("node_hwmon_in_fault", "", "1 while the sensor of a voltage is broken.").within(SWITCH),
    ),
    (
        "curr",
        "fault",
        Metric::gauge(
            "node_hwmon_curr_fault",
            "",
            "1 while the sensor of a current is broken.",
        )
        .within(SWITCH),
    ),
    (
        "power",
        "fault",
        Metric::gauge("node_hwmon_power_fault", "", "1 while the sensor of a power is broken.").within(SWITCH),
    ),
    (
        "fan",
        "fault",
        Metric::gauge("node_hwmon_fan_fault", "", "1 while a fan is broken.").within(SWITCH),
    ),
    (
        "humidity",
        "fault",
        Metric::gauge(
            "node_hwmon_humidity_fault",
            "",
            "1 while the sensor of a humidity is broken.",
        )
        .within(SWITCH),
    ),
    (
        "fan",
        "min_alarm",
        Metric::gauge(
            "node_hwmon_fan_min_alarm",
            "",
            "1 while a fan is slower than its limit.",
        )
        .within(SWITCH),
    ),
    (
        "fan",
        "max_alarm",
        Metric::gauge(
            "node_hwmon_fan_max_alarm",
            "",
            "1 while a fan is faster than its limit.",
        )
        .within(SWITCH),
    ),
];

const fn value(kind: &'static str, item: &'static str, units: f64, metric: Metric) -> Quantity {
    Quantity {
        kind,
        item,
        units,
        role: Role::Value,
        metric,
    }
}

const fn limit(kind: &'static str, item: &'static str, units: f64, metric: Metric) -> Quantity {
    Quantity {
        kind,
        item,
        units,
        role: Role::Limit,
        metric,
    }
}

const fn celsius(item: &'static str, name: &'static str, help: &'static str) -> Quantity {
    limit("temp", item, 1e3, Metric::gauge(name, "celsius", help).within(CELSIUS))
}

const fn volts(item: &'static str, name: &'static str, help: &'static str) -> Quantity {
    limit("in", item, 1e3, Metric::gauge(name, "volts", help).within(VOLTS))
}

const fn amperes(item: &'static str, name: &'static str, help: &'static str) -> Quantity {
    limit("curr", item, 1e3, Metric::gauge(name, "amperes", help).within(AMPERES))
}

const fn watts(item: &'static str, name: &'static str, help: &'static str) -> Quantity {
    limit("power", item, 1e6, Metric::gauge(name, "watts", help).within(WATTS))
}

const fn rpm(item: &'static str, name: &'static str, help: &'static str) -> Quantity {
    limit("fan", item, 1.0, Metric::gauge(name, "rpm", help).within(RPM))
}

const fn humidity(item: &'static str, name: &'static str, help: &'static str) -> Quantity {
    limit(
        "humidity",
        item,
        1e5,
        Metric::gauge(name, "ratio", help).within(HUMIDITY),
    )
}

/// Every attribute that is exported, measurements before limits.
pub static QUANTITIES: &[Quantity] = &[
    value("temp", "input", 1e3, TEMP),
    value("in", "input", 1e3, VOLTAGE),
    value(
        "in",
        "average",
        1e3,
        Metric::gauge("node_hwmon_in_average_volts", "volts", "Average voltage.").within(VOLTS),
    ),
    value(
        "curr",
        "input",
        1e3,
        Metric::gauge("node_hwmon_curr_amps", "amperes", "Current.").within(AMPERES),
    ),
    value(
        "curr",
        "average",
        1e3,
        Metric::gauge("node_hwmon_curr_average_amps", "amperes", "Average current.").within(AMPERES),
    ),
    value(
        "power",
        "input",
        1e6,
        Metric::gauge("node_hwmon_power_watt", "watts", "Power.").within(WATTS),
    ),
    value(
        "power",
        "average",
        1e6,
        Metric::gauge("node_hwmon_power_average_watt", "watts", "Average power.").within(WATTS),
    ),
    value(
        "energy",
        "input",
        1e6,
        Metric::counter("node_hwmon_energy_joule_total", "joules", "Energy used.").within(NOT_NEGATIVE),
    ),
    value("fan", "input", 1.0, FAN),
    value(
        "fan",
        "target",
        1.0,
        Metric::gauge(
            "node_hwmon_fan_target_rpm",
            "rpm",
            "Speed that the chip regulates the fan to.",
        )
        .within(RPM),
    ),
    value(
        "freq",
        "input",
        1.0,
        Metric::gauge(
            "edge_hwmon_freq_hertz",
            "hertz",
            "Frequency, as of the clock of a graphics processor.",
        )
        .within(NOT_NEGATIVE),
    ),
    value(
        "pwm",
        "",
        1.0,
        Metric::gauge("node_hwmon_pwm", "", "Duty of a fan, 0 to 255.").within((0.0, 255.0)),
    ),
    value(
        "pwm",
        "enable",
        1.0,
        Metric::gauge(
            "node_hwmon_pwm_enable",
            "",
            "How the fan is driven: 0 at full speed, 1 by pwm, from 2 on by the chip itself.",
        )
        .within(NOT_NEGATIVE),
    ),
    value("humidity", "input", 1e5, MOISTURE),
    celsius("min", "node_hwmon_temp_min_celsius", "Low limit of the temperature."),
    celsius("max", "node_hwmon_temp_max_celsius", "High limit of the temperature."),
    celsius(
        "lcrit",
        "node_hwmon_temp_lcrit_celsius",
        "Low critical limit of the temperature.",
    ),
    celsius(
        "crit",
        "node_hwmon_temp_crit_celsius",
        "Critical limit of the temperature.",
    ),
    celsius(
        "emergency",
        "node_hwmon_temp_emergency_celsius",
        "Emergency limit of the temperature, above the critical one.",
    ),
    celsius(
        "min_hyst",
        "node_hwmon_temp_min_hyst_celsius",
        "Temperature at which the alarm of the low limit ends.",
    ),
    celsius(
        "max_hyst",
        "node_hwmon_temp_max_hyst_celsius",
        "Temperature at which the alarm of the high limit ends.",
    ),
    celsius(
        "lcrit_hyst",
        "node_hwmon_temp_lcrit_hyst_celsius",
        "Temperature at which the alarm of the low critical limit ends.",
    ),
    celsius(
        "crit_hyst",
        "node_hwmon_temp_crit_hyst_celsius",
        "Temperature at which the alarm of the critical limit ends.",
    ),
    celsius(
        "emergency_hyst",
        "node_hwmon_temp_emergency_hyst_celsius",
        "Temperature at which the alarm of the emergency limit ends.",
    ),
    celsius(
        "lowest",
        "node_hwmon_temp_lowest_celsius",
        "Lowest temperature since the chip was reset.",
    ),
    celsius(
        "highest",
        "node_hwmon_temp_highest_celsius",
        "Highest temperature since the chip was reset.",
    ),
    celsius(
        "rated_min",
        "node_hwmon_temp_rated_min_celsius",
        "Lowest temperature that the device is rated for.",
    ),
    celsius(
        "rated_max",
        "node_hwmon_temp_rated_max_celsius",
        "Highest temperature that the device is rated for.",
    ),
    volts("min", "node_hwmon_in_min_volts", "Low limit of the voltage."),
    volts("max", "node_hwmon_in_max_volts", "High limit of the voltage."),
    volts(
        "lcrit",
        "node_hwmon_in_lcrit_volts",
        "Low critical limit of the voltage.",
    ),
    volts("crit", "node_hwmon_in_crit_volts", "Critical limit of the voltage."),
    volts(
        "lowest",
        "node_hwmon_in_lowest_volts",
        "Lowest voltage since the chip was reset.",
    ),
    volts(
        "highest",
        "node_hwmon_in_highest_volts",
        "Highest voltage since the chip was reset.",
    ),
    volts(
        "rated_min",
        "node_hwmon_in_rated_min_volts",
        "Lowest voltage that the device is rated for.",
    ),
    volts(
        "rated_max",
        "node_hwmon_in_rated_max_volts",
        "Highest voltage that the device is rated for.",
    ),
    amperes("min", "node_hwmon_curr_min_amps", "Low limit of the current."),
    amperes("max", "node_hwmon_curr_max_amps", "High limit of the current."),
    amperes(
        "lcrit",
        "node_hwmon_curr_lcrit_amps",
        "Low critical limit of the current.",
    ),
    amperes("crit", "node_hwmon_curr_crit_amps", "Critical limit of the current."),
    amperes(
        "lowest",
        "node_hwmon_curr_lowest_amps",
        "Lowest current since the chip was reset.",
    ),
    amperes(
        "highest",
        "node_hwmon_curr_highest_amps",
        "Highest current since the chip was reset.",
    ),
    amperes(
        "rated_min",
        "node_hwmon_curr_rated_min_amps",
        "Lowest current that the device is rated for.",
    ),
    amperes(
        "rated_max",
        "node_hwmon_curr_rated_max_amps",
        "Highest current that the device is rated for.",
    ),
    watts("min", "node_hwmon_power_min_watt", "Low limit of the power."),
    watts("max", "node_hwmon_power_max_watt", "High limit of the power."),
    watts(
        "lcrit",
        "node_hwmon_power_lcrit_watt",
        "Low critical limit of the power.",
    ),
    watts("crit", "node_hwmon_power_crit_watt", "Critical limit of the power."),
    watts("cap", "node_hwmon_power_cap_watt", "Power that the device is held to."),
    watts(
        "cap_min",
        "node_hwmon_power_cap_min_watt",
        "Lowest cap that can be set.",
    ),
    watts(
        "cap_max",
        "node_hwmon_power_cap_max_watt",
        "Highest cap that can be set.",
    ),
    watts(
        "cap_hyst",
        "node_hwmon_power_cap_hyst_watt",
        "Power at which the alarm of the cap ends.",
    ),
    watts(
        "average_min",
        "node_hwmon_power_average_min_watt",
        "Low limit of the average.",
    ),
    watts(
        "average_max",
        "node_hwmon_power_average_max_watt",
        "High limit of the average.",
    ),
    watts(
        "average_lowest",
        "node_hwmon_power_average_lowest_watt",
        "Lowest average since the chip was reset.",
    ),
    watts(
        "average_highest",
        "node_hwmon_power_average_highest_watt",
        "Highest average since the chip was reset.",
    ),
    watts(
        "input_lowest",
        "node_hwmon_power_input_lowest_watt",
        "Lowest power since the chip was reset.",
    ),
    watts(
        "input_highest",
        "node_hwmon_power_input_highest_watt",
        "Highest power since the chip was reset.",
    ),
    watts(
        "rated_min",
        "node_hwmon_power_rated_min_watt",
        "Lowest power that the device is rated for.",
    ),
    watts(
        "rated_max",
        "node_hwmon_power_rated_max_watt",
        "Highest power that the device is rated for.",
    ),
    rpm("min", "node_hwmon_fan_min_rpm", "Low limit of the speed."),
    rpm("max", "node_hwmon_fan_max_rpm", "High limit of the speed."),
    humidity(
        "min",
        "edge_hwmon_humidity_min_ratio",
        "Low limit of the relative humidity.",
    ),
    humidity(
        "max",
        "edge_hwmon_humidity_max_ratio",
        "High limit of the relative humidity.",
    ),
    humidity(
        "min_hyst",
        "edge_hwmon_humidity_min_hyst_ratio",
        "Relative humidity at which the alarm of the low limit ends.",
    ),
    humidity(
        "max_hyst",
        "edge_hwmon_humidity_max_hyst_ratio",
        "Relative humidity at which the alarm of the high limit ends.",
    ),
];
