//! Dashboards as pages, against the real service and a real Prometheus that scrapes it.

use crate::common;

use std::path::Path;
use std::time::Duration;

use common::prometheus::{Prometheus, installed};
use common::upstream::{Reply, Upstream};
use common::{Answer, Service, Setup, eventually};

const SHIPPED: [&str; 4] = [
    "edgewatch-overview",
    "edgewatch-hardware",
    "edgewatch-sensors",
    "edgewatch-budget",
];

/// A service whose dashboards show what a Prometheus has scraped from it.
struct Stack {
    service: Service,
    prometheus: Prometheus,
    dashboards: tempfile::TempDir,
}

impl Stack {
    fn start() -> Self {
        Self::start_with("")
    }

    fn start_with(settings: &str) -> Self {
        let dashboards = tempfile::tempdir().unwrap();
        let settings = format!("[simulated]\nenabled = true\n{settings}");
        let service = Service::start(&settings);
        let prometheus = Prometheus::start_shipped(&installed()[0], &[service.address()]);
        service.reload(&format!(
            "{settings}[prometheus]\nurl = \"http://{}\"\nscrape_interval = \"1s\"\n[dashboards]\ndirectories = [{:?}]\n",
            prometheus.address,
            dashboards.path()
        ));
        // Rates need two scrapes, and the dashboard of all readings one of them.
        let is_scraped = || {
            !prometheus
                .query("rate(node_cpu_seconds_total[5s]) and on () node_hwmon_temp_celsius")
                .is_empty()
        };
        assert!(eventually(is_scraped), "nothing was scraped");
        Self {
            service,
            prometheus,
            dashboards,
        }
    }

    /// A dashboard of these panels.
    fn put(&self, uid: &str, dashboard: &serde_json::Value) {
        std::fs::write(
            self.dashboards.path().join(format!("{uid}.json")),
            dashboard.to_string(),
        )
        .unwrap();
    }
}

fn graph(id: u32, expression: &str) -> serde_json::Value {
    serde_json::json!({
        "id": id, "type": "timeseries", "title": format!("Panel {id}"), "gridPos": { "x": 0, "y": id, "w": 12, "h": 8 },
        "targets": [{ "refId": "A", "expr": expression }],
    })
}

/// Nothing that the page's policy would refuse.
fn assert_keeps_to_its_policy(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = answer.text().to_lowercase();
    assert!(!page.contains(" style="), "inline style");
    assert!(!page.contains("<style"), "a style element");
    assert!(
        !page.contains(" onclick=") && !page.contains(" onload=") && !page.contains(" onerror="),
        "inline script"
    );
    for script in page.split("<script").skip(1) {
        assert!(
            script.starts_with(" src=\"/dashboards.js\" defer></script>"),
            "{}",
            &script[..80.min(script.len())]
        );
    }
}

#[test]
fn every_shipped_dashboard_is_a_page_whose_queries_all_work() {
    let stack = Stack::start();
    for uid in SHIPPED {
        let answer = stack.service.get(&format!("/d/{uid}?from=now-1m"));
        assert_eq!(answer.status, 200, "{uid}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_keeps_to_its_policy(&answer);
        let page = answer.text();
        assert!(page.ends_with("</main></body></html>\n"), "{uid} is cut off");
        for complaint in [
            "Prometheus refuses",
            "Prometheus does not answer",
            "has no value",
            "internal error",
        ] {
            if let Some((_, rest)) = page.split_once(complaint) {
                panic!("{uid}: {complaint}{}", rest.chars().take(300).collect::<String>());
            }
        }
        let json = stack.service.get(&format!("/dashboards/{uid}.json")).json();
        for panel in json["panels"].as_array().unwrap() {
            let id = &panel["id"];
            let place = if panel["type"] == "row" { "row" } else { "panel" };
            assert!(
                page.contains(&format!("id=\"{place}-{id}\"")),
                "{uid} lacks {place} {id}"
            );
        }
    }
}

#[test]
fn before_the_first_scrape_the_dashboard_of_all_readings_says_what_it_lacks() {
    let prometheus = Prometheus::start(&installed()[0], &[], Duration::from_secs(1));
    let service = Service::start(&format!("[prometheus]\nurl = \"http://{}\"\n", prometheus.address));
    let page = service.get("/d/edgewatch-sensors?from=now-1m").text();
    assert!(page.contains("the variable reading has no value"), "{page}");
    assert!(!page.contains("Prometheus refuses"), "{page}");
}

#[test]
fn readings_under_names_of_ones_own_are_on_the_dashboard_of_readings() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/textfile");
    let stack = Stack::start_with(&format!("[textfile]\ndirectories = [{files:?}]\n"));
    assert!(eventually(|| !stack.prometheus.query("tank_level_ratio").is_empty()));
    let table = || {
        let page = stack.service.get("/d/edgewatch-sensors?from=now-1m&rows=4").text();
        let (_, panel) = page.split_once("id=\"panel-3\"").unwrap();
        panel
            .split_once("</table>")
            .map_or_else(String::new, |(table, _)| table.to_owned())
    };
    assert!(
        eventually(|| ["tank_level_ratio", "north", "0.73"]
            .iter()
            .all(|text| table().contains(text))),
        "{}",
        table()
    );
    // Nothing of the service, of Prometheus or of its recording rules.
    assert_eq!(table().matches("<tr").count(), 2, "{}", table());
}

