//! What a dashboard costs, step by step: an answer of Prometheus from its socket to values, values to frames, frames to a page or a picture.
//! `cargo bench --manifest-path benches/criterion/Cargo.toml` compares with the run before.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::{hint, thread};

use criterion::{Criterion, criterion_group, criterion_main};
use edgewatch_dashboards::settings::Prometheus;
use edgewatch_dashboards::source::Direct;
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::evaluate::evaluate;
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::layout::{Placed, layout};
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::source::{Answer, Answered, Series, Source};
use edgewatch_grafana_model::time::{Grid, TimeRange, Zone};
use edgewatch_grafana_model::variables::Variables;
use edgewatch_prometheus_client::labels::Labels;

const SHIPPED: [(&str, &str); 3] = [
    ("overview", include_str!("../../grafana-dashboards/overview.json")),
    ("hardware", include_str!("../../grafana-dashboards/hardware.json")),
    ("budget", include_str!("../../grafana-dashboards/budget.json")),
];
const HOUR: TimeRange = TimeRange {
    from: 1_800_000_000.0,
    to: 1_800_003_600.0,
};
/// Points of a series, as a graph of usual width asks for them.
const POINTS: usize = 240;
/// Series behind each query.
const SERIES: usize = 4;

/// Answers every query with a few series.
struct Synthetic;

fn answer<T>(item: impl Fn(usize) -> T) -> Answered<T> {
    Ok(Arc::new(Answer {
        items: (0..SERIES).map(item).collect(),
        notes: Vec::new(),
    }))
}

fn labels(number: usize) -> Labels {
    let name = format!("sensor{number}");
    [
        ("__name__", "node_hwmon_temp_celsius"),
        ("chip", "cpu_thermal"),
        ("sensor", &*name),
    ]
    .into_iter()
    .collect()
}

fn value(number: usize, point: usize) -> f64 {
    40.0 + number as f64 + (point as f64 / 10.0).sin()
}

impl Source for Synthetic {
    fn range(&self, _: &str, grid: Grid) -> Answered<Series> {
        answer(|number| Series {
            labels: labels(number),
            values: (0..grid.len)
                .map(|point| value(number, point))
                .collect::<Vec<_>>()
                .into(),
        })
    }

    fn instant(&self, _: &str, _: i64) -> Answered<(Labels, f64)> {
        answer(|number| (labels(number), value(number, 0)))
    }

    fn label_values(&self, _: &str, _: &str, _: i64, _: i64) -> Answered<String> {
        answer(|number| format!("sensor{number}"))
    }

    fn series(&self, _: &str, _: i64, _: i64) -> Answered<Labels> {
        answer(labels)
    }
}

/// The address of a server that gives every query the answer that Prometheus would give: [`SERIES`] series of [`POINTS`] points.
fn prometheus() -> String {
    let mut series = Vec::new();
    for number in 0..SERIES {
        let mut values = String::new();
        for point in 0..POINTS {
            let comma = if point == 0 { "" } else { "," };
            let time = HOUR.from as usize + point * 15;
            write!(values, "{comma}[{time},\"{}\"]", value(number, point)).unwrap();
        }
        series.push(format!(r#"{{"metric":{{"__name__":"node_hwmon_temp_celsius","chip":"cpu_thermal","sensor":"sensor{number}"}},"values":[{values}]}}"#));
    }
    let body = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
        series.join(",")
    );
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(response.as_bytes());
        }
    });
    format!("http://{address}")
}

fn decode(criterion: &mut Criterion) {
    let settings = Prometheus {
        url: prometheus(),
        ..Prometheus::default()
    };
    let direct = Direct::new(&settings).unwrap();
    let grid = Grid::new(HOUR, 15_000, 0);
    criterion.bench_function("decode", |bencher| {
        bencher.iter(|| assert_eq!(direct.range("x", grid).unwrap().items.len(), SERIES));
    });
}

/// The panels of a dashboard, each with its scope.
fn panels(json: &str) -> Vec<(Placed, Scope)> {
    let dashboard = Dashboard::parse(json).unwrap();
    let scope = Scope {
        range: HOUR,
        variables: Variables::resolve(&dashboard, &[], HOUR, &Synthetic),
        min_step: 15_000,
        now: None,
        zone: Zone::UTC,
        dashboard: dashboard.title.clone(),
        deadline: Deadline::default(),
    };
    let placed = layout(&dashboard, &scope.variables);
    placed
        .into_iter()
        .map(|placed| {
            let scope = placed.scope(&scope);
            (placed, scope)
        })
        .collect()
}

fn evaluated(panels: &[(Placed, Scope)]) -> Vec<Data> {
    panels
        .iter()
        .map(|(placed, scope)| evaluate(&placed.panel, scope, POINTS, &Synthetic))
        .collect()
}

fn whole_dashboards(criterion: &mut Criterion) {
    for (name, json) in SHIPPED {
        let panels = panels(json);
        let data = evaluated(&panels);
        let drawn = || {
            panels
                .iter()
                .zip(&data)
                .map(|((placed, scope), data)| (&placed.panel, data, scope))
        };
        criterion.bench_function(&format!("evaluate {name}"), |bencher| {
            bencher.iter(|| hint::black_box(evaluated(&panels)));
        });
        criterion.bench_function(&format!("draw {name}, page"), |bencher| {
            bencher.iter(|| {
                drawn()
                    .map(|(panel, data, scope)| edgewatch_charts::html(panel, data, scope).0.len())
                    .sum::<usize>()
            });
        });
        criterion.bench_function(&format!("draw {name}, picture"), |bencher| {
            bencher.iter(|| {
                let pictures =
                    drawn().map(|(panel, data, scope)| edgewatch_charts::picture(panel, data, scope, 600, 300, true));
                pictures.map(|picture| picture.0.len()).sum::<usize>()
            });
        });
    }
}

criterion_group!(benches, decode, whole_dashboards);
criterion_main!(benches);
