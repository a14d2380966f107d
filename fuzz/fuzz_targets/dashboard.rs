//! A dashboard's JSON, from parsing to the page and the picture of each panel, with series behind every query.

#![no_main]

use std::sync::Arc;

use edgewatch_grafana_model::evaluate::evaluate;
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::layout::layout;
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::source::{Answer, Answered, Series, Source};
use edgewatch_grafana_model::support;
use edgewatch_grafana_model::time::{Grid, TimeRange, Zone};
use edgewatch_grafana_model::variables::Variables;
use edgewatch_prometheus_client::labels::Labels;
use libfuzzer_sys::fuzz_target;

/// Three series with what is hard to draw among their values.
struct Awkward;

const HARD: [f64; 8] = [0.0, -0.0, 1e300, -1e300, f64::NAN, f64::INFINITY, 5e-324, 42.5];

fn all<T>(item: impl Fn(&str) -> T) -> Answered<T> {
    let items = ["a", "b", "<&>\"'"].map(item).into();
    Ok(Arc::new(Answer {
        items,
        notes: Vec::new(),
    }))
}

fn labels(name: &str) -> Labels {
    [("__name__", "x"), ("job", name), ("le", "+Inf")].into_iter().collect()
}

impl Source for Awkward {
    fn range(&self, _: &str, grid: Grid) -> Answered<Series> {
        all(|name| Series {
            labels: labels(name),
            values: Arc::new(HARD.iter().copied().cycle().take(grid.len.min(50)).collect()),
        })
    }

    fn instant(&self, _: &str, _: i64) -> Answered<(Labels, f64)> {
        all(|name| (labels(name), 1e9))
    }

    fn label_values(&self, _: &str, _: &str, _: i64, _: i64) -> Answered<String> {
        all(str::to_owned)
    }

    fn series(&self, _: &str, _: i64, _: i64) -> Answered<Labels> {
        all(labels)
    }
}

fuzz_target!(|json: &str| {
    let Ok(dashboard) = Dashboard::parse(json) else { return };
    let _ = support::check(&dashboard);
    let scope = Scope {
        range: TimeRange {
            from: 1_800_000_000.0,
            to: 1_800_003_600.0,
        },
        variables: Variables::default(),
        min_step: 15_000,
        now: None,
        zone: Zone::UTC,
        dashboard: dashboard.title.clone(),
        deadline: Deadline::default(),
    };
    // More are tried by the dashboards that have few.
    for placed in layout(&dashboard, &scope.variables).into_iter().take(8) {
        let scope = placed.scope(&scope);
        let data = evaluate(&placed.panel, &scope, 50, &Awkward);
        let _ = edgewatch_charts::html(&placed.panel, &data, &scope);
        let _ = edgewatch_charts::picture(&placed.panel, &data, &scope, 600, 300, true);
    }
});
