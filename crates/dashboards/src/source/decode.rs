//! Decodes Prometheus' responses while they are received: a response is never in memory as text or as a JSON tree.

mod items;
mod point;

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use edgewatch_grafana_model::limits;
use edgewatch_grafana_model::source::Answer;
use point::Point;

/// Warnings that are shown; there can be one for each of many series.
const MAX_WARNINGS: usize = 3;

/// Bytes of the labels and texts of a response; further items are dropped.
const MAX_TEXT: usize = 512 << 10;

/// A decoded response.
#[derive(Debug)]
pub(crate) struct Decoded<T> {
    /// The data; `None` if there is an error.
    pub(crate) answer: Option<Answer<T>>,
    /// Prometheus' message about a query that it rejects.
    pub(crate) error: Option<String>,
    /// Items above the limit.
    pub(crate) dropped: usize,
}

/// What a person must know of series that are native histograms.
fn histograms(count: usize) -> String {
    format!(
        "{count} series are native histograms, which are not drawn: ask for their histogram_quantile() or histogram_count()"
    )
}

/// Decodes a response of at most `max_items` items; further ones are counted.
///
/// # Errors
/// It is no response of Prometheus, or it ends early.
pub(crate) fn response<T: Item>(
    reader: impl Read,
    context: T::Context,
    max_items: usize,
) -> serde_json::Result<Decoded<T>> {
    // Without a buffer the JSON deserializer would read each byte on its own.
    let reader = std::io::BufReader::with_capacity(8 << 10, reader);
    let mut json = serde_json::Deserializer::from_reader(reader);
    let decoded = (&mut json).deserialize_map(Envelope::<T> { context, max_items })?;
    json.end()?;
    Ok(decoded)
}

/// An item of the list in a response.
pub(crate) trait Item: Sized {
    /// What decoding needs to know.
    type Context: Copy;

    /// Decodes an item.
    ///
    /// # Errors
    /// It has another shape than documented.
    fn read<'de, D: Deserializer<'de>>(deserializer: D, context: Self::Context) -> Result<Self, D::Error>;

    /// Bytes of its labels or of its text.
    fn text_size(&self) -> usize;

    /// True for a native histogram: it has no numbers.
    fn is_histogram(&self) -> bool {
        false
    }

    /// The item for a scalar result, for types that can represent it.
    fn scalar(value: f64) -> Option<Self> {
        let _ = value;
        None
    }
}

/// `{"status": …, "data": …, "error": …, "warnings": […]}`
struct Envelope<T: Item> {
    context: T::Context,
    max_items: usize,
}

impl<'de, T: Item> Visitor<'de> for Envelope<T> {
    type Value = Decoded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of Prometheus")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decoded<T>, A::Error> {
        let mut list = None;
        let (mut status, mut error, mut notes) = (String::new(), None, Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "status" => status = map.next_value()?,
                "error" => error = Some(limits::cut(map.next_value()?, limits::PROBLEM)),
                "data" => list = map.next_value_seed(DataSeed::<T>(self.context, self.max_items))?,
                "warnings" => {
                    notes = map.next_value_seed(ListSeed::<String>((), MAX_WARNINGS))?.items;
                    notes = notes
                        .into_iter()
                        .map(|note| limits::cut(note, limits::PROBLEM))
                        .collect();
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match (status.as_str(), list, error) {
            ("success", Some(list), _) => {
                if list.histograms > 0 {
                    notes.push(histograms(list.histograms));
                }
                Ok(Decoded {
                    answer: Some(Answer {
                        items: list.items,
                        notes,
                    }),
                    error: None,
                    dropped: list.dropped,
                })
            }
            ("error", _, Some(error)) => Ok(Decoded {
                answer: None,
                error: Some(error),
                dropped: 0,
            }),
            _ => Err(A::Error::custom("neither data nor an error")),
        }
    }
}

struct List<T> {
    items: Vec<T>,
    dropped: usize,
    histograms: usize,
}

/// A list, or `{"resultType": …, "result": list}`. A scalar is a list of one sample without labels.
struct DataSeed<T: Item>(T::Context, usize);

impl<'de, T: Item> DeserializeSeed<'de> for DataSeed<T> {
    type Value = Option<List<T>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Item> Visitor<'de> for DataSeed<T> {
    type Value = Option<List<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of results")
    }

    /// Some servers write an empty list as null.
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        let items = Vec::new();
        Ok(Some(List {
            items,
            dropped: 0,
            histograms: 0,
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
        ListSeed::<T>(self.0, self.1).visit_seq(sequence).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut kind, mut list) = (String::new(), None);
        while let Some(key) = map.next_key::<String>()? {
            match (key.as_str(), kind.as_str()) {
                ("resultType", _) => kind = map.next_value()?,
                ("result", "matrix" | "vector") => list = map.next_value_seed(DataSeed::<T>(self.0, self.1))?,
                ("result", "scalar") => {
                    list = T::scalar(map.next_value::<Point>()?.value).map(|item| List {
                        items: vec![item],
                        dropped: 0,
                        histograms: 0,
                    });
                }
                ("result", kind) => return Err(A::Error::custom(format!("a result of the type {kind:?}"))),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(list)
    }
}

/// A list of at most so many items.
struct ListSeed<T: Item>(T::Context, usize);

impl<'de, T: Item> DeserializeSeed<'de> for ListSeed<T> {
    type Value = List<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Item> Visitor<'de> for ListSeed<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut list = List {
            items: Vec::new(),
            dropped: 0,
            histograms: 0,
        };
        let mut bytes_left = MAX_TEXT;
        loop {
            if list.items.len() >= self.1 || bytes_left == 0 {
                if sequence.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(list);
                }
                list.dropped += 1;
            } else {
                match sequence.next_element_seed(ItemSeed::<T>(self.0))? {
                    Some(item) if item.is_histogram() => list.histograms += 1,
                    Some(item) if item.text_size() <= bytes_left => {
                        bytes_left -= item.text_size();
                        list.items.push(item);
                    }
                    Some(_) => {
                        bytes_left = 0;
                        list.dropped += 1;
                    }
                    None => return Ok(list),
                }
            }
        }
    }
}

struct ItemSeed<T: Item>(T::Context);

impl<'de, T: Item> DeserializeSeed<'de> for ItemSeed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer, self.0)
    }
}

#[cfg(test)]
mod tests;
