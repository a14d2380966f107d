//! Grafana's schema v2 (of Grafana 12 and 13: `elements` beside a `layout`), turned into the one before it.
//!
//! Its versions differ in where the kind of something stands: `{"kind": "stat", "spec": …}` in v2alpha1,
//! `{"kind": "VizConfig", "group": "stat", "spec": …}` since v2beta1.

mod shape;

use serde_json::{Map, Value, json};

use crate::error::DashboardError;
use crate::grid::COLUMNS;

/// How variables are sorted, by the number that the older schema has for it.
const SORTS: [&str; 9] = [
    "disabled",
    "alphabeticalAsc",
    "alphabeticalDesc",
    "numericalAsc",
    "numericalDesc",
    "alphabeticalCaseInsensitiveAsc",
    "alphabeticalCaseInsensitiveDesc",
    "naturalAsc",
    "naturalDesc",
];
/// How variables are hidden, likewise.
const HIDES: [&str; 4] = ["dontHide", "hideLabel", "hideVariable", "inControlsMenu"];
/// Layouts within layouts; deeper ones are left out.
const DEEPEST: usize = 8;
/// Rows of the grid that a panel of an automatic layout is high: some 320 pixels.
const AUTO_HEIGHT: u64 = 9;

/// Turns a dashboard that has `elements` into one that has `panels`, and says what of it is left out.
///
/// # Errors
/// Elements or the layout are missing, or no objects.
pub fn migrate(dashboard: &mut Value) -> Result<Vec<String>, DashboardError> {
    let Some(fields) = dashboard.as_object_mut() else {
        return Ok(Vec::new());
    };
    if !fields.contains_key("elements") || fields.contains_key("panels") {
        return Ok(Vec::new());
    }
    let left_out = shape::check(fields)?;
    let Some(Value::Object(elements)) = fields.remove("elements") else {
        return Ok(left_out);
    };
    let layout = fields.remove("layout").unwrap_or_default();
    let mut place = Placing {
        elements,
        panels: Vec::new(),
        next: 1_000_000,
    };
    let mut y = 0;
    place.layout(&layout, &mut y, 0);
    fields.insert("panels".to_owned(), Value::Array(place.panels));
    if let Some(Value::Array(variables)) = fields.remove("variables") {
        let list: Vec<Value> = variables.iter().map(variable).collect();
        fields.insert("templating".to_owned(), json!({ "list": list }));
    }
    if let Some(time) = fields.remove("timeSettings") {
        fields.insert("time".to_owned(), json!({"from": time["from"], "to": time["to"]}));
        fields.insert("timezone".to_owned(), time["timezone"].clone());
        fields.insert("refresh".to_owned(), time["autoRefresh"].clone());
    }
    Ok(left_out)
}

/// `spec` of an object, or nothing.
fn spec(value: &Value) -> &Value {
    value.get("spec").unwrap_or(&Value::Null)
}

