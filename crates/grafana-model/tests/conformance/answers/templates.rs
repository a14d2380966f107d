//! Variables in texts and queries.

use std::sync::Arc;

use edgewatch_grafana_model::time::Zone;
use edgewatch_grafana_model::variables::format::Place;
use edgewatch_grafana_model::variables::{Resolved, Variables, template};
use serde_json::Value;

use super::frames::scope;
use super::{list, text};

pub fn template(case: &Value) -> String {
    let texts = |values: &[Value]| -> Vec<String> {
        let texts = values.iter().map(|value| value.as_str().unwrap_or_default().to_owned());
        texts.collect()
    };
    let mut options: Vec<(String, String)> = list(case, "options")
        .iter()
        .map(|option| match texts(option.as_array().unwrap()).as_slice() {
            [text, value] => (text.clone(), value.clone()),
            other => panic!("{other:?} is no option"),
        })
        .collect();
    if case["includeAll"] == true {
        options.insert(0, ("All".to_owned(), "$__all".to_owned()));
    }
    let x = Resolved {
        name: "x".to_owned(),
        multi: case["multi"] == true,
        options,
        chosen: texts(list(case, "chosen")),
        all: Some(text(case, "allValue").to_owned()).filter(|all| !all.is_empty()),
        ..Resolved::default()
    };
    let y = Resolved {
        name: "y".to_owned(),
        options: vec![("Why".to_owned(), "why".to_owned())],
        chosen: vec!["why".to_owned()],
        ..Resolved::default()
    };
    let variables = Variables {
        list: vec![Arc::new(x), Arc::new(y)],
    };
    let place = match text(case, "place") {
        "query" => Place::Query,
        "title" => Place::Text,
        "content" => Place::Content,
        _ => Place::Plain,
    };
    let scope = scope(variables, Zone::UTC);
    template::expand(text(case, "text"), |reference| scope.value(reference, place))
}
