//! The text format 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>), read.

use std::collections::HashMap;

use thiserror::Error;

use crate::collectors::names;
use crate::reading::{Labels, MAX_LABEL_NAME, MAX_LABELS, Metric, MetricKind, Recorder};

/// A value.
#[derive(Debug)]
pub struct Sample {
    pub metric: &'static Metric,
    pub labels: Labels,
    pub value: f64,
}

impl Sample {
    /// Records it, with this value.
    pub fn record(&self, value: f64, recorder: &mut Recorder) {
        let labels: Vec<_> = self
            .labels
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        recorder.push(self.metric, &labels, value);
    }
}

/// Why a file cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ParseError {
    #[error("line {0} is not NAME{{LABELS}} VALUE")]
    Line(usize),
    #[error("line {0} has a time of its own, which Prometheus would not take")]
    Timestamp(usize),
    #[error("line {0} has a name that belongs to edgewatch")]
    ForbiddenName(usize),
    #[error("line {0} has one name more than the service keeps")]
    TooManyNames(usize),
    #[error("line {0} has more than {MAX_LABELS} labels")]
    TooManyLabels(usize),
    #[error("line {0} has a label whose name is longer than {MAX_LABEL_NAME} bytes")]
    LabelName(usize),
}

/// Every sample of the text, whose names must be allowed.
pub fn parse(text: &str, is_allowed: impl Fn(&str) -> bool) -> Result<Vec<Sample>, ParseError> {
    let mut kinds: HashMap<&str, MetricKind> = HashMap::new();
    let mut helps: HashMap<&str, &str> = HashMap::new();
    let mut samples = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.trim_start().splitn(3, [' ', '\t']);
            match (words.next(), words.next(), words.next()) {
                (Some("TYPE"), Some(name), Some(kind)) => drop(kinds.insert(name, kind_of(kind.trim()))),
                (Some("HELP"), Some(name), Some(help)) => drop(helps.insert(name, help.trim())),
                _ => {}
            }
        } else if !line.is_empty() {
            let sample = sample(number, line, &kinds, &helps, &is_allowed)?;
            samples.push(sample);
        }
    }
    Ok(samples)
}

/// Histograms and summaries are exported as the series that they are made of, whose names have a suffix: without a type.
fn kind_of(text: &str) -> MetricKind {
    match text {
        "gauge" => MetricKind::Gauge,
        "counter" => MetricKind::Counter,
        _ => MetricKind::Untyped,
    }
}

fn sample(
    number: usize,
    line: &str,
    kinds: &HashMap<&str, MetricKind>,
    helps: &HashMap<&str, &str>,
    is_allowed: impl Fn(&str) -> bool,
) -> Result<Sample, ParseError> {
    let end = line.find(|c: char| !names::is_of_metric(c)).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if !names::is_metric(name) {
        return Err(ParseError::Line(number));
    }
    if !is_allowed(name) {
        return Err(ParseError::ForbiddenName(number));
    }
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(rest) => labels(number, rest)?,
        None => (Labels::new(), rest),
    };
    let mut words = rest.split_ascii_whitespace();
    let value = words.next().and_then(value).ok_or(ParseError::Line(number))?;
    match (words.next(), words.next()) {
        (None, _) => {}
        (Some(time), None) if time.parse::<i64>().is_ok() => return Err(ParseError::Timestamp(number)),
        _ => return Err(ParseError::Line(number)),
    }
    let kind = kinds.get(name).copied().unwrap_or(MetricKind::Untyped);
    let help = helps.get(name).copied().unwrap_or("Read from a file.");
    let metric = names::metric(name, kind, help).ok_or(ParseError::TooManyNames(number))?;
    Ok(Sample { metric, labels, value })
}

