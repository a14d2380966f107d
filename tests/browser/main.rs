//! The dashboards as a person meets them: in a browser, fed by the real service and a real Prometheus.

mod chromium;
#[path = "../common/mod.rs"]
mod common;

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

#[test]
fn a_person_zooms_hides_series_and_reads_values() {
    let test = "a_person_zooms_hides_series_and_reads_values";
    if !is_installed(test) {
        return;
    }
    let stack = Stack::start();
    let browser = Browser::start(1400, 1000, true);
    let id = panel_id("overview", "Load");
    let panel = format!("#panel-{id}");
    let plot = format!("{panel} svg.plot");
    browser.open(&stack.address("/d/edgewatch-overview?from=now-1m&to=now&refresh=off"));

    // The tooltip has the values that Prometheus has; the fixture's load stands still.
    // A mouse is never still; and a page that has just been scrolled puts its tooltips away.
    let is_shown = "return document.querySelector('.tooltip:not(.secondary)') !== null";
    let mut nudge = 0.0;
    let held = eventually(|| {
        nudge = 0.01 - nudge;
        browser.hover(&plot, (0.89 + nudge, 0.5));
        browser.evaluate(is_shown) == true
    });
    assert!(held, "no tooltip is shown");
    let shown = browser.texts(".tooltip:not(.secondary) div");
    for (name, expression) in [
        ("1 min", "node_load1"),
        ("5 min", "node_load5"),
        ("15 min", "node_load15"),
    ] {
        let value = stack.value(expression);
        let line = shown.iter().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {shown:?}"));
        let number: f64 = line.split_whitespace().last().unwrap().parse().unwrap();
        assert!(
            (number - value).abs() < 0.006,
            "{name}: {line}, Prometheus says {value}"
        );
    }
    let lines = browser.evaluate("return document.querySelectorAll('.plot .crosshair').length");
    let plots = browser.evaluate("return document.querySelectorAll('.plot').length");
    assert_eq!(lines, plots, "the crosshair is on every graph");
    browser.keep_view("overview-tooltip");

    // The keyboard does the same.
    browser.evaluate(&format!("document.querySelector('{panel} figure.graph').focus()"));
    browser.press(&format!("{panel} figure.graph"), "\u{e012}");
    browser.wait_for(
        "the value is read out",
        "return document.querySelector('[aria-live=polite]').textContent.includes('1 min')",
    );
    browser.press(&format!("{panel} figure.graph"), "\u{e00c}");
    browser.wait_for(
        "the tooltip is gone",
        "return document.querySelector('.tooltip') === null",
    );

    // The legend leaves one series, and brings the others back.
    let hidden = format!("return document.querySelectorAll('{panel} .plot .series.off').length");
    let all = browser.evaluate(&format!(
        "return document.querySelectorAll('{panel} .plot .series').length"
    ));
    browser.click(&format!("{panel} .legend [data-series=\"0\"]"));
    assert_eq!(browser.evaluate(&hidden).as_u64().unwrap() + 1, all.as_u64().unwrap());
    browser.click(&format!("{panel} .legend [data-series=\"0\"]"));
    assert_eq!(browser.evaluate(&hidden), 0);

    // Dragging zooms all panels to what was marked: a part that has values, though scrapes began 20 s ago.
    let before = range_of(&browser, &panel);
    browser.drag(&plot, (0.4, 0.5), (0.9, 0.5));
    browser.wait_for(
        "the page of the new range",
        "return /from=\\d{13}/.test(location.search) && document.readyState === 'complete'",
    );
    let after = range_of(&browser, &panel);
    let length = before.1 - before.0;
    assert!(
        (after.0 - before.0 - length * 0.4).abs() < length / 20.0,
        "{before:?} {after:?}"
    );
    assert!(
        (before.1 - after.1 - length * 0.1).abs() < length / 20.0,
        "{before:?} {after:?}"
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// From and to of a graph, in milliseconds.
fn range_of(browser: &Browser, panel: &str) -> (f64, f64) {
    let found = browser.evaluate(&format!(
        "const d = document.querySelector('{panel} figure.graph').dataset; return [+d.from, +d.to]"
    ));
    (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
}

#[test]
fn a_person_chooses_range_and_variable_with_and_without_the_script() {
    let test = "a_person_chooses_range_and_variable_with_and_without_the_script";
    if !is_installed(test) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("choice.json"), CHOICE).unwrap();
    let stack = Stack::with(&format!("[dashboards]\ndirectories = [{:?}]\n", directory.path()));
    for javascript in [true, false] {
        let browser = Browser::start(1200, 900, javascript);
        browser.open(&stack.address("/d/choice"));
        assert!(
            browser.texts("#panel-1").join("").contains("Free on /run"),
            "the first option is chosen"
        );

        browser.choose("select[name=var-mount]", "/");
        if !javascript {
            browser.click("form.choices button[type=submit]");
        }
        browser.wait_for(
            "the choice is in the address",
            "return location.search.includes('var-mount=%2F&') || location.search.endsWith('var-mount=%2F')",
        );
        let text = browser.texts("#panel-1").join("\n");
        assert!(text.contains("Free on /") && !text.contains("/run"), "{text}");
        assert!(!text.contains("No data"), "{text}");

        browser.click(".picker summary");
        browser.click(".picker li:nth-child(4) a");
        browser.wait_for(
            "the range is in the address",
            "return location.search.includes('from=now-1h')",
        );
        assert!(
            browser.address().contains("var-mount=/"),
            "the choice is kept: {}",
            browser.address()
        );
        assert!(browser.texts(".picker summary").join("").contains("Last 1 hour"));
    }
}

/// A dashboard as somebody would export it, with a variable.
const CHOICE: &str = r#"{
  "uid": "choice", "title": "Choice", "schemaVersion": 41, "time": { "from": "now-5m", "to": "now" },
  "templating": { "list": [{
    "name": "mount", "label": "Mount point", "type": "query", "refresh": 2, "sort": 2,
    "datasource": { "type": "prometheus", "uid": "prometheus" },
    "query": { "query": "label_values(node_filesystem_avail_bytes, mountpoint)", "refId": "A" }
  }] },
  "panels": [{
    "id": 1, "type": "stat", "title": "Free on $mount", "gridPos": { "x": 0, "y": 0, "w": 12, "h": 6 },
    "fieldConfig": { "defaults": { "unit": "bytes" }, "overrides": [] },
    "targets": [{ "refId": "A", "expr": "node_filesystem_avail_bytes{mountpoint=\"$mount\"}" }]
  }]
}"#;

#[test]
fn a_page_refreshes_itself_and_says_when_it_cannot() {
    let test = "a_page_refreshes_itself_and_says_when_it_cannot";
    if !is_installed(test) {
        return;
    }
    let mut stack = Stack::start();
    let browser = Browser::start(1400, 1000, true);
    browser.open(&stack.address("/d/edgewatch-overview?from=now-1m&to=now&refresh=5s"));
    let panel = format!("#panel-{}", panel_id("overview", "Load"));
    browser.evaluate("window.marked = true; window.scrollTo(0, 300)");
    browser.click(&format!("{panel} .legend [data-series=\"0\"]"));
    let before = range_of(&browser, &panel);
    browser.wait_for(
        "the range has moved on",
        &format!(
            "return +document.querySelector('{panel} figure.graph').dataset.to > {}",
            before.1
        ),
    );
    // In place: what the person did is still there.
    assert_eq!(browser.evaluate("return window.marked && window.scrollY >= 200"), true);
    let hidden = browser.evaluate(&format!(
        "return document.querySelectorAll('{panel} .plot .series.off').length"
    ));
    assert!(hidden.as_u64() > Some(0), "hidden series stay hidden");

    stack.service.child.kill().unwrap();
    browser.wait_for(
        "the page says that it is old",
        "const n = document.querySelector('.notice[role=status]'); return !!n && !n.hidden && n.textContent.startsWith('Not refreshed since')",
    );
}

/// The device may have a zone that the browser has not heard of: the script goes on, and shows times in UTC that say so.
#[test]
fn a_zone_that_the_browser_lacks_leaves_the_page_alive() {
    let test = "a_zone_that_the_browser_lacks_leaves_the_page_alive";
    if !is_installed(test) {
        return;
    }
    let zones = tempfile::tempdir().unwrap();
    std::fs::create_dir(zones.path().join("Mars")).unwrap();
    std::fs::copy("/usr/share/zoneinfo/Asia/Tokyo", zones.path().join("Mars/Olympus")).unwrap();
    let stack = Stack::in_environment("", &[("TZDIR", zones.path().to_str().unwrap())]);
    let browser = Browser::start(1400, 1000, true);
    browser.open(&stack.address("/d/edgewatch-overview?from=now-1m&to=now&refresh=off&timezone=Mars/Olympus"));
    assert_eq!(
        browser.evaluate("return document.querySelector('main').dataset.zone"),
        "Mars/Olympus"
    );
    let plot = format!("#panel-{} svg.plot", panel_id("overview", "Load"));
    let mut nudge = 0.0;
    let tip = "return document.querySelector('.tooltip:not(.secondary)')?.textContent ?? ''";
    let shown = eventually(|| {
        nudge = 0.01 - nudge;
        browser.hover(&plot, (0.89 + nudge, 0.5));
        browser.evaluate(tip).as_str().is_some_and(|text| text.contains("UTC"))
    });
    assert!(shown, "the tooltip says {:?}", browser.evaluate(tip));
}
