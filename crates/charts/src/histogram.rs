//! The panel `histogram`: how often values lie where.

use super::axes;
use super::columns::{Bar, Columns, Series, Stacks, bounded};
use super::graph::{Axis, Graph};
use super::legend;
use super::look::{plain, usual_size};
use super::scale::{Distribution, Limits, Scale};
use super::ticks::ticks;
use edgewatch_grafana_model::data::{Data, Field, Frame};
use edgewatch_grafana_model::model::{FieldOptions, Panel};
use edgewatch_grafana_model::panel::histogram::{Histogram, HistogramField};
use edgewatch_grafana_model::time::TimeRange;
use edgewatch_grafana_model::transform::histogram::{self, Buckets};

/// The histogram of `data`; `None` if there is nothing to draw.
pub fn graph<'a>(panel: &Panel, options: &Histogram, data: &'a Data) -> Option<Graph<Columns<'a>>> {
    let fields: Vec<&Field> = data
        .frames
        .iter()
        .flat_map(Frame::numbers)
        .map(|(field, _)| field)
        .collect();
    let counted = match data
        .frames
        .iter()
        .find(|frame| frame.fields.iter().any(|field| field.source == "xMin"))
    {
        Some(counted) => counted.clone(),
        None => {
            let buckets = Buckets {
                size: options.bucket_size,
                count: options.bucket_count,
                offset: options.bucket_offset.unwrap_or(0.0),
                combine: options.combine,
            };
            histogram::count(&data.frames, buckets).ok()??
        }
    };
    let numbers = |name: &str| {
        counted
            .numbers()
            .find(|(field, _)| field.source == name)
            .map(|(_, values)| values.to_vec())
    };
    let (starts, ends) = (numbers("xMin")?, numbers("xMax")?);
    let (first, last) = (*starts.first()?, *ends.last()?);
    let fields: Vec<&Field> = fields
        .into_iter()
        .filter(|field| !matches!(field.source.as_str(), "xMin" | "xMax"))
        .collect();
    let counts: Vec<Vec<f64>> = counted
        .numbers()
        .filter(|(field, _)| !matches!(field.source.as_str(), "xMin" | "xMax"))
        .map(|(_, values)| values.to_vec())
        .collect();
    let columns: Vec<&[f64]> = counts.iter().map(Vec::as_slice).collect();
    let style = |field: &Field| HistogramField::of(&field.options.custom).0;
    let mode = fields
        .first()
        .map(|field| style(field).stacking.mode)
        .unwrap_or_default();
    let stacks = Stacks::of(mode, &columns, starts.len());
    let (low, high) = Distribution::Linear.ends(stacks.ends());
    let scale = Scale::new(low, high, Limits::default(), Distribution::Linear, 100.0);
    let across = |value: f64| (value - first) / (last - first).max(f64::MIN_POSITIVE);
    let series: Vec<Series> = fields
        .iter()
        .zip(&columns)
        .enumerate()
        .filter(|(_, (field, _))| !style(field).hide_from.viz)
        .map(|(index, (field, values))| {
            let bars = starts.iter().zip(&ends).enumerate().map(|(row, (start, end))| {
                let (from, to) = stacks.place(index, row);
                Bar {
                    name: format!("{} to {}", plain(&field.options, *start), plain(&field.options, *end)),
                    text: plain_count(values.get(row).copied().unwrap_or_default()),
                    across: (across(*start), across(*end)),
                    along: (bounded(&scale, from), bounded(&scale, to)),
                    color: None,
                }
            });
            let style = style(field);
            Series::new(
                field,
                style.fill_opacity,
                style.line_width,
                style.gradient_mode,
                bars.collect(),
            )
        })
        .collect();
    let shown = series.first()?;
    let legend = if options.combine {
        legend::Legend::default()
    } else {
        legend::of(
            &options.legend,
            series
                .iter()
                .enumerate()
                .map(|(index, series)| (index, &*series.color, series.field)),
        )
    };
    let height = usual_size(panel).1;
    let counts = FieldOptions {
        unit: "short".to_owned(),
        ..FieldOptions::default()
    };
    let below = Scale {
        min: first,
        max: last,
        distribution: Distribution::Linear,
    };
    let room = axes::width(panel, &legend, 80.0) / 70.0;
    let mut places = ticks(&below, &shown.field.options, room.clamp(2.0, 16.0) as usize);
    places.retain(|tick| (0.0..=1.0).contains(&tick.at));
    Some(Graph {
        panel: panel.id,
        summary: format!("{}: {} buckets", panel.title, starts.len()),
        range: TimeRange::default(),
        axes: vec![Axis {
            ticks: ticks(&scale, &counts, ((height - 110.0) / 34.0).clamp(2.0, 12.0) as usize),
            has_grid: true,
            ..Axis::default()
        }],
        times: places,
        legend,
        labels: Vec::new(),
        plot: Columns { series, is_flat: false },
    })
}

fn plain_count(count: f64) -> String {
    format!("{count}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{data, panel};
    use super::*;

    #[test]
    fn values_of_a_histogram_are_counted_where_they_lie() {
        let panel = panel("histogram", json!({"bucketSize": 10}), json!({}));
        let data = data(&panel, &[("a", &[1.0, 2.0, 15.0])]);
        let edgewatch_grafana_model::panel::PanelKind::Histogram(options) = panel.kind() else {
            panic!()
        };
        let graph = graph(&panel, options, &data).unwrap();
        let bars: Vec<_> = graph.plot.series[0]
            .bars
            .iter()
            .map(|bar| (&*bar.name, &*bar.text, bar.across))
            .collect();
        assert_eq!(bars, [("0 to 10", "2", (0.0, 0.5)), ("10 to 20", "1", (0.5, 1.0))]);
    }
}
