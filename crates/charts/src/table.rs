//! The panel `table`.

use std::sync::LazyLock;

use edgewatch_grafana_model::data::{Data, Field, Frame, NULL, Values};
use edgewatch_grafana_model::display::{self, Display};
use edgewatch_grafana_model::panel::table::{Align, Cell, Footer, SortBy, Table, TableField};
use edgewatch_grafana_model::reduce;
use edgewatch_grafana_model::scope::Scope;

/// Rows of a table; nobody reads more.
pub const MAX_ROWS: usize = 500;
/// Cells of all tables of a panel; the series of a query are a table each, unless they are joined.
pub const MAX_CELLS: usize = 20_000;

/// The tables of a panel: the series of a query are one each, unless they are joined.
pub struct Tables<'a> {
    /// With something in them.
    pub frames: Vec<&'a Frame>,
    /// Whether columns have their names above.
    pub has_head: bool,
    /// The columns that rows are sorted by, of which the first counts; `None`: their order is no choice of the reader's.
    pub sort_by: Option<&'a [SortBy]>,
    /// What the links of cells are about.
    pub scope: &'a Scope,
    footer: &'a Footer,
}

/// What the panel shows of `data`; `None` if there is nothing.
pub fn tables<'a>(options: &'a Table, data: &'a Data, scope: &'a Scope) -> Option<Tables<'a>> {
    let frames = data.frames.iter();
    let frames: Vec<&Frame> = frames
        .filter(|frame| frame.fields.iter().any(|field| !field.values.is_empty()))
        .collect();
    (!frames.is_empty()).then_some(Tables {
        frames,
        has_head: options.show_header,
        sort_by: Some(&options.sort_by),
        scope,
        footer: &options.footer,
    })
}

impl Tables<'_> {
    /// The lines below `columns`: what is calculated of each, nothing below most. Empty: there is no footer.
    pub fn footer(&self, columns: &[Column]) -> Vec<Vec<String>> {
        let footer = self.footer;
        let old = |column: &Column| -> Vec<String> {
            let is_wanted = footer.fields.is_empty() || footer.fields.contains(&column.field.name);
            if footer.show && is_wanted && !footer.count_rows {
                footer.reducer.clone()
            } else {
                Vec::new()
            }
        };
        let calcs: Vec<Vec<String>> = columns
            .iter()
            .map(|column| [old(column), column.style.footer.reducers.clone()].concat())
            .collect();
        let mut lines: Vec<Vec<String>> = Vec::new();
        if footer.show && footer.count_rows {
            let mut line = vec![String::new(); columns.len()];
            if let Some(first) = line.first_mut() {
                *first = format!("Count: {}", rows_of(columns));
            }
            lines.push(line);
        }
        // More than one calculation says which is which.
        let is_named = columns.iter().any(|column| !column.style.footer.reducers.is_empty());
        for line in 0..calcs.iter().map(Vec::len).max().unwrap_or(0).min(MAX_FOOTERS) {
            let cell = |(column, calcs): (&Column, &Vec<String>)| {
                calcs
                    .get(line)
                    .map_or_else(String::new, |calc| below(column, calc, is_named))
            };
            lines.push(columns.iter().zip(&calcs).map(cell).collect());
        }
        lines.retain(|line| line.iter().any(|text| !text.is_empty()));
        lines
    }
}

/// Lines below a table.
const MAX_FOOTERS: usize = 10;

/// The text of a calculation below a column; empty where it makes no sense.
fn below(column: &Column, calc: &str, is_named: bool) -> String {
    let is_count = reduce::unit(calc).is_some() || calc.to_lowercase().contains("count");
    if !column.field.values.is_numbers() && !is_count {
        return String::new();
    }
    let text = display::reduced(column.field, calc).text;
    match reduce::title(calc).filter(|_| is_named) {
        Some(title) => format!("{title}: {text}"),
        None => text,
    }
}

/// Alerts, as a table; `None` if there are none.
pub fn alerts<'a>(data: &'a Data, scope: &'a Scope) -> Option<Tables<'a>> {
    static FOOTER: LazyLock<Footer> = LazyLock::new(Footer::default);
    let frames: Vec<&Frame> = data.frames.iter().filter(|frame| !frame.is_empty()).collect();
    (!frames.is_empty()).then_some(Tables {
        frames,
        has_head: true,
        sort_by: None,
        scope,
        footer: &FOOTER,
    })
}

