//! What series are called: legends, and display names with the labels of a field.

use super::data::{Field, Frame, Values};
use super::limits;
use super::variables::template::Reference;
use edgewatch_prometheus_client::labels::Labels;

/// `name{a="b", c="d"}`, as Grafana writes it where no legend is given.
pub fn of_labels(labels: &Labels) -> String {
    let name = labels.get("__name__").unwrap_or_default();
    let pairs = pairs(labels);
    if pairs.is_empty() && !name.is_empty() {
        return name.to_owned();
    }
    format!("{name}{{{pairs}}}")
}

/// With the metric's name among them.
fn all_pairs(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{name}=\"{value}\""));
    pairs.collect::<Vec<_>>().join(", ")
}

fn pairs(labels: &Labels) -> String {
    let pairs = labels.iter().filter(|(name, _)| *name != "__name__");
    pairs
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// `format` with `{{label}}` replaced by the label's value, or by nothing if there is none.
pub fn legend(format: &str, labels: &Labels) -> String {
    let mut legend = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, inside)) = rest.split_once("{{") {
        if legend.len() > limits::NAME {
            return legend;
        }
        legend.push_str(before);
        let Some((name, after)) = inside.split_once("}}") else {
            legend.push_str("{{");
            rest = inside;
            break;
        };
        // Between the braces something has to stand, if only a space.
        legend.push_str(if name.is_empty() {
            "{{}}"
        } else {
            labels.get(name.trim()).unwrap_or_default()
        });
        rest = after;
    }
    legend.push_str(rest);
    legend
}

/// The name that a query gives a series by its legend, and the query itself where it has no labels. Empty: there is none, and its
/// labels make one beside the other series.
pub fn of_series(format: &str, labels: &Labels, expression: &str) -> String {
    let name = match format {
        "__auto" if !labels.is_empty() => return String::new(),
        "" | "__auto" => of_labels(labels),
        format => legend(format, labels),
    };
    let name = if name == "{}" { expression.to_owned() } else { name };
    limits::cut(name, limits::NAME)
}

/// Names the series of those queries whose legend is automatic by the labels that differ among them. Those without a metric's name
/// need none: their labels make one as always.
pub fn automatic(frames: &mut [Frame], is_automatic: impl Fn(&str) -> bool) {
    let naming = Naming {
        frames_differ: false,
        ..Naming::of(frames)
    };
    let mut queries: Vec<String> = frames.iter().map(|frame| frame.ref_id.clone()).collect();
    queries.sort();
    queries.dedup();
    for query in queries.iter().filter(|query| is_automatic(query)) {
        let of_query = |frame: &&Frame| frame.ref_id == *query;
        let is_metric = |field: &&Field| field.labels.get("__name__").is_some();
        let common = match frames.iter().filter(of_query).count() {
            0 | 1 => Labels::default(),
            _ => {
                let fields = frames.iter().filter(of_query).flat_map(|frame| &frame.fields);
                let mut sets = fields.filter(is_metric).map(|field| field.labels.clone());
                let first = sets.next().unwrap_or_default();
                sets.fold(first, |common, labels| {
                    let same = common.iter().filter(|(name, value)| labels.get(name) == Some(*value));
                    same.collect()
                })
            }
        };
        for frame in frames.iter_mut().filter(|frame| frame.ref_id == *query) {
            for field in frame.fields.iter_mut().filter(|field| is_metric(&&**field)) {
                let differing = field.labels.iter().filter(|(name, _)| common.get(name).is_none());
                let value = Field {
                    labels: differing.collect(),
                    legend: None,
                    ..Field::new(VALUE, Values::default())
                };
                field.legend = Some(naming.name(&value, &Frame::default()));
            }
        }
    }
}

/// What the name of a field depends on beside the field and its frame: the other frames.
#[derive(Debug, Default)]
pub struct Naming {
    /// Frames have names that differ.
    frames_differ: bool,
    /// All labels have this one name.
    single_label: Option<String>,
}

