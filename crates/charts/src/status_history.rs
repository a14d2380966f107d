//! The panel `status-history`: a state timeline with a bar for each sample.

use super::graph::Graph;
use super::state_timeline::{Bar, States, of_rows, rows};
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::state_timeline::{AlignValue, StateTimeline, StatusHistory};
use edgewatch_grafana_model::scope::Scope;

/// The graph of `data`; `None` if there is nothing to draw.
pub fn graph<'a>(
    panel: &'a Panel,
    options: &StatusHistory,
    data: &'a Data,
    scope: &Scope,
) -> Option<Graph<States<'a>>> {
    let same = StateTimeline {
        legend: options.legend.clone(),
        align_value: AlignValue::Center,
        show_value: options.show_value,
        merge_values: false,
        row_height: options.row_height,
    };
    let mut rows = rows(&same, data);
    for row in &mut rows {
        around_samples(&mut row.bars, options.col_width.clamp(0.05, 1.0));
    }
    of_rows(panel, &same, rows, data.range, scope)
}

/// Bars that begin at samples, with their middle there and a part of the least distance of two as their width.
fn around_samples(bars: &mut [Bar], part: f64) {
    let step = bars
        .windows(2)
        .map(|two| two[1].from - two[0].from)
        .filter(|step| *step > 0.0)
        .fold(f64::INFINITY, f64::min);
    for bar in bars {
        let width = if step.is_finite() { step } else { bar.to - bar.from } * part;
        (bar.from, bar.to) = (bar.from - width / 2.0, bar.from + width / 2.0);
    }
}

#[cfg(test)]
mod tests {
    use edgewatch_grafana_model::display::Display;

    use super::*;

    #[test]
    fn bars_lie_around_their_samples() {
        let bar = |from: f64, to: f64| Bar {
            from,
            to,
            display: Display::default(),
        };
        let mut bars = [bar(10.0, 20.0), bar(20.0, 30.0), bar(40.0, 50.0)];
        around_samples(&mut bars, 0.8);
        let places: Vec<_> = bars.iter().map(|bar| (bar.from, bar.to)).collect();
        assert_eq!(places, [(6.0, 14.0), (16.0, 24.0), (36.0, 44.0)]);
    }
}
