//! The kinds of panels, one file for each: what Grafana's options of it are, and which of their values are drawn.

use serde::Deserialize;
use serde_json::{Map, Value};

mod read;

pub mod alertlist;
pub mod barchart;
pub mod bargauge;
pub mod common;
pub mod gauge;
pub mod heatmap;
pub mod histogram;
pub mod piechart;
pub mod stat;
pub mod state_timeline;
pub mod table;
pub mod text;
pub mod timeseries;

use alertlist::AlertList;
use barchart::{BarChart, BarChartField};
use bargauge::BarGauge;
use common::{Legend, PlainField, ReduceOptions};
use gauge::Gauge;
use heatmap::{Heatmap, HeatmapField};
use histogram::{Histogram, HistogramField};
use piechart::PieChart;
pub use read::Problems;
use stat::Stat;
use state_timeline::{StateTimeline, StateTimelineField, StatusHistory};
use table::{Table, TableField};
use text::Text;
use timeseries::{Timeseries, TimeseriesField};

/// What a panel is, with the options of its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum PanelKind {
    /// Lines, areas, bars or points over time.
    Timeseries(Timeseries),
    /// Big numbers.
    Stat(Stat),
    /// Arcs.
    Gauge(Gauge),
    /// Bars.
    BarGauge(BarGauge),
    /// A table.
    Table(Table),
    /// States over time.
    StateTimeline(StateTimeline),
    /// States of each sample.
    StatusHistory(StatusHistory),
    /// Buckets over time.
    Heatmap(Box<Heatmap>),
    /// Bars for the rows of a table.
    BarChart(BarChart),
    /// Shares of a whole.
    PieChart(PieChart),
    /// How often values lie where.
    Histogram(Histogram),
    /// Prometheus' own alerts.
    AlertList(AlertList),
    /// Where the other dashboards are.
    DashList,
    /// Words.
    Text(Text),
    /// The head of a row of panels.
    Row,
    /// One that is not drawn, by Grafana's name for it.
    Unknown(String),
}

/// The kind of a panel as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Written")]
pub struct Options {
    /// The kind.
    pub kind: PanelKind,
    /// What of the options is not drawn.
    pub problems: Problems,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    r#type: String,
    options: Value,
}

impl From<Written> for Options {
    fn from(written: Written) -> Self {
        Self::of(&written.r#type, &written.options)
    }
}

impl Options {
    /// Those of the kind that Grafana calls `name`.
    pub fn of(name: &str, options: &Value) -> Self {
        let none = Map::new();
        let written = options.as_object().unwrap_or(&none);
        let read = |(kind, problems)| Self { kind, problems };
        macro_rules! of {
            ($Kind:ident) => {{
                let (options, problems) = $Kind::of(written);
                read((PanelKind::$Kind(options), problems))
            }};
        }
        match name {
            "timeseries" => of!(Timeseries),
            "stat" => of!(Stat),
            "gauge" => of!(Gauge),
            "bargauge" => of!(BarGauge),
            "table" => of!(Table),
            "state-timeline" => of!(StateTimeline),
            "status-history" => of!(StatusHistory),
            "heatmap" => {
                let (options, problems) = Heatmap::of(written);
                read((PanelKind::Heatmap(Box::new(options)), problems))
            }
            "barchart" => of!(BarChart),
            "piechart" => of!(PieChart),
            "histogram" => of!(Histogram),
            "alertlist" => of!(AlertList),
            "dashlist" => read((PanelKind::DashList, Problems::default())),
            "text" => of!(Text),
            "row" => read((PanelKind::Row, Problems::default())),
            other => read((PanelKind::Unknown(other.to_owned()), Problems::default())),
        }
    }
}

impl Default for PanelKind {
    fn default() -> Self {
        Self::Unknown(String::new())
    }
}

impl PanelKind {
    /// Grafana's name for it.
    pub fn name(&self) -> &str {
        match self {
            Self::Timeseries(_) => "timeseries",
            Self::Stat(_) => "stat",
            Self::Gauge(_) => "gauge",
            Self::BarGauge(_) => "bargauge",
            Self::Table(_) => "table",
            Self::StateTimeline(_) => "state-timeline",
            Self::StatusHistory(_) => "status-history",
            Self::Heatmap(_) => "heatmap",
            Self::BarChart(_) => "barchart",
            Self::PieChart(_) => "piechart",
            Self::Histogram(_) => "histogram",
            Self::AlertList(_) => "alertlist",
            Self::DashList => "dashlist",
            Self::Text(_) => "text",
            Self::Row => "row",
            Self::Unknown(name) => name,
        }
    }