/// A field that is a column.
pub struct Column<'a> {
    /// Where it comes from.
    pub field: &'a Field,
    /// How it is shown.
    pub style: TableField,
    /// How its cells show their values.
    pub cell: Cell,
}

/// The columns of `frame` that are shown.
pub fn columns_of(frame: &Frame) -> Vec<Column<'_>> {
    let columns = frame.fields.iter().map(|field| {
        let (style, _) = TableField::of(&field.options.custom);
        let cell = style.cell();
        Column { field, style, cell }
    });
    columns
        .filter(|column| !column.style.hidden && !column.style.hide_from.viz)
        .collect()
}

/// How many rows columns of one frame have.
pub fn rows_of(columns: &[Column]) -> usize {
    let lengths = columns.iter().map(|column| column.field.values.len());
    lengths.max().unwrap_or_default()
}

/// The colour of a cell that has one: not that of a missing number.
pub fn cell_color(field: &Field, display: &Display, number: Option<f64>) -> Option<String> {
    if number.is_some_and(f64::is_nan) && field.options.mappings.is_empty() {
        return None;
    }
    let color = display.color.clone().or_else(|| number.map(|_| field.color.clone()));
    color.filter(|color| !color.is_empty() && color != "transparent")
}

impl Column<'_> {
    /// The class of its cells.
    pub const fn alignment(&self) -> &'static str {
        match (self.style.align, &self.field.values) {
            (Align::Left, _) => "left",
            (Align::Center, _) => "center",
            (Align::Right, _) | (Align::Auto, Values::Numbers(_)) => "number",
            (Align::Auto, Values::Times(_) | Values::Texts(_) | Values::Booleans(_)) => "left",
        }
    }
}

