//! Bounds of a dashboard's JSON, applied before anything is made of it: what is counted here costs nothing, what becomes a panel
//! or a tree of values costs a hundred times its text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::error::DashboardError;
use super::super::limits;

/// Panels, with those in rows. What is repeated is counted when it is laid out.
const MAX_PANELS: usize = 600;
/// Elements of a list, members of an object, that have no bound of their own.
const MAX_OTHERS: usize = 1000;

/// What a list of that name may hold: how many, and what they are for people.
fn bound(name: &str) -> (usize, &'static str) {
    match name {
        "panels" | "rows" | "elements" | "__elements" => (MAX_PANELS, "panels of a dashboard"),
        "targets" | "queries" => (50, "queries of a panel"),
        "list" | "variables" => (100, "variables of a dashboard"),
        "mappings" => (200, "value mappings of a field"),
        "overrides" | "seriesOverrides" | "aliasColors" => (200, "overrides of a panel"),
        "transformations" => (30, "transformations of a panel"),
        "__inputs" => (50, "inputs of a dashboard"),
        "steps" => (50, "thresholds of a field"),
        "properties" | "calcs" | "reducers" | "aggregations" | "conversions" | "filters" => (50, "parts of an option"),
        _ => (MAX_OTHERS, "entries of a list"),
    }
}

/// `json` without what is beyond the bounds, and what that is, for people.
///
/// # Errors
/// It is no JSON, or takes too much memory all the same.
pub fn within(json: &str) -> Result<(Cow<'_, str>, Vec<String>), DashboardError> {
    let mut count = Walk::default();
    count.walk(json)?;
    if count.memory > limits::DASHBOARD {
        return Err(DashboardError::TooLarge(count.memory));
    }
    let notes = count.notes();
    if notes.is_empty() {
        return Ok((Cow::Borrowed(json), notes));
    }
    let mut copy = Walk {
        out: Some(Vec::new()),
        ..Walk::default()
    };
    copy.walk(json)?;
    let bounded = String::from_utf8_lossy(&copy.out.unwrap_or_default()).into_owned();
    Ok((Cow::Owned(bounded), notes))
}

/// A walk through a text of JSON.
#[derive(Default)]
struct Walk {
    /// What is within the bounds; `None`: it is only counted.
    out: Option<Vec<u8>>,
    memory: usize,
    panels: usize,
    /// What is beyond, and its bound, by what it is.
    left_out: BTreeMap<&'static str, (usize, usize)>,
    /// Texts that are too long.
    cut: usize,
}

impl Walk {
    fn walk(&mut self, json: &str) -> Result<(), DashboardError> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let step = Step { walk: self, name: "" };
        let read = step.deserialize(&mut reader).and_then(|()| reader.end());
        read.map_err(DashboardError::Json)
    }

    fn notes(&self) -> Vec<String> {
        let lists = self
            .left_out
            .iter()
            .map(|(what, (count, most))| format!("{count} {what} are left out: at most {most} are read"));
        let texts = (self.cut > 0).then(|| {
            format!(
                "{} texts are cut off or left out: at most {} KiB of each are read",
                self.cut,
                limits::TEXT >> 10
            )
        });
        lists.chain(texts).collect()
    }

    fn write(&mut self, text: &str) {
        if let Some(out) = &mut self.out {
            out.extend_from_slice(text.as_bytes());
        }
    }

    fn write_text<E: Error>(&mut self, text: &str) -> Result<(), E> {
        self.memory += text.len() + size_of::<String>();
        match &mut self.out {
            Some(out) => serde_json::to_writer(out, text).map_err(E::custom),
            None => Ok(()),
        }
    }

    /// Whether one more fits into a list of that name which has `count`.
    fn has_room(&self, name: &str, count: usize) -> bool {
        let has = if name == "panels" { self.panels } else { count };
        has < bound(name).0
    }

    fn leave_out(&mut self, name: &str, count: usize) {
        let (most, what) = bound(name);
        if count > 0 {
            self.left_out.entry(what).or_insert((0, most)).0 += count;
        }
    }
}

/// A value on the way, below a member of that name.
struct Step<'w, 'n> {
    walk: &'w mut Walk,
    name: &'n str,
}