/// Numbers of the format: those of Go, of which Rust's parser takes all but hexadecimal ones. What is not finite is refused later.
fn value(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// `a="x",b="y"} rest`, where a value has escapes for the quote, the backslash and the new line.
fn labels(number: usize, text: &str) -> Result<(Labels, &str), ParseError> {
    let malformed = || ParseError::Line(number);
    let mut labels = Labels::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, after) = rest.split_once('=').ok_or_else(malformed)?;
        let name = name.trim();
        let after = after
            .trim_start()
            .strip_prefix('"')
            .filter(|_| names::is_label(name))
            .ok_or_else(malformed)?;
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().ok_or_else(malformed)? {
                (end, '"') => break end,
                (_, '\\') => match characters.next().ok_or_else(malformed)?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        if labels.iter().any(|(other, _)| *other == name) {
            return Err(malformed());
        }
        if labels.len() == MAX_LABELS {
            return Err(ParseError::TooManyLabels(number));
        }
        if name.len() > MAX_LABEL_NAME {
            return Err(ParseError::LabelName(number));
        }
        labels.push((names::label(name).ok_or(ParseError::TooManyNames(number))?, value));
        rest = after[end + 1..].trim_start();
        rest = rest.strip_prefix(',').map_or(rest, str::trim_start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Result<Vec<String>, ParseError> {
        let samples = parse(text, |name| !names::is_own(name))?;
        let line = |sample: &Sample| {
            format!(
                "{} {:?} {:?} {}",
                sample.metric.name, sample.metric.kind, sample.labels, sample.value
            )
        };
        Ok(samples.iter().map(line).collect())
    }

    #[test]
    fn every_form_of_a_sample_is_read() {
        let text = "# a comment\n# HELP a_total What.\n# TYPE a_total counter\na_total 1\n\n\
            b { x = \"1\" , y=\"a\\\"b\\\\c\\n\", } -2.5e3\nc{} +Inf\n\
            # TYPE d histogram\nd_bucket{le=\"+Inf\"} 3\nd_sum 4\n";
        assert_eq!(
            lines(text).unwrap(),
            [
                "a_total Counter [] 1",
                "b Untyped [(\"x\", \"1\"), (\"y\", \"a\\\"b\\\\c\\n\")] -2500",
                "c Untyped [] inf",
                "d_bucket Untyped [(\"le\", \"+Inf\")] 3",
                "d_sum Untyped [] 4",
            ]
        );
    }

    #[test]
    fn what_is_not_the_format_names_its_line() {
        for bad in [
            "x",
            "1x 2",
            "x{a=\"1\" 2",
            "x{a=1} 2",
            "x{a=\"1\",a=\"2\"} 2",
            "x 1 2 3",
            "x nope",
            "x{=\"1\"} 2",
            "x{1a=\"1\"} 2",
            "x{__name__=\"y\"} 2",
            "x{a=\"\\",
        ] {
            assert_eq!(lines(&format!("ok 1\n{bad}\n")), Err(ParseError::Line(2)), "{bad}");
        }
        assert_eq!(lines("x 1 1760000000000\n"), Err(ParseError::Timestamp(1)));
        assert_eq!(lines("edge_build_info 1\n"), Err(ParseError::ForbiddenName(1)));
    }

    /// One series beyond a limit of the shipped scrape fails it for all.
    #[test]
    fn a_file_cannot_exceed_what_the_scrape_takes() {
        let series = |count: usize, name: &str| {
            let labels: Vec<_> = (0..count).map(|number| format!("{name}{number:02}=\"1\"")).collect();
            lines(&format!("x{{{}}} 1\n", labels.join(",")))
        };
        let long = "n".repeat(MAX_LABEL_NAME - 2);
        assert!(series(MAX_LABELS, "n").is_ok() && series(1, &long).is_ok());
        assert_eq!(series(MAX_LABELS + 1, "n"), Err(ParseError::TooManyLabels(1)));
        assert_eq!(series(1, &(long + "n")), Err(ParseError::LabelName(1)));
    }

    #[test]
    fn whatever_text_ends_with_samples_or_an_error() {
        let seed = "a_total{x=\"1\",y=\"a\\\"b\"} 1.5e3\n# TYPE b gauge\nb 2\n".as_bytes();
        let mut state = 16_u64;
        for _ in 0..20_000 {
            let mut bytes = seed.to_vec();
            for _ in 0..3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let position = (state >> 33) as usize % bytes.len();
                bytes[position] = (state >> 24) as u8;
            }
            let _ = parse(&String::from_utf8_lossy(&bytes), |_| true);
        }
    }
}
