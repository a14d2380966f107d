use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use edgewatch_outbound::clock;
use edgewatch_program::lock::lock;
use prost::Message;

use super::*;
use crate::encode::WriteRequest;

/// An HTTP server that answers each request by its target and body with a status and a JSON text; ends with the test.
pub(super) fn serve(answer: impl Fn(&str, &[u8]) -> (u16, String) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let length = head.to_ascii_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).unwrap();
            let (status, text) = answer(head.split(' ').nth(1).unwrap_or_default(), &body);
            let head = format!("HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\n");
            // A reader that has seen enough closes first.
            let _ = write!(stream.get_mut(), "{head}Content-Length: {}\r\n\r\n{text}", text.len());
        }
    });
    address
}

/// A Prometheus that has stored a sample for each second since `first`, in milliseconds since 1970.
pub(super) fn history(first: i64) -> SocketAddr {
    let number = |target: &str, key: &str| -> i64 {
        let rest = target.split(key).nth(1).unwrap();
        let seconds: f64 = rest.split('&').next().unwrap().parse().unwrap();
        (seconds * 1000.0).round() as i64
    };
    serve(move |target, _| {
        let stored = |after: i64, until: i64| {
            let until = until.min(clock::wall_ms());
            (first..=until).step_by(1000).filter(move |time| *time > after)
        };
        let data = if target.starts_with("/api/v1/series") {
            let found = stored(number(target, "start=") - 1, number(target, "end=")).next();
            found.map_or("[]", |_| r#"[{"__name__":"up"}]"#).to_owned()
        } else if target.starts_with("/api/v1/query") {
            let range = target.replace("%5B", "[");
            let range: i64 = range
                .split('[')
                .nth(1)
                .unwrap()
                .split("ms")
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let until = number(target, "time=");
            let values: Vec<String> = stored(until - range, until)
                .map(|time| format!("[{}.{:03},\"1\"]", time / 1000, time % 1000))
                .collect();
            let series = format!(r#"{{"metric":{{"__name__":"up"}},"values":[{}]}}"#, values.join(","));
            format!(
                r#"{{"resultType":"matrix","result":[{}]}}"#,
                if values.is_empty() { "" } else { series.as_str() }
            )
        } else {
            r#"{"lastConfigTime":"2026-01-01T00:00:00Z","storageRetention":"12h"}"#.to_owned()
        };
        (200, format!(r#"{{"status":"success","data":{data}}}"#))
    })
}

fn sent_until(directory: &Path) -> i64 {
    let text = std::fs::read_to_string(directory.join("forward.json")).unwrap_or_default();
    let cursor: Option<cursor::Cursor> = serde_json::from_str(&text).ok();
    cursor.map_or(i64::MIN, |cursor| cursor.sent_until_ms)
}

fn wait_until_sent(directory: &Path, time: i64) {
    let began = Instant::now();
    while sent_until(directory) < time {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "sent until {}",
            sent_until(directory)
        );
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_is_stored_arrives_after_an_outage_and_the_next_one_goes_on_where_this_one_was() {
    let first = clock::wall_ms() / 1000 * 1000 - 20_000;
    let source = format!("http://{}", history(first));
    let received = Arc::new(Mutex::new(BTreeSet::new()));
    let (record, requests) = (Arc::clone(&received), AtomicUsize::new(0));
    let centre = serve(move |_, body| {
        // An outage of two requests.
        if requests.fetch_add(1, Ordering::Relaxed) < 2 {
            return (500, String::new());
        }
        let message = snap::raw::Decoder::new().decompress_vec(body).unwrap();
        let series = WriteRequest::decode(&*message).unwrap().timeseries;
        let samples = series.into_iter().flat_map(|series| series.samples);
        lock(&record).extend(samples.map(|sample| sample.timestamp));
        (204, String::new())
    });
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        url: Some(format!("http://{centre}/write")),
        window: Some(Duration::from_secs(2)),
        lag: Duration::from_secs(1),
        directory: Some(directory.path().to_owned()),
        ..Settings::default()
    };
    let counters = Arc::new(Counters::new().unwrap());
    let until = clock::wall_ms();
    let forwarder = Forwarder::start(&settings, &source, &counters, None).unwrap();
    wait_until_sent(directory.path(), until);
    let missing: Vec<i64> = (first..=until)
        .step_by(1000)
        .filter(|time| !lock(&received).contains(time))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    // Another one takes over, with the cursor.
    let next = Forwarder::start(&settings, &source, &counters, Some(&forwarder)).unwrap();
    lock(&received).clear();
    wait_until_sent(directory.path(), clock::wall_ms());
    let oldest = lock(&received).first().copied().unwrap();
    assert!(oldest > until - 10_000, "{oldest} again, though sent until {until}");
    next.stop().unwrap().join().unwrap();
    assert!(forwarder.stop().is_none());
}
