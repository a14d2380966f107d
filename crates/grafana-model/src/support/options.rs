//! The options of panels and fields that Grafana knows, and which values of them are drawn.

use serde_json::Value;

use super::super::limits;
use super::super::model::Panel;

/// Whatever it is, it is drawn, or changes nothing of what is seen.
const ANY: Option<&str> = Some("*");
/// An object, of which only those members count that are known themselves.
const OBJECT: Option<&str> = Some("{}");

/// The values of an option of a panel, with spaces between them. `None`: it is not known.
// Matches and not tables, since a table of texts would be relocated when the service starts: memory that nobody uses.
fn of_panels(kind: &str, path: &str) -> Option<&'static str> {
    match (kind, path) {
        ("timeseries", "orientation") => Some("horizontal"),
        (_, "tooltip" | "annotations" | "reduceOptions" | "text" | "orientation") if kind != "text" => ANY,
        (_, "legend") => OBJECT,
        (_, "legend/displayMode") => Some("list table hidden"),
        (_, "legend/placement") => Some("bottom right"),
        ("timeseries", "alertThreshold" | "dataLinks" | "timeCompare") => ANY,
        ("stat", "textMode") => Some("auto value value_and_name name none"),
        ("stat", "colorMode") => Some("none value background background_solid"),
        ("stat", "graphMode") => Some("none area line"),
        ("stat", "justifyMode" | "wideLayout" | "percentChangeColorMode") => ANY,
        ("stat", "showPercentChange") => Some("false"),
        ("gauge", "showThresholdLabels" | "showThresholdMarkers" | "minVizHeight" | "minVizWidth" | "sizing") => ANY,
        ("gauge", "barShape" | "barWidthFactor" | "effects" | "endpointMarker" | "glow" | "neutral" | "shape") => ANY,
        ("gauge", "segmentCount" | "segmentSpacing" | "sparkline" | "textMode") => ANY,
        ("bargauge", "displayMode") => Some("basic gradient lcd"),
        ("bargauge", "valueMode") => Some("color text hidden"),
        ("bargauge", "namePlacement") => Some("auto top left hidden"),
        ("bargauge", "showUnfilled" | "maxVizHeight" | "minVizHeight" | "minVizWidth" | "sizing") => ANY,
        ("table", "showHeader" | "cellHeight" | "sortBy" | "frameIndex" | "enablePagination" | "showTypeIcons") => ANY,
        ("table", "frozenColumns" | "maxRowHeight" | "disableKeyboardEvents" | "fieldNameNormalization") => ANY,
        ("table", "footer") => OBJECT,
        ("table", "footer/show") => Some("false"),
        ("state-timeline", "alignValue") => Some("left center right"),
        ("state-timeline", "showValue") => Some("auto always never"),
        ("state-timeline", "mergeValues" | "rowHeight" | "perPage") => ANY,
        ("heatmap", "calculate" | "calculation" | "cellGap" | "cellRadius" | "cellValues" | "color" | "exemplars") => {
            ANY
        }
        ("heatmap", "filterValues" | "rowsFrame" | "showValue" | "yAxis" | "selectionMode") => ANY,
        ("text", "content" | "code") => ANY,
        ("text", "mode") => Some("markdown html code"),
        _ => None,
    }
}

