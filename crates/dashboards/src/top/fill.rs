//! What panels of each kind say in rows.

use std::collections::BTreeMap;

use super::card::{Painted, Row};
use edgewatch_grafana_model::data::{Data, Field, Frame, Values};
use edgewatch_grafana_model::evaluate::Scope;
use edgewatch_grafana_model::model::{FieldOptions, Panel};
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::panel::common::ReduceOptions;
use edgewatch_grafana_model::panel::stat::{GraphMode, Stat};
use edgewatch_grafana_model::panel::table::Table;
use edgewatch_grafana_model::panel::text::Text;
use edgewatch_grafana_model::time::Zone;
use edgewatch_grafana_model::{display, reduce};

/// The rows of `panel` with `data`.
pub fn rows(panel: &Panel, data: &Data, scope: &Scope) -> Vec<Row> {
    match panel.kind() {
        PanelKind::Stat(options) => stat(options, data),
        PanelKind::Gauge(options) => bars(&options.reduce, false, data),
        PanelKind::BarGauge(options) => bars(&options.reduce, true, data),
        PanelKind::Timeseries(_) => series(data),
        PanelKind::Table(options) => table(options, data, &scope.zone),
        PanelKind::StateTimeline(_) => states(data),
        PanelKind::Heatmap(_) => buckets(data),
        PanelKind::Text(options) => text(options, scope),
        // What is not supported says so itself.
        PanelKind::Row | PanelKind::Unknown(_) => Vec::new(),
    }
}

fn shown(options: &FieldOptions, value: f64) -> Painted {
    let display = display::number(options, value);
    Painted {
        text: display.text,
        color: display.color.unwrap_or_default(),
    }
}

fn stat(options: &Stat, data: &Data) -> Vec<Row> {
    let shown = reduce::shown(&options.reduce, data);
    let has_graph = options.graph_mode != GraphMode::None;
    let has_names = shown.len() > 1;
    shown
        .into_iter()
        .map(|shown| {
            let values = match &shown.field.values {
                Values::Numbers(values) if has_graph && !shown.times.is_empty() => values.to_vec(),
                Values::Numbers(_) | Values::Times(_) | Values::Texts(_) => Vec::new(),
            };
            let (low, high) = limits(&shown.field.options, values.iter());
            let color = shown.color().to_owned();
            Row::Series {
                name: Painted {
                    text: if has_names { shown.title } else { String::new() },
                    color: color.clone(),
                },
                values,
                low,
                high,
                last: Painted {
                    text: shown.display.text,
                    color,
                },
            }
        })
        .collect()
}

/// `is_named`: also where there is only one.
fn bars(options: &ReduceOptions, is_named: bool, data: &Data) -> Vec<Row> {
    let shown = reduce::shown(options, data);
    let has_names = shown.len() > 1 || is_named;
    shown
        .into_iter()
        .map(|shown| {
            let color = shown.color().to_owned();
            Row::Bar {
                share: display::share(&shown.field.options, shown.value).unwrap_or(0.0),
                name: Painted {
                    text: if has_names { shown.title } else { String::new() },
                    color: color.clone(),
                },
                last: Painted {
                    text: shown.display.text,
                    color,
                },
            }
        })
        .collect()
}

fn series(data: &Data) -> Vec<Row> {
    let fields: Vec<_> = data.frames.iter().flat_map(Frame::numbers).collect();
    // Series of one unit share an axis, as in a graph.
    let mut axes = BTreeMap::<&str, (f64, f64)>::new();
    for (field, values) in &fields {
        let (low, high) = limits(&field.options, values.iter());
        let axis = axes.entry(&field.options.unit).or_insert((low, high));
        *axis = (axis.0.min(low), axis.1.max(high));
    }
    fields
        .iter()
        .map(|(field, values)| {
            let (low, high) = axes[field.options.unit.as_str()];
            Row::Series {
                name: name(field),
                values: values.to_vec(),
                low,
                high,
                last: shown(&field.options, last(values)),
            }
        })
        .collect()
}

fn states(data: &Data) -> Vec<Row> {
    let mut known = BTreeMap::<String, usize>::new();
    let mut number = |text: String| {
        let next = known.len();
        *known.entry(text).or_insert(next)
    };
    let fields = data.frames.iter().flat_map(|frame| &frame.fields);
    fields
        .filter_map(|field| {
            let shown: Vec<Option<Painted>> = match &field.values {
                Values::Numbers(values) => values
                    .iter()
                    .map(|value| (!value.is_nan()).then(|| shown(&field.options, *value)))
                    .collect(),
                Values::Texts(values) => values.iter().map(|value| Some(text_of(field, value))).collect(),
                Values::Times(_) => return None,
            };
            let last = shown.iter().rev().flatten().next().cloned().unwrap_or_default();
            let states = shown
                .into_iter()
                .map(|shown| shown.map(|shown| (number(shown.text), shown.color)));
            Some(Row::States {
                name: Painted {
                    text: field.name.clone(),
                    color: String::new(),
                },
                states: states.collect(),
                last,
            })
        })
        .collect()
}

/// A heatmap as one line for each bucket, the upper ones first.
fn buckets(data: &Data) -> Vec<Row> {
    let mut rows = series(data);
    rows.reverse();
    rows
}

fn table(options: &Table, data: &Data, zone: &Zone) -> Vec<Row> {
    let Some(frame) = data
        .frames
        .iter()
        .find(|frame| frame.fields.iter().any(|field| !field.values.is_empty()))
    else {
        return Vec::new();
    };
    let head = frame.fields.iter().map(|field| Painted {
        text: field.name.clone(),
        color: String::new(),
    });
    let count = frame.fields.iter().map(|field| field.values.len()).max().unwrap_or(0);
    let cell = |field: &Field, row: usize| match &field.values {
        Values::Numbers(values) => values.get(row).map(|value| shown(&field.options, *value)),
        Values::Texts(values) => values.get(row).map(|value| text_of(field, value)),
        Values::Times(values) => values.get(row).map(|value| Painted {
            text: display::time(&field.options, *value, zone),
            color: String::new(),
        }),
    };
    let rows = (0..count).map(|row| {
        let cells = frame.fields.iter().map(|field| cell(field, row).unwrap_or_default());
        Row::Cells(cells.collect())
    });
    options
        .show_header
        .then(|| Row::Cells(head.collect()))
        .into_iter()
        .chain(rows)
        .collect()
}

fn text(options: &Text, scope: &Scope) -> Vec<Row> {
    let content = scope.text(&options.content);
    content
        .lines()
        .map(|line| Row::note(line.trim_start_matches(['#', '>', ' ']), ""))
        .collect()
}

fn text_of(field: &Field, value: &str) -> Painted {
    let display = display::text(&field.options, value);
    Painted {
        text: display.text,
        color: display.color.unwrap_or_default(),
    }
}

fn name(field: &Field) -> Painted {
    Painted {
        text: field.name.clone(),
        color: field.color.clone(),
    }
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
