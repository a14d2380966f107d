//! What the address of a dashboard's page says, against the real service.

use crate::common;

use common::upstream::{Reply, Upstream};
use common::{Service, Setup};

#[test]
fn what_cannot_be_meant_is_refused_with_the_reason_and_shows_nothing_else() {
    let service = Service::start("");
    for (query, part) in [
        ("from=yesterday", "yesterday"),
        ("from=now&to=now-1h", "must lie before"),
        ("viewPanel=x", "viewPanel=x"),
        ("theme=pink", "theme=pink"),
        ("rows=a", "rows=a"),
    ] {
        let answer = service.get(&format!("/d/edgewatch-overview?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        let page = answer.text();
        assert!(
            page.contains(part) && page.contains("href=\"/d/edgewatch-overview\""),
            "{query}: {page}"
        );
        assert!(!page.contains("class=\"panel"), "{query}");
        assert_eq!(
            service
                .get(&format!("/d/edgewatch-overview/values.json?{query}"))
                .status,
            400
        );
        assert_eq!(
            service.get(&format!("/render/d/edgewatch-overview.svg?{query}")).status,
            400
        );
    }
    for path in ["/d/nope", "/d/edgewatch-overview?viewPanel=4000", "/d/%3Cscript%3E"] {
        let answer = service.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("href=\"/dashboards\""), "{path}");
        assert!(!answer.text().contains("<script>"), "{path}");
    }
    assert_eq!(service.get("/d/nope/values.json").status, 404);
    assert_eq!(service.get("/render/d/nope.svg").status, 404);
    assert_eq!(service.get("/render/d/edgewatch-overview.svg?width=9").status, 400);
}

#[test]
fn the_address_decides_what_is_seen_and_links_keep_it() {
    let upstream = Upstream::start(|_| {
        Reply::Json(
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#.into(),
        )
    });
    let service = Service::start(&upstream.settings());
    let page = service
        .get("/d/edgewatch-overview?from=now-2d&to=now&refresh=10s&theme=dark")
        .text();
    assert!(page.contains("<html lang=\"en\" data-theme=\"dark\">"), "{page}");
    assert!(page.contains("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>"));
    assert!(page.contains("Last 2 days") && page.contains("data-refresh=\"10\""));
    assert!(page.contains("/d/edgewatch-hardware?from=now-2d&amp;to=now&amp;refresh=10s&amp;theme=dark"));
    assert!(page.contains("<header"));
    let kiosk = service.get("/d/edgewatch-overview?kiosk&refresh=off").text();
    assert!(!kiosk.contains("<header") && kiosk.contains("<body class=\"kiosk\">"));
    assert!(!kiosk.contains("http-equiv=\"refresh\""));
}

#[test]
fn a_time_that_is_typed_is_in_the_zone_of_the_page_and_becomes_a_link_that_means_the_same_everywhere() {
    let service = Service::start("");
    let path = "/d/edgewatch-overview?timezone=Asia/Kolkata";
    let typed = service.get(&format!(
        "{path}&typed-from=2026-05-13+18:05:50&typed-to=2026-05-13+19:05"
    ));
    let link = "/d/edgewatch-overview?timezone=Asia/Kolkata&from=1778675750000&to=1778679300000";
    assert_eq!((typed.status, typed.header("location")), (303, Some(link)));
    // In a link, as in Grafana, a date without a zone is in UTC. Both are shown as the page's time, in the form as well.
    for query in [
        "from=1778675750000&to=1778679300000",
        "from=2026-05-13+12:35:50&to=20260513T133500",
    ] {
        let page = service.get(&format!("{path}&{query}")).text();
        assert!(
            page.contains("2026-05-13 18:05:50 to 2026-05-13 19:05:00"),
            "{query}: {page}"
        );
        assert!(
            page.contains("name=\"typed-from\" value=\"2026-05-13 18:05:50\""),
            "{query}: {page}"
        );
    }
    let refused = service.get(&format!("{path}&typed-from=soon&typed-to=now"));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("soon"), "{}", refused.text());
}

#[test]
fn a_date_without_a_zone_in_a_file_is_one_of_the_device_as_in_grafana_one_of_the_browser() {
    let dashboards = tempfile::tempdir().unwrap();
    let time = serde_json::json!({ "from": "2026-05-13 12:35:50", "to": "2026-05-13T13:35" });
    let dashboard = serde_json::json!({ "time": time, "timezone": "Europe/Berlin", "panels": [] });
    std::fs::write(dashboards.path().join("dated.json"), dashboard.to_string()).unwrap();
    let settings = format!("[dashboards]\ndirectories = [{:?}]\n", dashboards.path());
    let service = Setup::new(&settings).environment("TZ", "Asia/Tokyo").start();
    let page = service.get("/d/dated").text();
    assert!(page.contains("2026-05-13 05:35:50 to 2026-05-13 06:35:00"), "{page}");
}

#[test]
fn a_table_is_sorted_by_the_head_of_a_column_and_the_address_keeps_it() {
    let dashboards = tempfile::tempdir().unwrap();
    let table = serde_json::json!({
        "id": 1, "type": "table", "title": "T", "gridPos": { "x": 0, "y": 0, "w": 12, "h": 8 },
        "targets": [{ "refId": "A", "expr": "up", "instant": true, "format": "table" }],
    });
    std::fs::write(
        dashboards.path().join("sorted.json"),
        serde_json::json!({ "panels": [table] }).to_string(),
    )
    .unwrap();
    let upstream = Upstream::start(|_| {
        let series = |job: &str, value: u32| format!(r#"{{"metric":{{"job":"{job}"}},"value":[1,"{value}"]}}"#);
        let result = [series("b", 2), series("a", 3), series("c", 1)].join(",");
        Reply::Json(
            200,
            format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#),
        )
    });
    let service = Service::start(&format!(
        "{}[dashboards]\ndirectories = [{:?}]\n",
        upstream.settings(),
        dashboards.path()
    ));
    let jobs = |page: &str| -> String {
        let cells = page
            .split("<td ")
            .skip(1)
            .filter_map(|cell| cell.split(['>', '<']).nth(1));
        cells.filter(|text| ["a", "b", "c"].contains(text)).collect()
    };
    let plain = service.get("/d/sorted?theme=dark").text();
    assert_eq!(jobs(&plain), "bac", "{plain}");
    assert!(
        plain.contains("href=\"/d/sorted?theme=dark&amp;sort-1=asc:job#panel-1\">job</a>"),
        "{plain}"
    );
    let sorted = service.get("/d/sorted?theme=dark&sort-1=asc:job").text();
    assert_eq!(jobs(&sorted), "abc");
    assert!(sorted.contains("aria-sort=\"ascending\"><a href=\"/d/sorted?theme=dark&amp;sort-1=desc:job#panel-1\">"));
    assert_eq!(jobs(&service.get("/d/sorted?sort-1=desc:Value").text()), "abc");
    assert_eq!(jobs(&service.get("/d/sorted?sort-1=asc:none").text()), "bac");
    let refused = service.get("/d/sorted?sort-1=job");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("asc:COLUMN"), "{}", refused.text());
}
