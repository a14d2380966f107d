//! The panel `state-timeline`: a row for each series, with a bar for each time it had one state.

use std::sync::Arc;

use maud::{Markup, html};

use super::axes;
use super::canvas::Canvas;
use super::clock;
use super::graph::{Align, Axis, Graph, Ink, Label, Tick};
use super::legend::{self, Entry, Legend};
use super::theme::text_width;
use edgewatch_grafana_model::color;
use edgewatch_grafana_model::data::{Data, Field, Values};
use edgewatch_grafana_model::display::{self, Display};
use edgewatch_grafana_model::model::{Mapping, Panel};
use edgewatch_grafana_model::panel::common::{self, LegendPlacement};
use edgewatch_grafana_model::panel::state_timeline::{AlignValue, ShowValue, StateTimeline, StateTimelineField};
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::time::TimeRange;

/// Rows of a panel; nobody reads more.
const MOST: usize = 200;
/// Pixels of a line of text.
const LINE: f64 = 14.0;

/// The inside of the graph.
pub struct States<'a> {
    /// From the top.
    pub rows: Vec<Row<'a>>,
    /// The part of a row that its bars fill.
    height: f64,
    range: TimeRange,
}

/// A row.
pub struct Row<'a> {
    /// Where it comes from.
    pub field: &'a Field,
    style: StateTimelineField,
    /// In their order.
    pub bars: Vec<Bar>,
}

/// A bar: from when to when, and what it says.
pub struct Bar {
    /// Unix time in seconds.
    pub from: f64,
    /// Unix time in seconds.
    pub to: f64,
    /// Its text and its colour, which is there.
    pub display: Display,
}

/// The graph of `data`; `None` if there is nothing to draw.
pub fn graph<'a>(
    panel: &'a Panel,
    options: &StateTimeline,
    data: &'a Data,
    scope: &Scope,
) -> Option<Graph<States<'a>>> {
    of_rows(panel, options, rows(options, data), data.range, scope)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few rows"
)]
/// The graph of `rows`.
pub fn of_rows<'a>(
    panel: &'a Panel,
    options: &StateTimeline,
    rows: Vec<Row<'a>>,
    range: TimeRange,
    scope: &Scope,
) -> Option<Graph<States<'a>>> {
    if rows.is_empty() {
        return None;
    }
    let count = rows.len() as f64;
    let height = options.row_height.clamp(0.05, 1.0);
    let across = move |time: f64| (time - range.from) / (range.to - range.from);
    let legend = legend(&options.legend, &rows);
    // As many names as there is room for below each other.
    let row_height = axes::height(panel, &legend) / count;
    let every = (LINE / row_height).ceil().max(1.0) as usize;
    let named = rows.iter().enumerate().step_by(every);
    let ticks = named.map(|(index, row)| Tick {
        at: 1.0 - (index as f64 + 0.5) / count,
        text: row.field.name.clone(),
    });
    let axis = Axis {
        ticks: ticks.collect(),
        ..Axis::default()
    };
    let labels = if row_height * height >= LINE {
        labels(options, &rows, axes::width(panel, &legend, axis.width()), across)
    } else {
        Vec::new()
    };
    Some(Graph {
        panel: panel.id,
        summary: format!("{}: {} series of states over time", panel.title, rows.len()),
        range,
        axes: vec![axis],
        times: clock::ticks(range, axes::columns(panel, &legend), &scope.zone),
        legend,
        labels,
        plot: States { rows, height, range },
    })
}

