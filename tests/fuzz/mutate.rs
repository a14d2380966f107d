//! Changes to dashboards, which know what JSON and a dashboard are made of, and requests for them.

use serde_json::{Map, Value, json};

use super::random::Random;
use super::seeds;

/// A dashboard like one of `corpus`, of which the first `seeds` are whole ones, with some changes: few, or little is left of it.
pub fn dashboard(random: &mut Random, corpus: &[Value], seeds: usize) -> Value {
    let from = if random.one_of(2) { &corpus[..seeds] } else { corpus };
    let mut dashboard = random.choose(from).clone();
    for _ in 0..*random.choose(&[0, 1, 1, 1, 2, 2, 4, 8]) {
        let donor = random.choose(corpus).clone();
        change(&mut dashboard, random, &donor);
    }
    if let Some(fields) = dashboard.as_object_mut() {
        fields.insert("uid".to_owned(), json!("fuzz"));
        fields.entry("panels").or_insert_with(|| json!([]));
    }
    dashboard
}

/// Every place of a tree, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                places(value, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}

fn place(value: &Value, random: &mut Random) -> String {
    let mut found = Vec::new();
    places(value, "", &mut found);
    random.choose(&found).clone()
}

fn change(dashboard: &mut Value, random: &mut Random, donor: &Value) {
    let at = place(dashboard, random);
    let Some(value) = dashboard.pointer_mut(&at).filter(|_| !at.is_empty()) else {
        return;
    };
    match random.below(9) {
        0 => *value = odd(random),
        1 => *value = donor.pointer(&place(donor, random)).cloned().unwrap_or_default(),
        // The same place of another dashboard.
        2 => *value = donor.pointer(&at).cloned().unwrap_or_default(),
        3 => match value {
            Value::Array(values) if !values.is_empty() => {
                let copies = 1 + random.below(30);
                let copied = random.choose(values).clone();
                values.extend(std::iter::repeat_n(copied, copies));
            }
            Value::Object(fields) => {
                let name = (*random.choose(seeds::NAMES)).to_owned();
                fields.insert(name, odd(random));
            }
            _ => *value = odd(random),
        },
        4 => match value {
            Value::Array(values) if !values.is_empty() => drop(values.remove(random.below(values.len()))),
            Value::Object(fields) => remove(fields, random),
            _ => {}
        },
        5 => match value {
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or(0.0);
                *value = json!([number * 1e9, -number, number + 0.5, number * 1e-9][random.below(4)]);
            }
            Value::Bool(is_true) => *is_true = !*is_true,
            other => *other = odd(random),
        },
        _ => match value {
            Value::String(text) => *text = text_like(text, random),
            other if random.one_of(2) => *other = odd(random),
            _ => {}
        },
    }
}

fn remove(fields: &mut Map<String, Value>, random: &mut Random) {
    let names: Vec<String> = fields.keys().cloned().collect();
    if !names.is_empty() {
        fields.remove(random.choose(&names));
    }
}

fn odd(random: &mut Random) -> Value {
    match random.below(16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(1e308),
        5 => json!(u64::MAX),
        6 => json!(9_007_199_254_740_992_i64),
        7 => json!([]),
        8 => json!({}),
        9 => json!(0.1),
        10 => json!([odd_text(random)]),
        11 => json!({ *random.choose(seeds::NAMES): odd_text(random) }),
        _ => json!(odd_text(random)),
    }
}

fn odd_text(random: &mut Random) -> String {
    let text = (*random.choose(seeds::TEXTS)).to_owned();
    match random.below(12) {
        0 => text.repeat(1 + random.below(300)),
        1 => text.clone() + *random.choose(seeds::TEXTS),
        _ => text,
    }
}

fn text_like(text: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = random.below(characters.len() + 1);
    match random.below(4) {
        0 => {
            let inserted: Vec<char> = odd_text(random).chars().collect();
            characters.splice(at..at, inserted);
        }
        1 => characters.truncate(at),
        2 if !characters.is_empty() => drop(characters.remove(at.min(characters.len() - 1))),
        _ => return odd_text(random),
    }
    characters.into_iter().collect()
}

/// What is sent.
pub struct Request {
    pub bytes: Vec<u8>,
    /// As HTTP wants it.
    pub is_whole: bool,
}

/// Requests for the dashboard, some of them odd.
pub fn requests(random: &mut Random, dashboard: &Value) -> Vec<Request> {
    let get = |path: &str| Request {
        bytes: format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes(),
        is_whole: true,
    };
    let mut requests = vec![get("/d/fuzz")];
    let query = query(random, dashboard);
    let path = *random.choose(&[
        "/d/fuzz",
        "/d/fuzz/values.json",
        "/render/d/fuzz.svg",
        "/d/fuzz/name",
        "/dashboards",
        "/dashboards.json",
        "/dashboards/fuzz.json",
    ]);
    requests.push(get(&format!("{path}?{query}")));
    if random.one_of(4) {
        let mut raw = get(&format!("{path}?{query}")).bytes;
        for _ in 0..=random.below(4) {
            let at = random.below(raw.len());
            match random.below(4) {
                0 => raw[at] = random.next() as u8,
                1 => drop(raw.remove(at)),
                2 => raw.truncate(at.max(4)),
                _ => drop(raw.splice(at..at, odd_text(random).into_bytes())),
            }
        }
        // Something that ends the request: an open one is waited for, which is another subject.
        raw.extend_from_slice(b"\r\nConnection: close\r\n\r\n");
        requests.push(Request {
            bytes: raw,
            is_whole: false,
        });
    }
    requests
}

fn query(random: &mut Random, dashboard: &Value) -> String {
    let mut query = String::new();
    for _ in 0..random.below(5) {
        let name = match random.below(3) {
            0 => {
                let list = dashboard.pointer("/templating/list").and_then(Value::as_array);
                let names: Vec<&str> = list
                    .into_iter()
                    .flatten()
                    .filter_map(|variable| variable["name"].as_str())
                    .collect();
                if names.is_empty() {
                    "var-x".to_owned()
                } else {
                    format!("var-{}", random.choose(&names))
                }
            }
            _ => (*random.choose(&[
                "from",
                "to",
                "refresh",
                "viewPanel",
                "rows",
                "kiosk",
                "theme",
                "timezone",
                "width",
                "height",
            ]))
            .to_owned(),
        };
        let value = match random.below(2) {
            0 => (*random.choose(&[
                "now-6h",
                "now",
                "now/d",
                "now-2d/d",
                "0",
                "9999999999999999",
                "-1",
                "1",
                "panel-1",
                "utc",
                "Europe/Berlin",
                "auto",
                "5s",
                "dark",
                "300",
                "now-1000y",
                "2026-01-31",
                "$__all",
                "a",
                "b",
            ]))
            .to_owned(),
            _ => odd_text(random),
        };
        for (text, end) in [(name, '='), (value, '&')] {
            for byte in text.bytes().take(2000) {
                match byte.is_ascii_alphanumeric() || byte == b'-' {
                    true => query.push(char::from(byte)),
                    false => query.push_str(&format!("%{byte:02X}")),
                }
            }
            query.push(end);
        }
    }
    query
}
