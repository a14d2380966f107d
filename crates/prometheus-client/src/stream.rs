//! Parts of answers, read while they are received: how large an answer is does not matter for memory.

use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// Has `seed` read what is at `path` (names of fields, from the outermost on); all else is passed over.
///
/// # Errors
/// It is no such document, or ends early.
pub fn at<'de, S: DeserializeSeed<'de>>(
    reader: impl Read,
    path: &[&'static str],
    seed: S,
) -> serde_json::Result<S::Value> {
    // Without a buffer the deserializer would read each byte on its own.
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(8 << 10, reader));
    let value = At { path, seed }.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

struct At<'a, S> {
    path: &'a [&'static str],
    seed: S,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for At<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let seed = self.seed;
        match self.path {
            [] => seed.deserialize(deserializer),
            [name, path @ ..] => {
                let inner = At { path, seed };
                deserializer.deserialize_map(Field { name, inner })
            }
        }
    }
}

struct Field<'a, S> {
    name: &'static str,
    inner: At<'a, S>,
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Field<'_, S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {:?}", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S::Value, A::Error> {
        let (mut inner, mut value) = (Some(self.inner), None);
        while let Some(key) = map.next_key::<String>()? {
            match inner.take_if(|_| key == self.name) {
                Some(inner) => value = Some(map.next_value_seed(inner)?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        value.ok_or_else(|| A::Error::missing_field(self.name))
    }
}

/// Gives each item of a list to a function.
pub(crate) struct Items<'a, T>(pub(crate) &'a mut dyn FnMut(T));

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Items<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Items<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element()? {
            (self.0)(item);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(json: &str) -> Option<Vec<u8>> {
        let mut items = Vec::new();
        at(json.as_bytes(), &["data", "list"], Items(&mut |item| items.push(item))).ok()?;
        Some(items)
    }

    #[test]
    fn a_list_is_found_wherever_it_stands() {
        assert_eq!(
            items(r#"{"a":[9],"data":{"list":[1,2],"x":{"list":[9]}}}"#),
            Some(vec![1, 2])
        );
        assert_eq!(items(r#"{"data":{"list":[]}}"#), Some(vec![]));
        for odd in [
            "",
            "{}",
            "null",
            "[1]",
            r#"{"data":[1]}"#,
            r#"{"data":{"list":{}}}"#,
            r#"{"data":{"list":[1"#,
            r#"{"data":{"list":["x"]}}"#,
        ] {
            assert_eq!(items(odd), None, "{odd}");
        }
    }
}