impl States<'_> {
    /// The place of a time: a fraction of the range.
    pub fn across(&self, time: f64) -> f64 {
        (time - self.range.from) / (self.range.to - self.range.from)
    }

    /// Their marks.
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    pub fn draw(&self, ink: Ink) -> Markup {
        html! {
            @for (index, row) in self.rows.iter().enumerate() {
                @let opacity = (row.style.fill_opacity / 100.0).clamp(0.0, 1.0);
                @let line = row.style.line_width.clamp(0.0, 10.0);
                g.series data-series=(index) fill-opacity=(short_share(opacity)) {
                    @for (color, shapes) in self.shapes(row, index as f64, ink) {
                        @let color = ink.medium.color(&color);
                        path fill=(color) stroke=[(line > 0.0).then_some(&color)] stroke-width=[(line > 0.0).then(|| ink.pixels(line))] d=(shapes) {}
                    }
                }
            }
        }
    }

    /// The bars of a row: one path for each colour.
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    fn shapes(&self, row: &Row, index: f64, ink: Ink) -> Vec<(String, String)> {
        let (count, height) = (self.rows.len() as f64, self.height);
        let (top, bottom) = (
            1.0 - (index + 0.5 - height / 2.0) / count,
            1.0 - (index + 0.5 + height / 2.0) / count,
        );
        let mut colors: Vec<&str> = row.bars.iter().filter_map(|bar| bar.display.color.as_deref()).collect();
        colors.sort_unstable();
        colors.dedup();
        let paths = colors.into_iter().filter(|color| *color != "transparent").map(|color| {
            let mut canvas = Canvas::new(ink.width, ink.height);
            for bar in row
                .bars
                .iter()
                .filter(|bar| bar.display.color.as_deref() == Some(color))
            {
                canvas.rectangle((self.across(bar.from), top), (self.across(bar.to), bottom));
            }
            (color.to_owned(), canvas.take_areas())
        });
        paths.collect()
    }
}

fn short_share(share: f64) -> String {
    format!("{}", (share * 100.0).round() / 100.0)
}

/// The rows of what `data` shows over time.
pub fn rows<'a>(options: &StateTimeline, data: &'a Data) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for frame in &data.frames {
        let Some(times) = frame.times() else { continue };
        for field in frame
            .fields
            .iter()
            .filter(|field| !matches!(field.values, Values::Times(_)))
        {
            let (style, _) = StateTimelineField::of(&field.options.custom);
            if style.hide_from.viz {
                continue;
            }
            rows.push(Row {
                field,
                bars: bars(
                    field,
                    (times, frame.interval),
                    options.merge_values,
                    style.span_nulls,
                    data.range.to,
                ),
                style,
            });
        }
    }
    rows.retain(|row| !row.bars.is_empty());
    rows.truncate(MOST);
    rows
}

/// Each value holds until the next one, if none is missing between; the last one for as long as the one before, but not beyond the
/// range.
fn bars(field: &Field, (times, interval): (&[f64], f64), merges: bool, spans: bool, end: f64) -> Vec<Bar> {
    let step = times
        .windows(2)
        .map(|two| two[1] - two[0])
        .fold(f64::INFINITY, f64::min);
    let mut bars: Vec<Bar> = Vec::new();
    let mut was_there = false;
    for (index, from) in times.iter().enumerate() {
        let to = times
            .get(index + 1)
            .copied()
            .unwrap_or_else(|| if step.is_finite() { from + step } else { end })
            .min(end.max(*from));
        let is_followed = interval <= 0.0 || spans || to - from <= interval * 1.01;
        let to = if is_followed { to } else { from + interval };
        let Some(display) = state(field, index) else {
            was_there = false;
            continue;
        };
        match bars
            .last_mut()
            .filter(|last| merges && last.display == display && (was_there || spans))
        {
            Some(last) => last.to = to,
            None => {
                if let Some(last) = bars.last_mut().filter(|_| spans) {
                    last.to = *from;
                }
                bars.push(Bar {
                    from: *from,
                    to,
                    display,
                });
            }
        }
        was_there = is_followed;
    }
    bars
}

/// The state at `index`; `None` if there is none.
fn state(field: &Field, index: usize) -> Option<Display> {
    let mut display = match &field.values {
        Values::Times(_) => return None,
        Values::Numbers(_) | Values::Texts(_) | Values::Booleans(_) => {
            let display = display::cell(&field.options, &field.values.cell(index));
            // No value is a state only where a mapping says so.
            if display.text.is_empty() {
                return None;
            }
            display
        }
    };
    display.color.get_or_insert_with(|| field.color.clone());
    Some(display)
}

