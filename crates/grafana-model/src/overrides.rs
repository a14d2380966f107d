//! How each field is shown: the panel's defaults, changed by the overrides that match it.

mod matcher;
mod property;
mod series;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::data::{Field, Frame, Values};
use super::limits::{self, note};
use super::model::{FieldOptions, Mapping, Panel, Property};
use super::panel::PanelKind;
use super::scope::Scope;
use super::variables::format::Place;
use super::variables::template;
use super::{display, names};
pub(crate) use matcher::{Match, is_match, matcher};
use matcher::{bound_matchers, matchers};
use property::set;
pub use property::set_custom;
use series::colors;
pub use series::series_color;

/// Puts the options into every field of `frames`, with names, colours and the range of all. What is not supported is added to
/// `problems`.
pub fn apply(panel: &Panel, frames: &mut [Frame], scope: &Scope, problems: &mut Vec<String>) {
    let defaults = defaults(panel, scope);
    names::resolve(frames);
    let mut matchers = matchers(&panel.field_config, problems);
    bound_matchers(&mut matchers, frames, problems);
    let mut options = Options {
        matchers,
        weight: weight(&defaults),
        plain: Arc::new(defaults),
        known: HashMap::new(),
        left: limits::OPTIONS,
    };
    for frame in &mut *frames {
        if let Some(why) = scope.deadline.over() {
            note(problems, why);
            break;
        }
        let frame_name = names::of_frame(frame);
        let own_names: Vec<String> = frame.fields.iter().map(|field| field.name.clone()).collect();
        if let Some(name) = options.plain.display_name.clone() {
            for field in frame.fields.iter_mut().filter(|field| field.renamed.is_none()) {
                rename(field, &name, &frame_name, scope);
            }
        }
        let kinds: Vec<Kind> = frame.fields.iter().map(|field| options.kind_of(field, frame)).collect();
        for ((field, kind), own_name) in frame.fields.iter_mut().zip(kinds).zip(own_names) {
            let is_named = kind.is_named_by_override;
            field.options = options.of(kind, &field.config, problems);
            if is_named {
                let name = field.options.display_name.clone().unwrap_or_default();
                (field.renamed, field.name) = match shown_name(&name, field, &frame_name, scope) {
                    name if name.is_empty() => (None, own_name),
                    name => (Some(name.clone()), name),
                };
            }
        }
    }
    drop(options);
    ranges(frames, problems);
    colors(frames);
    bound_mappings(frames, problems);
}

/// How a panel shows that there is nothing.
pub fn nothing(panel: &Panel, scope: &Scope) -> Field {
    let field = Field {
        options: Arc::new(defaults(panel, scope)),
        ..Field::new("", Values::default())
    };
    Field {
        color: series_color(&field, 0),
        ..field
    }
}

/// The options of every field of a panel.
fn defaults(panel: &Panel, scope: &Scope) -> FieldOptions {
    let mut defaults = panel.field_config.defaults.clone();
    if defaults.color.mode.is_empty() {
        default_mode(panel.kind()).clone_into(&mut defaults.color.mode);
    }
    if let (Some(min), Some(max)) = (defaults.min, defaults.max)
        && min > max
    {
        (defaults.min, defaults.max) = (Some(max), Some(min));
    }
    defaults.zone = Some(scope.zone.clone());
    // Expressions are compiled in a copy, which all fields share.
    defaults.mappings = Arc::new(defaults.mappings.to_vec());
    defaults
}

/// Gives a field a name of the dashboard, unless nothing is left of that.
fn rename(field: &mut Field, name: &str, frame: &str, scope: &Scope) {
    let name = shown_name(name, field, frame, scope);
    if !name.is_empty() {
        field.name.clone_from(&name);
        field.renamed = Some(name);
    }
}

/// A name of the dashboard with what stands for its variables.
fn shown_name(name: &str, field: &Field, frame: &str, scope: &Scope) -> String {
    let name = template::expand(name, |reference| {
        names::of_field(&reference, field, frame).or_else(|| scope.value(reference, Place::Plain))
    });
    limits::cut(name, limits::NAME)
}

/// What the options of a field depend on.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Kind {
    /// The numbers of the overrides that match.
    matches: Vec<usize>,
    /// An override gives it a name.
    is_named_by_override: bool,
    /// A column of numbers: others have neither digits nor ends but by overrides.
    is_numbers: bool,
    /// The unit that a transformation gives it.
    unit: &'static str,
    /// What a transformation sets of its options.
    config: Vec<String>,
    /// A column of times within a minute.
    shows_milliseconds: bool,
}

