//! What Prometheus answers comes from whatever it scrapes: labels without number and without end, and queries that grow with them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::dashboard_files::assert_xml;
use super::shown;
use crate::common::upstream::{Reply, Upstream};
use crate::common::{Service, only, run};

fn service(upstream: &Upstream, dashboards: &[(&str, Value)]) -> (Service, tempfile::TempDir) {
    let texts: Vec<_> = dashboards
        .iter()
        .map(|(uid, dashboard)| (*uid, dashboard.to_string()))
        .collect();
    let texts: Vec<_> = texts.iter().map(|(uid, text)| (*uid, text.as_str())).collect();
    shown(&texts, upstream)
}

fn panel(id: u32, kind: &str, target: Value) -> Value {
    json!({"id": id, "type": kind, "title": "T", "gridPos": {"y": 9 * id, "w": 12, "h": 8}, "targets": [target]})
}

fn result(kind: &str, series: &str) -> Reply {
    Reply::Json(
        200,
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"{kind}\",\"result\":[{series}]}}}}"),
    )
}

/// What panels say is wrong.
fn problems(page: &str) -> Vec<String> {
    let parts = page.split("role=\"status\"><p>").skip(1);
    parts
        .map(|part| part.split("</p>").next().unwrap().to_owned())
        .collect()
}

#[test]
fn labels_are_bounded_in_number_and_length() {
    let mut many = String::new();
    for label in 0..90_000 {
        let _ = write!(many, "{}\"l{label}\":\"v\"", if label > 0 { "," } else { "" });
    }
    let long = format!("\"job\":\"{}\"", "x".repeat(1_500_000));
    for labels in [many, long] {
        let series = format!("{{\"metric\":{{{labels}}},\"values\":[[1,\"1\"]]}}");
        let upstream = Upstream::start(move |_| result("matrix", &series));
        let dashboard = json!({"panels": [panel(1, "timeseries", json!({"refId": "A", "expr": "up"})),
            panel(2, "table", json!({"refId": "A", "expr": "up2", "format": "table"}))]});
        let (service, _directory) = service(&upstream, &[("x", dashboard)]);
        assert_eq!(service.get("/d/edgewatch-overview").status, 200);
        let program = service.dashboards();
        let before = program.status("VmRSS");
        let page = service.get("/d/x");
        assert_eq!(page.status, 200);
        let growth = program.status("VmHWM") - before;
        println!("+{growth} KiB, page of {} KiB", page.body.len() >> 10);
        assert!(growth < 12 << 10, "+{growth} KiB");
        assert!(page.body.len() < 200 << 10, "{} bytes of page", page.body.len());
    }
}

#[test]
fn a_thousand_series_with_long_labels_are_bounded_together() {
    let labels: Vec<String> = (0..60)
        .map(|label| format!("\"label{label}\":\"{}\"", "v".repeat(30)))
        .collect();
    let series: Vec<String> = (0..700)
        .map(|number| {
            format!(
                "{{\"metric\":{{\"n\":\"{number}\",{}}},\"value\":[1,\"1\"]}}",
                labels.join(",")
            )
        })
        .collect();
    let series = series.join(",");
    let upstream = Upstream::start(move |_| result("vector", &series));
    let dashboard = json!({"panels": [panel(1, "table", json!({"refId": "A", "expr": "up", "format": "table", "instant": true, "range": false}))]});
    let (service, directory) = service(&upstream, &[("x", dashboard)]);
    service.reload(&format!(
        "{}max_series = 1000\n[dashboards]\ndirectories = [{:?}]\n{}",
        upstream.settings(),
        directory.path(),
        only(&["load"])
    ));
    assert_eq!(service.get("/d/edgewatch-overview").status, 200);
    let program = service.dashboards();
    let before = program.status("VmRSS");
    let page = service.get("/d/x");
    let growth = program.status("VmHWM") - before;
    let problems = problems(&page.text());
    assert!(
        problems.iter().any(|problem| problem.contains("of 700 series")),
        "{problems:?}"
    );
    assert!(growth < 16 << 10, "+{growth} KiB");
}