/// Grafana's name for the values of a series without a name.
const VALUE: &str = "Value";

impl Naming {
    /// Among all of a panel.
    pub fn of(frames: &[Frame]) -> Self {
        let mut pairs = frames.iter().zip(frames.iter().skip(1));
        Self {
            frames_differ: pairs.any(|(one, other)| one.name != other.name),
            single_label: single_label(frames),
        }
    }

    /// Of one frame by itself.
    pub fn alone(frame: &Frame) -> Self {
        Self {
            frames_differ: false,
            single_label: single_label(std::slice::from_ref(frame)),
        }
    }

    /// The name of a field of `frame` as people read it.
    pub fn name(&self, field: &Field, frame: &Frame) -> String {
        let chosen = [&field.renamed, &field.legend];
        if let Some(name) = chosen.into_iter().flatten().find(|name| !name.is_empty()) {
            return name.clone();
        }
        if field.values.is_times() && !field.has_labels() {
            return field.source.clone();
        }
        let of_frame = (!frame.name.is_empty()).then(|| frame.name.clone());
        let mut parts: Vec<String> = of_frame.clone().filter(|_| self.frames_differ).into_iter().collect();
        if !field.source.is_empty() && field.source != VALUE {
            parts.push(field.source.clone());
        }
        let of_labels = match &self.single_label {
            Some(label) => field.labels.get(label).map(str::to_owned),
            None => Some(braces(&field.labels)),
        };
        let of_labels = of_labels.filter(|text| !text.is_empty());
        if of_labels.is_none() && !self.frames_differ && field.source == VALUE {
            parts.extend(of_frame);
        }
        parts.extend(of_labels);
        let name = parts.join(" ");
        let name = if name.is_empty() { VALUE.to_owned() } else { name };
        limits::cut(
            if name == field.source {
                numbered(field, frame)
            } else {
                name
            },
            limits::NAME,
        )
    }
}

/// The name of the label that all fields have, if none of them has another.
fn single_label(frames: &[Frame]) -> Option<String> {
    let fields = frames.iter().flat_map(|frame| &frame.fields);
    let mut names = fields.flat_map(|field| field.labels.names());
    let first = names.next()?;
    names.all(|name| name == first).then(|| first.to_owned())
}

/// `{a="b", c="d"}`; empty without labels.
fn braces(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", pairs.join(", "))
    }
}

/// Columns of a frame that have the same name are numbered: `Time 1`, `Time 2`.
fn numbered(field: &Field, frame: &Frame) -> String {
    let same = || frame.fields.iter().filter(|other| other.source == field.source);
    match same().position(|other| std::ptr::eq(other, field)) {
        Some(place) if same().nth(1).is_some() => format!("{} {}", field.source, place + 1),
        _ => field.source.clone(),
    }
}

/// What a frame is called: by its own name, by that of its only column of values, or by its query.
pub fn of_frame(frame: &Frame) -> String {
    let mut values = frame.fields.iter().filter(|field| !field.values.is_times());
    match (values.next(), values.next()) {
        _ if !frame.name.is_empty() => frame.name.clone(),
        (Some(only), None) => Naming::alone(frame).name(only, frame),
        _ => format!("Series ({})", frame.ref_id),
    }
}

/// Gives each field its name as people read it.
pub fn resolve(frames: &mut [Frame]) {
    let naming = Naming::of(frames);
    for frame in frames {
        let names: Vec<String> = frame.fields.iter().map(|field| naming.name(field, frame)).collect();
        for (field, name) in frame.fields.iter_mut().zip(names) {
            field.name = name;
        }
    }
}

