//! Formatting of values with units.

use std::time::Duration;

/// A value with the symbol of its unit, and as many decimals as sensors of that kind tell.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    let (value, decimals, symbol) = match unit {
        "" => (value, 3, ""),
        "amperes" => (value, 3, " A"),
        "ampere hours" => (value, 2, " Ah"),
        "bytes" => return bytes(value),
        "celsius" => (value, 1, " °C"),
        "hertz" if value >= 1e6 => (value / 1e6, 0, " MHz"),
        "hertz" => (value, 1, " Hz"),
        "joules" => (value, 0, " J"),
        "lux" => (value, 1, " lx"),
        "meters" => (value, 3, " m"),
        "ohms" => (value, 1, " Ω"),
        "pascals" => (value / 100.0, 2, " hPa"),
        "percent" => (value, 1, " %"),
        "ratio" if value.abs() < 0.001 && value != 0.0 => (value * 1e6, 0, " ppm"),
        "ratio" => (value * 100.0, 1, " %"),
        "seconds" => (value, 3, " s"),
        "volts" => (value, 3, " V"),
        "watts" => (value, 2, " W"),
        "watt hours" => (value, 1, " Wh"),
        unit => return format!("{} {unit}", digits(value, 3)),
    };
    digits(value, decimals) + symbol
}

/// So many decimals at most, but two significant digits of what is small: a little is not nothing.
///
/// Without the logarithm, the only thing that would keep libm in memory, 300 KB.
fn digits(value: f64, decimals: usize) -> String {
    if value != 0.0 && value.abs() < 0.001 {
        return format!("{value:.2e}");
    }
    let decimals = match value.abs() {
        small if small > 0.0 && small < 1.0 => {
            let zeros = [0.1, 0.01, 0.001].into_iter().filter(|power| small <= *power).count();
            decimals.max(2 + zeros)
        }
        _ => decimals,
    };
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_symbols_that_people_know() {
        for (number, unit, expected) in [
            (21.4375, "celsius", "21.4 °C"),
            (-0.0625, "celsius", "-0.062 °C"),
            (0.45213, "ratio", "45.2 %"),
            (0.00412, "ratio", "0.41 %"),
            (0.9999, "ratio", "100 %"),
            (12.0481, "volts", "12.048 V"),
            (5.0163, "watts", "5.02 W"),
            (52_000.4, "joules", "52000 J"),
            (612e-6, "ratio", "612 ppm"),
            (101_325.0, "pascals", "1013.25 hPa"),
            (1.8e9, "hertz", "1800 MHz"),
            (4.8e-5, "teslas", "4.80e-5 teslas"),
            (1204.0, "rpm", "1204 rpm"),
            (-0.4123, "amperes", "-0.412 A"),
            (1.0, "", "1"),
            (0.0, "volts", "0 V"),
            (1536.0, "bytes", "1.5 KiB"),
        ] {
            assert_eq!(quantity(number, unit), expected);
        }
    }
}
