//! Files of some KB that would cost gigabytes or minutes, and files whose reads never end. The program that shows them has 24 MB in all.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::shown;
use crate::common::Service;
use crate::common::upstream::{Reply, Upstream};

/// MiB by which a page may grow the program beyond what a shipped one has left behind.
const MOST_GROWTH: u64 = 8;

/// Fifty series for the queries of this test, three for those of the shipped dashboards, and five hundred names.
fn answer(asked: &str) -> Reply {
    let is_ours = ["?query=up&", "?query=a&", "?query=b&"]
        .iter()
        .any(|query| asked.contains(query));
    let count = if is_ours { 50 } else { 3 };
    let parameter = |name: &str| -> Option<f64> {
        let (_, rest) = asked.split_once(&format!("&{name}="))?;
        rest.split('&').next()?.parse().ok()
    };
    let hosts = |value: &str| -> String {
        let hosts = (0..count).map(|host| format!("{{\"metric\":{{\"host\":\"h{host}\"}},{value}}}"));
        hosts.collect::<Vec<_>>().join(",")
    };
    let data = if let (Some(start), Some(end), Some(step)) = (parameter("start"), parameter("end"), parameter("step")) {
        let points = (0..)
            .map(|point| start + f64::from(point) * step)
            .take_while(|time| *time <= end);
        let points: Vec<String> = points.map(|time| format!("[{time},\"{}\"]", time % 9.0)).collect();
        let series = hosts(&format!("\"values\":[{}]", points.join(",")));
        format!("{{\"resultType\":\"matrix\",\"result\":[{series}]}}")
    } else if asked.starts_with("/api/v1/query") {
        let samples = hosts("\"value\":[1,\"1\"]");
        format!("{{\"resultType\":\"vector\",\"result\":[{samples}]}}")
    } else {
        json!((0..500).map(|value| format!("v{value}")).collect::<Vec<_>>()).to_string()
    };
    Reply::Json(200, format!("{{\"status\":\"success\",\"data\":{data}}}"))
}

fn panel(more: Value) -> Value {
    let mut panel =
        json!({"id": 1, "type": "timeseries", "gridPos": {"w": 12, "h": 8}, "targets": [{"refId": "A", "expr": "up"}]});
    panel.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"uid": "x", "panels": [panel]})
}

fn variables(list: Vec<Value>, title: &str) -> Value {
    let mut dashboard = panel(json!({ "title": title }));
    dashboard["templating"] = json!({ "list": list });
    dashboard
}

/// A service that shows `dashboard` as `/d/x`.
fn service(dashboard: &str, upstream: &Upstream) -> (Service, tempfile::TempDir) {
    shown(&[("x", dashboard)], upstream)
}

/// Looks at a shipped dashboard and then at `dashboard`: its page, which must say each of `said`, costs little more.
fn costs_little(name: &str, dashboard: &str, said: &[&str]) {
    let upstream = Upstream::start(answer);
    let (service, _directory) = service(dashboard, &upstream);
    assert_eq!(service.get("/d/edgewatch-overview").status, 200, "{name}");
    let program = service.dashboards();
    let cpu = program.cpu();
    assert_eq!(service.get("/d/edgewatch-overview").status, 200, "{name}");
    let shipped = program.cpu() - cpu;
    let (rss, cpu) = (program.status("VmRSS"), program.cpu());
    program.reset_peak();
    let page = service.get("/d/x");
    let own = program.cpu() - cpu;
    let growth = program.status("VmHWM") - rss;
    println!(
        "{name}: {own:?} of CPU (shipped: {shipped:?}), +{growth} KiB, {} KiB of page",
        page.body.len() >> 10
    );
    assert_eq!(page.status, 200, "{name}: {}", page.text());
    for text in said {
        assert!(
            page.text().contains(text),
            "{name}: no {text:?} in {:.3000}",
            page.text()
        );
    }
    assert!(growth < MOST_GROWTH << 10, "{name}: +{growth} KiB");
    // Within two seconds of a release build on a slow device, where the shipped one takes a tenth of one.
    assert!(
        own < 10 * shipped + Duration::from_millis(500),
        "{name}: {own:?}, shipped {shipped:?}"
    );
    assert_eq!(service.get("/d/edgewatch-overview").status, 200, "{name}");
    assert_eq!(service.log.count("panicked"), 0, "{name}: {}", service.log.text());
}

