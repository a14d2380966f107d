//! Lines and areas in the colours of their values: `gradientMode` `scheme`, a gradient along the axis.

use maud::{Markup, html};

use super::graph::Ink;
use super::scale::Scale;
use edgewatch_grafana_model::color;
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::model::{FieldOptions, ThresholdMode};

/// Stops of a gradient without thresholds.
const STOPS: u8 = 10;

/// The gradient of that id along `scale`, for lines and areas; `None` if the colours of the field do not hang on values.
pub fn gradient(id: &str, options: &FieldOptions, scale: Scale, ink: Ink) -> Option<Markup> {
    let stops = stops(options, scale)?;
    Some(html! {
        linearGradient id=(id) gradientUnits="userSpaceOnUse" x1="0" x2="0" y1=(ink.height) y2="0" {
            @for (at, color) in &stops { stop offset=(format!("{:.4}", at.clamp(0.0, 1.0))) stop-color=(ink.medium.color(color)) {} }
        }
    })
}

/// Places on the axis with their colours, from below.
fn stops(options: &FieldOptions, scale: Scale) -> Option<Vec<(f64, String)>> {
    match options.color.mode.as_str() {
        "thresholds" => {
            let place = |value: f64| match options.thresholds.mode {
                ThresholdMode::Absolute => scale.fraction(value),
                ThresholdMode::Percentage => value / 100.0,
            };
            let mut stops: Vec<(f64, String)> = Vec::new();
            for step in &options.thresholds.steps {
                let at = step.value.map_or(0.0, place);
                // Each colour up to where the next begins.
                if let Some((_, before)) = stops.last().cloned() {
                    stops.push((at, before));
                }
                stops.push((at, color::hex(&step.color)));
            }
            Some(stops)
        }
        mode if mode.starts_with("continuous") => {
            let stop = |step: u8| {
                let at = f64::from(step) / f64::from(STOPS);
                Some((
                    at,
                    display::color_of(options, scale.min + (scale.max - scale.min) * at)?,
                ))
            };
            (0..=STOPS).map(stop).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{data, panel, scope};

    #[test]
    fn a_line_has_the_colours_of_its_thresholds_where_they_hold() {
        let steps = json!([{"value": null, "color": "green"}, {"value": 5, "color": "red"}]);
        let defaults = json!({"min": 0, "max": 10, "color": {"mode": "thresholds"}, "thresholds": {"steps": steps}, "custom": {"gradientMode": "scheme"}});
        let panel = panel("timeseries", json!({}), defaults);
        let page = crate::html(&panel, &data(&panel, &[("a", &[1.0, 9.0])]), &scope()).into_string();
        assert!(
            page.contains("stroke=\"url(#h0-0)\"") && page.matches("offset=\"0.5000\"").count() == 2,
            "{page}"
        );
    }
}
