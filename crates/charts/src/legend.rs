//! Legends: a list or a table of names with their colours and, if asked for, reduced values.

use std::borrow::Cow;

use edgewatch_grafana_model::data::Field;
use edgewatch_grafana_model::panel::common::{self, LegendMode, LegendPlacement};
use edgewatch_grafana_model::{display, reduce};

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
        values: calcs.iter().map(|calc| display::reduced(field, calc).text).collect(),
    });
    Legend {
        is_right: options.placement == LegendPlacement::Right,
        is_table: options.display_mode == LegendMode::Table,
        heads: calcs
            .iter()
            .map(|calc| reduce::title(calc).map_or_else(|| (*calc).to_owned(), Cow::into_owned))
            .collect(),
        entries: entries.collect(),
    }
}