/// The options of fields. Those of one kind share them: there may be hundreds of either.
struct Options<'c> {
    matchers: Vec<(Match, &'c [Property])>,
    /// The panel's defaults.
    plain: Arc<FieldOptions>,
    /// Bytes of them.
    weight: usize,
    known: HashMap<Kind, Arc<FieldOptions>>,
    /// Bytes that further ones may take.
    left: usize,
}

impl Options<'_> {
    fn kind_of(&self, field: &Field, frame: &Frame) -> Kind {
        let matches = self.matchers.iter().enumerate();
        let matches = matches.filter(|(_, (matcher, _))| is_match(matcher, field, &field.name, frame));
        let matches: Vec<usize> = matches.map(|(number, _)| number).collect();
        let names = matches.iter().filter_map(|number| self.matchers.get(*number));
        let mut properties = names.flat_map(|(_, properties)| *properties);
        Kind {
            is_named_by_override: field
                .config
                .iter()
                .chain(properties.by_ref())
                .any(|property| property.id == "displayName"),
            is_numbers: field.values.is_numbers(),
            unit: field.unit,
            config: field
                .config
                .iter()
                .map(|property| format!("{}={}", property.id, property.value))
                .collect(),
            shows_milliseconds: display::is_within_a_minute(&field.values),
            matches,
        }
    }

    fn of(&mut self, mut kind: Kind, config: &[Property], problems: &mut Vec<String>) -> Arc<FieldOptions> {
        let plain = Kind {
            is_numbers: true,
            ..Kind::default()
        };
        if kind == plain {
            return Arc::clone(&self.plain);
        }
        let properties = |kind: &Kind| {
            let matchers = kind.matches.iter().filter_map(|number| self.matchers.get(*number));
            matchers.flat_map(|(_, properties)| *properties).collect::<Vec<_>>()
        };
        if !self.known.contains_key(&kind) {
            let changes: usize = config
                .iter()
                .chain(properties(&kind))
                .collect::<Vec<_>>()
                .iter()
                .map(|property| size(&property.value))
                .sum();
            match self.left.checked_sub(self.weight + changes) {
                Some(left) => self.left = left,
                None => {
                    let most = limits::OPTIONS >> 20;
                    let problem =
                        format!("some overrides are left out: the fields have more than {most} MiB of options");
                    note(problems, problem);
                    kind.matches.clear();
                }
            }
        }
        if let Some(known) = self.known.get(&kind) {
            return Arc::clone(known);
        }
        let mut options = FieldOptions::clone(&self.plain);
        options.shows_milliseconds = kind.shows_milliseconds;
        if !kind.unit.is_empty() {
            kind.unit.clone_into(&mut options.unit);
        }
        if !kind.is_numbers {
            (options.decimals, options.min, options.max, options.field_min_max) = (None, None, None, false);
        }
        for property in config.iter().chain(properties(&kind)) {
            set(&mut options, property, problems);
        }
        let options = Arc::new(options);
        self.known.insert(kind, Arc::clone(&options));
        options
    }
}

/// Bytes of a value in memory, roughly.
fn size(value: &Value) -> usize {
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(fields) => size_of_members(fields.iter()),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inner
}

/// A node of a tree holds up to eleven members, at least about six if there are more, and takes as much for one.
fn size_of_members<'v>(members: impl ExactSizeIterator<Item = (&'v String, &'v Value)>) -> usize {
    let nodes = members.len().div_ceil(6) * 11 * (size_of::<String>() + size_of::<Value>());
    nodes + members.map(|(name, value)| name.len() + size(value)).sum::<usize>()
}

/// Bytes of options in memory, roughly, without mappings, which are shared.
fn weight(options: &FieldOptions) -> usize {
    let steps: usize = options.thresholds.steps.iter().map(|step| 50 + step.color.len()).sum();
    let custom = size_of_members(options.custom.iter());
    let texts = [&options.display_name, &options.no_value]
        .into_iter()
        .flatten()
        .map(String::len);
    size_of::<FieldOptions>() + options.unit.len() + steps + custom + texts.sum::<usize>()
}