#[test]
fn variables_that_double_end_at_a_bound() {
    let mut list = vec![json!({"name": "v0", "type": "custom", "query": "aaaaaaaaaa"})];
    list.extend((1..28).map(|number| {
        let before = number - 1;
        json!({"name": format!("v{number}"), "type": "custom", "query": format!("$v{before}$v{before}")})
    }));
    costs_little(
        "doubling",
        &variables(list, "$v27").to_string(),
        &["v14", "longer than 64 KiB"],
    );
    let constant = json!({"name": "v", "type": "constant", "query": "a".repeat(10_000)});
    costs_little(
        "many",
        &variables(vec![constant], &"$v".repeat(100_000)).to_string(),
        &["cut off", "…"],
    );
    let chain = (0..3000)
        .map(|number| json!({"name": format!("v{number}"), "type": "custom", "query": format!("a$v{}", number + 1)}));
    costs_little(
        "chain",
        &variables(chain.collect(), "").to_string(),
        &["2900 variables"],
    );
    let inputs: Vec<Value> = (0..40)
        .map(|number| json!({"type": "constant", "name": format!("VAR_{number}"), "value": format!("${{VAR_{0}}}${{VAR_{0}}}", number + 1)}))
        .collect();
    let mut constants = panel(json!({"title": "${VAR_0}"}));
    constants["__inputs"] = json!(inputs);
    costs_little("constants", &constants.to_string(), &["${VAR_1}${VAR_1}"]);
}

#[test]
fn counts_are_bounded_when_a_file_is_read() {
    let many = |count: usize| vec!["{}"; count].join(",");
    let panels = format!("{{\"uid\":\"x\",\"panels\":[{}]}}", many(300_000));
    costs_little(
        "panels",
        &panels,
        &["299400 panels of a dashboard are left out: at most 600 are read"],
    );
    let queries = format!(
        "{{\"uid\":\"x\",\"panels\":[{{\"type\":\"stat\",\"targets\":[{}]}}]}}",
        many(300_000)
    );
    costs_little("queries without name", &queries, &["299950 queries of a panel"]);
    let queries = panel(json!({"targets": vec![json!({"refId": "A", "expr": "up"}); 20_000]}));
    costs_little(
        "queries",
        &queries.to_string(),
        &["19950 queries of a panel", "series are left out"],
    );
    let sum = |number| json!({"id": "calculateField", "options": {"mode": "reduceRow", "reduce": {"reducer": "sum"}, "alias": format!("a{number}")}});
    let sums: Vec<Value> = (0..3000).map(sum).collect();
    costs_little(
        "sums",
        &panel(json!({"transformations": sums})).to_string(),
        &["2970 transformations"],
    );
}

#[test]
fn expressions_are_bounded() {
    let costly = |number: usize| format!("/(a{{1,90}}){{1,90}}b{number}/");
    let overrides: Vec<Value> = (0..7000)
        .map(|number| json!({"matcher": {"id": "byRegexp", "options": costly(number)}, "properties": [{"id": "unit", "value": "s"}]}))
        .collect();
    let overrides = panel(json!({"fieldConfig": {"overrides": overrides}}));
    costs_little(
        "overrides",
        &overrides.to_string(),
        &["6800 overrides", "is not supported"],
    );
    let mappings: Vec<Value> = (0..9000)
        .map(|number| json!({"type": "regex", "options": {"pattern": costly(number), "result": {"text": "x"}}}))
        .collect();
    let mappings = panel(
        json!({"type": "table", "targets": [{"refId": "A", "expr": "up", "format": "table", "instant": true}],
        "fieldConfig": {"defaults": {"mappings": mappings}}}),
    );
    costs_little("mappings", &mappings.to_string(), &["8800 value mappings", "h49"]);
    // As dear as each may be, and as many as there may be.
    let dear: Vec<Value> = (0..200)
        .map(|number| json!({"type": "regex", "options": {"pattern": format!("/^([a-z0-9]{{1,60}}x?){{1,3}}{number}$/"), "result": {"text": "x"}}}))
        .collect();
    let dear = panel(
        json!({"type": "table", "targets": [{"refId": "A", "expr": "up", "format": "table"}],
        "fieldConfig": {"defaults": {"mappings": dear}}}),
    );
    costs_little("dear mappings", &dear.to_string(), &["too much text to try them on"]);
}

#[test]
fn texts_of_panels_are_bounded() {
    let text = |mode: &str, content: &str| {
        panel(json!({"type": "text", "options": {"mode": mode, "content": content}})).to_string()
    };
    costs_little(
        "tags",
        &text("html", &"<script></script>".repeat(45_000)),
        &["1 texts are cut off"],
    );
    for (name, part) in [
        ("brackets", "["),
        ("stars", "*a_ "),
        ("quotes", ">"),
        ("ticks", "`a``"),
        ("lists", "- "),
        ("tags", "<a "),
    ] {
        costs_little(
            name,
            &text("markdown", &part.repeat(500_000 / part.len())),
            &["1 texts are cut off"],
        );
    }
    let line = |cell: &str| format!("{}|\n", format!("|{cell}").repeat(5_000));
    let table = format!("{}{}{}", line("a"), line("-"), "|x|\n".repeat(5_000));
    costs_little("cells", &text("markdown", &table), &[]);
}

