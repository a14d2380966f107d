//! Queries, answers, and what panels say of them.

use super::*;

#[test]
fn no_address_lets_a_foreign_query_through() {
    let upstream = Upstream::start(|asked| match asked.contains("/label/") {
        true => Reply::Json(200, r#"{"status":"success","data":["sda","sdb"]}"#.into()),
        false => Reply::Json(200, EMPTY.into()),
    });
    let dashboard = Dashboard::from(&json!({
        "templating": { "list": [
            { "name": "device", "type": "query", "query": { "query": "label_values(node_disk_info, device)" }, "current": { "value": "sda" }, "multi": true, "includeAll": true },
            { "name": "kind", "type": "custom", "query": "a,b", "current": { "value": "a" } },
            { "name": "step", "type": "interval", "query": "1m,5m", "current": { "value": "1m" } },
            { "name": "fixed", "type": "constant", "query": "1", "current": { "value": "1" } },
            { "name": "datasource", "type": "datasource", "query": "prometheus" },
        ]},
        "panels": [{ "id": 1, "type": "timeseries", "title": "$device $kind", "targets": [
            { "refId": "A", "expr": "rate(a{device=~\"$device\",kind=\"$kind\"}[$step]) * $fixed" }
        ]}],
    }));
    let service = dashboard.service(&url(upstream.address));
    let page = service.get("/d/test?var-device=sdb&var-kind=b&var-step=5m").text();
    assert!(
        upstream
            .asked()
            .iter()
            .any(|asked| asked.contains("a{device=~\"sdb\",kind=\"b\"}[5m]")),
        "{:#?}",
        upstream.asked()
    );
    assert!(!page.contains("class=\"notice bad\""), "{page}");
    upstream.forget();
    let evil = "evil%22%7D)%20or%20up%7Bx%3D%22";
    for query in [
        format!("var-device={evil}"),
        format!("var-device=sda&var-device={evil}"),
        format!("var-kind={evil}&var-step={evil}&var-fixed={evil}&var-datasource=http://evil"),
        "var-kind=.*evil&var-__interval=evil&var-__rate_interval=evil&var-__range=evil".to_owned(),
        "expr=evil&query=evil&panelId=evil&queries=evil&left=evil&orgId=evil".to_owned(),
        format!("timezone={evil}"),
    ] {
        let answer = service.get(&format!("/d/test?from=now-7m&{query}"));
        assert!(!answer.text().contains("evil\"})"), "{query}");
        service.get(&format!("/d/test/values.json?from=now-8m&{query}"));
        service.get(&format!("/render/d/test.svg?from=now-9m&{query}"));
    }
    let asked = upstream.asked();
    assert!(asked.len() > 3, "{asked:#?}");
    for question in asked {
        assert!(!question.contains("evil"), "{question}");
    }
}

#[test]
fn a_choice_that_does_not_exist_is_said_above_the_panels() {
    let upstream = Upstream::start(|_| Reply::Json(200, EMPTY.into()));
    let dashboard = Dashboard::from(&json!({
        "templating": { "list": [{ "name": "kind", "type": "custom", "query": "a,b", "current": { "value": "a" } }] },
        "panels": [{ "id": 1, "type": "timeseries", "title": "x", "targets": [{ "refId": "A", "expr": "a{kind=\"$kind\"}" }] }],
    }));
    let service = dashboard.service(&url(upstream.address));
    let page = service.get("/d/test?var-kind=c").text();
    assert!(
        page.contains("class=\"notice bad\"") && page.contains("<strong>kind</strong>"),
        "{page}"
    );
    let picture = service.get("/render/d/test.svg?var-kind=c");
    assert_eq!(picture.status, 400, "a picture has no room for it");
}

#[test]
fn panels_say_why_they_have_no_data() {
    let dashboard = Dashboard::of(&["up"]);
    let answers: [(Reply, &str); 9] = [
        (
            Reply::Json(
                400,
                r#"{"status":"error","errorType":"bad_data","error":"parse <error>"}"#.into(),
            ),
            "Prometheus refuses the query: parse &lt;error&gt;",
        ),
        (
            Reply::Json(
                503,
                r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#.into(),
            ),
            "Prometheus refuses the query: query timed out",
        ),
        (Reply::Html(200, "<html>It works!</html>"), "is prometheus.url right?"),
        (Reply::Html(404, "nothing"), "answered 404"),
        (Reply::Html(503, "Service Unavailable"), "it may still be starting"),
        (Reply::Html(302, "elsewhere"), "answered 302"),
        (
            Reply::Json(
                200,
                r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":5}]}}"#.into(),
            ),
            "something odd",
        ),
        (Reply::Json(200, "[".repeat(100_000)), "something odd"),
        (Reply::Half, "timed out after 0.5 s"),
    ];
    for (reply, expected) in answers {
        let upstream = Upstream::start(move |_| reply.clone());
        let service = dashboard.service(&format!("{}\ntimeout = \"500ms\"", url(upstream.address)));
        let page = service.get("/d/test").text();
        let said = problems(&page);
        assert_eq!(said.len(), 1, "{expected}: {page}");
        assert!(said[0].contains(expected), "{expected}: {said:?}");
        assert!(page.ends_with("</html>\n"));
    }
}

#[test]
fn a_closed_port_is_named() {
    let dashboard = Dashboard::of(&["up", "up > 1"]);
    let port = common::prometheus::free_port();
    let service = dashboard.service(&url(format!("127.0.0.1:{port}")));
    let said = problems(&service.get("/d/test").text());
    assert_eq!(
        said,
        vec![format!("Prometheus does not answer: nothing listens on 127.0.0.1:{port}"); 2]
    );
}

#[test]
fn series_above_the_limit_are_counted_and_said() {
    let dashboard = Dashboard::of(&[
        "node_cpu_seconds_total or node_load1 or node_load5 or node_load15",
        "sum(node_load1)",
    ]);
    let service = Service::start("");
    let prometheus = Prometheus::start(&installed()[0], &[service.address()], Duration::from_secs(1));
    service.reload(&format!(
        "[prometheus]\n{}\nmax_series = 3\nscrape_interval = \"1s\"\n[dashboards]\ndirectories = [{:?}]\n",
        url(prometheus.address),
        dashboard.path()
    ));
    let query = "count(node_cpu_seconds_total or node_load1 or node_load5 or node_load15)";
    assert!(common::eventually(|| !prometheus.query(query).is_empty()));
    let all = prometheus.value(query);
    let mut said = Vec::new();
    // Ranges end at a moment of some seconds, which must lie after the first scrape.
    let holds = || {
        said = problems(&service.get("/d/test?from=now-1m").text());
        !said.is_empty()
    };
    common::eventually(holds);
    assert_eq!(said, [format!("showing 3 of {all} series")]);
}

#[test]
fn prometheus_is_asked_how_often_it_scrapes_unless_the_settings_say_it() {
    const TARGETS: &str = r#"{"status":"success","data":{"activeTargets":[{"labels":{"job":"a"},"health":"up","lastError":"","scrapeInterval":"1m"}],"droppedTargets":[]}}"#;
    let upstream = Upstream::start(|target| {
        let answer = if target.starts_with("/api/v1/targets") {
            TARGETS
        } else {
            EMPTY
        };
        Reply::Json(200, answer.into())
    });
    let dashboard = Dashboard::of(&["rate(a[$__rate_interval])", "rate(b[$__rate_interval])"]);
    for (setting, expected, asks) in [("", "rate(a[4m])", 1), ("scrape_interval = \"15s\"", "rate(a[1m])", 0)] {
        upstream.forget();
        let service = dashboard.service(&format!("{}\n{setting}", url(upstream.address)));
        service.get("/d/test");
        service.get("/d/test");
        let asked = upstream.asked();
        assert!(asked.iter().any(|one| one.contains(expected)), "{expected}: {asked:?}");
        let targets = asked.iter().filter(|one| one.starts_with("/api/v1/targets")).count();
        assert_eq!(targets, asks, "{asked:?}");
    }
}

#[test]
fn points_are_bounded_whatever_the_range() {
    let upstream = Upstream::start(|_| Reply::Json(200, EMPTY.into()));
    let dashboard = Dashboard::of(&["up"]);
    let service = dashboard.service(&url(upstream.address));
    for range in ["from=now-5m", "from=now-30d", "from=0", "from=0&to=now%2B100y"] {
        upstream.forget();
        let page = service.get(&format!("/d/test?{range}&viewPanel=1")).text();
        assert_eq!(problems(&page), Vec::<String>::new(), "{range}");
        let asked = upstream.asked();
        let number = |name: &str| {
            let query = asked.iter().find(|asked| asked.contains("query_range")).unwrap();
            let (_, rest) = query.split_once(&format!("&{name}=")).unwrap();
            rest.split('&').next().unwrap().parse::<f64>().unwrap()
        };
        let points = (number("end") - number("start")) / number("step");
        assert!(points <= 1500.0, "{range}: {points}");
    }
}

#[test]
fn an_answer_that_is_too_large_is_not_held() {
    let upstream = Upstream::start(|_| {
        let mut json = r#"{"status":"success","data":{"resultType":"matrix","result":["#.to_owned();
        for number in 0..60_000 {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(
                json,
                "{comma}{{\"metric\":{{\"number\":\"{number}\"}},\"values\":[[1700000000,\"1\"]]}}"
            );
        }
        Reply::Json(200, json + "]}}")
    });
    let dashboard = Dashboard::of(&["up"]);
    let service = dashboard.service(&url(upstream.address));
    let said = problems(&service.get("/d/test").text());
    assert!(said[0].contains("larger than 2 MiB"), "{said:?}");
}

#[test]
fn hostile_labels_and_titles_come_out_as_text() {
    let evil = r#"</text><script>alert(1)</script>"'&<img src=x onerror=alert(2)>"#;
    let label = serde_json::to_string(evil).unwrap();
    let upstream = Upstream::start(move |asked| {
        let data = match asked.contains("query_range") {
            true => format!(
                r#"{{"resultType":"matrix","result":[{{"metric":{{"name":{label}}},"values":[[1700000000,"1"],[1700000060,"2"]]}}]}}"#
            ),
            false => format!(
                r#"{{"resultType":"vector","result":[{{"metric":{{"name":{label}}},"value":[1700000060,"1"]}}]}}"#
            ),
        };
        Reply::Json(200, format!(r#"{{"status":"success","data":{data}}}"#))
    });
    let kinds = [
        "timeseries",
        "stat",
        "gauge",
        "bargauge",
        "table",
        "state-timeline",
        "heatmap",
        "text",
        evil,
    ];
    let panels: Vec<Value> = (1..)
        .zip(kinds)
        .map(|(id, kind)| {
            json!({
                "id": id, "type": kind, "title": evil, "description": evil, "gridPos": { "x": 0, "y": id, "w": 24, "h": 8 },
                "options": { "content": evil, "mode": "html" },
                "fieldConfig": { "defaults": { "unit": evil, "displayName": format!("{evil} ${{__field.labels.name}}"), "noValue": evil, "color": { "mode": "fixed", "fixedColor": evil } } },
                "targets": [{ "refId": "A", "expr": "x", "legendFormat": "{{name}}", "instant": kind == "table" }],
            })
        })
        .collect();
    let dashboard = Dashboard::from(&json!({
        "title": evil, "timezone": evil, "panels": panels,
        "templating": { "list": [{ "name": "v", "label": evil, "type": "custom", "query": "a,b", "options": [{ "text": evil, "value": evil }], "current": { "value": "a" } }] },
    }));
    let service = dashboard.service(&url(upstream.address));
    for path in [
        "/d/test?from=1700000000000&to=1700000060000",
        "/d/test?from=1700000000000&to=1700000060000&viewPanel=1",
        "/render/d/test.svg?from=1700000000000&to=1700000060000",
        "/dashboards",
    ] {
        let answer = service.get(path);
        assert_eq!(answer.status, 200, "{path}");
        let text = answer.text();
        assert!(!text.contains("<script>") && !text.contains("<img"), "{path}: {text}");
        assert!(text.contains("&lt;script&gt;"), "{path}");
    }
}

#[test]
fn a_time_zone_that_is_not_known_is_said_above_the_panels_and_in_pictures() {
    let upstream = Upstream::start(|_| Reply::Json(200, EMPTY.into()));
    let dashboard = Dashboard::of(&["up"]);
    let service = dashboard.service(&url(upstream.address));
    let said = "Mars/Olympus&quot; is not known here";
    let page = service.get("/d/test?timezone=Mars/Olympus").text();
    assert!(page.split("<main").next().unwrap().contains(said), "{page}");
    let picture = service.get("/render/d/test.svg?timezone=Mars/Olympus").text();
    assert!(picture.contains(said), "{picture}");
    assert!(
        !service
            .get("/d/test?timezone=Asia/Tokyo")
            .text()
            .contains("is not known here")
    );
}

#[test]
fn a_variable_without_values_is_named_above_the_panels_and_in_pictures() {
    let upstream = Upstream::start(|asked| match asked.contains("/label/") {
        true => Reply::Json(200, r#"{"status":"success","data":[]}"#.into()),
        false => Reply::Json(200, EMPTY.into()),
    });
    let dashboard = Dashboard::from(&json!({
        "templating": { "list": [{ "name": "node", "type": "query", "query": "label_values(node_uname_info, nodename)", "includeAll": true }] },
        "panels": [{ "id": 1, "type": "text", "gridPos": { "w": 12, "h": 4 } }, { "id": 2, "type": "text", "gridPos": { "x": 12, "w": 12, "h": 4 } }],
    }));
    let service = dashboard.service(&url(upstream.address));
    let said = "there are no values to choose from";
    let page = service.get("/d/test").text();
    let head = page.split("<main").next().unwrap();
    assert!(head.contains(&format!("<strong>node</strong>: {said}")), "{head}");
    let picture = service.get("/render/d/test.svg");
    assert!(
        picture.status == 200 && picture.text().contains(&format!("node: {said}")),
        "{}",
        picture.text()
    );
}