/// The same of the fields of a panel: `fieldConfig.defaults.custom`.
fn of_fields(kind: &str, path: &str) -> Option<&'static str> {
    match (kind, path) {
        (_, "hideFrom" | "neutral") => ANY,
        ("timeseries", "drawStyle") => Some("line bars points"),
        ("timeseries", "lineInterpolation") => Some("linear smooth stepBefore stepAfter"),
        ("timeseries", "lineStyle" | "stacking" | "thresholdsStyle" | "scaleDistribution") => OBJECT,
        ("timeseries", "lineStyle/fill") => Some("solid dash dot"),
        ("timeseries", "stacking/mode") => Some("none normal percent"),
        ("timeseries", "thresholdsStyle/mode") => Some("off line dashed area line+area dashed+area"),
        ("timeseries", "scaleDistribution/type") => Some("linear log"),
        ("timeseries", "gradientMode") => Some("none opacity hue"),
        ("timeseries", "showPoints") => Some("auto always never"),
        ("timeseries", "transform") => Some("negative-Y"),
        ("timeseries", "axisPlacement") => Some("auto left right hidden"),
        ("timeseries" | "state-timeline", "insertNulls") => Some("false"),
        ("timeseries", "showValues") => Some("false"),
        // Whatever it names: areas end at the zero line here.
        ("timeseries", "fillBelowTo") => Some("-"),
        ("timeseries", "pointSize" | "axisLabel" | "axisColorMode" | "axisBorderShow") => ANY,
        ("timeseries", "axisCenteredZero" | "axisGridShow" | "axisSoftMin" | "axisSoftMax" | "axisWidth") => ANY,
        ("timeseries", "barAlignment" | "barMaxWidth" | "barWidthFactor") => ANY,
        ("timeseries" | "state-timeline", "lineWidth" | "fillOpacity" | "spanNulls") => ANY,
        ("state-timeline", "axisPlacement") => ANY,
        ("table", "align") => Some("auto left center right"),
        ("table", "cellOptions") => OBJECT,
        ("table", "cellOptions/type" | "displayMode") => {
            Some("auto color-text color-background color-background-solid gauge lcd-gauge gradient-gauge basic")
        }
        ("table", "width" | "minWidth" | "hidden" | "filterable" | "inspect" | "wrapText" | "wrapHeaderText") => ANY,
        ("table", "footer") => OBJECT,
        ("table", "footer/reducers") => Some("[]"),
        ("heatmap", "scaleDistribution") => ANY,
        _ => None,
    }
}

/// What is wrong with an option.
enum Wrong {
    Value(String),
    Unknown(String),
}

fn wrong(kind: &str, known: fn(&str, &str) -> Option<&'static str>, path: &str, value: &Value, found: &mut Vec<Wrong>) {
    match known(kind, path) {
        None => found.push(Wrong::Unknown(path.to_owned())),
        Some("*") => {}
        Some("{}") => {
            for (name, value) in value.as_object().into_iter().flatten() {
                let path = format!("{path}/{name}");
                if known(kind, &path).is_some() {
                    wrong(kind, known, &path, value, found);
                }
            }
        }
        Some(allowed) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_said = !value.is_null() && !text.is_empty();
            if is_said && !allowed.split(' ').any(|word| word == text) {
                found.push(Wrong::Value(format!("{path} cannot be {text:?}")));
            }
        }
    }
}

fn all_wrong(panel: &Panel) -> Vec<Wrong> {
    let mut found = Vec::new();
    let kind = panel.kind.as_str();
    for (name, value) in panel.options.as_object().into_iter().flatten() {
        wrong(kind, of_panels, name, value, &mut found);
    }
    for (name, value) in &panel.field_config.defaults.custom {
        wrong(kind, of_fields, name, value, &mut found);
    }
    for property in panel
        .field_config
        .overrides
        .iter()
        .flat_map(|change| &change.properties)
    {
        if let Some(name) = property.id.strip_prefix("custom.") {
            match name.split_once('.') {
                Some((outer, _)) if of_fields(kind, outer) == ANY => {}
                _ => wrong(kind, of_fields, &name.replace('.', "/"), &property.value, &mut found),
            }
        }
    }
    found
}

/// Options of `panel` and its fields with values that are not drawn, for people.
pub fn unsupported(panel: &Panel) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for wrong in all_wrong(panel) {
        if let Wrong::Value(problem) = wrong {
            limits::note(&mut found, problem);
        }
    }
    found
}

/// Options of `panel` and its fields that nobody here has heard of, for people.
pub fn unknown(panel: &Panel) -> Vec<String> {
    if !super::PANELS.contains(&panel.kind.as_str()) {
        return Vec::new();
    }
    let unknown = all_wrong(panel).into_iter().filter_map(|wrong| match wrong {
        Wrong::Unknown(path) => Some(format!("the option {path} is not known")),
        Wrong::Value(_) => None,
    });
    unknown.collect()
}
