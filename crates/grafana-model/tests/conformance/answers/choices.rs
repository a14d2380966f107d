//! What can be chosen for a variable, and what is chosen.

use std::sync::Arc;

use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::source::{Answer, Answered, Series, Source};
use edgewatch_grafana_model::time::{Grid, TimeRange};
use edgewatch_grafana_model::variables::Variables;
use edgewatch_prometheus_client::labels::Labels;
use serde_json::{Value, json};

use super::list;

/// Answers every question of a variable with the same values.
struct Fixed(Vec<String>);

impl Source for Fixed {
    fn range(&self, _: &str, _: Grid) -> Answered<Series> {
        Ok(Arc::new(Answer {
            items: Vec::new(),
            notes: Vec::new(),
        }))
    }

    fn instant(&self, _: &str, _: i64) -> Answered<(Labels, f64)> {
        Ok(Arc::default())
    }

    fn label_values(&self, _: &str, _: &str, _: i64, _: i64) -> Answered<String> {
        Ok(Arc::new(Answer {
            items: self.0.clone(),
            notes: Vec::new(),
        }))
    }

    fn series(&self, _: &str, _: i64, _: i64) -> Answered<Labels> {
        Ok(Arc::default())
    }
}

pub fn choices(case: &Value) -> String {
    let mut variable = case["variable"].clone();
    let fields = variable.as_object_mut().unwrap();
    fields.insert("name".to_owned(), json!("x"));
    fields.entry("query").or_insert_with(|| json!("label_values(up, x)"));
    let dashboard = json!({"templating": {"list": [variable]}});
    let dashboard = Dashboard::parse(&dashboard.to_string()).unwrap();
    let values = list(case, "values")
        .iter()
        .map(|value| value.as_str().unwrap().to_owned());
    let variables = Variables::resolve(
        &dashboard,
        &[],
        TimeRange { from: 0.0, to: 60.0 },
        &Fixed(values.collect()),
    );
    let x = variables.get("x").unwrap();
    let options = x.options.iter().filter(|(_, value)| value != "$__all");
    let options: Vec<String> = options.map(|(text, value)| format!("{text}={value}")).collect();
    format!("{} ⇒ {}", options.join(" "), x.chosen.join(" "))
}
