//! The part of Grafana's dashboard model that is drawn. Everything has Grafana's default where the JSON leaves it out.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::grid::GridPos;
use super::migrate;
use super::panel::{Options, PanelKind};
use crate::error::DashboardError;
use crate::time::TimeRange;

mod bounds;
mod datasource;
mod field;
mod lenient;
mod shared;
mod variable;

pub use datasource::Datasource;
pub use field::{
    ColorMode, DataLink, FieldConfig, FieldOptions, Mapping, MappingResult, Matcher, Override, Property, Step,
    ThresholdMode, Thresholds,
};
pub use variable::{Templating, Variable};

/// A dashboard.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Dashboard {
    /// Names it in addresses: `/d/<uid>`.
    #[serde(deserialize_with = "lenient::text")]
    pub uid: String,
    /// The title.
    #[serde(deserialize_with = "lenient::text")]
    pub title: String,
    /// What it is for.
    #[serde(deserialize_with = "lenient::text")]
    pub description: String,
    /// For sorting and searching.
    #[serde(deserialize_with = "lenient::texts")]
    pub tags: Vec<String>,
    /// Grafana's version of the model.
    #[serde(deserialize_with = "lenient::whole")]
    pub schema_version: u32,
    /// The range that is shown at first.
    #[serde(deserialize_with = "lenient::or_default")]
    pub time: TimeDefault,
    /// How often a page is refreshed at first, such as `10s`; empty: never.
    #[serde(deserialize_with = "text_or_false")]
    pub refresh: String,
    /// `browser`, `utc`, or the name of a time zone.
    #[serde(deserialize_with = "lenient::text")]
    pub timezone: String,
    /// Variables.
    pub templating: Templating,
    /// Panels; those of a collapsed row lie within the row.
    pub panels: Vec<Panel>,
    /// What of the file is beyond the bounds, for people.
    #[serde(skip)]
    pub left_out: Vec<String>,
}

/// The range that is shown at first.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default)]
pub struct TimeDefault {
    /// Such as `now-6h`.
    pub from: String,
    /// Such as `now`.
    pub to: String,
}

impl TimeDefault {
    /// Both ends, as [`TimeRange::parse`] reads them.
    pub fn ends(&self) -> (String, String) {
        (TimeRange::of_file(&self.from), TimeRange::of_file(&self.to))
    }
}

/// A panel. Copies of it, of which there may be hundreds, share what is large.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Panel {
    /// Unique in its dashboard.
    #[serde(deserialize_with = "lenient::whole")]
    pub id: u32,
    /// The title, with variables.
    #[serde(deserialize_with = "lenient::shared_text")]
    pub title: Arc<str>,
    /// Shown behind an `i`.
    #[serde(deserialize_with = "lenient::shared_text")]
    pub description: Arc<str>,
    /// Where it lies.
    pub grid_pos: GridPos,
    /// What is asked.
    pub datasource: Datasource,
    /// Queries.
    #[serde(deserialize_with = "shared")]
    pub targets: Arc<Vec<Target>>,
    /// What it is, with the options of that kind: `type` and `options`.
    #[serde(flatten, deserialize_with = "shared")]
    pub options: Arc<Options>,
    /// How fields are shown.
    #[serde(deserialize_with = "shared")]
    pub field_config: Arc<FieldConfig>,
    /// Applied to the data in this order.
    #[serde(deserialize_with = "shared")]
    pub transformations: Arc<Vec<Transformation>>,
    /// At most that many points.
    #[serde(deserialize_with = "lenient::number")]
    pub max_data_points: Option<f64>,
    /// The least step, such as `15s`; empty: that of the data source.
    #[serde(deserialize_with = "lenient::text")]
    pub interval: String,
    /// Another range than the dashboard's, such as `24h` or `now/d`, up to now.
    #[serde(deserialize_with = "lenient::text")]
    pub time_from: String,
    /// Moves the range into the past, such as `1d` or `1d/d`.
    #[serde(deserialize_with = "lenient::text")]
    pub time_shift: String,
    /// Its head says nothing of them.
    #[serde(deserialize_with = "lenient::flag")]
    pub hide_time_override: bool,
    /// Repeated for each value of this variable.
    #[serde(deserialize_with = "lenient::text")]
    pub repeat: String,
    /// `h` (beside each other) or `v`.
    #[serde(deserialize_with = "lenient::text")]
    pub repeat_direction: String,
    /// How many of the repeated lie beside each other.
    #[serde(deserialize_with = "lenient::some_whole")]
    pub max_per_row: Option<u32>,
    /// No background.
    #[serde(deserialize_with = "lenient::flag")]
    pub transparent: bool,
    /// A copy that Grafana had made of a repeated panel when the dashboard was saved: copies are made anew.
    pub repeat_panel_id: Option<serde::de::IgnoredAny>,
    /// The same of a panel in a repeated row.
    #[serde(deserialize_with = "lenient::flag")]
    pub repeated_by_row: bool,
    /// A row that is closed.
    #[serde(deserialize_with = "lenient::flag")]
    pub collapsed: bool,
    /// The panels of a collapsed row.
    pub panels: Vec<Panel>,
    /// Why it could not be read: the others are shown all the same.
    #[serde(skip)]
    pub broken: Option<String>,
}

