//! A scene in the rows of a terminal.
//!
//! What is shown, in which colours and how far bars are filled is the scene's. Two things are not: a series is a row of its own, a
//! few cells high, so that its line goes from the least value of its unit to the greatest where a graph has round numbers and air;
//! and values stand for themselves, not upon each other, since rows do not overlap.

use std::collections::BTreeMap;

use super::row::{Painted, Row, State};
use edgewatch_charts::scene::{
    Bars, Cells, Columns, Gauges, Lines, Pie, Plot, Scene, StateRow, States, Stats, Tables, Words, columns_of, content,
    rows_of, scene, share,
};
use edgewatch_grafana_model::data::{Data, Field, NULL, Values};
use edgewatch_grafana_model::display::{self, Display};
use edgewatch_grafana_model::model::{FieldOptions, Panel};
use edgewatch_grafana_model::panel::text::Format;
use edgewatch_grafana_model::reduce::Shown;
use edgewatch_grafana_model::scope::Scope;

/// The rows of `panel` with `data`.
pub fn rows(panel: &Panel, data: &Data, scope: &Scope) -> Vec<Row> {
    match scene(panel, data, scope) {
        // A problem says more.
        Scene::Nothing(words) if data.problems.is_empty() => vec![Row::note(words, "")],
        Scene::Nothing(_) | Scene::Blank => Vec::new(),
        Scene::Graph(graph) => match &graph.plot {
            Plot::Lines(lines) => series(lines),
            Plot::States(states) => timeline(states),
            Plot::Cells(cells) => buckets(cells),
            Plot::Columns(columns) => columns_of_table(columns),
        },
        Scene::Stats(stats) => numbers(&stats),
        Scene::Gauges(gauges) => arcs(&gauges),
        Scene::Bars(found) => bars(&found),
        Scene::Pie(pie) => slices(&pie),
        Scene::Tables(tables) => table(&tables),
        Scene::Words(words) => text(&words),
    }
}

impl From<Display> for Painted {
    fn from(display: Display) -> Self {
        Self {
            text: display.text,
            color: display.color.unwrap_or_default(),
        }
    }
}

/// The title of a value, in its colour; empty if it `is_alone`.
fn title(shown: &Shown, is_alone: bool) -> Painted {
    Painted {
        text: if is_alone { String::new() } else { shown.title.clone() },
        color: shown.color().to_owned(),
    }
}

fn value(shown: &Shown) -> Painted {
    Painted {
        text: shown.display.text.clone(),
        color: shown.color().to_owned(),
    }
}

fn numbers(stats: &Stats) -> Vec<Row> {
    let row = |shown: &Shown| {
        let values = match &shown.field.values {
            Values::Numbers(values) if stats.has_graph() && !shown.times.is_empty() => values.to_vec(),
            Values::Numbers(_) | Values::Times(_) | Values::Texts(_) | Values::Booleans(_) => Vec::new(),
        };
        let (low, high) = limits(&shown.field.options, values.iter());
        Row::Series {
            name: title(shown, stats.shown.len() == 1),
            values,
            low,
            high,
            last: value(shown),
        }
    };
    stats.shown.iter().map(row).collect()
}

fn arcs(gauges: &Gauges) -> Vec<Row> {
    let row = |shown: &Shown| Row::Bar {
        share: gauges.share(shown),
        name: title(shown, gauges.shown.len() == 1),
        last: value(shown),
    };
    gauges.shown.iter().map(row).collect()
}

fn bars(bars: &Bars) -> Vec<Row> {
    let row = |shown: &Shown| Row::Bar {
        share: bars.share(shown),
        name: title(shown, false),
        last: value(shown),
    };
    bars.shown.iter().map(row).collect()
}

/// A bar chart or a histogram: a bar for each, with the name of its series where there are several.
fn columns_of_table(columns: &Columns) -> Vec<Row> {
    let is_alone = columns.series.len() == 1;
    let rows = columns.series.iter().flat_map(|series| {
        series.bars.iter().map(move |bar| {
            let painted = |text: String| Painted {
                text,
                color: series.color(bar).to_owned(),
            };
            let name = if is_alone {
                bar.name.clone()
            } else {
                format!("{} {}", bar.name, series.field.name)
            };
            Row::Bar {
                name: painted(name),
                share: bar.share(),
                last: painted(bar.text.clone()),
            }
        })
    });
    rows.collect()
}

