//! A panel as a terminal shows it: a title and rows, for any width.

use super::fill;
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::evaluate::Scope;
use edgewatch_grafana_model::model::{GridPos, Panel};
use edgewatch_grafana_model::panel::PanelKind;

/// Rows of one panel at most; the last one then says how many there are more.
const MAX_ROWS: usize = 12;
/// The colour of what is wrong.
const WARNING: &str = "#ff9830";

/// A panel.
#[derive(Clone, Debug, Default)]
pub struct Card {
    /// The title, with the values of variables.
    pub title: String,
    /// Where it lies on the page.
    pub place: GridPos,
    /// What it shows.
    pub kind: Kind,
    /// From top to bottom.
    pub rows: Vec<Row>,
}

/// How much room a panel wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The head of a row of panels.
    Heading,
    /// A number.
    Small,
    /// A graph or a table.
    #[default]
    Large,
}

/// A text with a colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Painted {
    /// The text.
    pub text: String,
    /// `#rrggbb`, or empty.
    pub color: String,
}

/// A state that lasts for a while.
#[derive(Clone, Debug)]
pub struct State {
    /// When it begins: a fraction of the range.
    pub from: f64,
    /// When it ends.
    pub to: f64,
    /// Its number in this panel.
    pub number: usize,
    /// `#rrggbb`, or empty.
    pub color: String,
}

/// A line of a panel.
#[derive(Clone, Debug)]
pub enum Row {
    /// Words, wrapped to the width.
    Text(Painted),
    /// A name, a line through `values` between `low` and `high`, and the last value.
    Series {
        /// The name, in the colour of the series.
        name: Painted,
        /// Evenly over time; NaN where there is none.
        values: Vec<f64>,
        /// The value on the ground.
        low: f64,
        /// The value at the top.
        high: f64,
        /// The value that counts.
        last: Painted,
    },
    /// A name, a bar filled to `share`, and the value.
    Bar {
        /// The name.
        name: Painted,
        /// From 0 to 1.
        share: f64,
        /// The value.
        last: Painted,
    },
    /// A name, the states over time, and the last one.
    States {
        /// The name.
        name: Painted,
        /// In their order.
        states: Vec<State>,
        /// The last one.
        last: Painted,
    },
    /// A row of a table; the first one is its head.
    Cells(Vec<Painted>),
}

impl Card {
    /// A panel without its data.
    pub fn empty(panel: &Panel, title: String) -> Self {
        Self {
            title,
            place: panel.grid_pos,
            kind: match panel.kind() {
                PanelKind::Row => Kind::Heading,
                PanelKind::Stat(_) | PanelKind::Gauge(_) => Kind::Small,
                PanelKind::Timeseries(_)
                | PanelKind::BarGauge(_)
                | PanelKind::Table(_)
                | PanelKind::StateTimeline(_)
                | PanelKind::Heatmap(_)
                | PanelKind::Text(_)
                | PanelKind::Unknown(_) => Kind::Large,
            },
            rows: Vec::new(),
        }
    }

    /// Words above the panels.
    pub fn heading(title: String) -> Self {
        Self {
            title,
            kind: Kind::Heading,
            ..Self::default()
        }
    }

    /// The same panel with what went wrong.
    pub fn with_problem(mut self, problem: &str) -> Self {
        self.rows = vec![Row::note(problem, WARNING)];
        self
    }

    /// The same panel with its data.
    pub fn filled(mut self, panel: &Panel, data: &Data, scope: &Scope) -> Self {
        let rows = fill::rows(panel, data, scope);
        let hidden = rows.len().saturating_sub(MAX_ROWS);
        self.rows = data
            .problems
            .iter()
            .map(|problem| Row::note(problem, WARNING))
            .collect();
        self.rows.extend(rows.into_iter().take(MAX_ROWS));
        if hidden > 0 {
            self.rows.push(Row::note(&format!("{hidden} more"), ""));
        }
        self
    }
}

impl Row {
    /// Words.
    pub fn note(text: &str, color: &str) -> Self {
        Self::Text(Painted {
            text: text.to_owned(),
            color: color.to_owned(),
        })
    }
}