#[test]
fn values_are_those_of_prometheus() {
    let stack = Stack::start();
    stack.put(
        "numbers",
        &serde_json::json!({ "panels": [graph(1, "node_load1 * 1000"), graph(2, "vector(42)")] }),
    );
    let end = stack.prometheus.value("floor(max(timestamp(node_load1)))");
    let (from, to) = (((end - 10.0) * 1000.0) as i64, (end * 1000.0) as i64);
    let values = stack
        .service
        .get(&format!("/d/numbers/values.json?from={from}&to={to}"))
        .json();
    assert_eq!(values["panels"]["2"]["series"][0]["texts"][0], "42");
    let series = &values["panels"]["1"]["series"][0];
    let times = values["panels"]["1"]["times"].as_array().unwrap();
    let (index, time) = (0..times.len())
        .rev()
        .map(|index| (index, times[index].as_i64().unwrap()))
        .find(|(index, _)| series["texts"][index] != "")
        .expect("a value");
    let exact = stack
        .prometheus
        .value(&format!("node_load1 @ {} * 1000", time as f64 / 1000.0));
    let shown: f64 = series["texts"][index].as_str().unwrap().parse().unwrap();
    assert!((shown - exact).abs() <= 0.5, "{shown} is shown for {exact}");
    assert!(series["color"].as_str().unwrap().starts_with('#'), "{series}");
}

#[test]
fn a_panel_alone_has_a_table_of_its_values() {
    let stack = Stack::start();
    stack.put(
        "one",
        &serde_json::json!({ "panels": [graph(1, "vector(4242)"), graph(2, "vector(4343)")] }),
    );
    let page = stack.service.get("/d/one?from=now-1m&viewPanel=1").text();
    assert!(
        page.contains("id=\"panel-1\"") && !page.contains("id=\"panel-2\""),
        "{page}"
    );
    let table = page.split("<details class=\"values\"").nth(1).expect("a table");
    assert!(
        table.contains("<td class=\"number\">4242</td>") && !table.contains("4343"),
        "{table}"
    );
    // Grafana's newer way to write it.
    assert!(
        stack
            .service
            .get("/d/one/any-name?viewPanel=panel-2")
            .text()
            .contains("id=\"panel-2\"")
    );
}

#[test]
fn a_closed_row_is_not_asked_for_until_it_is_opened() {
    let dashboards = tempfile::tempdir().unwrap();
    let dashboard = serde_json::json!({ "panels": [
        { "id": 7, "type": "row", "title": "Later", "collapsed": true, "gridPos": { "x": 0, "y": 0, "w": 24, "h": 1 }, "panels": [graph(8, "hidden_metric")] },
    ]});
    std::fs::write(dashboards.path().join("rows.json"), dashboard.to_string()).unwrap();
    let upstream = Upstream::start(|_| {
        Reply::Json(
            200,
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.into(),
        )
    });
    let service = Service::start(&format!(
        "{}[dashboards]\ndirectories = [{:?}]\n",
        upstream.settings(),
        dashboards.path()
    ));
    let page = service.get("/d/rows").text();
    assert!(page.contains("Later") && page.contains("1 panel") && !page.contains("Panel 8"));
    assert!(page.contains("/d/rows?rows=7#row-7"), "{page}");
    // How often it scrapes, and nothing else.
    let asked = upstream.asked();
    assert!(
        asked.iter().all(|asked| asked.starts_with("/api/v1/targets")),
        "{asked:?}"
    );
    assert!(service.get("/d/rows?rows=7").text().contains("Panel 8"));
    assert!(upstream.asked().iter().any(|asked| asked.contains("hidden_metric")));
}

