//! Label sets of Prometheus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

/// The labels of a series, sorted by name. A page holds hundreds of them, many more than once: they take two allocations however
/// many labels there are, and copies share them.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "BTreeMap<String, String>")]
pub struct Labels {
    /// Name and value of each, one behind the other.
    text: Arc<str>,
    /// Where the name of each ends in `text`, and where its value does.
    ends: Arc<[(usize, usize)]>,
}

impl Labels {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |&(middle, end)| {
            let name = std::mem::replace(&mut start, end);
            (&self.text[name..middle], &self.text[middle..end])
        })
    }

    /// Names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(other, value)| (other == name).then_some(value))
    }

    /// The same labels and one more, or with another value for one of them.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let others = self.iter().filter(|(other, _)| *other != name);
        others.chain([(name, value)]).collect()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes in memory, without those of the allocator.
    pub fn size(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }
}

/// Of labels with the same name the first is kept.
impl<T: AsRef<str>> FromIterator<(T, T)> for Labels {
    fn from_iter<I: IntoIterator<Item = (T, T)>>(pairs: I) -> Self {
        let mut pairs: Vec<(T, T)> = pairs.into_iter().collect();
        pairs.sort_by(|one, other| one.0.as_ref().cmp(other.0.as_ref()));
        pairs.dedup_by(|one, other| one.0.as_ref() == other.0.as_ref());
        let mut text = String::new();
        let mut end_of = |part: &T| {
            text.push_str(part.as_ref());
            text.len()
        };
        let ends = pairs
            .iter()
            .map(|(name, value)| (end_of(name), end_of(value)))
            .collect();
        Self {
            text: text.into(),
            ends,
        }
    }
}

impl From<BTreeMap<String, String>> for Labels {
    fn from(pairs: BTreeMap<String, String>) -> Self {
        pairs.into_iter().collect()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_as_prometheus_wrote_them() {
        let json = r#"{"job":"a\"b","__name__":"up","empty":"","größe":"ü\u0000"}"#;
        let labels: Labels = serde_json::from_str(json).unwrap();
        let pairs: Vec<_> = labels.iter().collect();
        assert_eq!(
            pairs,
            [("__name__", "up"), ("empty", ""), ("größe", "ü\0"), ("job", "a\"b")]
        );
        assert_eq!((labels.get("job"), labels.get("jo")), (Some("a\"b"), None));
        let changed = labels.with("job", "c").with("z", "");
        assert_eq!((changed.get("job"), changed.iter().count()), (Some("c"), 5));
        assert!(serde_json::from_str::<Labels>(r#"{"job":1}"#).is_err());
    }

    #[test]
    fn no_labels_are_equal_however_they_came_about() {
        let read: Labels = serde_json::from_str("{}").unwrap();
        assert!(read.is_empty() && read == Labels::default());
        assert_eq!(read.names().count(), 0);
    }
}