/// Leaves out the value mappings by regular expression if to try them all on every text would take too long.
fn bound_mappings(frames: &mut [Frame], problems: &mut Vec<String>) {
    let is_pattern = |mapping: &&Mapping| matches!(mapping, Mapping::Regex { .. });
    let cost = |field: &Field| match &field.values {
        Values::Texts(texts) => {
            let patterns = field.options.mappings.iter().filter(is_pattern).count();
            patterns.saturating_mul(texts.iter().flatten().map(String::len).sum())
        }
        Values::Times(_) | Values::Numbers(_) | Values::Booleans(_) => 0,
    };
    let fields = || frames.iter().flat_map(|frame| &frame.fields);
    if fields().map(cost).fold(0, usize::saturating_add) <= limits::MATCHING {
        return;
    }
    for field in frames.iter_mut().flat_map(|frame| &mut frame.fields) {
        if cost(field) > 0 {
            let kept = field
                .options
                .mappings
                .iter()
                .filter(|mapping| !is_pattern(mapping))
                .cloned();
            let kept = Arc::new(kept.collect());
            Arc::make_mut(&mut field.options).mappings = kept;
        }
    }
    note(
        problems,
        "value mappings by regular expression are left out: there is too much text to try them on".to_owned(),
    );
}

/// What of the overrides of `panel` is not supported, for people.
pub fn check(panel: &Panel) -> Vec<String> {
    let mut problems = Vec::new();
    for (_, properties) in matchers(&panel.field_config, &mut problems) {
        let mut options = FieldOptions::default();
        properties
            .iter()
            .for_each(|property| set(&mut options, property, &mut problems));
    }
    problems
}

/// Grafana's colour mode of a kind of panel.
const fn default_mode(kind: &PanelKind) -> &'static str {
    match kind {
        PanelKind::Timeseries(_) | PanelKind::BarChart(_) | PanelKind::PieChart(_) | PanelKind::Histogram(_) => {
            "palette-classic"
        }
        PanelKind::StateTimeline(_) => "continuous-GrYlRd",
        PanelKind::Stat(_)
        | PanelKind::Gauge(_)
        | PanelKind::BarGauge(_)
        | PanelKind::Table(_)
        | PanelKind::Heatmap(_)
        | PanelKind::StatusHistory(_)
        | PanelKind::AlertList(_)
        | PanelKind::DashList
        | PanelKind::Text(_)
        | PanelKind::Row
        | PanelKind::Unknown(_) => "thresholds",
    }
}

/// The least and the greatest value of all fields, or of one, where the dashboard does not say them.
fn ranges(frames: &mut [Frame], problems: &mut Vec<String>) {
    let of = |numbers: &[f64]| {
        let finite = numbers.iter().copied().filter(|value| value.is_finite());
        finite.fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((min, max)) => Some((value.min(min), value.max(max))),
        })
    };
    let own: Vec<Option<(f64, f64)>> = frames
        .iter()
        .flat_map(Frame::numbers)
        .map(|(_, numbers)| of(numbers))
        .collect();
    let all = own
        .iter()
        .flatten()
        .copied()
        .reduce(|(min, max), (least, greatest)| (least.min(min), greatest.max(max)));
    let numbers = frames.iter_mut().flat_map(|frame| &mut frame.fields);
    let mut numbers: Vec<_> = numbers
        .filter(|field| matches!(field.values, Values::Numbers(_)))
        .collect();
    let alone = numbers.iter().filter(|field| field.options.field_min_max);
    let is_too_much = alone.map(|field| weight(&field.options)).sum::<usize>() > limits::OPTIONS;
    if is_too_much {
        note(
            problems,
            "the fields share a range: there are too many for one each".to_owned(),
        );
    }
    // The range of all is that of the first field that needs one: a field that says both ends passes them on, as in Grafana.
    let mut global = None;
    // Fields that share their options go on sharing them: before and with the range, by the address before.
    let mut shared: HashMap<*const FieldOptions, (Arc<FieldOptions>, Arc<FieldOptions>)> = HashMap::new();
    for (field, own) in numbers.iter_mut().zip(own) {
        let said = field.options.min.zip(field.options.max);
        let range = match said {
            Some(both) => {
                global.get_or_insert(Some(both));
                Some(both)
            }
            None if field.options.field_min_max && !is_too_much => {
                Arc::make_mut(&mut field.options).range = own;
                continue;
            }
            None => *global.get_or_insert(all),
        };
        let (_, after) = shared.entry(Arc::as_ptr(&field.options)).or_insert_with(|| {
            let after = FieldOptions {
                range,
                ..FieldOptions::clone(&field.options)
            };
            (Arc::clone(&field.options), Arc::new(after))
        });
        field.options = Arc::clone(after);
    }
}

#[cfg(test)]
mod tests;
