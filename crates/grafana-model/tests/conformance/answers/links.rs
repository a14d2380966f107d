//! Data links.

use std::sync::Arc;

use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::time::Zone;
use edgewatch_grafana_model::variables::{Resolved, Variables};
use edgewatch_grafana_model::{links, overrides};
use serde_json::{Value, json};

use super::frames::{of, scope};

pub fn link(case: &Value) -> String {
    let many = Resolved {
        name: "many".to_owned(),
        multi: true,
        options: ["a", "b c"].map(|value| (value.to_owned(), value.to_owned())).to_vec(),
        chosen: vec!["a".to_owned(), "b c".to_owned()],
        ..Resolved::default()
    };
    let variables = Variables {
        list: vec![Arc::new(many)],
    };
    let scope = scope(variables, Zone::UTC);
    let mut defaults = case["defaults"].clone();
    defaults["links"] = json!([case["link"]]);
    let panel: Panel = serde_json::from_value(json!({"type": "table", "fieldConfig": {"defaults": defaults}})).unwrap();
    let mut frames = of(case);
    overrides::apply(&panel, &mut frames, &scope, &mut Vec::new());
    let number = |name: &str| usize::try_from(case[name].as_u64().unwrap()).unwrap();
    let frame = &frames[number("at")];
    let found = links::of_cell(frame, &frame.fields[number("column")], number("row"), &scope);
    let found = found.iter().map(|link| {
        let apart = if link.is_apart { " apart" } else { "" };
        format!("{} → {}{apart}", link.title, decoded(&link.address))
    });
    found.collect::<Vec<_>>().join(" ‖ ")
}

/// An address with its letters in place of `%20` and the like: Grafana decodes what it has encoded, and a browser encodes it again.
fn decoded(address: &str) -> String {
    let mut parts = address.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(part.bytes().skip(2));
            }
            None => {
                bytes.push(b'%');
                bytes.extend(part.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
