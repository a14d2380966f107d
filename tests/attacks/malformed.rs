//! What is no HTTP.

use crate::common::{Service, ask, only};

#[test]
fn malformed_requests_write_a_few_lines_and_are_counted() {
    let service = Service::start(&only(&["load"]));
    let before = service.log.text().lines().count();
    for _ in 0..200 {
        assert_eq!(ask(service.address(), b"GET / HTTP/9\r\n\r\n").unwrap().status, 400);
    }
    assert_eq!(
        service.metric("edge_http_connections_closed_total{reason=\"malformed\"}"),
        Some(200.0)
    );
    let log = service.log.text();
    let written = log.lines().count() - before;
    assert!((1..=10).contains(&written), "{written} lines:\n{log}");
    assert!(
        log.contains("malformed request from 127.0.0.1") && log.contains("no more of it"),
        "{log}"
    );
    assert!(!log.contains("ERROR"), "{log}");
}
