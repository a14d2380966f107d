//! What series are called: legends, and display names with the labels of a field.

use super::data::{Field, Frame};
use super::limits;
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
        legend.push_str(labels.get(name.trim()).unwrap_or_default());
        rest = after;
    }
    legend.push_str(rest);
    legend
}

/// The name of a series by the legend of its query, and the query itself where it has no labels. An automatic legend is empty
/// where labels make the name: see [`automatic`].
pub fn of_series(format: &str, labels: &Labels, expression: &str) -> String {
    let name = match format {
        "__auto" if !labels.is_empty() => return String::new(),
        "" | "__auto" => of_labels(labels),
        format => legend(format, labels),
    };
    let name = if name == "{}" { expression.to_owned() } else { name };
    limits::cut(name, limits::NAME)
}

/// Names for the series with an automatic legend: the value of the label if all have but one and the same, else all labels.
pub fn automatic(frames: &mut [Frame]) {
    let single = {
        let fields = frames.iter().flat_map(|frame| &frame.fields);
        let mut names = fields.flat_map(|field| field.labels.names());
        let first = names.next();
        first
            .filter(|first| names.all(|name| name == *first))
            .map(str::to_owned)
    };
    for field in frames.iter_mut().flat_map(|frame| &mut frame.fields) {
        if field.name.is_empty() {
            field.name = single
                .as_ref()
                .and_then(|name| field.labels.get(name))
                .map_or_else(|| of_labels(&field.labels), str::to_owned);
            field.name = limits::cut(std::mem::take(&mut field.name), limits::NAME);
        }
    }
}

/// What `${__field.labels.NAME}` and the like in a display name stand for; `None`: it is another variable.
pub fn of_field(variable: &str, field: &Field, frame: &str) -> Option<String> {
    match variable {
        "__field.name" | "__field.displayName" => Some(field.name.clone()),
        "__series.name" => Some(if frame.is_empty() {
            field.name.clone()
        } else {
            frame.to_owned()
        }),
        "__field.labels" => Some(pairs(&field.labels)),
        _ => {
            let label = variable.strip_prefix("__field.labels")?;
            let label = label.strip_prefix('.').or_else(|| label.strip_prefix('['))?;
            let label = label.trim_end_matches(']').trim_matches(['"', '\'']);
            Some(field.labels.get(label).unwrap_or_default().to_owned())
        }
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

    fn frame(pairs: &[(&str, &str)]) -> Frame {
        let field = Field {
            labels: labels(pairs),
            ..Field::default()
        };
        Frame {
            fields: vec![field],
            ..Frame::default()
        }
    }

    fn automatic_names(mut frames: Vec<Frame>) -> Vec<String> {
        automatic(&mut frames);
        frames
            .into_iter()
            .flat_map(|frame| frame.fields)
            .map(|field| field.name)
            .collect()
    }

    #[test]
    fn automatic_legends_are_as_short_as_they_can_be() {
        assert_eq!(
            automatic_names(vec![frame(&[("job", "a")]), frame(&[("job", "b")])]),
            ["a", "b"]
        );
        assert_eq!(
            automatic_names(vec![frame(&[("job", "a"), ("x", "1")]), frame(&[("job", "b")])]),
            ["{job=\"a\", x=\"1\"}", "{job=\"b\"}"]
        );
    }

    #[test]
    fn display_names_take_labels() {
        let field = Field {
            name: "used".to_owned(),
            labels: labels(&[("device", "sda")]),
            ..Field::default()
        };
        for (variable, value) in [
            ("__field.labels.device", Some("sda")),
            ("__field.labels[\"device\"]", Some("sda")),
            ("__field.labels.none", Some("")),
            ("__field.labels", Some("device=\"sda\"")),
            ("__field.name", Some("used")),
            ("__series.name", Some("used")),
            ("job", None),
        ] {
            assert_eq!(of_field(variable, &field, "").as_deref(), value, "{variable}");
        }
    }
}
