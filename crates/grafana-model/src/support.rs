//! What is not supported: named in its panel, never silently wrong.

use std::fmt;

use serde_json::{Map, Value};

use super::model::{Dashboard, Datasource, Panel, Target, Variable};
use super::panel::{PanelKind, Problems};
use super::reduce;
use crate::error::{TargetError, UnsupportedError};
use crate::{color, limits, overrides, transform, units};

/// The kinds of panels that are drawn.
pub const PANELS: [&str; 15] = [
    "timeseries",
    "stat",
    "gauge",
    "bargauge",
    "table",
    "state-timeline",
    "status-history",
    "heatmap",
    "barchart",
    "piechart",
    "histogram",
    "alertlist",
    "dashlist",
    "text",
    "row",
];

/// Something of a dashboard that is not supported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The title of the panel, or the name of the variable.
    pub place: String,
    /// What it is, for people.
    pub what: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Everything of `dashboard` that is not supported. What is not known at all counts, too, even where it is left out in silence,
/// because it may mean nothing for what is seen.
pub fn check(dashboard: &Dashboard) -> Vec<Unsupported> {
    let mut found = Vec::new();
    for variable in &dashboard.templating.list {
        if let Err(what) = of_variable(variable) {
            found.push(Unsupported {
                place: format!("${}", variable.name),
                what: what.to_string(),
            });
        }
    }
    dashboard.panels.iter().for_each(|panel| check_panel(panel, &mut found));
    found
}

fn check_panel(panel: &Panel, found: &mut Vec<Unsupported>) {
    let mut problems = of_panel(panel);
    problems.extend(problems_of_options(panel).unknown);
    let targets = panel.targets.iter().filter_map(|target| of_target(panel, target).err());
    problems.extend(targets.map(|problem| problem.to_string()));
    let transformations = panel.transformations.iter();
    let transformations = transformations.filter_map(|each| transform::check(each).err());
    problems.extend(transformations.map(|problem| problem.to_string()));
    problems.extend(overrides::check(panel));
    let defaults = &panel.field_config.defaults;
    if !units::is_known(&defaults.unit) {
        problems.push(format!("the unit {:?} is not known", defaults.unit));
    }
    let mode = defaults.color.mode.as_str();
    if !is_color_mode(mode) {
        problems.push(format!("the colour mode {mode:?} is not supported"));
    }
    let reduced = panel
        .kind()
        .reduce()
        .into_iter()
        .flat_map(|reduce| reduce.calcs.iter().flatten());
    let legend = panel.kind().legend().into_iter().flat_map(|legend| &legend.calcs);
    for calc in reduced.chain(legend) {
        if reduce::title(calc).is_none() {
            problems.push(format!("the calculation {calc:?} is not supported"));
        }
    }
    let place = match &*panel.title {
        "" => format!("panel {}", panel.id),
        title => title.to_owned(),
    };
    found.extend(problems.into_iter().map(|what| Unsupported {
        place: place.clone(),
        what,
    }));
    panel.panels.iter().for_each(|panel| check_panel(panel, found));
}

/// Whether colours can be found in that way.
fn is_color_mode(mode: &str) -> bool {
    matches!(
        mode,
        "" | "fixed" | "shades" | "thresholds" | "palette-classic" | "palette-classic-by-name"
    ) || color::continuous(mode, 0.0).is_some()
}

/// Whether a variable can be resolved.
fn of_variable(variable: &Variable) -> Result<(), UnsupportedError> {
    if let Some(why) = &variable.broken {
        return Err(UnsupportedError::Broken(why.clone()));
    }
    match variable.kind.as_str() {
        "query" => datasource(&variable.datasource),
        "custom" | "constant" | "interval" | "datasource" => Ok(()),
        "textbox" => Err(UnsupportedError::TextBox),
        other => Err(UnsupportedError::Variable(other.to_owned())),
    }
}