#[test]
fn control_characters_in_labels_leave_pictures_whole() {
    for label in ["a\u{1b}[31m", "a\u{fffe}", "a\u{0}b"] {
        let metric = json!({"__name__": "up", "job": label, "instance": "x"}).to_string();
        let upstream = Upstream::start(move |asked| match asked.contains("start=") {
            true => result("matrix", &format!("{{\"metric\":{metric},\"values\":[[1,\"1\"]]}}")),
            false => result("vector", &format!("{{\"metric\":{metric},\"value\":[1,\"1\"]}}")),
        });
        let target = json!({"refId": "A", "expr": "up", "legendFormat": "{{job}}", "instant": true});
        let kinds = [
            "timeseries",
            "stat",
            "bargauge",
            "gauge",
            "table",
            "state-timeline",
            "heatmap",
        ];
        let panels: Vec<Value> = (1..)
            .zip(kinds)
            .map(|(id, kind)| panel(id, kind, target.clone()))
            .collect();
        let (service, _directory) = service(&upstream, &[("x", json!({ "panels": panels }))]);
        let svg = service.get("/render/d/x.svg");
        assert_eq!(svg.status, 200);
        assert_xml(&svg.text());
        let png = service.get("/render/d/x.png");
        assert_eq!(png.status, 200, "{label:?}: {}", png.text());
    }
}

/// "All" over some hundred long values makes a query of any length: above some KB it is sent as a form, and what is too long even
/// for that is said in its panel. Other dashboards never hear of it.
#[test]
fn long_queries_break_neither_themselves_nor_other_dashboards() {
    for values in [50, 200, 500] {
        let names: Vec<String> = (0..values)
            .map(|number| format!("/var/lib/containers/storage/overlay/{number:04}/merged/volumes/data"))
            .collect();
        let names = json!({"status": "success", "data": names}).to_string();
        let upstream = Upstream::start(move |asked| match asked {
            _ if asked.contains("/label/") => Reply::Json(200, names.clone()),
            _ if asked.contains("start=") => result("matrix", "{\"metric\":{\"a\":\"b\"},\"values\":[]}"),
            _ => result("vector", "{\"metric\":{\"a\":\"b\"},\"value\":[1,\"1\"]}"),
        });
        let variable = json!({"name": "m", "type": "query", "query": "label_values(mountpoint)", "multi": true, "includeAll": true});
        let long = json!({"templating": {"list": [variable]}, "panels": [
            panel(1, "timeseries", json!({"refId": "A", "expr": "node_filesystem_free_bytes{mountpoint=~\"$m\"}"})),
            panel(2, "stat", json!({"refId": "A", "expr": "up"}))]});
        let other = json!({"panels": [panel(1, "stat", json!({"refId": "A", "expr": "up + 1"}))]});
        let (service, _directory) = service(&upstream, &[("x", long), ("y", other)]);
        for uid in ["x", "y"] {
            assert_eq!(
                problems(&service.get(&format!("/d/{uid}")).text()),
                Vec::<String>::new(),
                "{uid} with {values}"
            );
        }
        let last = format!("{:04}/merged/volumes/data)\"}}", values - 1);
        assert!(
            upstream.asked().iter().any(|asked| asked.contains(&last)),
            "the whole query arrives"
        );
    }
}

#[test]
fn a_query_that_is_too_long_is_named_and_not_sent() {
    let upstream = Upstream::start(|_| result("vector", ""));
    let long = |length: usize| format!("up{{x=\"{}\"}}", "a".repeat(length));
    let values = (0..200)
        .map(|number| format!("{number:0>900}"))
        .collect::<Vec<_>>()
        .join(",");
    let list = json!([{"name": "m", "type": "custom", "query": values[..60_000], "multi": true, "includeAll": true},
        {"name": "n", "type": "query", "query": "label_values(up{x=~\"$m\"}, y)"}]);
    let dashboard = json!({"templating": {"list": list}, "panels": [
        panel(1, "stat", json!({"refId": "A", "expr": long(70_000)})),
        panel(2, "stat", json!({"refId": "A", "expr": "up{x=~\"$m\",y=~\"$m\"}"})),
        panel(3, "stat", json!({"refId": "A", "expr": long(60_000)}))]});
    let (service, directory) = service(&upstream, &[("z", dashboard)]);
    let page = service.get("/d/z").text();
    assert!(
        page.contains("1 texts are cut off or left out: at most 64 KiB"),
        "{page:.2000}"
    );
    assert!(
        page.contains("query A: with what stands for its variables it is longer than 64 KiB"),
        "{page:.4000}"
    );
    assert!(page.contains("the selector is too long"), "{page:.4000}");
    assert!(!page.contains("does not answer"), "{page:.4000}");
    assert_eq!(service.log.count("panicked"), 0);
    let file = directory.path().join("z.json");
    let picture = directory.path().join("z.svg");
    let url = format!("http://{}", upstream.address);
    let (status, _, said) = run(
        &[
            "render",
            file.to_str().unwrap(),
            "-o",
            picture.to_str().unwrap(),
            "--prometheus",
            &url,
        ],
        &[],
    );
    assert!(status.success(), "{said}");
}
