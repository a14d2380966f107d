//! What is known of an alert.

use std::collections::BTreeMap;

use edgewatch_prometheus_client::labels::Labels;

/// Bytes of all labels of an alert; one with more is counted, and not told by itself.
pub const MAX_LABELS: usize = 2 << 10;
/// Bytes of each of its texts.
const MAX_TEXT: usize = 1 << 10;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For the record.
    Info,
    /// Look at it today; so is what our rules have no word for.
    Warning,
    /// Data is lost or about to be.
    Critical,
}

impl Severity {
    /// From the label `severity`. Rules of others have other words for it.
    pub fn of(text: &str) -> Self {
        match text {
            "critical" | "page" | "error" | "emergency" | "disaster" => Self::Critical,
            "info" | "none" | "debug" | "notice" => Self::Info,
            _ => Self::Warning,
        }
    }

    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What a rule says of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// What is wrong, in a line.
    pub summary: String,
    /// With the values.
    pub description: String,
    /// What to do.
    pub remedy: String,
}

impl Words {
    /// Of annotations. Without a summary it is the name of the alert.
    pub fn new(annotation: impl Fn(&str) -> Option<String>, labels: &Labels) -> Self {
        let text = |names: &[&str]| {
            let found = names
                .iter()
                .find_map(|name| annotation(name).filter(|text| !text.is_empty()));
            bounded(found.unwrap_or_default())
        };
        let mut words = Self {
            summary: text(&["summary", "title"]),
            description: text(&["description", "message"]),
            remedy: text(&["remedy", "runbook_url", "runbook"]),
        };
        if words.summary.is_empty() {
            words.summary = labels.get("alertname").unwrap_or("an alert without a name").to_owned();
        }
        words
    }
}

/// At most [`MAX_TEXT`] bytes, in one line.
fn bounded(text: String) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, MAX_TEXT).to_owned()
}

/// As much of a text as fits into `max` bytes.
pub fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The hash by which Prometheus and Alertmanager tell label sets apart: FNV-1a of 64 bits over names and values, each with a byte 0xFF behind
/// it (`model.LabelSet.Fingerprint` of prometheus/common).
pub fn fingerprint<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    let bytes = labels.flat_map(|(name, value)| {
        let with_end = |text: &'a str| text.bytes().chain([0xff]);
        with_end(name).chain(with_end(value))
    });
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Which alerts are meant: those that have all of these labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher(BTreeMap<String, String>);

impl Matcher {
    /// `label=value`, or several separated by commas.
    pub fn parse(text: &str) -> Option<Self> {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            is_name.then(|| (name.to_owned(), value.to_owned()))
        };
        text.split(',').map(pair).collect::<Option<_>>().map(Self)
    }

    /// Whether it means an alert with these labels. One that it lacks is as good as empty.
    pub fn matches(&self, labels: &Labels) -> bool {
        let has = |(name, value): (&String, &String)| labels.get(name).unwrap_or_default() == value;
        self.0.iter().all(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_sets_have_the_fingerprints_of_prometheus() {
        // model.LabelSet{}.Fingerprint(), and the two of prometheus/common's model/labelset_test.go and signature_test.go.
        assert_eq!(fingerprint([].into_iter()), 14_695_981_039_346_656_037);
        let labels = [("fear", "love is not enough"), ("name", "garland, briggs")];
        assert_eq!(fingerprint(labels.into_iter()), 5_799_056_148_416_392_346);
    }

    #[test]
    fn a_silence_means_alerts_that_have_all_its_labels() {
        let labels: Labels = [("alertname", "CpuSpike"), ("severity", "info")].into_iter().collect();
        for (text, matches) in [
            ("severity=info", Some(true)),
            ("severity=\"info\" , alertname=CpuSpike", Some(true)),
            ("severity=info,alertname=Other", Some(false)),
            ("unit=", Some(true)),
            ("unit=x", Some(false)),
            ("", None),
            ("severity", None),
            ("a-b=c", None),
            ("severity=info,", None),
        ] {
            assert_eq!(
                Matcher::parse(text).map(|matcher| matcher.matches(&labels)),
                matches,
                "{text}"
            );
        }
    }

    #[test]
    fn words_fall_back_to_what_there_is_and_are_bounded() {
        let labels: Labels = [("alertname", "X")].into_iter().collect();
        assert_eq!(Words::new(|_| None, &labels).summary, "X");
        let long = Words::new(|name| Some(format!("{name}\n{}", "ä".repeat(5000))), &labels);
        assert!(long.summary.starts_with("summary ä") && long.summary.len() <= MAX_TEXT);
        let page = Words::new(|name| (name == "runbook_url").then(|| "https://x".to_owned()), &labels);
        assert_eq!(page.remedy, "https://x");
    }
}
