//! Many viewers, and a Prometheus that does not answer.

use super::*;

#[test]
fn ten_equal_viewers_cost_one_query_for_each_query() {
    let dashboard = Dashboard::of(&["up", "node_load1", "node_load5"]);
    let service = dashboard.service("");
    let prometheus = Prometheus::start(&installed()[0], &[service.address()], Duration::from_secs(1));
    let counting = Upstream::start({
        let address = prometheus.address;
        move |_| Reply::Forward(address)
    });
    service.reload(&format!(
        "[prometheus]\n{}\n[dashboards]\ndirectories = [{:?}]\n{}",
        url(counting.address),
        dashboard.path(),
        only(&["load"])
    ));
    // A range of its own, or the moment might change between two of them.
    let now = (prometheus.value("vector(time())") * 1000.0) as i64;
    let path = format!("/d/test?from={}&to={now}", now - 3_600_000);
    let together = Barrier::new(10);
    let pages: Vec<String> = thread::scope(|scope| {
        let viewers: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    service.get(&path).text()
                })
            })
            .collect();
        viewers.into_iter().map(|viewer| viewer.join().unwrap()).collect()
    });
    for page in &pages {
        assert_eq!(page, &pages[0]);
    }
    // Beside them, how often Prometheus scrapes.
    let asked = counting.asked();
    let queries = asked
        .iter()
        .filter(|asked| !asked.starts_with("/api/v1/targets"))
        .count();
    assert_eq!((queries, asked.len()), (3, 4), "{asked:#?}");
    // Whoever points at a graph is told from the same answers.
    service.get(&format!("/d/test/values.json?from={}&to={now}", now - 3_600_000));
    assert_eq!(counting.asked().len(), 4);
}

#[test]
fn a_server_that_is_silent_costs_a_page_about_one_timeout() {
    let upstream = Upstream::start(|_| Reply::Silence);
    let service = Service::start(&format!("{}timeout = \"1s\"\n", upstream.settings()));
    for path in ["/d/edgewatch-overview", "/d/edgewatch-overview?from=now-1h"] {
        let began = Instant::now();
        let page = service.get(path).text();
        let said = problems(&page);
        assert!(said.len() > 15, "{page}");
        for problem in &said {
            assert_eq!(problem, "Prometheus does not answer: timed out after 1 s");
        }
        // One after the other the queries would take half a minute; the bound leaves room for a busy machine.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        thread::sleep(Duration::from_secs(4));
    }
}

#[test]
fn a_prometheus_that_stops_is_told_and_one_that_comes_back_is_asked_again() {
    let dashboard = Dashboard::of(&["vector(42)"]);
    let service = dashboard.service("");
    let prometheus = Prometheus::start(&installed()[0], &[service.address()], Duration::from_secs(1));
    let is_up = Arc::new(AtomicBool::new(true));
    let upstream = Upstream::start({
        let (address, is_up) = (prometheus.address, Arc::clone(&is_up));
        move |_| match is_up.load(Ordering::Relaxed) {
            true => Reply::Forward(address),
            false => Reply::Silence,
        }
    });
    service.reload(&format!(
        "[prometheus]\n{}\ntimeout = \"500ms\"\n[dashboards]\ndirectories = [{:?}]\n{}",
        url(upstream.address),
        dashboard.path(),
        only(&["load"])
    ));
    let problems_of = |query: &str| problems(&service.get(&format!("/d/test?{query}")).text());
    assert_eq!(problems_of("from=now-10m"), Vec::<String>::new());
    is_up.store(false, Ordering::Relaxed);
    assert_eq!(
        problems_of("from=now-20m"),
        ["Prometheus does not answer: timed out after 0.5 s"]
    );
    is_up.store(true, Ordering::Relaxed);
    assert!(common::eventually(|| problems_of("from=now-30m").is_empty()));
}

#[test]
fn one_viewer_too_many_is_told_to_come_again() {
    let upstream = Upstream::start(|_| Reply::Silence);
    let service = Service::start(&format!(
        "{}timeout = \"2s\"\n[http]\nmax_connections = 100\n",
        upstream.settings()
    ));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let viewers: Vec<_> = (0..60)
            .map(|number| {
                let service = &service;
                scope.spawn(move || {
                    let answer = service.get(&format!("/d/edgewatch-overview?from=now-{}m", number + 10));
                    if answer.status == 503 {
                        assert_eq!(answer.header("retry-after"), Some("2"));
                    }
                    answer.status
                })
            })
            .collect();
        viewers.into_iter().map(|viewer| viewer.join().unwrap()).collect()
    });
    let refused = statuses.iter().filter(|status| **status == 503).count();
    assert!(refused > 0 && statuses.contains(&200), "{statuses:?}");
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn readings_and_metrics_do_not_wait_for_dashboards() {
    let upstream = Upstream::start(|_| Reply::Silence);
    let service = Service::start(&format!("{}timeout = \"5s\"\n", upstream.settings()));
    thread::scope(|scope| {
        let viewers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| service.get("/d/edgewatch-overview").status))
            .collect();
        assert!(common::eventually(|| !upstream.asked().is_empty()));
        for path in ["/metrics", "/sensor", "/", "/readyz"] {
            let began = Instant::now();
            assert_eq!(service.get(path).status, 200);
            assert!(
                began.elapsed() < Duration::from_secs(3),
                "{path}: {:?}",
                began.elapsed()
            );
        }
        for viewer in viewers {
            assert_eq!(viewer.join().unwrap(), 200);
        }
    });
}

/// The first waits for Prometheus to say what can be chosen there; the second was never looked at before.
#[test]
fn a_slow_dashboard_does_not_keep_others_from_being_opened() {
    let upstream = Upstream::start(|asked| match asked.contains("/label/") {
        true => Reply::Silence,
        false => Reply::Json(200, EMPTY.into()),
    });
    let dashboard = Dashboard::from(&json!({
        "templating": { "list": [{ "name": "x", "type": "query", "query": "label_values(up, job)" }] },
        "panels": [],
    }));
    std::fs::write(
        dashboard.path().join("quick.json"),
        r#"{"panels": [{"id": 1, "type": "text"}]}"#,
    )
    .unwrap();
    let service = dashboard.service(&format!("{}\ntimeout = \"15s\"", url(upstream.address)));
    thread::scope(|scope| {
        let slow = scope.spawn(|| service.get("/d/test").status);
        assert!(eventually(|| !upstream.asked().is_empty()), "the slow one asks");
        assert_eq!(service.get("/d/quick").status, 200);
        assert!(!slow.is_finished(), "the other one did not wait for it");
        assert_eq!(slow.join().unwrap(), 200);
    });
}
