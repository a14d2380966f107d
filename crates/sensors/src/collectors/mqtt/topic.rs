//! Filters of topics (MQTT 5.0, 4.7), and the JSON pointers with wildcards that go on where they end.

use serde_json::Value;

/// A filter that a broker would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Vec<String>);

impl Filter {
    /// Parses `a/+/b`, or `a/#`; `None` if a broker would refuse it.
    pub fn parse(text: &str) -> Option<Self> {
        let levels: Vec<String> = text.split('/').map(ToOwned::to_owned).collect();
        let is_level = |(index, level): (usize, &String)| match level.as_str() {
            "+" => true,
            "#" => index + 1 == levels.len(),
            level => !level.contains(['+', '#', '\0']),
        };
        let is_filter = !text.is_empty() && text.len() <= 65_535 && levels.iter().enumerate().all(is_level);
        is_filter.then_some(Self(levels))
    }

    /// How many texts [`Filter::matches`] gives.
    pub fn wildcards(&self) -> usize {
        self.0.iter().filter(|level| *level == "+" || *level == "#").count()
    }

    /// What the wildcards stand for in `topic`, in order; `None` if it is another topic. Topics that begin with `$` match no wildcard at the
    /// beginning, as for a broker.
    pub fn matches<'t>(&self, topic: &'t str) -> Option<Vec<&'t str>> {
        if topic.starts_with('$') && self.0.first().is_some_and(|level| level == "+" || level == "#") {
            return None;
        }
        let mut found = Vec::new();
        let mut rest = Some(topic);
        for level in &self.0 {
            if level == "#" {
                found.push(rest.unwrap_or_default());
                return Some(found);
            }
            let here = rest?;
            let (first, after) = here.split_once('/').map_or((here, None), |(a, b)| (a, Some(b)));
            match level == "+" {
                true => found.push(first),
                false if level == first => {}
                false => return None,
            }
            rest = after;
        }
        rest.is_none().then_some(found)
    }
}

/// A JSON pointer (RFC 6901) whose names may be `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// Parses `/a/*/b`; the empty text is the whole document. `None` if it does not begin with `/`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('/') {
            None => text.is_empty().then(|| Self(Vec::new())),
            Some(names) => Some(Self(
                names
                    .split('/')
                    .map(|name| name.replace("~1", "/").replace("~0", "~"))
                    .collect(),
            )),
        }
    }

    /// True if the message itself is the value.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// How many names it leaves open.
    pub fn wildcards(&self) -> usize {
        self.0.iter().filter(|name| *name == "*").count()
    }

    /// Every value that it points to, with the names that its wildcards stand for.
    pub fn find<'v>(&self, document: &'v Value) -> Vec<(Vec<&'v str>, &'v Value)> {
        let mut found = vec![(Vec::new(), document)];
        for name in &self.0 {
            let mut next = Vec::new();
            for (names, value) in found {
                match (name.as_str(), value) {
                    ("*", Value::Object(members)) => next.extend(members.iter().map(|(member, value)| {
                        let mut names: Vec<&str> = names.clone();
                        names.push(member);
                        (names, value)
                    })),
                    (name, Value::Object(members)) => next.extend(members.get(name).map(|value| (names, value))),
                    (name, Value::Array(items)) => {
                        let item = name.parse::<usize>().ok().and_then(|index| items.get(index));
                        next.extend(item.map(|value| (names, value)));
                    }
                    _ => {}
                }
            }
            found = next;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_a_broker_does_and_tell_what_wildcards_stand_for() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", Some(vec![])),
            ("a/+", "a/b", Some(vec!["b"])),
            ("a/+", "a/", Some(vec![""])),
            ("a/+", "a", None),
            ("a/+", "a/b/c", None),
            ("+/b/+", "a/b/c", Some(vec!["a", "c"])),
            ("a/#", "a/b/c", Some(vec!["b/c"])),
            ("a/#", "a", Some(vec![""])),
            ("#", "a/b", Some(vec!["a/b"])),
            ("#", "$SYS/uptime", None),
            ("+/uptime", "$SYS/uptime", None),
            ("$SYS/+", "$SYS/uptime", Some(vec!["uptime"])),
            ("a", "b", None),
        ] {
            let filter = Filter::parse(filter).unwrap();
            assert_eq!(filter.matches(topic), expected, "{filter:?} {topic}");
        }
        for bad in ["", "a#", "a/#/b", "a+/b", "a/b+", "#/a"] {
            assert_eq!(Filter::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn pointers_find_each_value_with_the_names_above_it() {
        let document = serde_json::json!({"BME280": {"Temperature": 21.5}, "DS18B20": {"Temperature": 20.0}, "Time": "now",
            "a/b": [1, {"~": 2}]});
        let find = |pointer: &str| {
            let pointer = Pointer::parse(pointer).unwrap();
            let found = pointer.find(&document);
            found
                .iter()
                .map(|(names, value)| format!("{} {value}", names.join(",")))
                .collect::<Vec<_>>()
        };
        assert_eq!(find("/*/Temperature"), ["BME280 21.5", "DS18B20 20.0"]);
        assert_eq!(find("/a~1b/1/~0"), [" 2"]);
        assert_eq!(find("/a~1b/0"), [" 1"]);
        assert_eq!(find("/Time"), [" \"now\""]);
        assert!(find("/none").is_empty() && find("/Time/x").is_empty() && find("/a~1b/7").is_empty());
        assert_eq!(Pointer::parse("a"), None);
    }
}