/// What of `panel` as a whole is not supported and changes what is seen, for people.
pub fn of_panel(panel: &Panel) -> Vec<String> {
    if let Some(why) = &panel.broken {
        return vec![why.clone()];
    }
    match panel.kind() {
        PanelKind::Unknown(name) => vec![match name.as_str() {
            "" => {
                "a panel of Grafana's library is not part of the dashboard: unlink it there before exporting".to_owned()
            }
            "table-old" => "tables of Grafana 6 are not supported: save the dashboard in a newer one".to_owned(),
            "logs" => "logs are not drawn: they are not in Prometheus".to_owned(),
            "news" => "news are not drawn: nothing is fetched from elsewhere".to_owned(),
            "canvas" => "drawings (canvas) are not drawn".to_owned(),
            name => format!("panels of the kind {name:?} are not supported"),
        }],
        PanelKind::Timeseries(_)
        | PanelKind::Stat(_)
        | PanelKind::Gauge(_)
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
        | PanelKind::Row => problems_of_options(panel).not_drawn,
    }
}

/// What of the options of `panel` and its fields is not drawn.
fn problems_of_options(panel: &Panel) -> Problems {
    let mut problems = panel.options.problems.clone();
    let config = &panel.field_config;
    let mut of_fields = |custom: &Map<String, Value>| {
        let found = panel.kind().problems_of_field(custom);
        let note = |all: &mut Vec<String>, found: Vec<String>| found.into_iter().for_each(|one| limits::note(all, one));
        note(&mut problems.not_drawn, found.not_drawn);
        note(&mut problems.unknown, found.unknown);
    };
    of_fields(&config.defaults.custom);
    for property in config.overrides.iter().flat_map(|change| &change.properties) {
        let mut custom = Map::new();
        overrides::set_custom(&mut custom, property);
        of_fields(&custom);
    }
    problems
}

/// Whether the query `target` of `panel` can be asked.
///
/// # Errors
/// Another data source, or an answer in another form.
pub fn of_target(panel: &Panel, target: &Target) -> Result<(), TargetError<UnsupportedError>> {
    let source = match &target.datasource {
        Datasource::Unnamed => &panel.datasource,
        named => named,
    };
    let is_supported = datasource(source).and_then(|()| match target.format.as_str() {
        "" | "time_series" | "table" | "heatmap" => Ok(()),
        other => Err(UnsupportedError::Format(other.to_owned())),
    });
    is_supported.map_err(|source| TargetError {
        query: target.ref_id.clone(),
        source,
    })
}

