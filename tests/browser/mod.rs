//! The dashboards as a person meets them: in a browser, fed by the real service and a real Prometheus.

mod chromium;
mod interaction;

use crate::common;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use chromium::{Browser, is_installed};
use common::prometheus::{Prometheus, installed};
use common::{Service, Setup, eventually};
use serde_json::Value;

const DASHBOARDS: [&str; 3] = ["overview", "hardware", "budget"];

/// The fixture of a Raspberry Pi, with simulated sensors beside its own, scraped each second with the shipped configuration.
struct Stack {
    service: Service,
    prometheus: Prometheus,
}

impl Stack {
    fn start() -> Self {
        Self::with("")
    }

    /// With more settings.
    fn with(more: &str) -> Self {
        Self::in_environment(more, &[])
    }

    /// With more settings and variables of the environment.
    fn in_environment(more: &str, environment: &[(&str, &str)]) -> Self {
        let machine = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/raspberry-pi-4");
        let settings = format!(
            "[simulated]\nenabled = true\n[paths]\nprocfs = {:?}\nsysfs = {:?}\n",
            machine.join("proc"),
            machine.join("sys")
        );
        let setup = environment.iter().fold(Setup::new(&settings), |setup, (name, value)| {
            setup.environment(name, value)
        });
        let service = setup.start();
        let prometheus = Prometheus::start_shipped(&installed()[0], &[service.address()]);
        service.configure(&format!(
            "{settings}{more}[prometheus]\nurl = \"http://{}\"\nscrape_interval = \"1s\"\n",
            prometheus.address
        ));
        service.signal("HUP");
        service.manager.wait_for_nth("READY=1", 2);
        let scraped = || {
            prometheus
                .try_query("count_over_time(node_load1[1m]) > 20")
                .is_ok_and(|found| !found.is_empty())
        };
        assert!(eventually(scraped), "nothing is scraped");
        Self { service, prometheus }
    }

    fn address(&self, path: &str) -> String {
        format!("http://{}{path}", self.service.address())
    }

    /// How many series the query has had within the last minute.
    fn series(&self, query: &str) -> f64 {
        let count = format!("count(count_over_time(({query})[1m:1s]))");
        self.prometheus
            .try_query(&count)
            .unwrap()
            .first()
            .copied()
            .unwrap_or(0.0)
    }

    /// The value of a series without labels of interest.
    fn value(&self, expression: &str) -> f64 {
        *self.prometheus.try_query(expression).unwrap().first().unwrap()
    }
}

/// A panel of a shipped dashboard.
struct Panel {
    id: u64,
    title: String,
    kind: String,
    /// PromQL, with Grafana's variables as they are on a page of a minute with scrapes each second.
    queries: Vec<String>,
}

/// Those that are open at first, but for rows.
fn open_panels(name: &str) -> Vec<Panel> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("grafana-dashboards")
        .join(name)
        .with_extension("json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels
        .filter(|panel| panel["type"] != "row")
        .map(|panel| Panel {
            id: panel["id"].as_u64().unwrap(),
            title: text(&panel["title"]),
            kind: text(&panel["type"]),
            queries: panel["targets"]
                .as_array()
                .unwrap()
                .iter()
                .map(|target| expand(&text(&target["expr"])))
                .collect(),
        })
        .collect()
}

fn expand(query: &str) -> String {
    query.replace("$__rate_interval", "4s")
}

fn panel_id(dashboard: &str, title: &str) -> u64 {
    let panels = open_panels(dashboard);
    panels.into_iter().find(|panel| panel.title == title).unwrap().id
}