fn slices(pie: &Pie) -> Vec<Row> {
    let row = |(shown, part): &(Shown, f64)| {
        let last = value(shown);
        Row::Bar {
            name: title(shown, false),
            share: *part,
            last: Painted {
                text: format!("{} ({})", last.text, share(*part)),
                ..last
            },
        }
    };
    pie.slices.iter().map(row).collect()
}

fn series(lines: &Lines) -> Vec<Row> {
    let mut times: Vec<f64> = lines.lines.iter().flat_map(|line| line.times).copied().collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let fields = lines.lines.iter().filter_map(|line| match &line.field.values {
        Values::Numbers(values) => Some((line.field, spread(&times, line.times, values))),
        Values::Times(_) | Values::Texts(_) | Values::Booleans(_) => None,
    });
    let fields: Vec<(&Field, Vec<f64>)> = fields.collect();
    // Series of one unit share an axis, as in a graph.
    let mut axes = BTreeMap::<&str, (f64, f64)>::new();
    for (field, values) in &fields {
        let (low, high) = limits(&field.options, values.iter());
        let axis = axes.entry(&field.options.unit).or_insert((low, high));
        *axis = (axis.0.min(low), axis.1.max(high));
    }
    let row = |(field, values): (&Field, Vec<f64>)| {
        let (low, high) = axes[field.options.unit.as_str()];
        Row::Series {
            name: Painted {
                text: field.name.clone(),
                color: field.color.clone(),
            },
            low,
            high,
            last: display::number(&field.options, last(&values)).into(),
            values,
        }
    };
    fields.into_iter().map(row).collect()
}

fn timeline(states: &States) -> Vec<Row> {
    let mut known = BTreeMap::<String, usize>::new();
    let mut number = |text: &str| {
        let next = known.len();
        *known.entry(text.to_owned()).or_insert(next)
    };
    let row = |row: &StateRow| Row::States {
        name: Painted {
            text: row.field.name.clone(),
            color: String::new(),
        },
        states: row
            .bars
            .iter()
            .map(|bar| State {
                from: states.across(bar.from),
                to: states.across(bar.to),
                number: number(&bar.display.text),
                color: bar.display.color.clone().unwrap_or_default(),
            })
            .collect(),
        last: row
            .bars
            .last()
            .map(|bar| bar.display.clone().into())
            .unwrap_or_default(),
    };
    states.rows.iter().map(row).collect()
}

/// A heatmap as one line for each bucket, the upper ones first.
fn buckets(cells: &Cells) -> Vec<Row> {
    let counts = || {
        cells
            .rows()
            .iter()
            .flat_map(|(_, counts)| counts)
            .filter(|count| count.is_finite())
    };
    let low = counts().copied().fold(f64::INFINITY, f64::min);
    let high = counts().copied().fold(f64::NEG_INFINITY, f64::max);
    let row = |(name, counts): &(String, Vec<f64>)| Row::Series {
        name: Painted {
            text: name.clone(),
            color: cells.color(),
        },
        values: counts.clone(),
        low,
        high,
        last: Painted {
            text: cells.text(last(counts)),
            color: cells.color(),
        },
    };
    cells.rows().iter().rev().map(row).collect()
}

/// The first of the tables.
fn table(tables: &Tables) -> Vec<Row> {
    let Some(frame) = tables.frames.first() else {
        return Vec::new();
    };
    let columns = columns_of(frame);
    let head = columns.iter().map(|column| Painted {
        text: column.field.name.clone(),
        color: String::new(),
    });
    let head = tables.has_head.then(|| Row::Cells(head.collect()));
    let rows = (0..rows_of(&columns)).map(|row| {
        let cells = columns.iter().map(|column| content(column.field, row).0.into());
        Row::Cells(cells.collect())
    });
    let footer = tables.footer(&columns);
    let footer = footer.into_iter().map(|line| {
        let cells = line.into_iter().map(|text| Painted {
            text,
            color: String::new(),
        });
        Row::Cells(cells.collect())
    });
    head.into_iter().chain(rows).chain(footer).collect()
}

/// Markdown is made to be read as it is written.
fn text(words: &Words) -> Vec<Row> {
    let content = match words.format {
        Format::Markdown | Format::Code => words.content.clone(),
        Format::Html => words.plain(),
    };
    content
        .lines()
        .map(|line| Row::note(line.trim_start_matches(['#', '>', ' ']), ""))
        .collect()
}

