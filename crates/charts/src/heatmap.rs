//! The panel `heatmap`: a column for each time, a row for each bucket, coloured by how much lies in it.

use maud::html;

use super::canvas::Canvas;
use super::graph::{Axis, Graph, Tick};
use super::legend::{Entry, Legend};
use super::theme::Medium;
use super::{axes, clock, scale};
use edgewatch_grafana_model::color;
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::evaluate::Scope;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::heatmap::{BucketMode, Buckets, Count, HeatMode, HeatScale, Heatmap, Scheme};
use edgewatch_grafana_model::units;

/// Shades: what the eye tells apart, and few enough for a small page.
const SHADES: u8 = 24;
/// Buckets of a panel whose values are counted here.
const COUNTED: f64 = 24.0;
/// Cells of a panel.
const MOST_CELLS: usize = 40_000;

/// Buckets with their counts.
#[derive(Default)]
struct Cells {
    times: Vec<f64>,
    /// From below: the name of each row, and a count for each time.
    rows: Vec<(String, Vec<f64>)>,
}

/// The graph of `data`; `None` if there is nothing to draw.
#[expect(clippy::cast_precision_loss, reason = "a few rows")]
pub fn graph<'a>(
    panel: &'a Panel,
    options: &Heatmap,
    data: &'a Data,
    scope: &Scope,
    medium: Medium,
) -> Option<Graph<'a>> {
    let range = data.range;
    let cells = if options.calculate {
        counted(&options.calculation.y_buckets, data)
    } else {
        given(data)
    };
    let most = cells
        .rows
        .iter()
        .flat_map(|(_, counts)| counts)
        .copied()
        .filter(|count| count.is_finite())
        .fold(0.0, f64::max);
    if cells.rows.is_empty() || cells.times.is_empty() {
        return None;
    }
    let most = options.color.max.filter(|most| *most > 0.0).unwrap_or(most);
    let shades = Shades::of(options);
    let count = cells.rows.len() as f64;
    let height = f64::from(panel.grid_pos.h.clamp(2, 60)) * 38.0 - 104.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
    let every = cells.rows.len().div_ceil((height / 18.0).max(1.0) as usize);
    let ticks = cells.rows.iter().enumerate().filter(|(index, _)| index % every == 0);
    let ticks = ticks
        .map(|(index, (name, _))| Tick {
            at: (index as f64 + 0.5) / count,
            text: name.clone(),
        })
        .collect();
    let legend = Legend {
        entries: if options.legend.show {
            scale(options, &shades, most, medium)
        } else {
            Vec::new()
        },
        ..Legend::default()
    };
    let step = cells
        .times
        .windows(2)
        .map(|two| two[1] - two[0])
        .fold(f64::INFINITY, f64::min);
    let step = if step.is_finite() { step } else { range.to - range.from };
    Some(Graph {
        panel: panel.id,
        summary: format!("{}: {} buckets over time", panel.title, cells.rows.len()),
        range,
        axes: vec![Axis {
            ticks,
            ..Axis::default()
        }],
        times: clock::ticks(range, axes::columns(panel, &legend), &scope.zone),
        legend,
        labels: Vec::new(),
        plot: Box::new(move |ink| {
            let across = |time: f64| (time - range.from) / (range.to - range.from);
            let paths = (1..=SHADES).map(|shade| {
                let mut canvas = Canvas::new(ink.width, ink.height);
                for (index, (_, counts)) in cells.rows.iter().enumerate() {
                    let (low, high) = (index as f64 / count, (index as f64 + 1.0) / count);
                    for (time, _) in cells
                        .times
                        .iter()
                        .zip(counts)
                        .filter(|(_, number)| shades.shade(**number, most) == Some(shade))
                    {
                        // A value stands for the time before it.
                        canvas.rectangle((across(time - step), high), (across(*time), low));
                    }
                }
                (shades.color(shade), canvas.take_areas())
            });
            html! { g { @for ((color, opacity), shapes) in paths.filter(|(_, shapes)| !shapes.is_empty()) { path fill=(medium.color(&color)) fill-opacity=[opacity] d=(shapes) {} } } }
        }),
    })
}

/// The columns of `own`, in which a series has its values, among all `times`.
fn columns<'t>(times: &'t [f64], own: &'t [f64]) -> impl Iterator<Item = usize> + 't {
    let columns = own
        .iter()
        .map(|time| times.binary_search_by(|other| other.total_cmp(time)));
    // Each of them is there.
    columns.map(|found| found.unwrap_or_else(|place| place))
}

/// How many rows there may be beside so many times.
fn most_rows(times: &[f64]) -> usize {
    (MOST_CELLS / times.len().max(1)).max(1)
}

