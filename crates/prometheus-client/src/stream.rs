//! Lists in answers, item by item while they are received: how many there are does not matter for memory.

use std::fmt;
use std::io::Read;
use std::marker::PhantomData;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// Gives each item of the list at `path` (names of fields, from the outermost on) to `sink`.
///
/// # Errors
/// It is no such document, or ends early.
pub(crate) fn each<T: DeserializeOwned>(
    reader: impl Read,
    path: &[&'static str],
    sink: &mut dyn FnMut(T),
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_reader(reader);
    At {
        path,
        sink,
        item: PhantomData,
    }
    .deserialize(&mut json)?;
    json.end()
}

struct At<'a, T> {
    path: &'a [&'static str],
    sink: &'a mut dyn FnMut(T),
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for At<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.path {
            [] => deserializer.deserialize_seq(self),
            [_, ..] => deserializer.deserialize_map(self),
        }
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for At<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path {
            [] => f.write_str("a list"),
            [name, ..] => write!(f, "an object with {name:?}"),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element()? {
            (self.sink)(item);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let [name, inner @ ..] = self.path else { return Ok(()) };
        let mut is_found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == *name && !is_found {
                is_found = true;
                map.next_value_seed(At {
                    path: inner,
                    sink: &mut *self.sink,
                    item: PhantomData,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match is_found {
            true => Ok(()),
            false => Err(A::Error::missing_field(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(json: &str) -> Option<Vec<u8>> {
        let mut items = Vec::new();
        each(json.as_bytes(), &["data", "list"], &mut |item| items.push(item))
            .ok()
            .map(|()| items)
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
