//! The samples of a text exposition
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::collections::BTreeMap;

use edgewatch_program::error::CommandFailure;

/// One line of an exposition.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Name of the metric.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Sample {
    /// The value of a label; empty if there is none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// A whole exposition.
#[derive(Clone, Debug, Default)]
pub struct Samples(pub Vec<Sample>);

impl Samples {
    /// Reads an exposition.
    ///
    /// # Errors
    /// The first line that does not follow the format.
    pub fn parse(text: &str) -> Result<Self, CommandFailure> {
        let lines = text.lines().map(str::trim).enumerate();
        lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| {
                sample(line).ok_or_else(|| CommandFailure(format!("line {}: not a sample: {line}", number + 1)))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The samples of a metric.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }

    /// The value of the first sample of a metric that has these labels, and perhaps others.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.all(name)
            .find(|sample| labels.iter().all(|(name, value)| sample.label(name) == *value))
            .map(|sample| sample.value)
    }
}

/// `name{label="value",…} value [timestamp]`
fn sample(line: &str) -> Option<Sample> {
    let name_end = line.find(['{', ' ', '\t'])?;
    let (name, mut rest) = line.split_at(name_end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside.trim_start();
        while !rest.starts_with('}') {
            let (label, quoted) = rest.split_once('=')?;
            let (value, after) = unquote(quoted.trim_start().strip_prefix('"')?)?;
            labels.insert(label.trim().to_owned(), value);
            let after = after.trim_start();
            rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        }
        rest = &rest[1..];
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    let name = name.to_owned();
    (!name.is_empty()).then_some(Sample { name, labels, value })
}

/// The text up to the closing quote, unescaped, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()?.1 {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_line_is_read() {
        let samples = Samples::parse(
            "# HELP a Some \"help\".\n# TYPE a gauge\na 1\n\nb{} -2.5e-3 1700000000000\n\
             c{x=\"1\", y=\"a\\\\b\\\"c\\nd},=\",} +Inf\nc{x=\"2\"} NaN\n",
        )
        .unwrap();
        assert_eq!(samples.value("a", &[]), Some(1.0));
        assert_eq!(samples.value("b", &[]), Some(-0.0025));
        assert_eq!(samples.value("c", &[("x", "1")]), Some(f64::INFINITY));
        assert_eq!(samples.all("c").next().unwrap().label("y"), "a\\b\"c\nd},=");
        assert!(samples.value("c", &[("x", "2")]).unwrap().is_nan());
        assert_eq!(samples.value("c", &[("x", "3")]), None);
    }

    #[test]
    fn other_lines_are_refused_by_number() {
        for odd in [
            "a",
            "a b",
            "{} 1",
            "a{x} 1",
            "a{x=1} 1",
            "a{x=\"1} 1",
            "a{x=\"1\" 1",
            "a{x=\"\\",
            "a{",
            "<html>",
        ] {
            let error = Samples::parse(&format!("ok 1\n{odd}\n")).unwrap_err().to_string();
            assert!(error.starts_with("line 2: "), "{odd}: {error}");
        }
    }
}
