//! What edgewatch answers to the cases of `conformance/`, as texts that Grafana's answers can be held against.

mod choices;
mod columns;
mod frames;
mod links;
mod panels;
mod templates;
mod times;

use serde_json::Value;

/// The answer to `case` of `area`.
pub fn answer(area: &str, case: &Value) -> String {
    match area {
        "units" => columns::unit(case),
        "calculations" => columns::calculation(case),
        "legends" => columns::legend(case),
        "values" => columns::value(case),
        "transformations" => frames::transformed(case),
        "panels" => panels::panel(case),
        "names" => panels::names(case),
        "templates" => templates::template(case),
        "times" => times::time(case),
        "links" => links::link(case),
        "choices" => choices::choices(case),
        other => panic!("no area {other:?}"),
    }
}

/// A text of a case.
fn text<'v>(case: &'v Value, name: &str) -> &'v str {
    case[name].as_str().unwrap_or_default()
}

/// What a case has, or nothing where it is left out.
fn list<'v>(case: &'v Value, name: &str) -> &'v [Value] {
    case[name].as_array().map_or(&[], Vec::as_slice)
}
