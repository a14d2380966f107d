//! Colours of series until color.rs of the model is there.

use super::super::model::FieldOptions;
use super::theme::Medium;

/// The colour of the series at `index`.
pub fn series(options: &FieldOptions, index: usize, values: &[f64], medium: Medium) -> String {
    let _ = (values, medium);
    const CLASSIC: [&str; 8] = ["#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#705DA0"];
    match options.color.mode.as_str() {
        "fixed" => named(options.color.fixed_color.as_deref().unwrap_or("green")),
        _ => CLASSIC[index % CLASSIC.len()].to_owned(),
    }
}

/// The colour called `name`.
pub fn named(name: &str) -> String {
    match name {
        "green" => "#73BF69",
        "yellow" => "#FADE2A",
        "orange" => "#FF9830",
        "red" => "#F2495C",
        "blue" => "#5794F2",
        "purple" => "#B877D9",
        other => other,
    }
    .to_owned()
}

/// The colour of `value` by thresholds.
pub fn of_value(options: &FieldOptions, value: f64) -> String {
    let steps = &options.thresholds.steps;
    let step = steps.iter().rev().find(|step| step.value.is_none_or(|from| value >= from));
    step.map_or_else(|| "#73BF69".to_owned(), |step| named(&step.color))
}

/// The colour of the single value `value`, the `index`th of its panel.
pub fn of_one(options: &FieldOptions, value: f64, index: usize, medium: Medium) -> String {
    match options.color.mode.as_str() {
        "thresholds" | "" => of_value(options, value),
        _ => series(options, index, &[value], medium),
    }
}