#[test]
fn a_picture_is_drawn_of_the_whole_and_of_one_panel() {
    let stack = Stack::start();
    stack.put(
        "one",
        &serde_json::json!({ "title": "A <title>", "panels": [graph(1, "vector(42)"), graph(2, "vector(43)")] }),
    );
    let whole = stack.service.get("/render/d/one.svg?from=now-1m&width=800");
    assert_eq!(
        (whole.status, whole.header("content-type")),
        (200, Some("image/svg+xml"))
    );
    let text = whole.text();
    assert!(
        text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\""),
        "{text}"
    );
    assert!(
        text.contains("A &lt;title&gt;") && text.contains("Panel 1") && text.contains("Panel 2"),
        "{text}"
    );
    assert!(text.ends_with("</svg>\n"));
    let one = stack
        .service
        .get("/render/d/one.svg?viewPanel=2&width=600&height=300&theme=dark")
        .text();
    assert!(
        one.contains("height=\"300\"") && one.contains("Panel 2") && !one.contains("Panel 1"),
        "{one}"
    );
    let png = stack.service.get("/render/d/one.png?from=now-1m&width=800");
    assert_eq!(
        (png.status, png.header("content-type")),
        (200, Some("image/png")),
        "{}",
        png.text()
    );
    let mut image = png::Decoder::new(std::io::Cursor::new(&png.body)).read_info().unwrap();
    let mut pixels = vec![0; image.output_buffer_size().unwrap()];
    image.next_frame(&mut pixels).unwrap();
    assert_eq!(image.info().width, 800);
    assert!(pixels.iter().any(|byte| *byte < 64), "no letter");
    // What would take too much memory is refused, not tried.
    let large = stack
        .service
        .get("/render/d/one.png?viewPanel=2&width=4000&height=4000");
    assert_eq!(large.status, 400);
    assert!(large.text().contains("too many"), "{}", large.text());
}

#[test]
fn with_authentication_dashboards_need_it_like_the_rest() {
    let users = tempfile::NamedTempFile::new().unwrap();
    let hash = bcrypt::hash("secret", 4).unwrap();
    std::fs::write(users.path(), format!("operator:{hash}\n")).unwrap();
    let service = Setup::new(&format!("[auth]\nusers_file = {:?}\n", users.path())).start();
    for path in [
        "/dashboards",
        "/d/edgewatch-overview",
        "/d/edgewatch-overview/name",
        "/d/edgewatch-overview/values.json",
        "/render/d/edgewatch-overview.svg",
        "/render/d/edgewatch-overview.png",
        "/dashboards.css",
        "/dashboards.js",
        "/dashboards/edgewatch-overview.json",
    ] {
        assert_eq!(service.get(path).status, 401, "{path}");
    }
    use base64::Engine as _;
    let credentials = base64::engine::general_purpose::STANDARD.encode("operator:secret");
    let answer = service.request(&format!(
        "GET /d/edgewatch-overview HTTP/1.1\r\nHost: device\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    ));
    assert_eq!(answer.status, 200);
}

#[test]
fn a_look_at_the_head_asks_nothing() {
    let upstream = Upstream::start(|_| Reply::Html(500, ""));
    let service = Service::start(&upstream.settings());
    let head = service.request("HEAD /d/edgewatch-overview HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n");
    assert_eq!((head.status, head.body.len()), (200, 0));
    std::thread::sleep(Duration::from_millis(300));
    assert!(
        upstream.asked().iter().all(|asked| !asked.contains("query_range")),
        "{:?}",
        upstream.asked()
    );
}

#[test]
fn requests_for_dashboards_are_counted_as_such() {
    let service = Service::start("");
    service.get("/d/nope");
    service.get("/render/d/nope.svg");
    let count = service.metric("edge_http_requests_total{code=\"4xx\",handler=\"dashboards\"}");
    assert_eq!(count, Some(2.0));
}
