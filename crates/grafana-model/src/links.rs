//! Data links: where a cell of a table leads to, `links` of its field.

use std::borrow::Cow;

use crate::data::{Cell, Field, Frame};
use crate::display;
use crate::limits;
use crate::model::DataLink;
use crate::names;
use crate::path::keys;
use crate::scope::Scope;
use crate::time::{TimeRange, Zone};
use crate::units::{Unit, shortest};
use crate::variables::format::{self, Place};
use crate::variables::template::{self, Reference};

/// Links of one cell; further ones are left out.
const MOST: usize = 10;
/// Bytes of an address; a longer one leads nowhere: half of it would lead elsewhere.
const LONGEST: usize = 2 << 10;

/// A link of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it says; empty: the cell's own text does.
    pub title: String,
    /// An absolute path of this server, or an address with a scheme that cannot run anything.
    pub address: String,
    /// In a tab of its own.
    pub is_apart: bool,
}

/// The links of the cell in `row` of `field`, which is a column of `frame`. What would run something is none.
pub fn of_cell(frame: &Frame, field: &Field, row: usize, scope: &Scope) -> Vec<Link> {
    let place = At {
        frame,
        field,
        row,
        scope,
    };
    let links = field.options.links.iter().take(MOST);
    links.filter_map(|link| place.link(link)).collect()
}

/// The address as the page may bear it: Grafana's relative ones count from its root. `None`: it leads nowhere, or runs something.
pub fn safe(address: &str) -> Option<Cow<'_, str>> {
    let scheme = address
        .split(['/', '?', '#'])
        .next()
        .and_then(|start| start.split_once(':'));
    match scheme.map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
        None if address.is_empty() => None,
        None if address.starts_with(['/', '?', '#']) => Some(address.into()),
        None => Some(format!("/{address}").into()),
        Some("http" | "https" | "mailto") => Some(address.into()),
        Some(_) => None,
    }
}

/// A cell, which the variables of its links are about.
struct At<'a> {
    frame: &'a Frame,
    field: &'a Field,
    row: usize,
    scope: &'a Scope,
}

impl At<'_> {
    fn link(&self, link: &DataLink) -> Option<Link> {
        let written = link.url.replace('\n', "");
        let address = template::expand_whole(&written, |reference| {
            let format = if reference.format.is_empty() {
                "uriencode"
            } else {
                reference.format
            };
            self.value(Reference { format, ..reference })
        });
        let address = address.ok().filter(|address| address.len() <= LONGEST)?;
        let title = template::expand(&link.title, |reference| self.value(reference));
        Some(Link {
            title: limits::cut(title, limits::NAME),
            address: safe(&address)?.into_owned(),
            is_apart: link.target_blank,
        })
    }

    /// What a variable stands for; `None`: there is none of that name.
    fn value(&self, reference: Reference<'_>) -> Option<String> {
        let found = match (reference.name, reference.path) {
            ("__value", "time") => {
                let time = self.frame.fields.iter().find(|field| field.values.is_times());
                Some(time.map_or_else(String::new, |field| raw(field, self.row)))
            }
            ("__value", "raw") => Some(raw(self.field, self.row)),
            ("__value", "numeric") => Some(shown(self.field, self.row, "numeric")),
            // Also `text`, which is without the unit in `__data`.
            ("__value", _) => Some(shown(self.field, self.row, "")),
            ("__data", "") | ("__field", "") => return None,
            ("__data", path) => Some(self.data(path)),
            ("__field" | "__series", _) => names::of_field(&reference, self.field, &names::of_frame(self.frame)),
            _ => return self.scope.value(reference, Place::Plain),
        };
        Some(format::written(&found?, reference.format))
    }

    /// `${__data.fields.NAME}`: another cell of the row, by the name of its column or by its number. Empty: there is none.
    fn data(&self, path: &str) -> String {
        let fields = &self.frame.fields;
        match keys(path).as_slice() {
            ["name"] => self.frame.name.clone(),
            ["refId"] => self.frame.ref_id.clone(),
            ["fields", name, rest @ ..] => {
                let number = || name.parse::<usize>().ok().and_then(|number| fields.get(number));
                let by_name = |field: &&Field| field.source == *name;
                let shown_as = || fields.iter().find(|field| field.renamed.as_deref() == Some(*name));
                let labelled = || fields.iter().find(|field| field.labels.get("name") == Some(*name));
                let found = fields
                    .iter()
                    .find(by_name)
                    .or_else(number)
                    .or_else(shown_as)
                    .or_else(labelled);
                found.map_or_else(String::new, |field| {
                    shown(field, self.row, rest.first().copied().unwrap_or_default())
                })
            }
            _ => String::new(),
        }
    }
}