/// What must hold of a shipped dashboard whether or not its script runs.
fn assert_shows_everything(browser: &Browser, stack: &Stack, name: &str) {
    browser.open(&stack.address(&format!("/d/edgewatch-{name}?from=now-1m&to=now&refresh=")));
    for panel in open_panels(name) {
        let (place, title) = (format!("#panel-{}", panel.id), &panel.title);
        let text = browser.texts(&place).join("\n");
        assert!(text.contains(title), "{name} / {title}: {text}");
        assert!(
            browser.texts(&format!("{place} .problems")).is_empty(),
            "{name} / {title}: {text}"
        );
        if panel.kind != "timeseries" {
            continue;
        }
        let drawn = format!("return document.querySelectorAll('{place} .plot .series').length");
        let drawn = browser.evaluate(&drawn).as_u64().unwrap();
        let known: f64 = panel.queries.iter().map(|query| stack.series(query)).sum();
        assert_eq!(drawn as f64, known, "{name} / {title}: {text}");
        let named = browser.texts(&format!("{place} .legend [data-series]"));
        assert_eq!(named.len() as u64, drawn, "{name} / {title}: {text}");
        assert!(named.iter().all(|name| !name.is_empty()), "{name} / {title}: {named:?}");
    }
}

/// The range ends at a whole minute, where a time is written.
fn assert_no_time_is_cut_off(browser: &Browser, stack: &Stack, name: &str) {
    let minute = 60_000;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let to = now.div_ceil(minute) * minute;
    browser.open(&stack.address(&format!(
        "/d/edgewatch-{name}?from={}&to={to}&refresh=",
        to - 2 * minute
    )));
    let texts = browser.evaluate(
        "return [...document.querySelectorAll('.times text')].map(text => {
            const own = text.getBoundingClientRect(), all = text.closest('.panel').getBoundingClientRect();
            return own.width && (own.left < all.left || own.right > all.right) ? 'cut off: ' + text.textContent : 'whole';
        })",
    );
    let texts: Vec<String> = serde_json::from_value(texts).unwrap();
    assert!(
        !texts.is_empty() && texts.iter().all(|text| text == "whole"),
        "{name}: {texts:?}"
    );
}

fn assert_values_are_those_of_prometheus(browser: &Browser, stack: &Stack) {
    browser.open(&stack.address("/d/edgewatch-overview?from=now-1m&to=now&refresh="));
    let legend: BTreeSet<String> = browser
        .texts(&format!(
            "#panel-{} .legend [data-series]",
            panel_id("overview", "Load")
        ))
        .into_iter()
        .collect();
    assert!(legend.iter().any(|text| text.contains("1 min")), "{legend:?}");
    let targets = browser
        .texts(&format!("#panel-{}", panel_id("overview", "Targets")))
        .join("\n");
    assert!(targets.matches("up").count() >= 2, "{targets}");
    let shown = browser
        .texts(&format!(
            "#panel-{} .inside",
            panel_id("overview", "Highest temperature")
        ))
        .join(" ");
    let shown: f64 = shown.split_whitespace().next().unwrap().parse().unwrap();
    // The simulated sensor walks on while the page is being looked at.
    let hottest = "max(node_hwmon_temp_celsius or node_thermal_zone_temp)";
    let least = stack.value(&format!("min_over_time({hottest}[1m:1s])"));
    let most = stack.value(&format!("max_over_time({hottest}[1m:1s])"));
    assert!(
        (least - 0.06..=most + 0.06).contains(&shown),
        "{shown} is not within {least} and {most}"
    );
}

#[test]
fn every_dashboard_shows_what_prometheus_answers() {
    let test = "every_dashboard_shows_what_prometheus_answers";
    if !is_installed(test) {
        return;
    }
    let stack = Stack::start();
    for javascript in [true, false] {
        let browser = Browser::start(1400, 1000, javascript);
        for name in DASHBOARDS {
            assert_shows_everything(&browser, &stack, name);
            assert_eq!(browser.complaints(), Vec::<String>::new(), "{name}");
            browser.keep_screenshot(&format!("{name}-{}", if javascript { "script" } else { "plain" }));
            assert_no_time_is_cut_off(&browser, &stack, name);
        }
        assert_values_are_those_of_prometheus(&browser, &stack);
    }
    let phone = Browser::start(500, 900, true);
    for name in DASHBOARDS {
        assert_shows_everything(&phone, &stack, name);
        let overflow = "return document.documentElement.scrollWidth <= window.innerWidth";
        assert_eq!(phone.evaluate(overflow), true, "{name} is wider than a phone");
        phone.keep_screenshot(&format!("{name}-phone"));
        assert_no_time_is_cut_off(&phone, &stack, name);
    }
}
