//! What a measurement can be: by physics, or by the largest thing that such a sensor is made for. A value outside is a fault of the sensor,
//! its wires or its driver, and counted as `invalid`. Each is a minimum and a maximum in the base unit, for
//! [`Metric::within`](crate::reading::Metric::within).

/// Degrees Celsius: from absolute zero to beyond any thermocouple (type C ends at 2315 °C).
pub const CELSIUS: (f64, f64) = (-273.15, 2400.0);
/// Volts: the limit of low voltage is 1500 V of direct current (IEC 60038), and nothing here measures more.
pub const VOLTS: (f64, f64) = (-1500.0, 1500.0);
/// Amperes: the rails of large processors carry 1000 A.
pub const AMPERES: (f64, f64) = (-1e4, 1e4);
/// Watts: a whole rack takes 100 kW. Negative power flows back, as into a battery.
pub const WATTS: (f64, f64) = (-1e6, 1e6);
/// Revolutions per minute: the fastest fans of servers turn at 40,000; 65,535 is a counter at its maximum.
pub const RPM: (f64, f64) = (0.0, 60_000.0);
/// Relative humidity as a ratio. Sensors overshoot a little at both ends: an HTU21D reads -6 to 119 %.
pub const HUMIDITY: (f64, f64) = (-0.1, 1.2);
/// What cannot be below zero.
pub const NOT_NEGATIVE: (f64, f64) = (0.0, f64::INFINITY);
/// A share of a whole.
pub const RATIO: (f64, f64) = (0.0, 1.0);
/// Yes and no.
pub const SWITCH: (f64, f64) = (0.0, 1.0);

/// True for the minimum and the maximum of a 32-bit number, in the attribute's own unit: what a driver computes when the bus does not
/// answer. As power, such a value would be within the range.
pub fn is_measurement(number: f64) -> bool {
    const NONE: [f64; 3] = [i32::MIN as f64, i32::MAX as f64, u32::MAX as f64];
    !NONE.contains(&number)
}
