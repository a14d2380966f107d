//! What of a power supply is exported, under the names of node_exporter.

use crate::collectors::attributes::Attribute;
use crate::plausible::{AMPERES, CELSIUS, NOT_NEGATIVE, SWITCH, VOLTS, WATTS};
use crate::reading::Metric;

const PERCENT: (f64, f64) = (0.0, 100.0);
/// A fuel gauge that has learnt a lower capacity than the battery has tells more than 100 %, and the kernel passes that on; 255 is what one says
/// that knows nothing.
const CHARGE: (f64, f64) = (0.0, 150.0);

const fn gauge(name: &'static str, unit: &'static str, help: &'static str, range: (f64, f64)) -> Metric {
    Metric::gauge(name, unit, help).within(range)
}

pub(super) static ATTRIBUTES: &[Attribute] = &[
    Attribute::new(
        "online",
        1.0,
        gauge(
            "node_power_supply_online",
            "",
            "1 if the supply feeds the device; 2 if it does so by a program of its own.",
            (0.0, 2.0),
        ),
    ),
    Attribute::new(
        "present",
        1.0,
        gauge("node_power_supply_present", "", "1 if the battery is there.", SWITCH),
    ),
    Attribute::new(
        "capacity",
        1.0,
        gauge("node_power_supply_capacity", "percent", "Charge in percent.", CHARGE),
    ),
    Attribute::new(
        "voltage_now",
        1e6,
        gauge("node_power_supply_voltage_volt", "volts", "Voltage.", VOLTS),
    ),
    Attribute::new(
        "current_now",
        1e6,
        gauge("node_power_supply_current_ampere", "amperes", "Current.", AMPERES),
    ),
    Attribute::new(
        "power_now",
        1e6,
        gauge("node_power_supply_power_watt", "watts", "Power.", WATTS),
    ),
    Attribute::new(
        "charge_now",
        1e6,
        gauge(
            "node_power_supply_charge_ampere",
            "ampere hours",
            "Charge in ampere hours.",
            (-1e6, 1e6),
        ),
    ),
    Attribute::new(
        "energy_now",
        1e6,
        gauge(
            "node_power_supply_energy_watthour",
            "watt hours",
            "Energy in watt hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::new(
        "temp",
        10.0,
        gauge("node_power_supply_temp_celsius", "celsius", "Temperature.", CELSIUS),
    ),
    Attribute::optional(
        "charge_full",
        1e6,
        gauge(
            "node_power_supply_charge_full",
            "ampere hours",
            "Charge of the full battery as it is now, in ampere hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "charge_full_design",
        1e6,
        gauge(
            "node_power_supply_charge_full_design",
            "ampere hours",
            "Charge of the full battery when it was new, in ampere hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "energy_full",
        1e6,
        gauge(
            "node_power_supply_energy_full",
            "watt hours",
            "Energy of the full battery as it is now, in watt hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "energy_full_design",
        1e6,
        gauge(
            "node_power_supply_energy_full_design",
            "watt hours",
            "Energy of the full battery when it was new, in watt hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "cycle_count",
        1.0,
        gauge(
            "node_power_supply_cyclecount",
            "",
            "Cycles of charging since the battery was made.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "time_to_empty_now",
        1.0,
        gauge(
            "node_power_supply_time_to_empty_seconds",
            "seconds",
            "Time until the battery is empty.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "time_to_full_now",
        1.0,
        gauge(
            "node_power_supply_time_to_full_seconds",
            "seconds",
            "Time until the battery is full.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "voltage_ocv",
        1e6,
        gauge(
            "node_power_supply_voltage_ocv",
            "volts",
            "Voltage of the battery without load, in volts.",
            VOLTS,
        ),
    ),
    Attribute::optional(
        "voltage_min_design",
        1e6,
        gauge(
            "node_power_supply_voltage_min_design",
            "volts",
            "Voltage of the empty battery, in volts.",
            VOLTS,
        ),
    ),
    Attribute::optional(
        "voltage_max_design",
        1e6,
        gauge(
            "node_power_supply_voltage_max_design",
            "volts",
            "Voltage of the full battery, in volts.",
            VOLTS,
        ),
    ),
    Attribute::optional(
        "voltage_max",
        1e6,
        gauge(
            "node_power_supply_voltage_max",
            "volts",
            "Highest voltage of the supply, in volts.",
            VOLTS,
        ),
    ),
    Attribute::optional(
        "current_max",
        1e6,
        gauge(
            "node_power_supply_current_max",
            "amperes",
            "Highest current of the supply, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "input_current_limit",
        1e6,
        gauge(
            "node_power_supply_input_current_limit",
            "amperes",
            "Current that the charger may take, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "constant_charge_current",
        1e6,
        gauge(
            "node_power_supply_constant_charge_current",
            "amperes",
            "Current by which the battery is charged, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "constant_charge_voltage",
        1e6,
        gauge(
            "node_power_supply_constant_charge_voltage",
            "volts",
            "Voltage by which the battery is charged, in volts.",
            VOLTS,
        ),
    ),
    Attribute::optional(
        "temp_ambient",
        10.0,
        gauge(
            "node_power_supply_temp_ambient_celsius",
            "celsius",
            "Temperature around the battery.",
            CELSIUS,
        ),
    ),
    Attribute::optional(
        "capacity_alert_min",
        1.0,
        gauge(
            "node_power_supply_capacity_alert_min",
            "percent",
            "Charge in percent at which the battery warns.",
            PERCENT,
        ),
    ),
    Attribute::optional(
        "authentic",
        1.0,
        gauge(
            "node_power_supply_authentic",
            "",
            "1 if the battery is one of its maker's.",
            SWITCH,
        ),
    ),
    Attribute::optional(
        "calibrate",
        1.0,
        gauge(
            "node_power_supply_calibrate",
            "",
            "1 while the fuel gauge is calibrated.",
            SWITCH,
        ),
    ),
    Attribute::optional(
        "capacity_alert_max",
        1.0,
        gauge(
            "node_power_supply_capacity_alert_max",
            "percent",
            "Charge in percent above which the battery warns.",
            PERCENT,
        ),
    ),
    Attribute::optional(
        "charge_control_limit",
        1e6,
        gauge(
            "node_power_supply_charge_control_limit",
            "amperes",
            "Current to which charging is held back, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "charge_control_limit_max",
        1e6,
        gauge(
            "node_power_supply_charge_control_limit_max",
            "amperes",
            "Highest current to which charging can be held back, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "charge_counter",
        1e6,
        gauge(
            "node_power_supply_charge_counter",
            "ampere hours",
            "Charge that has gone into the battery, less what came out, in ampere hours.",
            (-1e6, 1e6),
        ),
    ),
    Attribute::optional(
        "charge_empty",
        1e6,
        gauge(
            "node_power_supply_charge_empty",
            "ampere hours",
            "Charge of the empty battery as it is now, in ampere hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "charge_empty_design",
        1e6,
        gauge(
            "node_power_supply_charge_empty_design",
            "ampere hours",
            "Charge of the empty battery when it was new, in ampere hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "charge_term_current",
        1e6,
        gauge(
            "node_power_supply_charge_term_current",
            "amperes",
            "Current below which charging ends, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "constant_charge_current_max",
        1e6,
        gauge(
            "node_power_supply_constant_charge_current_max",
            "amperes",
            "Highest current by which the battery may be charged, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "constant_charge_voltage_max",
        1e6,
        gauge(
            "node_power_supply_constant_charge_voltage_max",
            "volts",
            "Highest voltage by which the battery may be charged, in volts.",
            VOLTS,
        ),
    ),
    Attribute::optional(
        "current_boot",
        1e6,
        gauge(
            "node_power_supply_current_boot",
            "amperes",
            "Current when the device was started, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "energy_empty",
        1e6,
        gauge(
            "node_power_supply_energy_empty",
            "watt hours",
            "Energy of the empty battery as it is now, in watt hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "energy_empty_design",
        1e6,
        gauge(
            "node_power_supply_energy_empty_design",
            "watt hours",
            "Energy of the empty battery when it was new, in watt hours.",
            NOT_NEGATIVE,
        ),
    ),
    Attribute::optional(
        "precharge_current",
        1e6,
        gauge(
            "node_power_supply_precharge_current",
            "amperes",
            "Current by which an empty battery is charged at first, in amperes.",
            AMPERES,
        ),
    ),
    Attribute::optional(
        "temp_alert_max",
        10.0,
        gauge(
            "node_power_supply_temp_alert_max_celsius",
            "celsius",
            "Temperature above which the battery warns.",
            CELSIUS,
        ),
    ),
    Attribute::optional(
        "temp_alert_min",
        10.0,
        gauge(
            "node_power_supply_temp_alert_min_celsius",
            "celsius",
            "Temperature below which the battery warns.",
            CELSIUS,
        ),
    ),
    Attribute::optional(
        "temp_ambient_max",
        10.0,
        gauge(
            "node_power_supply_temp_ambient_max_celsius",
            "celsius",
            "Temperature around the battery above which it warns.",
            CELSIUS,
        ),
    ),
    Attribute::optional(
        "temp_ambient_min",
        10.0,
        gauge(
            "node_power_supply_temp_ambient_min_celsius",
            "celsius",
            "Temperature around the battery below which it warns.",
            CELSIUS,
        ),
    ),
    Attribute::optional(
        "temp_max",
        10.0,
        gauge(
            "node_power_supply_temp_max_celsius",
            "celsius",
            "Highest temperature that the battery allows.",
            CELSIUS,
        ),
    ),
    Attribute::optional(
        "temp_min",
        10.0,
        gauge(
            "node_power_supply_temp_min_celsius",
            "celsius",
            "Lowest temperature that the battery allows.",
            CELSIUS,
        ),
    ),
    Attribute::optional(
        "voltage_boot",
        1e6,
        gauge(
            "node_power_supply_voltage_boot",
            "volts",
            "Voltage when the device was started, in volts.",
            VOLTS,
        ),
    ),
    Attribute::optional(
        "voltage_min",
        1e6,
        gauge(
            "node_power_supply_voltage_min",
            "volts",
            "Lowest voltage of the supply, in volts.",
            VOLTS,
        ),
    ),
];