/// What multiplies: columns by calculations, rows by labels, options by fields.
#[test]
fn what_a_panel_makes_of_its_values_is_bounded() {
    let reduce = json!({"id": "reduce", "options": {"mode": "reduceFields", "reducers": ["max", "min", "mean", "sum", "count", "range", "delta", "step"]}});
    let reduced = panel(json!({"transformations": vec![reduce; 30]}));
    costs_little("calculations", &reduced.to_string(), &["MiB of values"]);
    let table = json!({"refId": "A", "expr": "up", "format": "table"});
    let tables: Vec<Value> = (0..50)
        .map(|number| {
            let mut table = table.clone();
            table["refId"] = json!(format!("Q{number}"));
            table
        })
        .collect();
    costs_little(
        "tables",
        &panel(json!({"type": "table", "targets": tables})).to_string(),
        &["series are left out"],
    );
    let rename = json!({"id": "renameByRegex", "options": {"regex": "(.*)", "renamePattern": "$1$1$1$1$1$1$1$1"}});
    costs_little(
        "names",
        &panel(json!({"transformations": vec![rename; 30]})).to_string(),
        &["…"],
    );
    let big: Value = (0..500)
        .map(|number| (format!("k{number}"), json!({"a": number})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let overrides: Vec<Value> = (0..50)
        .map(|number| json!({"matcher": {"id": "byRegexp", "options": format!("/h{number}\"/")}, "properties": [{"id": "unit", "value": "s"}]}))
        .collect();
    let options = panel(json!({"fieldConfig": {"defaults": {"custom": big}, "overrides": overrides}}));
    costs_little("options", &options.to_string(), &["MiB of options"]);
}

/// Two queries of the same name, one of them for a heat map, with other steps.
#[test]
fn queries_of_one_name_with_other_steps_do_not_panic() {
    let targets =
        json!([{"refId": "A", "expr": "a", "format": "heatmap", "intervalFactor": 10}, {"refId": "A", "expr": "b"}]);
    for kind in ["timeseries", "heatmap", "stat", "table", "state-timeline"] {
        costs_little(
            kind,
            &panel(json!({"type": kind, "targets": targets})).to_string(),
            &["panel-1"],
        );
    }
}

/// A read that never ends must stop neither the shipped dashboards nor the list for good.
#[test]
fn files_whose_reads_never_end_stop_nothing() {
    let upstream = Upstream::start(answer);
    let (service, directory) = service(&panel(json!({})).to_string(), &upstream);
    // A pipe that nobody writes to, and a file that says it is a regular one and is none.
    let pipe = directory.path().join("pipe.json");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    std::os::unix::fs::symlink("/proc/kmsg", directory.path().join("kernel.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", directory.path().join("zero.json")).unwrap();
    let start = Instant::now();
    for path in [
        "/dashboards",
        "/d/edgewatch-overview",
        "/d/x",
        "/dashboards.json",
        "/d/pipe",
    ] {
        let expected = if path == "/d/pipe" { 404 } else { 200 };
        assert_eq!(service.get(path).status, expected, "{path}");
    }
    let list = service.get("/dashboards").text();
    for name in ["pipe.json", "kernel.json", "zero.json"] {
        assert!(list.contains(name), "{name} is not named: {list}");
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Control characters in a title; those in labels are in `prometheus_answers`.
#[test]
fn a_title_with_control_characters_is_drawn() {
    let upstream = Upstream::start(answer);
    let mut dashboard = panel(json!({"title": "T\u{1}\u{fffe}"}));
    dashboard["title"] = json!("D\u{1b}[31m");
    dashboard["panels"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": 2, "type": "row", "title": "R\u{2}"}));
    let (service, _directory) = service(&dashboard.to_string(), &upstream);
    let svg = service.get("/render/d/x.svg");
    assert_eq!(svg.status, 200);
    assert_xml(&svg.text());
    let png = service.get("/render/d/x.png");
    assert_eq!(png.status, 200, "{}", png.text());
}

/// Nothing that XML 1.0 does not allow (production `Char`), and every tag closed.
pub fn assert_xml(svg: &str) {
    let forbidden =
        |c: &char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    assert_eq!(svg.chars().find(forbidden), None);
    let tree = resvg::usvg::Tree::from_str(svg, &resvg::usvg::Options::default());
    assert!(tree.is_ok(), "{:?}", tree.err());
}