    /// What of the `custom` options of a field is not drawn.
    pub fn problems_of_field(&self, written: &Map<String, Value>) -> Problems {
        match self {
            Self::Timeseries(_) => TimeseriesField::of(written).1,
            Self::Table(_) => TableField::of(written).1,
            Self::StateTimeline(_) | Self::StatusHistory(_) => StateTimelineField::of(written).1,
            Self::Heatmap(_) => HeatmapField::of(written).1,
            Self::BarChart(_) => BarChartField::of(written).1,
            Self::Histogram(_) => HistogramField::of(written).1,
            Self::Stat(_)
            | Self::Gauge(_)
            | Self::BarGauge(_)
            | Self::PieChart(_)
            | Self::AlertList(_)
            | Self::DashList
            | Self::Text(_)
            | Self::Row => PlainField::of(written).1,
            Self::Unknown(_) => Problems::default(),
        }
    }

    /// Which values it shows, if it shows single ones.
    pub const fn reduce(&self) -> Option<&ReduceOptions> {
        match self {
            Self::Stat(Stat { reduce, .. })
            | Self::Gauge(Gauge { reduce, .. })
            | Self::BarGauge(BarGauge { reduce, .. })
            | Self::PieChart(PieChart { reduce, .. }) => Some(reduce),
            Self::Timeseries(_)
            | Self::Table(_)
            | Self::StateTimeline(_)
            | Self::StatusHistory(_)
            | Self::Heatmap(_)
            | Self::BarChart(_)
            | Self::Histogram(_)
            | Self::AlertList(_)
            | Self::DashList
            | Self::Text(_)
            | Self::Row
            | Self::Unknown(_) => None,
        }
    }

    /// Its legend, if it can have one.
    pub const fn legend(&self) -> Option<&Legend> {
        match self {
            Self::Timeseries(Timeseries { legend })
            | Self::StateTimeline(StateTimeline { legend, .. })
            | Self::StatusHistory(StatusHistory { legend, .. })
            | Self::BarChart(BarChart { legend, .. })
            | Self::Histogram(Histogram { legend, .. }) => Some(legend),
            Self::Heatmap(options) => Some(&options.legend),
            Self::Stat(_)
            | Self::Gauge(_)
            | Self::BarGauge(_)
            | Self::Table(_)
            | Self::PieChart(_)
            | Self::AlertList(_)
            | Self::DashList
            | Self::Text(_)
            | Self::Row
            | Self::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::table::Cell;
    use super::timeseries::{Span, StackingMode};
    use super::*;

    #[test]
    fn a_value_of_the_wrong_type_counts_as_left_out() {
        let written = json!({"lineWidth": "x", "pointSize": null, "stacking": 5, "lineStyle": {"dash": [1, "2", 3]}});
        let (options, problems) = TimeseriesField::of(written.as_object().unwrap());
        assert_eq!((options.line_width, options.point_size), (1.0, 5.0));
        assert_eq!(options.stacking.mode, StackingMode::None);
        assert_eq!(options.line_style.dash, [1.0, 3.0]);
        assert_eq!(problems, Problems::default());
    }

    #[test]
    fn what_has_several_forms_is_read_in_each() {
        let span = |value: Value| {
            let written = json!({ "spanNulls": value });
            TimeseriesField::of(written.as_object().unwrap()).0.span_nulls
        };
        assert_eq!(span(json!(true)), Span::Always);
        assert_eq!(span(json!(60_000)), Span::UpTo(60.0));
        assert_eq!(span(json!(false)), Span::Never);
        let old = json!({"displayMode": "gauge", "cellOptions": {}});
        assert_eq!(TableField::of(old.as_object().unwrap()).0.cell(), Cell::Gauge);
    }

    #[test]
    fn every_kind_is_known_by_its_name() {
        for name in crate::support::PANELS {
            let kind = Options::of(name, &Value::Null).kind;
            assert!(!matches!(kind, PanelKind::Unknown(_)), "{name}");
            assert_eq!(kind.name(), name);
        }
    }
}