/// Buckets as the query brings them: each series is one.
fn given(data: &Data) -> Cells {
    let mut cells = Cells {
        times: data.times(),
        rows: Vec::new(),
    };
    let series = data
        .frames
        .iter()
        .filter_map(|frame| Some((frame, frame.times()?)))
        .flat_map(|(frame, own)| frame.numbers().map(move |(field, numbers)| (field, own, numbers)));
    for (field, own, numbers) in series.take(most_rows(&cells.times)) {
        let name = match field.name.parse::<f64>() {
            Ok(limit) if limit.is_finite() => units::format(&field.options.unit, None, limit),
            Ok(_) | Err(_) => field.name.clone(),
        };
        let mut counts = vec![f64::NAN; cells.times.len()];
        for (column, number) in columns(&cells.times, own).zip(numbers) {
            counts[column] = *number;
        }
        cells.rows.push((name, counts));
    }
    cells
}

/// Buckets that are counted here: how many values of all series lie in each, at each time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few buckets"
)]
fn counted(buckets: &Buckets, data: &Data) -> Cells {
    let series: Vec<(&[f64], &[f64])> = data
        .frames
        .iter()
        .filter_map(|frame| Some((frame, frame.times()?)))
        .flat_map(|(frame, times)| frame.numbers().map(move |(_, numbers)| (times, numbers)))
        .collect();
    let values = || {
        series
            .iter()
            .flat_map(|(_, numbers)| numbers.iter().copied())
            .filter(|value| value.is_finite())
    };
    let (low, high) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    if low > high {
        return Cells::default();
    }
    let wanted = buckets
        .value
        .map(|Count(number)| number)
        .filter(|number| *number >= 1.0);
    let size = match (buckets.mode, wanted) {
        (BucketMode::Size, Some(size)) => size.max((high - low) / 100.0),
        (BucketMode::Count, Some(number)) => scale::decimal_step((high - low) / number.min(100.0)),
        (BucketMode::Size | BucketMode::Count, None) => scale::decimal_step((high - low) / COUNTED),
    };
    let size = if size > 0.0 && size.is_finite() { size } else { 1.0 };
    let first = (low / size).floor();
    let mut cells = Cells {
        times: data.times(),
        rows: Vec::new(),
    };
    let number = (((high / size).floor() - first) as usize)
        .saturating_add(1)
        .min(most_rows(&cells.times).min(201));
    let unit = data
        .frames
        .iter()
        .flat_map(|frame| frame.numbers())
        .next()
        .map_or("", |(field, _)| field.options.unit.as_str());
    for row in 0..number {
        cells.rows.push((
            units::format(unit, None, (first + row as f64) * size),
            vec![0.0; cells.times.len()],
        ));
    }
    for (own, numbers) in &series {
        for (column, value) in columns(&cells.times, own)
            .zip(*numbers)
            .filter(|(_, value)| value.is_finite())
        {
            let row = ((value / size).floor() - first) as usize;
            if let Some(count) = cells
                .rows
                .get_mut(row.min(number - 1))
                .and_then(|(_, counts)| counts.get_mut(column))
            {
                *count += 1.0;
            }
        }
    }
    cells
}

/// Colours from little to much.
enum Palette {
    /// One colour, from nearly transparent on, so that little is near to the background of either theme.
    Hue(String),
    /// From one colour to another.
    Stops(Vec<String>),
}

/// How counts become shades.
struct Shades {
    palette: Palette,
    exponent: f64,
    least: f64,
}

impl Shades {
    fn of(options: &Heatmap) -> Self {
        let color = &options.color;
        let exponent = color.exponent.filter(|exponent| *exponent > 0.0).unwrap_or(0.5);
        let (palette, exponent) = match (color.mode, color.scale) {
            (HeatMode::Scheme, _) => (palette(color.scheme, color.reverse), exponent),
            (HeatMode::Opacity, HeatScale::Exponential) => (Palette::Hue(color::hex(&color.fill)), exponent),
            (HeatMode::Opacity, HeatScale::Linear) => (Palette::Hue(color::hex(&color.fill)), 1.0),
        };
        Self {
            palette,
            exponent,
            least: options.filter_values.le,
        }
    }

    /// 1 to [`SHADES`]; `None` where nothing is drawn.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few shades")]
    fn shade(&self, count: f64, most: f64) -> Option<u8> {
        if count.is_nan() || count <= self.least || most <= 0.0 {
            return None;
        }
        let share = (count / most).clamp(0.0, 1.0).powf(self.exponent);
        Some(((share * f64::from(SHADES)).ceil() as u8).clamp(1, SHADES))
    }