/// A cell as JavaScript writes it; empty without a value.
fn raw(field: &Field, row: usize) -> String {
    field.values.text(row)
}

/// A cell as people read it, or the part of that by its name in Grafana.
fn shown(field: &Field, row: usize, part: &str) -> String {
    let cell = field.values.cell(row);
    let text = display::cell(&field.options, &cell).text;
    let number = match &cell {
        Cell::Null => f64::NAN,
        Cell::Text(text) => crate::units::parse(text.trim()).unwrap_or(f64::NAN),
        cell => cell.as_number(),
    };
    match part {
        "numeric" => shortest(number),
        "text" => {
            let unit = Unit::of(&field.options.unit).format(field.options.digits(), number);
            if unit.to_string() == text { unit.text } else { text }
        }
        _ => text,
    }
}

/// The range of the page for another one: relative to now where this one is.
pub fn range(scope: &Scope) -> String {
    let TimeRange { from, to } = scope.range;
    let zone = scope.zone_name();
    let end = |seconds: f64| match scope.now {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
        Some(now) => match now - (seconds * 1000.0).round() as i64 {
            0 => "now".to_owned(),
            before if before > 0 => format!("now-{}", exact(before)),
            after => format!("now+{}", exact(-after)),
        },
        None => {
            let utc = Zone::UTC;
            let unit = Unit::of("time:YYYY-MM-DDTHH:mm:ss.SSS[Z]").in_zone(&utc);
            unit.format(None, seconds * 1000.0).to_string()
        }
    };
    format!(
        "from={}&to={}&timezone={}",
        format::percent(&end(from)),
        format::percent(&end(to)),
        format::percent(zone)
    )
}

/// A time in the largest unit of which it is a multiple.
fn exact(millis: i64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)];
    let found = units.into_iter().find(|(_, length)| millis % length == 0);
    let (unit, length) = found.unwrap_or(("s", 1000));
    format!("{}{unit}", millis / length)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::model::FieldOptions;
    use crate::transform::testing::{numbers, scope, table, texts};

    fn links(options: serde_json::Value, scope: &Scope) -> Vec<Link> {
        let options: FieldOptions = serde_json::from_value(options).unwrap();
        let mut frame = table(
            "A",
            &[("host", texts(&["a b", "c&d"])), ("Value", numbers(&[1536.0, 2.0]))],
        );
        frame.fields[1].options = Arc::new(options);
        of_cell(&frame, &frame.fields[1], 0, scope)
    }

    fn address(url: &str) -> Option<String> {
        let mut found = links(json!({"unit": "bytes", "links": [{"url": url}]}), &scope());
        found.pop().map(|link| link.address)
    }

    #[test]
    fn a_link_leads_where_its_row_says() {
        for (url, expected) in [
            ("/d/host?var-host=${__data.fields.host}", "/d/host?var-host=a%20b"),
            (
                "https://h/${__data.fields[0]:percentencode}/${__value.raw}",
                "https://h/a%20b/1536",
            ),
            ("https://h/?text=${__value.text}", "https://h/?text=1.50%20KiB"),
            ("https://h/?text=${__data.fields.Value.text}", "https://h/?text=1.50"),
            ("d/other", "/d/other"),
            ("?var-x=1", "?var-x=1"),
        ] {
            assert_eq!(address(url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn what_runs_something_or_is_too_long_is_no_link() {
        for url in [
            "javascript:alert(1)",
            "JavaScript:x",
            " javascript:x",
            "java\nscript:x",
            "data:text/html,x",
            "vbscript:x",
            "${__data.fields.none}",
            "",
        ] {
            assert_eq!(address(url), None, "{url:?}");
        }
        assert_eq!(address(&format!("/{}", "x".repeat(LONGEST))), None);
    }

    #[test]
    fn a_range_that_hangs_on_now_goes_on_doing_so() {
        let mut scope = scope();
        (scope.range.from, scope.range.to, scope.now) = (36_000.0, 57_600.0, Some(57_600_000));
        let of = |scope: &Scope| {
            links(json!({"links": [{"url": "/d/x?${__url_time_range}"}]}), scope)[0]
                .address
                .clone()
        };
        assert_eq!(of(&scope), "/d/x?from=now-6h&to=now&timezone=utc");
        scope.now = None;
        assert!(
            of(&scope).starts_with("/d/x?from=1970-01-01T10%3A00%3A00.000Z&to=1970-01-01T16"),
            "{}",
            of(&scope)
        );
    }
}
