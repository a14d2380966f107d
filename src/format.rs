//! Formatting of values with units.

use std::time::Duration;

/// A value with the symbol of its unit.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    let (value, symbol) = match unit {
        "" => (value, ""),
        "amperes" => (value, " A"),
        "ampere hours" => (value, " Ah"),
        "bytes" => return bytes(value),
        "celsius" => (value, " °C"),
        "hertz" if value >= 1e6 => (value / 1e6, " MHz"),
        "hertz" => (value, " Hz"),
        "joules" => (value, " J"),
        "lux" => (value, " lx"),
        "meters" => (value, " m"),
        "ohms" => (value, " Ω"),
        "pascals" => (value / 100.0, " hPa"),
        "percent" => (value, " %"),
        "ratio" if value.abs() < 0.001 && value != 0.0 => (value * 1e6, " ppm"),
        "ratio" => (value * 100.0, " %"),
        "seconds" => (value, " s"),
        "volts" => (value, " V"),
        "watts" => (value, " W"),
        "watt hours" => (value, " Wh"),
        unit => return format!("{} {unit}", digits(value)),
    };
    digits(value) + symbol
}

/// At most three decimals, or four significant digits of what is smaller than that.
fn digits(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.001 {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_symbols_that_people_know() {
        for (number, unit, expected) in [
            (21.45, "celsius", "21.45 °C"),
            (0.4521, "ratio", "45.21 %"),
            (612e-6, "ratio", "612 ppm"),
            (101_325.0, "pascals", "1013.25 hPa"),
            (1.8e9, "hertz", "1800 MHz"),
            (4.8e-5, "teslas", "4.800e-5 teslas"),
            (1204.0, "rpm", "1204 rpm"),
            (-0.412, "amperes", "-0.412 A"),
            (1.0, "", "1"),
            (0.0, "volts", "0 V"),
            (1536.0, "bytes", "1.5 KiB"),
        ] {
            assert_eq!(quantity(number, unit), expected);
        }
    }
}
