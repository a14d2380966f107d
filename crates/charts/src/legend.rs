//! Legends: a list or a table of names with their colours and, if asked for, reduced values.

use maud::{Markup, html};

use super::graph::short;
use super::theme::{Medium, Tone, fitted, text_width};
use edgewatch_grafana_model::data::{Field, Values};
use edgewatch_grafana_model::panel::common::{self, LegendMode, LegendPlacement};
use edgewatch_grafana_model::{display, reduce};

/// Pixels of a line in a picture.
const LINE: f64 = 20.0;
const TEXT: f64 = 12.0;
/// Entries of a legend; nobody reads more.
const MOST: usize = 500;

/// A legend.
#[derive(Clone, Debug, Default)]
pub struct Legend {
    /// Beside the plot, not below.
    pub is_right: bool,
    /// With a column for each value.
    pub is_table: bool,
    /// Names of the values.
    pub heads: Vec<String>,
    /// What it explains; empty: there is no legend.
    pub entries: Vec<Entry>,
}

/// An entry.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The place of its series in the graph, if it stands for one.
    pub series: Option<usize>,
    /// `#rrggbb`.
    pub color: String,
    /// Its opacity, if it is not opaque.
    pub opacity: Option<String>,
    /// A name.
    pub name: String,
    /// A text for each of [`Legend::heads`].
    pub values: Vec<String>,
}

impl Legend {
    /// For a page.
    pub fn page(&self) -> Markup {
        html! {
            @if self.entries.is_empty() {}
            @else if self.is_table {
                div.legend tabindex="0" role="group" aria-label="Legend" {
                    table {
                        @if !self.heads.is_empty() {
                            thead { tr { th scope="col" { span.sr { "Name" } } @for head in &self.heads { th scope="col" { (head) } } } }
                        }
                        tbody { @for entry in &self.entries { tr { td { (entry.page()) } @for value in &entry.values { td.number { (value) } } } } }
                    }
                }
            } @else {
                div.legend role="group" aria-label="Legend" {
                    @for entry in &self.entries {
                        (entry.page())
                        @for (head, value) in self.heads.iter().zip(&entry.values) { span.calc { (head) ": " (value) } }
                    }
                }
            }
        }
    }

    /// For a picture of `width` by `height` pixels: what is drawn, and how much it takes of the width and of the height.
    pub fn picture(&self, width: f64, height: f64, medium: Medium) -> (Markup, f64, f64) {
        if self.entries.is_empty() {
            return (html! {}, 0.0, 0.0);
        }
        let texts: Vec<String> = self
            .entries
            .iter()
            .map(|entry| entry.picture_text(&self.heads))
            .collect();
        let widest = texts
            .iter()
            .map(|text| text_width(text, TEXT) + 34.0)
            .fold(0.0, f64::max);
        let (places, taken) = if self.is_right {
            let column = widest.min(width * 0.35);
            let lines = (height / LINE).floor().max(1.0);
            (in_lines(&texts, width - column, column, 8.0, lines), (column, 0.0))
        } else {
            let lines = (height * 0.3 / LINE).floor().max(1.0);
            let (places, used) = flowing(&texts, width, height, lines);
            (places, (0.0, used))
        };
        let hidden = texts.len() - places.len();
        let drawn = html! {
            g font-size=(TEXT) fill=[medium.tone(Tone::Text)] {
                @for ((x, y, text), entry) in places.iter().zip(&self.entries) {
                    path d=(format!("M{} {}h14", short(*x), short(y - 4.0))) stroke=(entry.color) stroke-opacity=[&entry.opacity] stroke-width="4" stroke-linecap="round" {}
                    text x=(short(x + 20.0)) y=(short(*y)) { (text) }
                }
                @if hidden > 0 {
                    text x=(short(width - 8.0)) y=(short(height - 6.0)) text-anchor="end" fill=[medium.tone(Tone::Soft)] { "and " (hidden) " more" }
                }
            }
        };
        (drawn, taken.0, taken.1)
    }
}

/// One below the other.
fn in_lines(texts: &[String], left: f64, width: f64, top: f64, most: f64) -> Vec<(f64, f64, String)> {
    let mut places = Vec::new();
    let mut y = top + LINE - 6.0;
    for text in texts.iter() {
        if y > top + most * LINE - LINE {
            break;
        }
        places.push((left + 6.0, y, fitted(text, TEXT, width - 30.0)));
        y += LINE;
    }
    places
}

/// Beside each other, in lines that end at the bottom of the picture.
fn flowing(texts: &[String], width: f64, height: f64, most: f64) -> (Vec<(f64, f64, String)>, f64) {
    let mut places: Vec<(f64, f64, String)> = Vec::new();
    let (mut x, mut line) = (8.0, 0.0);
    for text in texts {
        let text = fitted(text, TEXT, width - 40.0);
        let needed = text_width(&text, TEXT) + 36.0;
        if x > 8.0 && x + needed > width {
            (x, line) = (8.0, line + 1.0);
        }
        if line >= most {
            break;
        }
        places.push((x, line, text));
        x += needed;
    }
    let used = (places.last().map_or(0.0, |place| place.1) + 1.0) * LINE + 4.0;
    for place in &mut places {
        place.1 = height - used + place.1 * LINE + LINE - 2.0;
    }
    (places, used)
}

impl Entry {
    fn page(&self) -> Markup {
        html! {
            button type="button" data-series=[self.series] title=(self.name) {
                svg.key width="14" height="4" aria-hidden="true" { rect width="14" height="4" rx="2" fill=(self.color) fill-opacity=[&self.opacity] {} }
                span dir="auto" { (self.name) }
            }
        }
    }

    fn picture_text(&self, heads: &[String]) -> String {
        let mut text = self.name.clone();
        for (head, value) in heads.iter().zip(&self.values) {
            text += &format!("  {head}: {value}");
        }
        text
    }
}

/// The legend that `options` ask for, with an entry for each of `series`: its place, its colour and where it comes from.
pub fn of<'a>(options: &common::Legend, series: impl Iterator<Item = (usize, &'a str, &'a Field)>) -> Legend {
    if !options.is_shown() {
        return Legend::default();
    }
    let calcs: Vec<&str> = options.calcs.iter().map(String::as_str).take(8).collect();
    let entries = series.take(MOST).map(|(series, color, field)| Entry {
        series: Some(series),
        opacity: None,
        color: color.to_owned(),
        name: field.name.clone(),
        values: calcs.iter().map(|calc| reduced(field, calc)).collect(),
    });
    Legend {
        is_right: options.placement == LegendPlacement::Right,
        is_table: options.display_mode == LegendMode::Table,
        heads: calcs
            .iter()
            .map(|calc| reduce::title(calc).unwrap_or(calc).to_owned())
            .collect(),
        entries: entries.collect(),
    }
}

/// The value of `field` by the calculation `calc`, for people.
fn reduced(field: &Field, calc: &str) -> String {
    match &field.values {
        Values::Numbers(numbers) => display::number(&field.options, reduce::reduce(calc, numbers)).text,
        Values::Times(_) | Values::Texts(_) => String::new(),
    }
}