/// What an object is: its `group`, or its `kind` in the first version.
fn kind(value: &Value) -> &str {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    text("group").or_else(|| text("kind")).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// Panels on their way to their places.
struct Placing {
    elements: Map<String, Value>,
    panels: Vec<Value>,
    /// The id of the next row, which have none of their own.
    next: u64,
}

impl Placing {
    /// Lays out what is below `layout`, from the row `y` of the grid on.
    fn layout(&mut self, layout: &Value, y: &mut u64, depth: usize) {
        let spec = spec(layout);
        let list = |name: &str| spec.get(name).and_then(Value::as_array).into_iter().flatten();
        if depth > DEEPEST {
            return;
        }
        match layout.get("kind").and_then(Value::as_str).unwrap_or_default() {
            "AutoGridLayout" => self.auto(spec, y),
            "RowsLayout" => list("rows").for_each(|row| self.section(row, y, depth)),
            // Tabs lie below each other.
            "TabsLayout" => list("tabs").for_each(|tab| self.section(tab, y, depth)),
            _ => self.grid(spec, y),
        }
    }

    fn grid(&mut self, grid: &Value, y: &mut u64) {
        let items: Vec<&Value> = grid
            .get("items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .collect();
        let mut end = *y;
        for item in items {
            let of = spec(item);
            let top = *y + number(of, "y");
            if item.get("kind").and_then(Value::as_str) == Some("GridLayoutRow") {
                let inside: Vec<Value> = of
                    .get("elements")
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default();
                let mut row_y = top;
                self.row(of, &mut row_y, |place, row_y| {
                    // Their places count from the row.
                    let mut end = *row_y;
                    for item in &inside {
                        end = end.max(place.item(spec(item), *row_y));
                    }
                    *row_y = end;
                });
                end = end.max(row_y);
            } else {
                end = end.max(self.item(of, *y));
            }
        }
        *y = end;
    }

    /// The panel of an item of a grid that begins at the row `y`, and where it ends.
    fn item(&mut self, item: &Value, y: u64) -> u64 {
        let place = |name| number(item, name);
        let (top, height) = (y + place("y"), place("height"));
        let at = json!({"x": place("x"), "y": top, "w": place("width"), "h": height});
        self.put(item, at);
        top + height
    }

    /// Panels of equal width, as many beside each other as there may be.
    fn auto(&mut self, grid: &Value, y: &mut u64) {
        let columns = grid.get("maxColumnCount").and_then(Value::as_u64).unwrap_or(3);
        let columns = columns.clamp(1, COLUMNS.into());
        let width = u64::from(COLUMNS) / columns;
        let items = grid.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut count = 0;
        for item in &items {
            let (column, row) = (count % columns, count / columns);
            let at = json!({"x": column * width, "y": *y + row * AUTO_HEIGHT, "w": width, "h": AUTO_HEIGHT});
            if self.put(spec(item), at) {
                count += 1;
            }
        }
        *y += count.div_ceil(columns) * AUTO_HEIGHT;
    }

    /// A row of the layout, or a tab.
    fn section(&mut self, section: &Value, y: &mut u64, depth: usize) {
        let of = spec(section);
        let layout = of.get("layout").cloned().unwrap_or_default();
        let is_hidden = of.get("hideHeader").and_then(Value::as_bool) == Some(true);
        if is_hidden {
            return self.layout(&layout, y, depth + 1);
        }
        self.row(of, y, |place, y| place.layout(&layout, y, depth + 1));
    }

    /// The head of a row, and what `fill` puts below it: inside of it if it is collapsed.
    fn row(&mut self, row: &Value, y: &mut u64, fill: impl FnOnce(&mut Self, &mut u64)) {
        let flag = |name: &str| row.get(name).and_then(Value::as_bool) == Some(true);
        let is_collapsed = flag("collapse") || flag("collapsed");
        let id = self.next;
        self.next += 1;
        let head = json!({"id": id, "type": "row", "title": row.get("title"), "collapsed": is_collapsed,
            "repeat": row.pointer("/repeat/value"), "gridPos": {"x": 0, "y": *y, "w": COLUMNS, "h": 1}});
        let at = self.panels.len();
        self.panels.push(head);
        *y += 1;
        let start = *y;
        fill(self, y);
        if is_collapsed {
            // Rows within rows become rows of their own; what is not below one of them is this one's.
            let below = self.panels.split_off(at + 1);
            let count = below
                .iter()
                .position(|panel| panel["type"] == "row")
                .unwrap_or(below.len());
            let mut below = below.into_iter();
            let inside: Vec<Value> = below.by_ref().take(count).collect();
            if let Some(head) = self.panels.get_mut(at).and_then(Value::as_object_mut) {
                head.insert("panels".to_owned(), Value::Array(inside));
            }
            self.panels.extend(below);
            *y = start.max(*y);
        }
    }

    /// The panel that `item` refers to, at a place. False: there is none.
    fn put(&mut self, item: &Value, at: Value) -> bool {
        let name = item
            .pointer("/element/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some(element) = self.elements.get(name) else {
            return false;
        };
        let mut panel = self::panel(element);
        if let Some(fields) = panel.as_object_mut() {
            fields.insert("gridPos".to_owned(), at);
            if let Some(repeat) = item.get("repeat") {
                fields.insert("repeat".to_owned(), repeat["value"].clone());
                fields.insert("repeatDirection".to_owned(), repeat["direction"].clone());
                fields.insert("maxPerRow".to_owned(), repeat["maxPerRow"].clone());
            }
        }
        self.panels.push(panel);
        true
    }
}

fn panel(element: &Value) -> Value {
    let of = spec(element);
    if element.get("kind").and_then(Value::as_str) == Some("LibraryPanel") {
        return json!({"id": of["id"], "title": of["title"], "libraryPanel": of["libraryPanel"]});
    }
    let drawn = of.get("vizConfig").unwrap_or(&Value::Null);
    let data = of.get("data").map_or(&Value::Null, spec);
    let list = |name: &str| data.get(name).and_then(Value::as_array).into_iter().flatten();
    let targets: Vec<Value> = list("queries").map(query).collect();
    let transformations: Vec<Value> = list("transformations").map(transformation).collect();
    let options = data.get("queryOptions").unwrap_or(&Value::Null);
    json!({
        "id": of["id"], "title": of["title"], "description": of["description"], "transparent": of["transparent"],
        "type": kind(drawn), "options": spec(drawn)["options"], "fieldConfig": spec(drawn)["fieldConfig"],
        "targets": targets, "transformations": transformations,
        "timeFrom": options["timeFrom"], "timeShift": options["timeShift"], "hideTimeOverride": options["hideTimeOverride"],
        "maxDataPoints": options["maxDataPoints"], "interval": options["interval"],
    })
}

fn transformation(written: &Value) -> Value {
    let of = spec(written);
    let id = of.get("id").cloned().unwrap_or_else(|| kind(written).into());
    json!({"id": id, "options": of["options"], "disabled": of["disabled"], "filter": of["filter"]})
}

/// The data source of a query: its kind with its name, or nothing.
fn datasource(query: &Value, beside: &Value) -> Value {
    let named = [query.get("datasource"), beside.get("datasource")]
        .into_iter()
        .flatten()
        .find(|one| one.is_object());
    let uid = named.map(|named| {
        named
            .get("uid")
            .or_else(|| named.get("name"))
            .cloned()
            .unwrap_or_default()
    });
    json!({"type": kind(query), "uid": uid})
}

fn query(written: &Value) -> Value {
    let of = spec(written);
    let query = of.get("query").unwrap_or(&Value::Null);
    let mut target = spec(query).as_object().cloned().unwrap_or_default();
    target.insert("refId".to_owned(), of["refId"].clone());
    target.insert("hide".to_owned(), of["hidden"].clone());
    target.insert("datasource".to_owned(), datasource(query, of));
    Value::Object(target)
}

fn variable(written: &Value) -> Value {
    let mut fields = spec(written).as_object().cloned().unwrap_or_default();
    let kind_of_variable = written.get("kind").and_then(Value::as_str).unwrap_or_default();
    let kind_of_variable = kind_of_variable
        .strip_suffix("Variable")
        .unwrap_or(kind_of_variable)
        .to_lowercase();
    let kind_of_variable = if kind_of_variable == "text" {
        "textbox".to_owned()
    } else {
        kind_of_variable
    };
    if kind_of_variable == "query" {
        let query = fields.get("query").cloned().unwrap_or_default();
        fields.insert(
            "datasource".to_owned(),
            datasource(&query, &Value::Object(fields.clone())),
        );
        fields.insert("query".to_owned(), spec(&query).clone());
    }
    if kind_of_variable == "datasource"
        && let Some(plugin) = fields.remove("pluginId")
    {
        fields.insert("query".to_owned(), plugin);
    }
    let code = |fields: &Map<String, Value>, name: &str, codes: &[&str]| {
        let word = fields.get(name)?.as_str()?;
        codes.iter().position(|known| *known == word)
    };
    for (name, codes) in [("sort", &SORTS[..]), ("hide", &HIDES[..])] {
        if let Some(code) = code(&fields, name, codes) {
            fields.insert(name.to_owned(), code.into());
        }
    }
    fields.insert("type".to_owned(), kind_of_variable.into());
    Value::Object(fields)
}

#[cfg(test)]
mod tests;