/// The text of a row of `field`, its colour, and its number if it is one.
pub fn content(field: &Field, row: usize) -> (Display, Option<f64>) {
    let number = match &field.values {
        Values::Numbers(numbers) => Some(numbers.get(row).copied().unwrap_or(NULL)),
        Values::Times(_) | Values::Texts(_) | Values::Booleans(_) => None,
    };
    (display::cell(&field.options, &field.values.cell(row)), number)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::tests::{panel, scope};

    fn page(options: Value, defaults: Value, is_sortable: bool) -> String {
        let panel = panel("table", options, defaults);
        let options = Arc::new(panel.field_config.defaults.clone());
        let column = |name: &str, values: Values| Field {
            options: Arc::clone(&options),
            ..Field::new(name, values)
        };
        let frame = Frame {
            fields: vec![
                column("host", Values::texts(["a<b".to_owned(), "c".to_owned()])),
                column("used", Values::numbers([1.0, 2.0])),
            ],
            ..Frame::default()
        };
        let data = Data {
            frames: vec![frame],
            ..Data::default()
        };
        let sorted = |by: &SortBy| {
            format!(
                "?{}{}",
                by.display_name.as_deref().unwrap(),
                if by.desc { "↓" } else { "↑" }
            )
        };
        match is_sortable {
            true => crate::sortable_html(&panel, &data, &scope(), &sorted).into_string(),
            false => crate::html(&panel, &data, &scope()).into_string(),
        }
    }

    #[test]
    fn heads_lead_to_the_other_order() {
        let sorted = page(json!({"sortBy": [{"displayName": "used"}]}), json!({}), true);
        assert!(
            sorted.contains("aria-sort=\"ascending\"><a href=\"?used↓\">used</a>"),
            "{sorted}"
        );
        assert!(sorted.contains("<a href=\"?host↑\">host</a>"), "{sorted}");
        let sorted = page(
            json!({"sortBy": [{"displayName": "used", "desc": true}]}),
            json!({}),
            true,
        );
        assert!(
            sorted.contains("aria-sort=\"descending\"><a href=\"?used↑\">used</a>"),
            "{sorted}"
        );
        assert_eq!(sorted.matches("aria-sort").count(), 1);
        let plain = page(json!({}), json!({}), false);
        assert!(!plain.contains("<a ") && plain.contains(">used</th>"), "{plain}");
    }

    #[test]
    fn calculations_stand_below_columns() {
        let below = |options: Value, custom: Value| {
            let page = page(json!({ "footer": options }), json!({ "custom": custom }), false);
            let (_, rest) = page.split_once("<tfoot>").unwrap_or_default();
            let lines = rest.split("<tr>").skip(1);
            let texts = lines.map(|line| {
                let cells = line.split("<td class=\"").skip(1);
                let cells = cells.map(|cell| cell.split(['>', '<']).nth(1).unwrap());
                cells.collect::<Vec<_>>().join("|")
            });
            texts.collect::<Vec<_>>()
        };
        assert_eq!(below(json!({"show": true, "reducer": ["sum"]}), json!({})), ["|3"]);
        assert_eq!(below(json!({"show": true, "reducer": ["count"]}), json!({})), ["2|2"]);
        let of_none = json!({"show": true, "reducer": ["sum"], "fields": ["other"]});
        assert!(below(of_none, json!({})).is_empty());
        let rows = json!({"show": true, "countRows": true, "reducer": ["count"]});
        assert_eq!(below(rows, json!({})), ["Count: 2|"]);
        assert!(below(json!({"show": false, "reducer": ["sum"]}), json!({})).is_empty());
        let of_field = json!({"footer": {"reducers": ["max", "min"]}});
        assert_eq!(below(json!({}), of_field), ["|Max: 2", "|Min: 1"]);
    }

    #[test]
    fn a_cell_has_its_colour_or_a_bar() {
        for (cell, drawn) in [
            ("auto", "<td class=\"number\" dir=\"auto\">1</td>"),
            ("json-view", "<td class=\"number\" dir=\"auto\">1</td>"),
            (
                "color-text",
                "<td class=\"number\"><font color=\"#112233\">1</font></td>",
            ),
            (
                "color-background",
                "<td class=\"number\" bgcolor=\"#112233\"><font color=\"#ffffff\">1</font></td>",
            ),
            (
                "gauge",
                "<rect width=\"25.0%\" height=\"100%\" rx=\"2\" fill=\"#112233\">",
            ),
        ] {
            let defaults = json!({"min": 0, "max": 4, "color": {"mode": "thresholds"}, "custom": {"cellOptions": {"type": cell}},
                "thresholds": {"mode": "absolute", "steps": [{"value": null, "color": "#112233"}]}});
            let page = page(json!({}), defaults, false);
            assert!(page.contains(drawn), "{cell}: {page}");
        }
    }

    #[test]
    fn a_cell_is_its_only_link_and_has_several_beside_it() {
        let link = |title: &str, url: &str| json!({"title": title, "url": url});
        let one = page(
            json!({}),
            json!({"links": [link("Of ${__value.raw}", "/d/x?v=${__value.raw}")]}),
            false,
        );
        assert!(
            one.contains("<a href=\"/d/x?v=a%3Cb\" title=\"Of a&lt;b\">a&lt;b</a>"),
            "{one}"
        );
        let two =
            json!({"links": [link("One", "/1"), {"url": "https://h/", "targetBlank": true}, link("", "javascript:x")]});
        let two = page(json!({}), two, false);
        let beside = "c<span class=\"links\"><a href=\"/1\" title=\"One\">One</a><a href=\"https://h/\" target=\"_blank\" rel=\"noopener noreferrer\">https://h/</a></span>";
        assert!(two.contains(beside) && !two.contains("javascript"), "{two}");
        let only = json!({"links": [link("One", "/1")], "custom": {"cellOptions": {"type": "data-links"}}});
        let only = page(json!({}), only, false);
        assert!(
            only.contains("<span class=\"links\"><a href=\"/1\" title=\"One\">One</a></span>")
                && !only.contains("a&lt;b"),
            "{only}"
        );
    }

    #[test]
    fn the_addresses_of_a_panel_are_bounded() {
        let long = "x".repeat(2000);
        let many = json!({"links": (0..10).map(|_| json!({"url": format!("/{long}")})).collect::<Vec<_>>()});
        let panel = panel("table", json!({}), many);
        let field = Field {
            options: Arc::new(panel.field_config.defaults.clone()),
            ..Field::new("v", Values::numbers((0..500).map(f64::from)))
        };
        let data = Data {
            frames: vec![Frame {
                fields: vec![field],
                ..Frame::default()
            }],
            ..Data::default()
        };
        let page = crate::html(&panel, &data, &scope()).into_string();
        assert!(
            page.len() < 1 << 20 && page.contains("links of further cells are left out"),
            "{}",
            page.len()
        );
        assert!(page.contains(">499</td>"), "cells are shown all the same");
    }
}