/// What `${__field.labels.NAME}` and the like in a display name stand for; `None`: it is another variable.
pub fn of_field(reference: &Reference<'_>, field: &Field, series: &str) -> Option<String> {
    match (reference.name, reference.path) {
        ("__field", "name") => Some(field.source.clone()),
        ("__field", "" | "displayName") => Some(field.name.clone()),
        ("__series", "name") => Some(series.to_owned()),
        ("__field", path) => {
            let label = path.strip_prefix("labels")?;
            let label = match label.strip_prefix('.').or_else(|| label.strip_prefix('[')) {
                None => return label.is_empty().then(|| all_pairs(&field.labels)),
                Some(label) => label.trim_end_matches(']').trim_matches(['"', '\'']),
            };
            Some(field.labels.get(label).unwrap_or_default().to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::labels;
    use super::*;

    #[test]
    fn legends_take_labels() {
        let labels = labels(&[("chip", "cpu"), ("sensor", "temp1")]);
        assert_eq!(legend("{{chip}} {{ sensor }} max", &labels), "cpu temp1 max");
        assert_eq!(legend("{{nothing}}!", &labels), "!");
        assert_eq!(legend("{{chip", &labels), "{{chip");
        assert_eq!(legend("plain", &labels), "plain");
    }

    #[test]
    fn a_series_without_legend_is_named_by_its_labels() {
        let all = labels(&[("__name__", "up"), ("job", "a\"b")]);
        assert_eq!(of_series("", &all, "up"), "up{job=\"a\\\"b\"}");
        assert_eq!(of_series("", &labels(&[]), "sum(up)"), "sum(up)");
        assert_eq!(of_series("__auto", &labels(&[]), "sum(up)"), "sum(up)");
        assert_eq!(of_series("", &labels(&[("__name__", "up")]), "up"), "up");
    }

    /// The names of series with these labels, if their legend is automatic.
    fn automatic_names(series: &[&[(&str, &str)]]) -> Vec<String> {
        let frame = |pairs: &&[(&str, &str)]| {
            let labels = labels(pairs);
            let field = Field {
                legend: Some(of_series("__auto", &labels, "up")),
                labels: labels.clone(),
                ..Field::new(labels.get("__name__").unwrap_or(VALUE), Values::default())
            };
            Frame {
                fields: vec![field],
                ..Frame::default()
            }
        };
        let mut frames: Vec<Frame> = series.iter().map(frame).collect();
        automatic(&mut frames, |_| true);
        resolve(&mut frames);
        let fields = frames.into_iter().flat_map(|frame| frame.fields);
        fields.map(|field| field.name).collect()
    }

    #[test]
    fn automatic_legends_have_the_labels_that_differ() {
        assert_eq!(automatic_names(&[&[("job", "a")], &[("job", "b")]]), ["a", "b"]);
        let both = [("job", "a"), ("x", "1")];
        assert_eq!(
            automatic_names(&[&both, &[("job", "b")]]),
            ["{job=\"a\", x=\"1\"}", "{job=\"b\"}"]
        );
        let up = |job| [("__name__", "up"), ("job", job)];
        assert_eq!(automatic_names(&[&up("a"), &up("b")]), ["{job=\"a\"}", "{job=\"b\"}"]);
        assert_eq!(automatic_names(&[&up("a")]), ["{__name__=\"up\", job=\"a\"}"]);
    }

    #[test]
    fn display_names_take_labels() {
        let field = Field {
            labels: labels(&[("device", "sda")]),
            ..Field::new("used", Values::default())
        };
        for (name, path, value) in [
            ("__field", "labels.device", Some("sda")),
            ("__field", "labels[\"device\"]", Some("sda")),
            ("__field", "labels.none", Some("")),
            ("__field", "labels", Some("device=\"sda\"")),
            ("__field", "name", Some("used")),
            ("__series", "name", Some("disk")),
            ("job", "", None),
        ] {
            let reference = Reference { name, path, format: "" };
            assert_eq!(of_field(&reference, &field, "disk").as_deref(), value, "{name} {path}");
        }
    }
}
