//! How fields are shown: `fieldConfig`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::pattern::Lazy;
use super::super::time::Zone;
use super::lenient;

/// `fieldConfig`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct FieldConfig {
    /// For every field.
    pub defaults: FieldOptions,
    /// For some, in this order.
    pub overrides: Vec<Override>,
}

/// How a field is shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FieldOptions {
    /// Grafana's id of a unit; empty: a plain number.
    #[serde(deserialize_with = "lenient::text")]
    pub unit: String,
    /// Digits behind the point; `None`: as many as Grafana would choose.
    #[serde(deserialize_with = "lenient::number")]
    pub decimals: Option<f64>,
    /// The least value of axes and gauges.
    #[serde(deserialize_with = "lenient::number")]
    pub min: Option<f64>,
    /// The greatest value of axes and gauges.
    #[serde(deserialize_with = "lenient::number")]
    pub max: Option<f64>,
    /// A name in place of the legend's, with `${__field.labels.NAME}` and the like.
    #[serde(deserialize_with = "lenient::some_text")]
    pub display_name: Option<String>,
    /// Text where there is no value.
    #[serde(deserialize_with = "lenient::some_text")]
    pub no_value: Option<String>,
    /// How its colour is found.
    pub color: ColorMode,
    /// Limits with colours.
    pub thresholds: Thresholds,
    /// Values with a text of their own. Fields whose other options differ share them.
    #[serde(deserialize_with = "super::shared")]
    pub mappings: Arc<Vec<Mapping>>,
    /// Where its cells lead to. Fields whose other options differ share them.
    #[serde(deserialize_with = "lenient::shared_list")]
    pub links: Arc<Vec<DataLink>>,
    /// Options of the panel's kind as they are written, since overrides change them: [`super::super::panel`] reads them.
    pub custom: Map<String, Value>,
    /// Each field has a range of its own, where `min` and `max` are missing; else all fields of a panel share one.
    #[serde(deserialize_with = "lenient::flag")]
    pub field_min_max: bool,
    /// The least and the greatest value of the data, for thresholds in percent and for colours between two: evaluation finds it.
    #[serde(skip)]
    pub range: Option<(f64, f64)>,
    /// The zone of dates: evaluation puts it in; `None`: the device's.
    #[serde(skip)]
    pub zone: Option<Zone>,
    /// A column of times that span less than a minute: evaluation finds it.
    #[serde(skip)]
    pub shows_milliseconds: bool,
}

impl FieldOptions {
    /// Digits behind the point, if the dashboard says how many.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to what can be shown"
    )]
    pub fn digits(&self) -> Option<u8> {
        self.decimals.map(|digits| digits.clamp(0.0, 20.0) as u8)
    }

    /// The least and the greatest value: those of the dashboard, else of the data, else 0 and 100.
    pub fn bounds(&self) -> (f64, f64) {
        let (least, greatest) = self.range.unwrap_or((0.0, 100.0));
        (self.min.unwrap_or(least), self.max.unwrap_or(greatest))
    }
}

/// `links[]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct DataLink {
    /// What it says, with variables.
    #[serde(deserialize_with = "lenient::text")]
    pub title: String,
    /// Where it leads to, with variables: `${__value.raw}`, `${__data.fields.NAME}`, `${__url_time_range}` and the dashboard's.
    #[serde(deserialize_with = "lenient::text")]
    pub url: String,
    /// In a tab of its own.
    #[serde(deserialize_with = "lenient::flag")]
    pub target_blank: bool,
}

/// `color`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "camelCase")]
pub struct ColorMode {
    /// `palette-classic`, `fixed`, `thresholds`, `shades`, `continuous-…`; empty: that of the panel's kind, which evaluation puts in.
    #[serde(deserialize_with = "lenient::text")]
    pub mode: String,
    /// For `fixed` and `shades`: a name of Grafana's (`dark-red`) or a CSS colour.
    #[serde(deserialize_with = "lenient::some_text")]
    pub fixed_color: Option<String>,
    /// Which value of a series decides: `last`, `min`, `max`.
    pub series_by: Option<String>,
}

/// `thresholds`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default)]
pub struct Thresholds {
    /// Whether steps are in percent from `min` to `max`.
    pub mode: ThresholdMode,
    /// In ascending order; the first has no value and stands for all below the second.
    pub steps: Vec<Step>,
}

/// `thresholds.mode`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdMode {
    /// Values.
    #[default]
    Absolute,
    /// Percent of the way from `min` to `max`.
    Percentage,
}

/// A step of thresholds.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Step {
    /// From here up; `None`: from below.
    #[serde(default, deserialize_with = "lenient::number")]
    pub value: Option<f64>,
    /// A name of Grafana's or a CSS colour.
    pub color: String,
}

/// `mappings`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "type", content = "options", rename_all = "lowercase")]
pub enum Mapping {
    /// A value as text, and what stands for it.
    Value(BTreeMap<String, MappingResult>),
    /// From and to, both included; `None` is without end.
    Range {
        /// The least value.
        #[serde(default, deserialize_with = "lenient::number")]
        from: Option<f64>,
        /// The greatest value.
        #[serde(default, deserialize_with = "lenient::number")]
        to: Option<f64>,
        /// What stands for it.
        result: MappingResult,
    },
    /// A regular expression, which may have slashes around it.
    Regex {
        /// The expression.
        pattern: Lazy,
        /// What stands for it; `$1` in its text is what the first group matched.
        result: MappingResult,
    },
    /// `true`, `false`, `null`, `nan`, `null+nan`, `empty`.
    Special {
        /// Which of them.
        r#match: String,
        /// What stands for it.
        result: MappingResult,
    },
}

/// What stands for a mapped value.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct MappingResult {
    /// The text.
    #[serde(deserialize_with = "lenient::some_text")]
    pub text: Option<String>,
    /// The colour.
    #[serde(deserialize_with = "lenient::some_text")]
    pub color: Option<String>,
    /// Its place among the legend's entries.
    #[serde(deserialize_with = "lenient::some_whole")]
    pub index: Option<u32>,
}

/// `overrides[]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Override {
    /// Which fields.
    pub matcher: Matcher,
    /// What is changed.
    pub properties: Vec<Property>,
}

/// `matcher`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Matcher {
    /// `byName`, `byRegexp`, `byType`, `byFrameRefID`, `byNames`, …
    pub id: String,
    /// What it is to match.
    pub options: Value,
    /// For what: `series` (and so is nothing), `annotation`, `nested`.
    pub scope: String,
}

/// `properties[]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Property {
    /// `unit`, `custom.lineWidth`, …
    pub id: String,
    /// The new value.
    pub value: Value,
}

impl Default for Thresholds {
    fn default() -> Self {
        let step = |value, color: &str| Step {
            value,
            color: color.to_owned(),
        };
        Self {
            mode: ThresholdMode::Absolute,
            steps: vec![step(None, "green"), step(Some(80.0), "red")],
        }
    }
}