/// The states and their colours: those of the mappings, then those of the thresholds, that occur.
fn legend(asked: &common::Legend, rows: &[Row]) -> Legend {
    let mut entries: Vec<Entry> = Vec::new();
    let mut add = |name: String, color: &str| {
        if !name.is_empty() && entries.len() < 50 && !entries.iter().any(|entry| entry.name == name) {
            entries.push(Entry {
                color: color.to_owned(),
                name,
                ..Entry::default()
            });
        }
    };
    let mut options: Vec<_> = rows
        .iter()
        .map(|row| &row.field.options)
        .filter(|_| asked.is_shown())
        .collect();
    // Most rows share them.
    options.dedup_by(|one, other| Arc::ptr_eq(one, other));
    for options in options {
        for mapping in options.mappings.iter() {
            let results: Vec<_> = match mapping {
                Mapping::Value(results) => results.values().collect(),
                Mapping::Range { result, .. } | Mapping::Regex { result, .. } | Mapping::Special { result, .. } => {
                    vec![result]
                }
            };
            let mut results: Vec<_> = results.into_iter().filter(|result| result.color.is_some()).collect();
            results.sort_by_key(|result| result.index);
            for result in results {
                add(
                    result.text.clone().unwrap_or_default(),
                    &color::hex(result.color.as_deref().unwrap_or_default()),
                );
            }
        }
        if options.mappings.is_empty() && matches!(options.color.mode.as_str(), "thresholds" | "") {
            for (index, step) in options.thresholds.steps.iter().enumerate() {
                let name = match (
                    step.value,
                    options.thresholds.steps.get(index + 1).and_then(|next| next.value),
                ) {
                    (Some(from), _) => format!("{}+", super::look::plain(options, from)),
                    (None, Some(to)) => format!("< {}", super::look::plain(options, to)),
                    (None, None) => continue,
                };
                add(name, &color::hex(&step.color));
            }
        }
    }
    Legend {
        is_right: asked.placement == LegendPlacement::Right,
        entries,
        ..legend::Legend::default()
    }
}

/// The texts in bars, where a bar of a plot that is `pixels` wide has room.
#[expect(clippy::cast_precision_loss, reason = "a few rows")]
fn labels(options: &StateTimeline, rows: &[Row], pixels: f64, across: impl Fn(f64) -> f64) -> Vec<Label> {
    let is_always = match options.show_value {
        ShowValue::Never => return Vec::new(),
        ShowValue::Auto => false,
        ShowValue::Always => true,
    };
    let align = match options.align_value {
        AlignValue::Left => Align::Left,
        AlignValue::Center => Align::Center,
        AlignValue::Right => Align::Right,
    };
    let mut labels = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        for bar in &row.bars {
            let (from, to) = (across(bar.from).clamp(0.0, 1.0), across(bar.to).clamp(0.0, 1.0));
            let fits = (to - from) * pixels >= text_width(&bar.display.text, 12.0) + 8.0;
            if (fits || is_always) && to > from && labels.len() < 1000 {
                labels.push(Label {
                    x: from,
                    y: (index as f64 + 0.5) / rows.len() as f64,
                    width: to - from,
                    align,
                    text: bar.display.text.clone(),
                    color: None,
                });
            }
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgewatch_grafana_model::data::NULL;

    fn spans(values: &[f64], merges: bool) -> Vec<(f64, f64, String)> {
        let field = Field {
            values: Values::numbers(values.iter().copied()),
            color: "#112233".to_owned(),
            ..Field::default()
        };
        let times: Vec<f64> = (0..values.len()).map(|at| at as f64 * 10.0).collect();
        bars(&field, (&times, 0.0), merges, false, 1000.0)
            .into_iter()
            .map(|bar| (bar.from, bar.to, bar.display.text))
            .collect()
    }

    #[test]
    fn equal_states_are_one_bar_and_gaps_part_them() {
        let nan = NULL;
        let found = spans(&[0.0, 0.0, 1.0, nan, 1.0], true);
        let expected = [(0.0, 20.0, "0"), (20.0, 30.0, "1"), (40.0, 50.0, "1")];
        assert_eq!(found, expected.map(|(from, to, text)| (from, to, text.to_owned())));
        assert_eq!(spans(&[0.0, 0.0], false).len(), 2);
        assert!(spans(&[nan, nan], true).is_empty());
    }

    #[test]
    fn the_last_state_ends_with_the_range() {
        let field = Field {
            values: Values::numbers(vec![1.0, 1.0]),
            ..Field::default()
        };
        let to = |times: &[f64], interval| bars(&field, (times, interval), true, false, 15.0)[0].to;
        assert_eq!(to(&[0.0, 10.0], 0.0), 15.0);
        assert_eq!(
            to(&[0.0, 10.0], 5.0),
            5.0,
            "where a sample is missing there is no state"
        );
        assert_eq!(to(&[0.0], 0.0), 15.0, "nothing tells for how long, so to the end");
    }
}
