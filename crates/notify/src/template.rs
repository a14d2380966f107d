//! The words of an alert that has ended: its rule still has the template, but Prometheus no longer has what it stood for.

use edgewatch_prometheus_client::labels::Labels;

/// A template of Prometheus (<https://prometheus.io/docs/prometheus/latest/configuration/template_reference/>) with the labels filled in,
/// and with what depends on whether there is a label. What else it computes, such as the value, is not known any more and becomes `…`. `None`
/// if which words there are depends on more than that.
pub fn fill(template: &str, labels: &Labels) -> Option<String> {
    let filler = Filler { labels };
    match filler.fill(template, None)? {
        (text, Limit::Text, _) => Some(text),
        (_, Limit::Else | Limit::End, _) => None,
    }
}

/// With what a part of a template ends.
enum Limit {
    Text,
    Else,
    End,
}

struct Filler<'a> {
    labels: &'a Labels,
}

impl Filler<'_> {
    /// The text up to the `else` or `end` that belongs to an outer part, and what follows. `dot` is what `.` stands for.
    fn fill<'t>(&self, template: &'t str, dot: Option<&str>) -> Option<(String, Limit, &'t str)> {
        let (mut text, mut rest) = (String::new(), template);
        while let Some((before, action)) = rest.split_once("{{") {
            let (action, after) = action.split_once("}}")?;
            // With a - they take the space beside them with them.
            let (before, action) = match action.strip_prefix('-') {
                Some(action) => (before.trim_end(), action),
                None => (before, action),
            };
            let (after, action) = match action.strip_suffix('-') {
                Some(action) => (after.trim_start(), action),
                None => (after, action),
            };
            text.push_str(before);
            rest = after;
            let action = action.trim();
            match action.split(char::is_whitespace).next().unwrap_or_default() {
                "end" => return Some((text, Limit::End, rest)),
                "else" if action == "else" => return Some((text, Limit::Else, rest)),
                "if" => rest = self.branch(&action["if".len()..], dot, rest, &mut text)?,
                "with" => rest = self.branch(&action["with".len()..], None, rest, &mut text)?,
                "else" | "range" | "define" | "template" | "block" => return None,
                "." => text.push_str(dot.unwrap_or("…")),
                _ => text.push_str(self.label(action).unwrap_or("…")),
            }
        }
        text.push_str(rest);
        Some((text, Limit::Text, ""))
    }

    /// Appends the part that holds, and gives what follows the other one. Without a `dot` it is the label itself.
    fn branch<'t>(&self, condition: &str, dot: Option<&str>, rest: &'t str, text: &mut String) -> Option<&'t str> {
        let value = self.label(condition.trim())?;
        let (then, end, rest) = self.fill(rest, dot.or(Some(value)))?;
        let (other, rest) = match end {
            Limit::End => (String::new(), rest),
            Limit::Else => match self.fill(rest, dot)? {
                (other, Limit::End, rest) => (other, rest),
                (_, Limit::Text | Limit::Else, _) => return None,
            },
            Limit::Text => return None,
        };
        text.push_str(if value.is_empty() { &other } else { &then });
        Some(rest)
    }

    /// The value of the label that an action stands for; empty if the alert has none of that name.
    fn label(&self, action: &str) -> Option<&str> {
        let name = action
            .strip_prefix("$labels.")
            .or_else(|| action.strip_prefix(".Labels."))?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| self.labels.get(name).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_filled_in_and_what_is_not_known_any_more_is_left_open() {
        let labels = [("unit", "prometheus"), ("job", "")].into_iter().collect();
        for (template, text) in [
            ("no template", Some("no template")),
            (
                "The budget of {{ $labels.unit }} is used up",
                Some("The budget of prometheus is used up"),
            ),
            (
                "{{.Labels.unit}}{{$labels.job}}{{ $labels.other }}!",
                Some("prometheus!"),
            ),
            (
                "{{ $value | humanize }} reads of {{ $labels.unit }}",
                Some("… reads of prometheus"),
            ),
            ("a {{- $labels.unit -}} b", Some("aprometheusb")),
            ("a {{ if $labels.unit }}x{{- else }}y{{ end }} b", Some("a x b")),
            ("a {{ if $labels.other }}x{{ end }} b", Some("a  b")),
            (
                "{{ with $labels.unit }}the {{ . }}{{ else }}none{{ end }}",
                Some("the prometheus"),
            ),
            (
                "{{ with $labels.job }}the {{ . }}{{ else }}no {{ $labels.unit }}{{ end }}!",
                Some("no prometheus!"),
            ),
            (
                "{{ if $labels.unit }}{{ if $labels.job }}a{{ else }}b{{ end }}{{ else }}c{{ end }}",
                Some("b"),
            ),
            ("{{ if gt $value 1.0 }}x{{ end }}", None),
            ("{{ if $labels.unit }}x", None),
            ("{{ end }}", None),
            ("{{ else }}", None),
            ("{{ range query \"up\" }}x{{end}}", None),
            ("open {{ $labels.unit", None),
        ] {
            assert_eq!(fill(template, &labels).as_deref(), text, "{template}");
        }
    }

    /// Of what was missed, a person learns as much as of what is told in time.
    #[test]
    fn every_summary_and_remedy_that_is_shipped_can_be_filled_in() {
        let rules = include_str!("../../../prometheus/rules/alerts.yml");
        let everything: Labels = rules
            .split("$labels.")
            .skip(1)
            .map(|rest| {
                rest.split(|character: char| !character.is_alphanumeric() && character != '_')
                    .next()
            })
            .map(|name| (name.unwrap(), "x"))
            .collect();
        let mut count = 0;
        for key in ["summary:", "remedy:"] {
            for part in rules.split(key).skip(1) {
                // Until the next key of as much indentation or less.
                let value: Vec<&str> = part
                    .lines()
                    .enumerate()
                    .take_while(|(number, line)| *number == 0 || line.starts_with("            "))
                    .map(|(_, line)| line)
                    .collect();
                let text = fill(&value.join(" "), &everything);
                assert!(text.is_some_and(|text| !text.contains('…')), "{value:?}");
                count += 1;
            }
        }
        assert!(count > 90, "{count}");
    }
}
