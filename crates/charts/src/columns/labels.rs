//! Texts of bars.

use super::{Bar, Series};
use crate::graph::{Align, Label, TEXT};
use crate::theme::text_width;
use edgewatch_grafana_model::panel::state_timeline::ShowValue;

/// The values of bars at their ends, where there is room for them on a usual screen.
pub fn labels(show: ShowValue, series: &[Series], is_flat: bool, (width, height): (f64, f64)) -> Vec<Label> {
    if show == ShowValue::Never {
        return Vec::new();
    }
    let bars = series
        .iter()
        .flat_map(|series| &series.bars)
        .filter(|bar| !bar.text.is_empty())
        .take(500);
    let label = |bar: &Bar| {
        let (from, to) = (bar.across.0, bar.across.1);
        let end = bar.along.1;
        let needed = text_width(&bar.text, TEXT) + 6.0;
        if is_flat {
            let room = (to - from) * height;
            let x = if (1.0 - end) * width >= needed {
                end
            } else {
                (end - needed / width).max(0.0)
            };
            let fits = room >= TEXT;
            return fits.then(|| Label {
                x,
                y: f64::midpoint(from, to),
                width: (1.0 - x).max(0.01),
                align: Align::Left,
                text: bar.text.clone(),
            });
        }
        let fits = (to - from) * width >= needed;
        let above = 9.0 / height.max(1.0);
        let y = if 1.0 - end > 2.0 * above {
            1.0 - end - above
        } else {
            1.0 - end + above
        };
        fits.then(|| Label {
            x: from,
            y,
            width: to - from,
            align: Align::Center,
            text: bar.text.clone(),
        })
    };
    bars.filter_map(label).collect()
}
