//! Stacking: each series of a group begins where the one before ends; those below 0 are stacked downwards.

use std::collections::{BTreeMap, HashMap};

use super::look::custom_text;
use super::timeseries::Line;

/// Replaces the values of stacked series by sums, and notes what they are stacked upon.
pub fn apply(lines: &mut [Line]) {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let options = &line.field.options;
        let mode = custom_text(options, "stacking/mode");
        if matches!(mode, "normal" | "percent") {
            let group = format!("{mode} {} {}", custom_text(options, "stacking/group"), options.unit);
            groups.entry(group).or_default().push(index);
        }
    }
    for (name, group) in groups {
        if name.starts_with("percent") {
            to_shares(lines, &group);
        }
        let mut sums: [HashMap<u64, f64>; 2] = Default::default();
        for index in group {
            let line = &mut lines[index];
            let is_negative = line.values.iter().filter(|value| !value.is_nan()).sum::<f64>() < 0.0;
            let sums = &mut sums[usize::from(is_negative)];
            let mut base = Vec::with_capacity(line.values.len());
            for (time, value) in line.times.iter().zip(&mut line.values) {
                let sum = sums.entry(time.to_bits()).or_default();
                base.push(*sum);
                if !value.is_nan() {
                    *sum += *value;
                    *value = *sum;
                }
            }
            line.base = Some(base);
        }
    }
}

/// Each value as its share of the sum at its time.
fn to_shares(lines: &mut [Line], group: &[usize]) {
    let mut totals: HashMap<u64, f64> = HashMap::new();
    for index in group {
        let line = &lines[*index];
        for (time, value) in line.times.iter().zip(&line.values).filter(|(_, value)| !value.is_nan()) {
            *totals.entry(time.to_bits()).or_default() += value.abs();
        }
    }
    for index in group {
        let line = &mut lines[*index];
        for (time, value) in line.times.iter().zip(&mut line.values) {
            let total = totals.get(&time.to_bits()).copied().unwrap_or_default();
            *value = if total == 0.0 { *value } else { *value / total };
        }
    }
}
