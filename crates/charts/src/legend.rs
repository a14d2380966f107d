//! Legends: a list or a table of names with their colours and, if asked for, reduced values.

use std::borrow::Cow;
use std::cmp::Ordering;

use edgewatch_grafana_model::data::{Cell, Field};
use edgewatch_grafana_model::panel::common::{self, LegendMode, LegendPlacement};
use edgewatch_grafana_model::{collation, display, reduce};

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
    let mut series: Vec<(usize, &str, &Field)> = series.take(MOST).collect();
    sort(options, &calcs, &mut series);
    let entries = series.into_iter().map(|(series, color, field)| Entry {
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

/// Puts the entries of a table into the order that the dashboard asks for. What has no number counts as the least.
fn sort(options: &common::Legend, calcs: &[&str], series: &mut [(usize, &str, &Field)]) {
    if options.display_mode != LegendMode::Table || options.sort_by.is_empty() {
        return;
    }
    let turned = |order: Ordering| if options.sort_desc { order.reverse() } else { order };
    if options.sort_by == "Name" {
        series.sort_by(|(_, _, a), (_, _, b)| turned(collation::compare_naturally(&a.name, &b.name)));
    } else {
        let sorts = |calc: &&&str| reduce::title(calc).is_some_and(|title| title == options.sort_by.as_str());
        let calc = calcs.iter().find(sorts);
        let value = |field: &Field| match calc.map(|calc| reduce::reduce(calc, &field.values)) {
            None | Some(Cell::Null) => f64::NEG_INFINITY,
            Some(cell) if cell.as_number().is_nan() => f64::NEG_INFINITY,
            Some(cell) => cell.as_number(),
        };
        series.sort_by(|(_, _, a), (_, _, b)| turned(value(a).total_cmp(&value(b))));
    }
}

#[cfg(test)]
mod tests {
    use edgewatch_grafana_model::data::{NULL, Values};
    use edgewatch_grafana_model::panel::Options;
    use edgewatch_grafana_model::panel::PanelKind;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_sorted_as_the_dashboard_asks() {
        let fields = [("b10", 9.0), ("b9", 1.0), ("gone", NULL), ("a", 5.0)];
        let fields = fields.map(|(name, value)| Field::new(name, Values::numbers([value])));
        let names = |legend: serde_json::Value| {
            let options = Options::of("timeseries", &json!({ "legend": legend }));
            let PanelKind::Timeseries(options) = options.kind else {
                panic!()
            };
            let series = fields.iter().enumerate().map(|(index, field)| (index, "", field));
            let names = of(&options.legend, series).entries.into_iter().map(|entry| entry.name);
            names.collect::<Vec<_>>().join(" ")
        };
        let legend = |sort: &str, down: bool, mode: &str| json!({"calcs": ["last"], "displayMode": mode, "sortBy": sort, "sortDesc": down});
        assert_eq!(names(legend("Last", true, "table")), "b10 a b9 gone");
        assert_eq!(names(legend("Last", false, "table")), "gone b9 a b10");
        assert_eq!(names(legend("Name", false, "table")), "a b9 b10 gone");
        assert_eq!(names(legend("Last", true, "list")), "b10 b9 gone a");
    }
}