    /// Colour and opacity of a shade.
    fn color(&self, shade: u8) -> (String, Option<String>) {
        let share = f64::from(shade) / f64::from(SHADES);
        match &self.palette {
            Palette::Hue(color) => (
                color.clone(),
                (shade < SHADES).then(|| format!("{:.2}", 0.12 + 0.88 * share)),
            ),
            Palette::Stops(stops) => (color::between(stops, share), None),
        }
    }
}

/// The colours of a scheme.
fn palette(scheme: Scheme, is_reversed: bool) -> Palette {
    let stops: &[&str] = match scheme {
        Scheme::Blues => return Palette::Hue(color::hex("blue")),
        Scheme::Greens => return Palette::Hue(color::hex("green")),
        Scheme::Greys => return Palette::Hue("#9a9aa5".to_owned()),
        Scheme::Purples => return Palette::Hue(color::hex("purple")),
        Scheme::Reds => return Palette::Hue(color::hex("red")),
        Scheme::Turbo => &[
            "#30123b", "#4675ed", "#1bcfd4", "#61fc6c", "#d1e834", "#fe9b2d", "#d93807", "#7a0403",
        ],
        Scheme::Cividis => &["#00224e", "#434e6c", "#7d7c78", "#bcae6c", "#fee838"],
        Scheme::Viridis => &["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"],
        Scheme::Magma => &["#0b0724", "#4f127b", "#b5367a", "#fb8761", "#fcfdbf"],
        Scheme::Inferno => &["#0b0724", "#57106e", "#bc3754", "#f98e09", "#fcffa4"],
        Scheme::Plasma => &["#0d0887", "#7e03a8", "#cc4778", "#f89540", "#f0f921"],
        Scheme::Spectral => &["#5e4fa2", "#66c2a5", "#ffffbf", "#f46d43", "#9e0142"],
        Scheme::RdYlGn => &["#006837", "#66bd63", "#ffffbf", "#f46d43", "#a50026"],
        Scheme::RdYlBu => &["#313695", "#74add1", "#ffffbf", "#f46d43", "#a50026"],
        Scheme::RdBu => &["#053061", "#4393c3", "#f7f7f7", "#d6604d", "#67001f"],
        Scheme::Oranges => return Palette::Hue(color::hex("orange")),
    };
    let mut stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
    if is_reversed {
        stops.reverse();
    }
    Palette::Stops(stops)
}

/// What some of the colours mean. Counts are whole numbers.
fn scale(options: &Heatmap, shades: &Shades, most: f64, medium: Medium) -> Vec<Entry> {
    let unit = &options.cell_values.unit;
    let mut values: Vec<f64> = [0.1, 0.25, 0.5, 0.75, 1.0]
        .into_iter()
        .map(|share| most * share)
        .collect();
    if options.calculate {
        values = values.into_iter().map(f64::ceil).collect();
        values.dedup();
    }
    let entry = |value: f64| {
        let (color, opacity) = shades.color(shades.shade(value, most)?);
        Some(Entry {
            color: medium.color(&color),
            opacity,
            name: units::format(unit, None, value),
            ..Entry::default()
        })
    };
    values.into_iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tests::{data, panel};
    use edgewatch_grafana_model::panel::PanelKind;

    /// Values at three times, and at the first and last of them.
    const SERIES: [(&str, &[f64]); 2] = [("1", &[1.0, 2.0, 3.0]), ("2", &[10.0, 30.0])];

    #[test]
    fn a_series_that_was_away_for_a_while_keeps_its_times() {
        let panel = panel("heatmap", json!({}), json!({}));
        let cells = given(&data(&panel, &SERIES));
        assert_eq!(cells.times, [1000.0, 1500.0, 2000.0]);
        assert_eq!(cells.rows[0].1, [1.0, 2.0, 3.0]);
        let second = &cells.rows[1].1;
        assert!(
            second[0] == 10.0 && second[1].is_nan() && second[2] == 30.0,
            "{second:?}"
        );
    }

    #[test]
    fn values_are_counted_at_their_own_times() {
        let options = json!({"calculate": true, "calculation": {"yBuckets": {"mode": "size", "value": "10"}}});
        let panel = panel("heatmap", options, json!({}));
        let PanelKind::Heatmap(options) = panel.kind() else {
            panic!("{:?}", panel.kind())
        };
        let cells = counted(&options.calculation.y_buckets, &data(&panel, &SERIES));
        let counts: Vec<_> = cells.rows.iter().map(|(_, counts)| counts.as_slice()).collect();
        assert_eq!(
            counts,
            [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        );
    }
}