/// Whether the data source that a panel, query or variable names can be asked: Prometheus, or what the dashboard leaves open.
///
/// # Errors
/// Another one.
pub fn datasource(datasource: &Datasource) -> Result<(), UnsupportedError> {
    match datasource {
        Datasource::Unnamed | Datasource::Prometheus => Ok(()),
        Datasource::Other(name) => Err(UnsupportedError::DataSource(name.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(panel: Value) -> Vec<String> {
        let dashboard = json!({"panels": [panel]});
        let dashboard: Dashboard = serde_json::from_value(dashboard).unwrap();
        check(&dashboard).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn units_of_grafana_are_known_though_they_are_named_as_they_are_written() {
        let of_unit = |unit: &str| {
            found(json!({"type": "stat", "title": "x", "fieldConfig": {"defaults": {"unit": unit}}, "targets": []}))
        };
        for unit in ["", "ppm", "lux", "suffix:l/min"] {
            assert!(of_unit(unit).is_empty(), "{unit}: {:?}", of_unit(unit));
        }
        assert_eq!(of_unit("furlong"), ["x: the unit \"furlong\" is not known"]);
    }

    #[test]
    fn each_thing_that_is_not_supported_is_named() {
        for (panel, expected) in [
            (
                json!({"id": 7, "type": "nodeGraph"}),
                "panel 7: panels of the kind \"nodeGraph\" are not supported",
            ),
            (
                json!({"title": "x"}),
                "x: a panel of Grafana's library is not part of the dashboard: unlink it there before exporting",
            ),
            (
                json!({"title": "x", "type": "stat", "datasource": {"type": "loki", "uid": "a"}, "targets": [{"refId": "A"}]}),
                "x: query A: the data source \"loki\" is not supported, only Prometheus",
            ),
            (
                json!({"title": "x", "type": "stat", "targets": [{"refId": "B", "datasource": {"type": "__expr__", "uid": "__expr__"}}]}),
                "x: query B: expressions of Grafana (__expr__) are not supported: write it in PromQL",
            ),
            (
                json!({"title": "x", "type": "stat", "transformations": [{"id": "spatial"}]}),
                "x: the transformation \"spatial\" is not supported",
            ),
            (
                json!({"title": "x", "type": "stat", "fieldConfig": {"defaults": {"unit": "fortnights"}}}),
                "x: the unit \"fortnights\" is not known",
            ),
            (
                json!({"title": "x", "type": "stat", "fieldConfig": {"defaults": {"color": {"mode": "rainbow"}}}}),
                "x: the colour mode \"rainbow\" is not supported",
            ),
            (
                json!({"title": "x", "type": "stat", "options": {"reduceOptions": {"calcs": ["mode"]}}}),
                "x: the calculation \"mode\" is not supported",
            ),
            (
                json!({"title": "x", "type": "stat", "options": {"textMode": "shout"}}),
                "x: textMode cannot be \"shout\"",
            ),
            (
                json!({"title": "x", "type": "stat", "options": {"novel": 1}}),
                "x: the option novel is not known",
            ),
            (
                json!({"title": "x", "type": "timeseries", "fieldConfig": {"defaults": {"custom": {"stacking": {"mode": "wild"}}}}}),
                "x: stacking/mode cannot be \"wild\"",
            ),
            (
                json!({"title": "x", "type": "stat", "fieldConfig": {"overrides": [{"matcher": {"id": "byMood"}}]}}),
                "x: an override is left out: fields cannot be chosen by \"byMood\"",
            ),
            (
                json!({"title": "x", "type": "timeseries", "fieldConfig": {"overrides": [{"matcher": {"id": "byName", "options": "a"},
                    "properties": [{"id": "unit", "value": 5}]}]}}),
                "x: an override is left out: unit cannot be set to 5",
            ),
            (
                json!({"title": "x", "type": "timeseries", "fieldConfig": {"overrides": [{"matcher": {"id": "byName", "options": "a"},
                    "properties": [{"id": "custom.drawStyle", "value": "scribble"}]}]}}),
                "x: drawStyle cannot be \"scribble\"",
            ),
        ] {
            assert_eq!(found(panel.clone()), [expected], "{panel}");
        }
    }

    #[test]
    fn what_is_not_in_prometheus_is_refused_by_name() {
        for (kind, why) in [
            ("logs", "x: logs are not drawn: they are not in Prometheus"),
            ("news", "x: news are not drawn: nothing is fetched from elsewhere"),
            ("canvas", "x: drawings (canvas) are not drawn"),
        ] {
            assert_eq!(found(json!({"title": "x", "type": kind})), [why], "{kind}");
        }
        for (source, why) in [
            (json!("-- Grafana --"), "the data source \"-- Grafana --\""),
            (json!({"uid": "-- Grafana --"}), "the data source \"-- Grafana --\""),
            (
                json!({"type": "datasource", "uid": "-- Grafana --"}),
                "the data source \"-- Grafana --\"",
            ),
            (
                json!({"type": "datasource", "uid": "grafana"}),
                "the data source \"grafana\"",
            ),
        ] {
            let panel = json!({"title": "x", "type": "stat", "datasource": source, "targets": [{"refId": "A"}]});
            assert_eq!(
                found(panel),
                [format!("x: query A: {why} is not supported, only Prometheus")]
            );
        }
    }

    #[test]
    fn what_lies_in_a_collapsed_row_counts() {
        let row = json!({"type": "row", "collapsed": true, "panels": [{"title": "x", "type": "nodeGraph"}]});
        assert_eq!(found(row).len(), 1);
    }

    #[test]
    fn variables_are_checked() {
        let dashboard = json!({"templating": {"list": [{"name": "a", "type": "custom"}, {"name": "b", "type": "groupby"},
            {"name": "c", "type": "query", "datasource": {"type": "influxdb"}}]}});
        let dashboard: Dashboard = serde_json::from_value(dashboard).unwrap();
        let places: Vec<_> = check(&dashboard).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["$b", "$c"]);
    }
}
