//! What a panel shows, decided once: which series, texts and colours, on which scale. Where it is drawn is not known here: `page` and
//! `picture` lay it out, each in its way, and so does a terminal.

use maud::Markup;

use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::scope::Scope;

use super::bargauge;
pub use super::bargauge::Bars;
use super::columns;
pub use super::columns::Columns;
use super::gauge;
pub use super::gauge::Gauges;
use super::graph::{Graph, Ink};
pub use super::heatmap::Cells;
use super::pie;
pub use super::pie::{Pie, percent as share};
use super::stat;
pub use super::stat::Stats;
pub use super::state_timeline::{Row as StateRow, States};
pub use super::table::{Tables, columns_of, content, rows_of};
pub use super::text::Words;
pub use super::timeseries::Lines;
use super::{heatmap, histogram, state_timeline, status_history, table, timeseries};

/// What a panel shows.
pub enum Scene<'a> {
    /// Words in place of what is missing.
    Nothing(&'a str),
    /// A plot over time, with axes and a legend.
    Graph(Box<Graph<Plot<'a>>>),
    /// Cells with big numbers.
    Stats(Stats<'a>),
    /// Cells with arcs.
    Gauges(Gauges<'a>),
    /// Bars.
    Bars(Bars<'a>),
    /// Shares of a whole.
    Pie(Pie<'a>),
    /// Tables.
    Tables(Tables<'a>),
    /// Words.
    Words(Words),
    /// The head of a row, or what is said beside it: it is not supported (see `support`), or a query has failed.
    Blank,
}

/// The inside of a graph.
pub enum Plot<'a> {
    /// Of a time series panel.
    Lines(Lines<'a>),
    /// Of a state timeline.
    States(States<'a>),
    /// Of a heat map.
    Cells(Cells),
    /// Of a bar chart or a histogram, whose axes know no times.
    Columns(Columns<'a>),
}

impl Plot<'_> {
    /// Its marks.
    pub fn draw(&self, ink: Ink) -> Markup {
        match self {
            Self::Lines(lines) => lines.draw(ink),
            Self::States(states) => states.draw(ink),
            Self::Cells(cells) => cells.draw(ink),
            Self::Columns(columns) => columns.draw(ink),
        }
    }

    /// Whether it goes from one time to another.
    pub const fn is_over_time(&self) -> bool {
        !matches!(self, Self::Columns(_))
    }
}

/// What `panel` shows of `data`.
pub fn scene<'a>(panel: &'a Panel, data: &'a Data, scope: &'a Scope) -> Scene<'a> {
    if data.has_failed && data.frames.is_empty() {
        return Scene::Blank;
    }
    let graph = |graph| Scene::Graph(Box::new(graph));
    let shown = match panel.kind() {
        PanelKind::Timeseries(options) => {
            timeseries::graph(panel, options, data, scope).map(|of| graph(of.map(Plot::Lines)))
        }
        PanelKind::StateTimeline(options) => {
            state_timeline::graph(panel, options, data, scope).map(|of| graph(of.map(Plot::States)))
        }
        PanelKind::StatusHistory(options) => {
            status_history::graph(panel, options, data, scope).map(|of| graph(of.map(Plot::States)))
        }
        PanelKind::BarChart(options) => columns::bar_chart(panel, options, data).map(|of| graph(of.map(Plot::Columns))),
        PanelKind::Histogram(options) => histogram::graph(panel, options, data).map(|of| graph(of.map(Plot::Columns))),
        PanelKind::PieChart(options) => pie::pie(panel, options, data).map(Scene::Pie),
        PanelKind::AlertList(_) => table::alerts(data, scope).map(Scene::Tables),
        PanelKind::DashList => Some(Scene::Words(Words::links_to_all())),
        PanelKind::Heatmap(options) => heatmap::graph(panel, options, data, scope).map(|of| graph(of.map(Plot::Cells))),
        PanelKind::Stat(options) => stat::stats(panel, options, data).map(Scene::Stats),
        PanelKind::Gauge(options) => gauge::gauges(panel, options, data).map(Scene::Gauges),
        PanelKind::BarGauge(options) => bargauge::bars(panel, options, data).map(Scene::Bars),
        PanelKind::Table(options) => table::tables(options, data, scope).map(Scene::Tables),
        PanelKind::Text(options) => Some(Scene::Words(Words::of(options, scope))),
        PanelKind::Row | PanelKind::Unknown(_) => Some(Scene::Blank),
    };
    let words = panel.field_config.defaults.no_value.as_deref();
    let is_hidden = matches!(panel.kind(), PanelKind::Timeseries(_))
        && data.frames.iter().any(|frame| frame.numbers().next().is_some());
    let nothing = match panel.kind() {
        PanelKind::AlertList(_) => "No alerts",
        _ if is_hidden => "All series are hidden",
        _ => "No data",
    };
    shown.unwrap_or_else(|| Scene::Nothing(words.unwrap_or(nothing)))
}
