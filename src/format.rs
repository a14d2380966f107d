//! Formatting of values with units.

use std::time::Duration;

/// A value with its unit.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "bytes" => bytes(value),
        "celsius" => format!("{value:.1} °C"),
        "ratio" => format!("{:.1} %", value * 100.0),
        "" => number(value),
        _ => format!("{} {unit}", number(value)),
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

/// Bytes in the largest binary unit that keeps the number above 1.
pub(crate) fn bytes(value: f64) -> String {
    let mut scaled = value;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if scaled.abs() < 1024.0 {
            return format!("{scaled:.*} {unit}", usize::from(unit != "B"));
        }
        scaled /= 1024.0;
    }
    format!("{scaled:.1} TiB")
}

/// A time span in at most two units.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.as_millis() == 0 => format!("{} µs", duration.as_micros()),
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}
