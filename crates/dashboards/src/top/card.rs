//! A panel as a terminal shows it: a title and rows, for any width.

use super::fill;
use super::row::Row;
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::grid::GridPos;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::scope::Scope;

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
                | PanelKind::StatusHistory(_)
                | PanelKind::Heatmap(_)
                | PanelKind::BarChart(_)
                | PanelKind::PieChart(_)
                | PanelKind::Histogram(_)
                | PanelKind::AlertList(_)
                | PanelKind::DashList
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
        if !data.own_range.is_empty() {
            self.title += &format!(" ({})", data.own_range);
        }
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