/// `values`, which are of the times `own`, at all `times`: none where there is none.
fn spread(times: &[f64], own: &[f64], values: &[f64]) -> Vec<f64> {
    let mut samples = own.iter().zip(values).peekable();
    let at = |time: &f64| match samples.next_if(|(own, _)| *own <= time) {
        Some((_, value)) => *value,
        None => NULL,
    };
    times.iter().map(at).collect()
}

fn last(values: &[f64]) -> f64 {
    values
        .iter()
        .rev()
        .find(|value| !value.is_nan())
        .copied()
        .unwrap_or(f64::NAN)
}

/// Where a line through `values` begins and ends: at the limits of the field, or its least and greatest value.
fn limits<'a>(options: &FieldOptions, values: impl Iterator<Item = &'a f64> + Clone) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let low = options
        .min
        .unwrap_or_else(|| finite.clone().copied().fold(f64::INFINITY, f64::min));
    let high = options
        .max
        .unwrap_or_else(|| finite.copied().fold(f64::NEG_INFINITY, f64::max));
    (low, high)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use edgewatch_grafana_model::data::Frame;
    use edgewatch_grafana_model::limits::Deadline;
    use edgewatch_grafana_model::time::{TimeRange, Zone};
    use edgewatch_grafana_model::variables::Variables;

    const RANGE: TimeRange = TimeRange { from: 0.0, to: 40.0 };

    /// The rows of a panel of `kind` with one series.
    fn of(kind: &str, options: Value, defaults: Value, values: &[f64]) -> Vec<Row> {
        let panel =
            json!({"type": kind, "id": 1, "title": "T", "options": options, "fieldConfig": {"defaults": defaults}});
        let panel: Panel = serde_json::from_value(panel).unwrap();
        let times = (0..values.len()).map(|at| at as f64 * 10.0);
        let time = Field {
            values: Values::times(times),
            ..Field::default()
        };
        let number = Field {
            name: "a".to_owned(),
            values: Values::numbers(values.iter().copied()),
            options: Arc::new(panel.field_config.defaults.clone()),
            color: "#73bf69".to_owned(),
            ..Field::default()
        };
        let frame = Frame {
            fields: vec![time, number],
            ..Frame::default()
        };
        let data = Data {
            frames: vec![frame],
            range: RANGE,
            ..Data::default()
        };
        let scope = Scope {
            range: RANGE,
            variables: Variables::default(),
            min_step: 1000,
            now: None,
            zone: Zone::UTC,
            dashboard: String::new(),
            deadline: Deadline::default(),
        };
        rows(&panel, &data, &scope)
    }

    #[test]
    fn states_lie_where_they_were() {
        let rows = of("state-timeline", json!({}), json!({}), &[1.0, 1.0, 2.0, NULL]);
        let [Row::States { states, last, .. }] = &*rows else {
            panic!("{rows:?}")
        };
        let places: Vec<_> = states
            .iter()
            .map(|state| (state.from, state.to, state.number))
            .collect();
        assert_eq!(places, [(0.0, 0.5, 0), (0.5, 0.75, 1)]);
        assert_eq!(last.text, "2");
    }

    #[test]
    fn what_a_page_hides_is_hidden_here() {
        let hidden = json!({"noValue": "nothing", "custom": {"hideFrom": {"viz": true}}});
        let rows = of("timeseries", json!({}), hidden, &[1.0, 2.0]);
        assert!(
            matches!(&*rows, [Row::Text(words)] if words.text == "nothing"),
            "{rows:?}"
        );
    }

    #[test]
    fn a_gauge_is_as_full_as_on_a_page() {
        let rows = of("gauge", json!({}), json!({"unit": "percent"}), &[10.0, 25.0]);
        assert!(
            matches!(&*rows, [Row::Bar { share, last, .. }] if *share == 0.25 && last.text == "25%"),
            "{rows:?}"
        );
    }

    #[test]
    fn values_are_counted_where_a_heat_map_counts_them() {
        let options = json!({"calculate": true, "calculation": {"yBuckets": {"mode": "size", "value": "10"}}});
        let rows = of("heatmap", options, json!({}), &[1.0, 2.0, 12.0]);
        let lasts: Vec<_> = rows
            .iter()
            .map(|row| match row {
                Row::Series { name, last, .. } => (&*name.text, &*last.text),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(lasts, [("10", "1"), ("0", "0")]);
    }
}
