//! Stacking: each series of a group begins where the one before ends; those below 0 are stacked downwards.

use std::collections::HashMap;

use super::axes::Key;
use super::line::Line;
use edgewatch_grafana_model::panel::timeseries::{Stacking, StackingMode};

/// Replaces the values of stacked series by sums, and notes what they are stacked upon.
pub fn apply(lines: &mut [Line]) {
    // By whether they are shares, by their names and axes.
    let mut groups: Vec<((bool, String, Key), Vec<usize>)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Stacking { mode, group } = &line.style.stacking;
        let is_share = match mode {
            StackingMode::None => continue,
            StackingMode::Normal => false,
            StackingMode::Percent => true,
        };
        let key = (is_share, group.clone(), Key::of(&line.field.options, &line.style));
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(index),
            None => groups.push((key, vec![index])),
        }
    }
    for ((is_share, ..), group) in groups {
        if is_share {
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

/// Ends the areas of series that name another one (`fillBelowTo`) there.
pub fn fill_between(lines: &mut [Line]) {
    for index in 0..lines.len() {
        let wanted = lines[index].style.fill_below_to.as_str();
        let other = lines
            .iter()
            .position(|line| !wanted.is_empty() && line.field.name == wanted);
        let Some(other) = other.filter(|other| *other != index) else {
            continue;
        };
        let known: HashMap<u64, f64> = lines[other]
            .times
            .iter()
            .map(|time| time.to_bits())
            .zip(lines[other].values.iter().copied())
            .collect();
        let base = lines[index].times.iter().zip(&lines[index].values);
        // Where the other one has no value, there is no area.
        let base = base.map(|(time, value)| {
            known
                .get(&time.to_bits())
                .copied()
                .filter(|other| !other.is_nan())
                .unwrap_or(*value)
        });
        lines[index].base = Some(base.collect());
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
