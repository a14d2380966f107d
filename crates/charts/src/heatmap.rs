//! The panel `heatmap`: a column for each time, a row for each bucket, coloured by how much lies in it.

mod counted;
mod shades;

use maud::{Markup, html};

use super::canvas::Canvas;
use super::graph::{Axis, Graph, Ink, Tick};
use super::legend::{Entry, Legend};
use super::look::{plain, usual_size};
use super::{axes, clock};
use counted::counted;
use edgewatch_grafana_model::data::{Data, Field};
use edgewatch_grafana_model::model::{FieldOptions, Panel};
use edgewatch_grafana_model::panel::heatmap::{Heatmap, YAxis};
use edgewatch_grafana_model::panel::timeseries::AxisPlacement;
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::time::TimeRange;
use edgewatch_grafana_model::units;
use shades::{SHADES, Shades};

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
    let mut cells = if options.calculate {
        counted(options, data)
    } else {
        given(options, data)
    };
    if options.y_axis.reverse {
        cells.rows.reverse();
    }
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
        axes: match options.y_axis.axis_placement {
            AxisPlacement::Hidden => Vec::new(),
            placement => vec![Axis {
                is_right: placement == AxisPlacement::Right,
                title: options.y_axis.axis_label.clone(),
                ticks,
                ..Axis::default()
            }],
        },
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

/// A limit of buckets, in the unit of the axis or else in that of its field.
fn limit_text(options: &Heatmap, field: &Field, limit: f64) -> String {
    let YAxis { unit, decimals, .. } = &options.y_axis;
    let options = FieldOptions {
        unit: if unit.is_empty() { &field.options.unit } else { unit }.clone(),
        decimals: *decimals,
        ..FieldOptions::default()
    };
    plain(&options, limit)
}

/// Buckets as the query brings them: each series is one.
fn given(options: &Heatmap, data: &Data) -> Rows {
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
        let limit = field.name.parse::<f64>().ok().filter(|limit| limit.is_finite());
        if !options.y_axis.shows(limit) {
            continue;
        }
        let name = limit.map_or_else(|| field.name.clone(), |limit| limit_text(options, field, limit));
        let mut counts = vec![f64::NAN; cells.times.len()];
        for (column, number) in columns(&cells.times, own).zip(numbers) {
            counts[column] = *number;
        }
        cells.rows.push((name, counts));
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
        let cells = given(&Heatmap::default(), &data(&panel, &SERIES));
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
        let cells = counted(options, &data(&panel, &SERIES));
        let counts: Vec<_> = cells.rows.iter().map(|(_, counts)| counts.as_slice()).collect();
        assert_eq!(
            counts,
            [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        );
    }

    /// The buckets from below, with the counts of each.
    fn rows_of(options: serde_json::Value, series: &[(&str, &[f64])]) -> Vec<(String, Vec<f64>)> {
        let panel = panel("heatmap", options, json!({}));
        let PanelKind::Heatmap(options) = panel.kind() else {
            panic!("{:?}", panel.kind())
        };
        let all = data(&panel, series);
        graph(&panel, options, &all, &crate::tests::scope())
            .unwrap()
            .plot
            .cells
            .rows
    }

    #[test]
    fn the_axis_of_a_heat_map_has_its_own_unit_limits_and_direction() {
        let series: [(&str, &[f64]); 4] = [("0.1", &[1.0]), ("0.5", &[1.0]), ("10", &[1.0]), ("+Inf", &[1.0])];
        let names = |axis: serde_json::Value| {
            let rows = rows_of(json!({ "yAxis": axis }), &series);
            rows.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(names(json!({"unit": "s"})), "100 ms | 500 ms | 10 s | +Inf");
        assert_eq!(
            names(json!({"unit": "s", "decimals": 1, "reverse": true})),
            "+Inf | 10.0 s | 500.0 ms | 100.0 ms"
        );
        assert_eq!(names(json!({"min": "0.5", "max": "10"})), "0.500 | 10");
    }

    #[test]
    fn values_of_a_span_are_counted_together() {
        let calculation =
            json!({"xBuckets": {"mode": "size", "value": "1000s"}, "yBuckets": {"mode": "size", "value": "10"}});
        let options = json!({"calculate": true, "calculation": calculation});
        let series: [(&str, &[f64]); 1] = [("a", &[1.0, 2.0, 3.0, 4.0, 15.0])];
        // From 1000 s to 2000 s, and the value at 2000 s.
        assert_eq!(
            rows_of(options, &series),
            [("0".to_owned(), vec![4.0, 0.0]), ("10".to_owned(), vec![0.0, 1.0])]
        );
    }

    #[test]
    fn buckets_can_be_counted_by_magnitude() {
        let scale = json!({"type": "log", "log": 10});
        let options = json!({"calculate": true, "calculation": {"yBuckets": {"value": "1", "scale": scale}}, "yAxis": {"unit": "s"}});
        let rows = rows_of(options, &[("a", &[0.05, 0.0, 0.5, 5.0, 50.0])]);
        let rows: Vec<(&str, f64)> = rows
            .iter()
            .map(|(name, counts)| (&**name, counts.iter().sum()))
            .collect();
        assert_eq!(rows, [("10 ms", 1.0), ("100 ms", 1.0), ("1 s", 1.0), ("10 s", 1.0)]);
    }
}
