//! Pictures take seconds each: one viewer who asks for many must not keep the others from their pages.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::common::upstream::{Reply, Upstream};
use crate::common::{Setup, eventually, only};

#[test]
fn pages_are_answered_while_32_pictures_wait() {
    let upstream = Upstream::start(|_| {
        Reply::Json(
            200,
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.into(),
        )
    });
    let service = Setup::new(&format!("{}{}", upstream.settings(), only(&["load"]))).start();
    let before = Instant::now();
    assert_eq!(service.get("/d/edgewatch-overview").status, 200);
    let alone = before.elapsed();
    let waiting: Vec<TcpStream> = (0..32)
        .map(|number| {
            let mut stream = TcpStream::connect(service.address()).unwrap();
            let path = format!("/render/d/edgewatch-overview.png?from=now-{}s", 3600 + 60 * number);
            write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            stream
        })
        .collect();
    // The pictures are at work once they ask their queries.
    upstream.forget();
    assert!(eventually(|| upstream.asked().len() > 10), "no picture is drawn");
    for _ in 0..3 {
        let before = Instant::now();
        let page = service.get("/d/edgewatch-overview");
        assert_eq!(page.status, 200, "{}", page.text());
        // They share two CPUs with two turns of pictures, and wait for none of the thirty others.
        assert!(
            before.elapsed() < 8 * alone + Duration::from_secs(3),
            "{:?}, alone {alone:?}",
            before.elapsed()
        );
    }
    assert_eq!(service.get("/d/edgewatch-overview/values.json").status, 200);
    // Nobody waits any more: what has begun ends, and nothing else begins.
    drop(waiting);
    let is_quiet = || {
        let cpu = service.dashboards().cpu();
        std::thread::sleep(Duration::from_millis(700));
        service.dashboards().cpu() - cpu < Duration::from_millis(100)
    };
    assert!(eventually(is_quiet), "the pictures are drawn for nobody");
    upstream.forget();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(upstream.asked(), Vec::<String>::new());
}
