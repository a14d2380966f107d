//! Prometheus' answers (<https://prometheus.io/docs/prometheus/latest/querying/api/#range-vectors>), decoded while they are received.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Extent;
use crate::encode::{Label, Sample};
use crate::window::Window;
use edgewatch_outbound::failure::Failure;
use edgewatch_prometheus_client::stream;

/// Samples of one series that are given on at once.
const MAX_SAMPLES: usize = 1024;
/// Bytes of the labels of a series. Prometheus has no limit of its own; no centre takes so many.
const MAX_LABELS: usize = 32 << 10;

/// Takes the samples of a series, or a part of them.
pub(crate) type Sink<'a> = dyn FnMut(&[Label], &[Sample]) -> Result<(), Failure> + 'a;

/// Why an answer was not read to its end.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// It is none, or ended early.
    Answer(serde_json::Error),
    /// What was read could not be used.
    Sink(Failure),
}

/// The state while an answer is read.
struct State<'a> {
    window: Window,
    sink: &'a mut Sink<'a>,
    failure: Option<Failure>,
    /// Of the current series; `None` before they came, or if they are too large.
    labels: Option<Vec<Label>>,
    samples: Vec<Sample>,
    extent: Extent,
}

impl State<'_> {
    /// Gives on what was collected of the current series.
    fn flush<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let count = self.samples.len() as u64;
        match &self.labels {
            Some(_) if count == 0 => {}
            Some(labels) => {
                if let Err(failure) = (self.sink)(labels, &self.samples) {
                    self.failure = Some(failure);
                    return Err(E::custom("the reader gave up"));
                }
                self.extent.samples += count;
            }
            None => self.extent.unusable += count,
        }
        self.samples.clear();
        Ok(())
    }
}

/// Reads the answer to a range selector.
///
/// # Errors
/// It is no such answer, it ends early, or the sink fails.
pub(crate) fn matrix<'a>(reader: impl Read, window: Window, sink: &'a mut Sink<'a>) -> Result<Extent, DecodeError> {
    let mut state = State {
        window,
        sink,
        failure: None,
        labels: None,
        samples: Vec::new(),
        extent: Extent::default(),
    };
    let read = stream::at(reader, &["data", "result"], List(&mut state));
    match (read, state.failure) {
        (Ok(()), _) => Ok(state.extent),
        (Err(_), Some(failure)) => Err(DecodeError::Sink(failure)),
        (Err(error), None) => Err(DecodeError::Answer(error)),
    }
}

/// Whether the list in an answer has an item.
///
/// # Errors
/// It is no such answer, or ends before that can be told.
pub(crate) fn is_not_empty(reader: impl Read) -> serde_json::Result<bool> {
    let mut found = false;
    let read = stream::at(reader, &["data"], First(&mut found));
    // The first item ends the reading.
    if found { Ok(true) } else { read.map(|()| false) }
}

struct First<'a>(&'a mut bool);

impl<'de> DeserializeSeed<'de> for First<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for First<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        match list.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => {
                *self.0 = true;
                Err(A::Error::custom("enough"))
            }
        }
    }
}

struct List<'s, 'a>(&'s mut State<'a>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Series(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct Series<'s, 'a>(&'s mut State<'a>);

impl<'de> DeserializeSeed<'de> for Series<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Series<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut has_labels = false;
        self.0.labels = None;
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "metric" => {
                    self.0.labels = map.next_value::<Labels>()?.0;
                    has_labels = true;
                }
                // A series that is given on before its name is known would be another one.
                "values" if !has_labels => return Err(A::Error::custom("values before their labels")),
                "values" => map.next_value_seed(Values(&mut *self.0))?,
                // Histograms of the native kind among others, which remote_write 1.0 has another message for.
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        self.0.flush()
    }
}

struct Values<'s, 'a>(&'s mut State<'a>);

impl<'de> DeserializeSeed<'de> for Values<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some((time, Number(value))) = list.next_element::<(f64, Number)>()? {
            // Milliseconds are exact in a double for the next hundred thousand years.
            let timestamp = (time * 1000.0).round() as i64;
            // Prometheus before 3.0 gives the sample at the left end as well.
            if timestamp <= self.0.window.after || timestamp > self.0.window.until {
                continue;
            }
            self.0.samples.push(Sample { value, timestamp });
            if self.0.samples.len() == MAX_SAMPLES {
                self.0.flush()?;
            }
        }
        Ok(())
    }
}

/// A number in a text, since JSON knows neither NaN nor infinity.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Labels; `None` if they are too large, and then they are not kept.
struct Labels(Option<Vec<Label>>);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let (mut labels, mut size) = (Vec::new(), 0);
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    size += name.len() + value.len();
                    match size <= MAX_LABELS {
                        true => labels.push(Label { name, value }),
                        false => labels.clear(),
                    }
                }
                Ok(Labels((size <= MAX_LABELS).then_some(labels)))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests;