/// A query of a panel.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Target {
    /// `A`, `B`, …
    #[serde(deserialize_with = "lenient::text")]
    pub ref_id: String,
    /// PromQL with variables.
    #[serde(deserialize_with = "lenient::text")]
    pub expr: String,
    /// `{{label}}` stands for the label's value; empty or `__auto`: the labels.
    #[serde(deserialize_with = "lenient::text")]
    pub legend_format: String,
    /// An instant query.
    #[serde(deserialize_with = "lenient::flag")]
    pub instant: bool,
    /// A range query; both, if `instant` is true as well.
    #[serde(deserialize_with = "lenient::some_flag")]
    pub range: Option<bool>,
    /// `time_series`, `table` or `heatmap`.
    #[serde(deserialize_with = "lenient::text")]
    pub format: String,
    /// The least step of this query.
    #[serde(deserialize_with = "lenient::text")]
    pub interval: String,
    /// Multiplies the step.
    #[serde(deserialize_with = "lenient::number")]
    pub interval_factor: Option<f64>,
    /// Not asked.
    #[serde(deserialize_with = "lenient::flag")]
    pub hide: bool,
    /// What is asked, if it is not the panel's.
    pub datasource: Datasource,
    /// The panel whose queries are asked, of the data source `-- Dashboard --`.
    #[serde(deserialize_with = "lenient::some_whole")]
    pub panel_id: Option<u32>,
    /// With what transformations make of them there.
    #[serde(deserialize_with = "lenient::flag")]
    pub with_transforms: bool,
}

/// `transformations[]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Transformation {
    /// `organize`, `reduce`, `merge`, …
    pub id: String,
    /// Not applied.
    #[serde(deserialize_with = "lenient::flag")]
    pub disabled: bool,
    /// Which frames it is applied to: a matcher, or nothing for all.
    pub filter: Option<Matcher>,
    /// Options of the transformation.
    pub options: Value,
}

impl Default for TimeDefault {
    fn default() -> Self {
        Self {
            from: "now-6h".to_owned(),
            to: "now".to_owned(),
        }
    }
}

/// What copies of a panel share.
fn shared<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
    T::deserialize(deserializer).map(Arc::new)
}

/// Grafana writes `false` where there is no text.
fn text_or_false<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        _ => String::new(),
    })
}

impl Dashboard {
    /// The dashboard that Grafana exports as `json`, of whichever version.
    ///
    /// # Errors
    /// What of it is none.
    pub fn parse(json: &str) -> Result<Self, DashboardError> {
        // Some editors put a mark of their encoding before it.
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        let (json, mut left_out) = bounds::within(json)?;
        let read = match migrate::is_needed(&json) {
            true => None,
            false => serde_json::from_str(&json).ok(),
        };
        let mut dashboard: Self = match read {
            Some(dashboard) => dashboard,
            None => {
                let mut value: Value = serde_json::from_str(&json).map_err(DashboardError::Json)?;
                left_out.extend(migrate::migrate(&mut value)?);
                let panels = value.as_object_mut().and_then(|fields| fields.remove("panels"));
                if panels
                    .as_ref()
                    .is_some_and(|panels| !panels.is_array() && !panels.is_null())
                {
                    return Err(DashboardError::Panels);
                }
                let dashboard: Self = serde_path_to_error::deserialize(value).map_err(DashboardError::Field)?;
                Self {
                    panels: Panel::read_each(panels.unwrap_or_default()),
                    ..dashboard
                }
            }
        };
        dashboard.left_out = left_out;
        drop_copies(&mut dashboard.panels);
        dashboard.panels.iter_mut().for_each(Panel::name_queries);
        shared::resolve(&mut dashboard.panels);
        Ok(dashboard)
    }
}

/// Drops the copies of repeated panels that are part of what was saved.
fn drop_copies(panels: &mut Vec<Panel>) {
    panels.retain(|panel| panel.repeat_panel_id.is_none() && !panel.repeated_by_row);
    panels.iter_mut().for_each(|row| drop_copies(&mut row.panels));
}

impl Panel {
    /// What it is.
    pub fn kind(&self) -> &PanelKind {
        &self.options.kind
    }

    /// Each panel of a list by itself: one that is broken must not hide the others.
    fn read_each(panels: Value) -> Vec<Self> {
        let Value::Array(panels) = panels else {
            return Vec::new();
        };
        let read = panels.into_iter().map(|mut panel| {
            let inside = panel.as_object_mut().and_then(|fields| fields.remove("panels"));
            let read = serde_path_to_error::deserialize(&panel);
            let panel = read.unwrap_or_else(|error| Self::broken(&panel, &error.to_string()));
            Self {
                panels: Self::read_each(inside.unwrap_or_default()),
                ..panel
            }
        });
        read.collect()
    }

    /// What is left of a panel that cannot be read.
    fn broken(panel: &Value, why: &str) -> Self {
        let text = |name: &str| panel.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let place = panel.get("gridPos").cloned().unwrap_or_default();
        Self {
            id: panel
                .get("id")
                .and_then(Value::as_u64)
                .and_then(|id| u32::try_from(id).ok())
                .unwrap_or_default(),
            options: Arc::new(Options::of(&text("type"), &Value::Null)),
            title: text("title").into(),
            grid_pos: serde_json::from_value(place).unwrap_or_default(),
            broken: Some(format!("this panel is not understood: {why}")),
            ..Self::default()
        }
    }

    /// Gives queries without a name the next letter, as Grafana does: generated dashboards leave names to it.
    fn name_queries(&mut self) {
        let used: Vec<String> = self.targets.iter().map(|target| target.ref_id.clone()).collect();
        let letters = (0..).flat_map(|round: usize| {
            ('A'..='Z').map(move |letter| match round {
                0 => letter.to_string(),
                round => format!("{letter}{round}"),
            })
        });
        let mut free = letters.filter(|letter| !used.contains(letter));
        let targets = Arc::make_mut(&mut self.targets).iter_mut();
        for target in targets.filter(|target| target.ref_id.is_empty()) {
            target.ref_id = free.next().unwrap_or_default();
        }
        self.panels.iter_mut().for_each(Self::name_queries);
    }
}

#[cfg(test)]
mod tests;