impl<'de> DeserializeSeed<'de> for Step<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.walk.memory += size_of::<serde_json::Value>();
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Step<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.walk.write("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.walk.write(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.walk.write(&value.to_string());
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.walk.write(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.walk.write(&serde_json::Value::from(value).to_string());
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.len() <= limits::TEXT {
            return self.walk.write_text(text);
        }
        self.walk.cut += 1;
        // Half a query or an expression would mean something else.
        let is_prose = matches!(self.name, "content" | "title" | "description");
        let kept = if is_prose {
            limits::floor_char_boundary(text, limits::TEXT)
        } else {
            0
        };
        self.walk.write_text(text.get(..kept).unwrap_or_default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { walk, name } = self;
        walk.write("[");
        let mut count = 0;
        while walk.has_room(name, count) {
            let before = (walk.out.as_ref().map_or(0, Vec::len), walk.panels);
            if count > 0 {
                walk.write(",");
            }
            // Before those inside of it.
            walk.panels += usize::from(name == "panels");
            if list.next_element_seed(Step { walk, name })?.is_none() {
                if let Some(out) = &mut walk.out {
                    out.truncate(before.0);
                }
                walk.panels = before.1;
                walk.write("]");
                return Ok(());
            }
            count += 1;
        }
        let mut left_out = 0;
        while list.next_element::<IgnoredAny>()?.is_some() {
            left_out += 1;
        }
        walk.leave_out(name, left_out);
        walk.write("]");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { walk, name } = self;
        walk.write("{");
        // Of the objects, only these stand for lists.
        let list = match name {
            "aliasColors" | "elements" | "__elements" => name,
            _ => "",
        };
        // A node of a tree holds up to eleven members, and takes as much for one.
        let mut count = 0_usize;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key.len() > limits::NAME || !walk.has_room(list, count) {
                map.next_value::<IgnoredAny>()?;
                walk.leave_out(list, 1);
                continue;
            }
            if count.is_multiple_of(6) {
                walk.memory += 640;
            }
            if count > 0 {
                walk.write(",");
            }
            walk.write_text(&key)?;
            walk.write(":");
            map.next_value_seed(Step { walk, name: &key })?;
            count += 1;
        }
        walk.write("}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_the_bounds_stays_as_it_is() {
        let json = r#"{"a": [1, -2, 1.5, "ü\n", null, true, {}, []], "panels": [{"targets": [{}]}]}"#;
        let (bounded, notes) = within(json).unwrap();
        assert!(matches!(bounded, Cow::Borrowed(same) if same == json) && notes.is_empty());
    }

    #[test]
    fn what_is_beyond_a_bound_is_left_out_and_counted() {
        let targets = vec!["{\"expr\":\"up\",\"n\":-1.5e3}"; 60].join(",");
        let inside = vec!["{}"; 700].join(",");
        let json = format!(
            "{{\"panels\":[{{\"type\":\"row\",\"panels\":[{inside}]}},{{\"targets\":[{targets}]}}],\"x\":[{}]}}",
            vec!["0"; 1000].join(",")
        );
        let (bounded, notes) = within(&json).unwrap();
        assert_eq!(notes, ["102 panels of a dashboard are left out: at most 600 are read",]);
        let value: serde_json::Value = serde_json::from_str(&bounded).unwrap();
        assert_eq!(value["panels"][0]["panels"].as_array().unwrap().len(), 599);
        assert_eq!(value["panels"].as_array().unwrap().len(), 1);
        assert_eq!(value["x"].as_array().unwrap().len(), 1000);
        let json = format!("{{\"panels\":[{{\"targets\":[{targets}]}}]}}");
        let (bounded, notes) = within(&json).unwrap();
        let value: serde_json::Value = serde_json::from_str(&bounded).unwrap();
        assert_eq!(value["panels"][0]["targets"].as_array().unwrap().len(), 50);
        assert_eq!(value["panels"][0]["targets"][49]["n"], -1500.0);
        assert_eq!(notes, ["10 queries of a panel are left out: at most 50 are read"]);
    }

    #[test]
    fn long_prose_is_cut_and_another_long_text_left_out() {
        let long = "ä".repeat(limits::TEXT);
        let json = format!("{{\"content\":\"{long}\",\"expr\":\"{long}\"}}");
        let (bounded, notes) = within(&json).unwrap();
        let value: serde_json::Value = serde_json::from_str(&bounded).unwrap();
        assert_eq!(value["content"].as_str().unwrap().len(), limits::TEXT);
        assert_eq!(value["expr"], "");
        assert_eq!(
            notes,
            ["2 texts are cut off or left out: at most 64 KiB of each are read"]
        );
    }

    #[test]
    fn a_file_that_would_fill_the_memory_is_refused() {
        let inner = vec!["{\"a\":{}}"; 900].join(",");
        let many = vec![format!("[{inner}]"); 100].join(",");
        let error = within(&format!("[{many}]")).unwrap_err().to_string();
        assert!(error.contains("MiB of memory"), "{error}");
        assert!(within("{").unwrap_err().to_string().starts_with("no JSON"));
        assert!(within(&"[".repeat(1000)).is_err());
    }
}
