//! The list for people: names and values first, then the series that each becomes.

use std::fmt::Write;

use super::inventory::Inventory;
use crate::format::quantity;
use crate::readings::{Device, Row};

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
    line(text, format_args!("{}  {}{description}", device.source, device.title));
    let columns: Vec<[String; 3]> = device
        .readings
        .iter()
        .map(|row| [row.sensor.clone(), row.quantity.clone(), value(row)])
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

fn value(row: &Row) -> String {
    match row.value {
        Some(value) => quantity(value, row.unit),
        None => row.error.unwrap_or_default().to_owned(),
    }
}
