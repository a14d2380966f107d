//! Label sets of Prometheus.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// Labels of a series that are read; a usual series has some ten.
const MAX_LABELS: usize = 64;
/// Bytes of a name, and of a value.
const MAX_BYTES: usize = 1 << 10;

/// The labels of a series, sorted by name. A page has hundreds of label sets, many of them more than once: a set takes two allocations
/// whatever its size, and clones share them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Names and values, concatenated.
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

/// Reads no more than `MAX_LABELS`, and truncates texts above `MAX_BYTES`: a target can expose a million labels.
impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut pairs = Vec::new();
                while pairs.len() < MAX_LABELS {
                    match map.next_key_seed(Bounded)? {
                        Some(name) => pairs.push((name, map.next_value_seed(Bounded)?)),
                        None => return Ok(pairs.into_iter().collect()),
                    }
                }
                while map.next_key::<IgnoredAny>()?.is_some() {
                    map.next_value::<IgnoredAny>()?;
                }
                Ok(pairs.into_iter().collect())
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// Deserializes a text, truncated to [`MAX_BYTES`].
struct Bounded;

impl<'de> DeserializeSeed<'de> for Bounded {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Bounded {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        let mut end = text.len().min(MAX_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (kept, rest) = text.split_at(end);
        Ok(if rest.is_empty() {
            kept.to_owned()
        } else {
            format!("{kept}…")
        })
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
    fn labels_are_bounded() {
        let many: Vec<String> = (0..1000).map(|number| format!("\"l{number}\":\"v\"")).collect();
        let labels: Labels = serde_json::from_str(&format!("{{{}}}", many.join(","))).unwrap();
        assert_eq!(labels.iter().count(), MAX_LABELS);
        let long = "ä".repeat(MAX_BYTES);
        let labels: Labels = serde_json::from_str(&format!("{{\"a\":\"{long}\"}}")).unwrap();
        assert_eq!(labels.get("a").unwrap().len(), MAX_BYTES + "…".len());
    }

    #[test]
    fn no_labels_are_equal_however_they_came_about() {
        let read: Labels = serde_json::from_str("{}").unwrap();
        assert!(read.is_empty() && read == Labels::default());
        assert_eq!(read.names().count(), 0);
    }
}
