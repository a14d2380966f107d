//! Whether a file of schema v2 has objects and lists where they belong. What has not is left out by what reads it; here it is named.

use serde_json::{Map, Value};

use super::DEEPEST;
use crate::error::DashboardError;
use crate::limits::note;

/// What of the file is of another type than Grafana's, for people.
///
/// # Errors
/// Nothing of it could be shown: it has no elements or no layout.
pub fn check(dashboard: &Map<String, Value>) -> Result<Vec<String>, DashboardError> {
    let mut found = Found(Vec::new());
    let whole = |name: &str, value: Option<&Value>| match value {
        Some(Value::Object(_)) => Ok(()),
        None | Some(Value::Null) => Err(DashboardError::Shape(format!("{name}: it is missing"))),
        Some(other) => Err(DashboardError::Shape(format!(
            "{name}: {} where an object belongs",
            kind_of(other)
        ))),
    };
    whole("elements", dashboard.get("elements"))?;
    whole("layout", dashboard.get("layout"))?;
    let elements = found.object(dashboard, "", "elements");
    for (name, element) in elements.into_iter().flatten() {
        found.element(name, element);
    }
    if let Some(layout) = dashboard.get("layout") {
        found.layout(layout, "layout", elements, 0);
    }
    for (place, variable) in found.list(dashboard, "", "variables") {
        if let Some(variable) = found.is_object(variable, &place) {
            found.object(variable, &place, "spec");
        }
    }
    found.object(dashboard, "", "timeSettings");
    Ok(found.0)
}

/// What a value is, for people.
const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What is wrong.
struct Found(Vec<String>);

impl Found {
    fn wrong(&mut self, place: &str, value: &Value, wanted: &str) {
        note(
            &mut self.0,
            format!("{place} is left out: {} where {wanted} belongs", kind_of(value)),
        );
    }

    fn is_object<'v>(&mut self, value: &'v Value, place: &str) -> Option<&'v Map<String, Value>> {
        if !value.is_object() {
            self.wrong(place, value, "an object");
        }
        value.as_object()
    }

    /// The member `name` of what lies at `place`, which is an object; nothing is wrong with none.
    fn object<'v>(&mut self, of: &'v Map<String, Value>, place: &str, name: &str) -> Option<&'v Map<String, Value>> {
        let value = of.get(name).filter(|value| !value.is_null())?;
        self.is_object(value, &below(place, name))
    }

    /// The entries of the member `name`, which is a list, and where they lie; nothing is wrong with none.
    fn list<'v>(&mut self, of: &'v Map<String, Value>, place: &str, name: &str) -> Vec<(String, &'v Value)> {
        let place = below(place, name);
        match of.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(entries)) => {
                let entries = entries.iter().enumerate();
                entries
                    .map(|(index, entry)| (format!("{place}/{index}"), entry))
                    .collect()
            }
            Some(other) => {
                self.wrong(&place, other, "a list");
                Vec::new()
            }
        }
    }

    /// What is asked and drawn in a panel.
    fn element(&mut self, name: &str, element: &Value) {
        let place = format!("elements/{name}");
        let Some(of) = self.is_object(element, &place) else {
            return;
        };
        let Some(spec) = self.object(of, &place, "spec") else {
            return;
        };
        let place = below(&place, "spec");
        if let Some(drawn) = self.object(spec, &place, "vizConfig") {
            let place = below(&place, "vizConfig");
            if let Some(spec) = self.object(drawn, &place, "spec") {
                let place = below(&place, "spec");
                self.object(spec, &place, "options");
                self.object(spec, &place, "fieldConfig");
            }
        }
        let Some(data) = self.object(spec, &place, "data") else {
            return;
        };
        let place = below(&place, "data");
        let Some(spec) = self.object(data, &place, "spec") else {
            return;
        };
        let place = below(&place, "spec");
        self.object(spec, &place, "queryOptions");
        for list in ["queries", "transformations"] {
            for (place, entry) in self.list(spec, &place, list) {
                if let Some(entry) = self.is_object(entry, &place) {
                    self.object(entry, &place, "spec");
                }
            }
        }
    }

    /// A layout, and what lies in it.
    fn layout(&mut self, layout: &Value, place: &str, elements: Option<&Map<String, Value>>, depth: usize) {
        if depth > DEEPEST {
            return note(
                &mut self.0,
                format!("{place} is left out: no more than {DEEPEST} layouts lie within another"),
            );
        }
        let Some(of) = self.is_object(layout, place) else {
            return;
        };
        let Some(spec) = self.object(of, place, "spec") else {
            return;
        };
        let place = below(place, "spec");
        for list in ["items", "rows", "tabs"] {
            for (place, entry) in self.list(spec, &place, list) {
                let Some(entry) = self.is_object(entry, &place) else {
                    continue;
                };
                let Some(spec) = self.object(entry, &place, "spec") else {
                    continue;
                };
                let place = below(&place, "spec");
                if let Some(layout) = spec.get("layout") {
                    self.layout(layout, &below(&place, "layout"), elements, depth + 1);
                }
                for (place, item) in self.list(spec, &place, "elements") {
                    if let Some(item) = self.is_object(item, &place)
                        && let Some(spec) = self.object(item, &place, "spec")
                    {
                        self.reference(spec, &below(&place, "spec"), elements);
                    }
                }
                if list == "items" && !spec.contains_key("elements") {
                    self.reference(spec, &place, elements);
                }
            }
        }
    }

    /// What of the elements an item of a layout shows.
    fn reference(&mut self, item: &Map<String, Value>, place: &str, elements: Option<&Map<String, Value>>) {
        let Some(element) = self.object(item, place, "element") else {
            if item.get("element").is_none_or(Value::is_null) {
                note(&mut self.0, format!("{place} shows nothing: it names no element"));
            }
            return;
        };
        let name = element.get("name").and_then(Value::as_str).unwrap_or_default();
        if elements.is_some_and(|elements| !elements.contains_key(name)) {
            note(
                &mut self.0,
                format!("{place} shows nothing: there is no element {name:?}"),
            );
        }
    }
}

fn below(place: &str, name: &str) -> String {
    match place {
        "" => name.to_owned(),
        place => format!("{place}/{name}"),
    }
}
