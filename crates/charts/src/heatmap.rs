//! The panel `heatmap`: a column for each time, a row for each bucket, coloured by how much lies in it.

mod shades;

use maud::{Markup, html};

use super::canvas::Canvas;
use super::graph::{Axis, Graph, Ink, Tick};
use super::legend::{Entry, Legend};
use super::look::usual_size;
use super::{axes, clock, ticks};
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::heatmap::{BucketMode, Buckets, Count, Heatmap};
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::time::TimeRange;
use edgewatch_grafana_model::units;
use shades::{SHADES, Shades};

/// Buckets of a panel whose values are counted here.
const COUNTED: f64 = 24.0;
/// Cells of a panel.
const MAX_CELLS: usize = 40_000;

/// Buckets with their counts.
#[derive(Default)]
struct Rows {
    times: Vec<f64>,
    /// From below: the name of each row, and a count for each time.
    rows: Vec<(String, Vec<f64>)>,
}

/// The inside of the graph.
pub struct Cells {
    cells: Rows,
    shades: Shades,
    /// The count with the last colour.
    most: f64,
    /// Of counts.
    unit: String,
    /// Seconds between two times.
    step: f64,
    range: TimeRange,
}

/// The graph of `data`; `None` if there is nothing to draw.
#[expect(clippy::cast_precision_loss, reason = "a few rows")]
pub fn graph(panel: &Panel, options: &Heatmap, data: &Data, scope: &Scope) -> Option<Graph<Cells>> {
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
    let height = usual_size(panel).1 - 104.0;
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
            scale(options, &shades, most)
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
        plot: Cells {
            cells,
            shades,
            most,
            unit: options.cell_values.unit.clone(),
            step,
            range,
        },
    })
}

impl Cells {
    /// From below: the name of each row, and a count for each time.
    pub fn rows(&self) -> &[(String, Vec<f64>)] {
        &self.cells.rows
    }

    /// A count, for people; empty where there is none.
    pub fn text(&self, count: f64) -> String {
        if count.is_finite() {
            units::format(&self.unit, None, count)
        } else {
            String::new()
        }
    }

    /// The colour of the greatest count.
    pub fn color(&self) -> String {
        self.shades.color(SHADES).0
    }

    /// Their marks: a path for each shade.
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    pub fn draw(&self, ink: Ink) -> Markup {
        let Self { cells, shades, .. } = self;
        let across = |time: f64| (time - self.range.from) / (self.range.to - self.range.from);
        let count = cells.rows.len() as f64;
        let paths = (1..=SHADES).map(|shade| {
            let mut canvas = Canvas::new(ink.width, ink.height);
            for (index, (_, counts)) in cells.rows.iter().enumerate() {
                let (low, high) = (index as f64 / count, (index as f64 + 1.0) / count);
                for (time, _) in cells
                    .times
                    .iter()
                    .zip(counts)
                    .filter(|(_, number)| shades.shade(**number, self.most) == Some(shade))
                {
                    // A value stands for the time before it.
                    canvas.rectangle((across(time - self.step), high), (across(*time), low));
                }
            }
            (shades.color(shade), canvas.take_areas())
        });
        html! { g { @for ((color, opacity), shapes) in paths.filter(|(_, shapes)| !shapes.is_empty()) { path fill=(ink.medium.color(&color)) fill-opacity=[opacity] d=(shapes) {} } } }
    }
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
    (MAX_CELLS / times.len().max(1)).max(1)
}

/// Buckets as the query brings them: each series is one.
fn given(data: &Data) -> Rows {
    let mut cells = Rows {
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
fn counted(buckets: &Buckets, data: &Data) -> Rows {
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
        return Rows::default();
    }
    let wanted = buckets
        .value
        .map(|Count(number)| number)
        .filter(|number| *number >= 1.0);
    let size = match (buckets.mode, wanted) {
        (BucketMode::Size, Some(size)) => size.max((high - low) / 100.0),
        (BucketMode::Count, Some(number)) => ticks::decimal_step((high - low) / number.min(100.0)),
        (BucketMode::Size | BucketMode::Count, None) => ticks::decimal_step((high - low) / COUNTED),
    };
    let size = if size > 0.0 && size.is_finite() { size } else { 1.0 };
    let first = (low / size).floor();
    let mut cells = Rows {
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

/// What some of the colours mean. Counts are whole numbers.
fn scale(options: &Heatmap, shades: &Shades, most: f64) -> Vec<Entry> {
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
            color,
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
