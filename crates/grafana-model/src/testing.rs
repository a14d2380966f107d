//! A source that answers from memory, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use super::model::{Dashboard, Panel};
use super::scope::Scope;
use super::source::{Answer, Answered, QueryError, Series, Source};
use super::time::{Grid, TimeRange, Zone};
use super::variables::Variables;
use edgewatch_program::lock::lock;
use edgewatch_prometheus_client::labels::Labels;

/// Knows some series by the query that finds them.
#[derive(Default)]
pub struct Fake {
    series: Vec<(String, Labels, f64)>,
    failing: Vec<(String, QueryError)>,
    asked: Mutex<Vec<String>>,
}

pub fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

impl Fake {
    /// Also answers `query` with a series that begins at `first` and grows by 1 at each point.
    pub fn with(mut self, query: &str, pairs: &[(&str, &str)], first: f64) -> Self {
        self.series.push((query.to_owned(), labels(pairs), first));
        self
    }

    /// Refuses `query`.
    pub fn failing(mut self, query: &str, error: QueryError) -> Self {
        self.failing.push((query.to_owned(), error));
        self
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }

    fn find<T>(&self, asked: String, query: &str, item: impl Fn(&Labels, f64) -> T) -> Answered<T> {
        lock(&self.asked).push(asked);
        if let Some((_, error)) = self.failing.iter().find(|(failing, _)| failing == query) {
            return Err(error.clone());
        }
        let found = self.series.iter().filter(|(known, ..)| known == query);
        Ok(Arc::new(Answer {
            items: found.map(|(_, labels, first)| item(labels, *first)).collect(),
            notes: Vec::new(),
        }))
    }
}

impl Source for Fake {
    fn range(&self, expression: &str, grid: Grid) -> Answered<Series> {
        let asked = format!("range {expression} every {} ms", grid.step);
        self.find(asked, expression, |labels, first| Series {
            labels: labels.clone(),
            values: (0u32..)
                .take(grid.len)
                .map(|index| first + f64::from(index))
                .collect::<Vec<_>>()
                .into(),
        })
    }

    fn instant(&self, expression: &str, at: i64) -> Answered<(Labels, f64)> {
        self.find(format!("instant {expression} at {at}"), expression, |labels, first| {
            (labels.clone(), first)
        })
    }

    fn label_values(&self, label: &str, selector: &str, _: i64, _: i64) -> Answered<String> {
        let found = self.find(format!("values of {label} in {selector:?}"), selector, |labels, _| {
            labels.get(label).map(str::to_owned)
        })?;
        let mut values: Vec<String> = found.items.iter().flatten().cloned().collect();
        values.sort();
        values.dedup();
        Ok(Arc::new(Answer {
            items: values,
            notes: Vec::new(),
        }))
    }

    fn series(&self, selector: &str, _: i64, _: i64) -> Answered<Labels> {
        self.find(format!("series {selector}"), selector, |labels, _| labels.clone())
    }
}

/// An hour that ends at a multiple of it, scraped every 15 s.
pub fn scope(variables: Variables) -> Scope {
    Scope {
        range: TimeRange {
            from: 1_800_000_000.0,
            to: 1_800_003_600.0,
        },
        variables,
        min_step: 15_000,
        now: Some(1_800_003_600_000),
        zone: Zone::UTC,
        dashboard: "Test".to_owned(),
        deadline: super::limits::Deadline::default(),
    }
}

pub fn panel(json: serde_json::Value) -> Panel {
    let mut panels = dashboard(serde_json::json!({ "panels": [json] })).panels;
    panels.remove(0)
}

pub fn dashboard(json: serde_json::Value) -> Dashboard {
    Dashboard::parse(&json.to_string()).unwrap()
}
