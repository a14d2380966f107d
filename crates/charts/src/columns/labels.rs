//! Texts of bars.

use super::{Bar, Series};
use crate::graph::{Align, Label, TEXT};
use crate::theme::{readable_on, text_width};
use edgewatch_grafana_model::panel::state_timeline::ShowValue;

/// Texts that are drawn; nobody reads more.
const MOST: usize = 500;
/// Pixels around a text.
const AIR: f64 = 6.0;

/// How bars lie, and the pixels of the plot on a usual screen.
#[derive(Clone, Copy)]
pub struct Place {
    /// From left to right.
    pub is_flat: bool,
    /// Upon each other: texts stand within.
    pub is_stacked: bool,
    /// Of the plot.
    pub width: f64,
    /// Of the plot.
    pub height: f64,
}

/// The values of bars at their ends, or within those that are stacked, where there is room for them.
pub fn labels(show: ShowValue, series: &[Series], place: Place) -> Vec<Label> {
    if show == ShowValue::Never {
        return Vec::new();
    }
    let bars = series
        .iter()
        .flat_map(|series| series.bars.iter().map(move |bar| (series, bar)));
    let bars = bars.filter(|(_, bar)| !bar.text.is_empty() && bar.along.0 != bar.along.1);
    bars.take(MOST)
        .filter_map(|(series, bar)| label(bar, series.color(bar), place))
        .collect()
}

fn label(bar: &Bar, color: &str, place: Place) -> Option<Label> {
    let Place {
        is_flat,
        is_stacked,
        width,
        height,
    } = place;
    let (across, along) = (bar.across.1 - bar.across.0, (bar.along.1 - bar.along.0).abs());
    let needed = text_width(&bar.text, TEXT) + AIR;
    let within = Some(readable_on(color));
    // Left edge and width, the middle from the top, and whether it lies on the bar.
    let (x, wide, y, on_bar) = match (is_flat, is_stacked) {
        (false, false) => {
            let above = 9.0 / height.max(1.0);
            let is_above = 1.0 - bar.along.1 > 2.0 * above;
            let y = if is_above {
                1.0 - bar.along.1 - above
            } else {
                1.0 - bar.along.1 + above
            };
            (bar.across.0, across, y, !is_above)
        }
        (false, true) => (
            bar.across.0,
            across,
            1.0 - f64::midpoint(bar.along.0, bar.along.1),
            true,
        ),
        (true, false) => {
            let is_beside = (1.0 - bar.along.1) * width >= needed;
            let x = if is_beside {
                bar.along.1
            } else {
                bar.along.1 - needed / width.max(1.0)
            };
            (
                x,
                needed / width.max(1.0),
                f64::midpoint(bar.across.0, bar.across.1),
                !is_beside,
            )
        }
        (true, true) => (
            bar.along.0.min(bar.along.1),
            along,
            f64::midpoint(bar.across.0, bar.across.1),
            true,
        ),
    };
    let high = match (is_flat, on_bar) {
        (true, _) => across * height,
        (false, true) => along * height,
        (false, false) => TEXT,
    };
    let fits = high >= TEXT && wide * width + 0.5 >= needed && x >= 0.0;
    fits.then(|| Label {
        x,
        y,
        width: wide,
        align: if is_flat && !is_stacked {
            Align::Left
        } else {
            Align::Center
        },
        text: bar.text.clone(),
        color: within.filter(|_| on_bar),
    })
}
