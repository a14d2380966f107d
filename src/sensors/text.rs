//! The list for people: names and values first, then the series that each becomes.

use std::fmt::Write;

use super::inventory::{Device, Inventory, Row};

/// The whole list.
pub(super) fn of(inventory: &Inventory) -> String {
    let mut text = String::new();
    for device in &inventory.devices {
        write_device(device, &mut text);
    }
    if inventory.devices.is_empty() {
        text.push_str("No sensor was found.\n\n");
    }
    let problems = inventory.errors.iter().chain(&inventory.without_driver);
    for (number, problem) in problems.enumerate() {
        if number == 0 {
            text.push_str("Problems\n");
        }
        line(&mut text, format_args!("  {}: {}", problem.source, problem.error));
        line(&mut text, format_args!("    → {}", problem.remedy));
    }
    for (number, missing) in inventory.not_found.iter().enumerate() {
        if number == 0 {
            text.push_str(if inventory.errors.is_empty() {
                "Not found\n"
            } else {
                "\nNot found\n"
            });
        }
        line(&mut text, format_args!("  {:12}  {}", missing.source, missing.needs));
    }
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{arguments}");
}

fn write_device(device: &Device, text: &mut String) {
    let description = match device.description.is_empty() {
        true => String::new(),
        false => format!(" ({})", device.description),
    };
    line(text, format_args!("{}  {}{description}", device.source, device.name));
    let columns: Vec<[String; 3]> = device
        .readings
        .iter()
        .map(|row| [row.sensor.clone(), row.quantity.to_owned(), value(row)])
        .collect();
    let width = |column: usize| {
        columns
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    for ([sensor, quantity, value], row) in columns.iter().zip(&device.readings) {
        let [first, second, third] = widths;
        let sensor = if first == 0 {
            String::new()
        } else {
            format!("{sensor:first$}  ")
        };
        line(
            text,
            format_args!("  {sensor}{quantity:second$}  {value:>third$}  {}", row.metric),
        );
    }
    text.push('\n');
}

/// The value with the symbol of its unit.
fn value(row: &Row) -> String {
    let Some(value) = row.value else {
        return row.error.unwrap_or_default().to_owned();
    };
    let (value, symbol) = match row.unit {
        "" => (value, ""),
        "amperes" => (value, " A"),
        "ampere hours" => (value, " Ah"),
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

/// At most three decimals, or six significant digits of what is smaller than that.
fn digits(value: f64) -> String {
    let text = match value != 0.0 && value.abs() < 0.001 {
        true => return format!("{value:.3e}"),
        false => format!("{value:.3}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: f64, unit: &'static str) -> String {
        value(&Row {
            sensor: String::new(),
            quantity: "",
            value: Some(number),
            unit,
            error: None,
            metric: String::new(),
        })
    }

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
        ] {
            assert_eq!(shown(number, unit), expected);
        }
    }
}
